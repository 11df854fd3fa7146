// What people ask about runs in progress. Changes nothing; the answers are JSON objects.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace sluice::model {

/// Why does a task not run? See docs/explain.md for the answer.
struct explain_task {
  std::string task; ///< by name
};

/// What do ready tasks wait for? The answer has `waits`: pairs of an index and the name of a
/// `wait_reason`, of those that are ready and wait for more than a slot.
struct list_waits {
  std::uint32_t from = 0, to = 0; ///< indices, both included; at most `most_waits` are looked at
};
inline constexpr std::uint32_t most_waits = 10'000;

/// What is there, of no run: `limits`, each as a `store_limit`, with `has` and `used` of what there
/// is.
struct list_limits {};

using question = std::variant<explain_task, list_waits, list_limits>;

} // namespace sluice::model

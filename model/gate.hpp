// What tasks wait for that do nothing else: a person's approval, a signal, a time.
#pragma once

#include "model/ids.hpp"
#include "model/json.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::model {

/// A run keeps so many signals that no gate has taken yet, and so much of each.
inline constexpr std::size_t most_signals = 1'000;
inline constexpr std::size_t most_signal_bytes = 64u << 10;

/// What a task that is a gate or a wait waits for.
struct awaited {
  wait_reason reason = wait_reason::none;
  std::string name;             ///< of the signal; or empty
  std::string prompt;           ///< of an approval
  std::optional<wall_time> due; ///< it goes on then, or expires
  friend bool operator==(const awaited&, const awaited&) = default;
};

/// Who has decided, and what was said about it.
struct decision {
  std::string by;
  std::string note;
  friend bool operator==(const decision&, const decision&) = default;
};

/// A signal that no gate has taken yet.
struct kept_signal {
  std::uint64_t number = 0; ///< within its run, ascending
  std::string name;
  value payload;
};

} // namespace sluice::model

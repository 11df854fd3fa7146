// Keys that make a repeated request the same one: of a run, given with its submission, or of a
// task, written in its workflow.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/json.hpp"
#include "model/time.hpp"

#include <string>
#include <string_view>

namespace sluice::model {

/// How long a key stands for the run it was first given for, or for the task that last started or
/// succeeded with it.
inline constexpr milliseconds key_lifetime{24 * 60 * 60 * 1'000};

/// Whether a text may be a key. Errors: `invalid_argument` for one that is empty, longer than 200
/// bytes, or holds control characters.
expected<void> check_key(std::string_view text);

/// What makes a repeated submission the same one. Digests are SHA-256, in hex.
struct idempotency_key {
  std::string digest;  ///< of what kind of thing it is for, the workflow's name and the key
  std::string request; ///< of version and parameters: the same key with others is a mistake
  friend bool operator==(const idempotency_key&, const idempotency_key&) = default;
};

/// The run that a key stands for.
struct keyed_run {
  model::run_no run_no;
  std::string request; ///< as in `idempotency_key`
};

/// The run that whoever repeats a submission gets. Errors: `conflict` when the first one with this
/// key was another.
expected<run_no> repeated_run(const keyed_run& first, const idempotency_key& key);

/// A task that has succeeded, and that its key stands for.
struct keyed_result {
  task_key task;
  value outputs; ///< object, or null
};

} // namespace sluice::model

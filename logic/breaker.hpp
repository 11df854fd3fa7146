// A circuit breaker of one kind of task: after some failed attempts in a row it opens, and tasks of
// the kind wait. When its pause is over, one of them is the probe: its success closes the breaker,
// its failure begins another pause. A value without clock or store; scheduler_core owns one per
// kind that has failed lately.
#pragma once

#include "model/breaker.hpp"
#include "model/ids.hpp"

#include <optional>

namespace sluice::logic {

struct breaker_options {
  std::uint32_t failures = 5;        ///< attempts in a row that open it
  model::milliseconds pause{60'000}; ///< before the probe, and before the next one
};

class breaker {
public:
  breaker() = default;
  explicit breaker(const model::breaker_state& stored) : state_(stored) {}

  const model::breaker_state& state() const { return state_; }
  bool is_open() const { return state_.open_until.has_value(); }
  /// Whether its pause is over and a probe may be made, if there is none yet.
  bool is_half_open(model::wall_time now) const { return is_open() && now >= *state_.open_until; }
  const std::optional<model::task_key>& probe() const { return probe_; }

  /// Whether a task of the kind may start now. When a probe is due, it is this one.
  bool admits(model::task_key task, model::wall_time now);
  /// Makes the task the probe, unless there is one. Returns whether it is.
  /// @pre is open
  bool try_with(model::task_key task);

  /// An attempt succeeded, of the probe or of a task that started before.
  void succeed() { *this = breaker{}; }
  /// An attempt failed in a way that counts. Returns whether a pause begins with it: what started
  /// before the breaker opened, and fails while it is open, prolongs nothing.
  bool fail(model::task_key task, model::wall_time now, const breaker_options& options);
  /// The task ends or is held without an attempt that says anything. Returns whether it was the
  /// probe: there is none any more.
  bool give_up(model::task_key task);

private:
  model::breaker_state state_;
  std::optional<model::task_key> probe_;
};

} // namespace sluice::logic

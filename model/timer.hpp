// A durable timer: what a run or a task waits for until a point in time. It is set and removed in
// the step that moves the task, so that the store always holds exactly those that matter.
#pragma once

#include "model/ids.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace sluice::model {

/// A run, a group of its tasks or a task has at most one of each kind. One that was set anew has
/// another `due`: what was set before and fires late is not the same timer.
struct timer {
  model::run_no run_no;
  std::optional<std::uint32_t> task_idx; ///< nothing: of the run, or of a group
  timer_kind kind = timer_kind::retry;
  wall_time due;
  std::optional<std::uint32_t> group = std::nullopt; ///< index in the workflow's `groups`
  friend auto operator<=>(const timer&, const timer&) = default;
};

/// What becomes of timers in one step; a timer that is set anew is removed first.
struct timer_changes {
  std::vector<timer> removed;
  std::vector<timer> set;
  bool empty() const { return removed.empty() && set.empty(); }
  std::size_t size() const { return removed.size() + set.size(); }
};

} // namespace sluice::model

template <>
struct std::hash<sluice::model::timer> {
  std::size_t operator()(const sluice::model::timer& t) const noexcept {
    // Not the due time: two timers that differ in nothing else are never armed together for long.
    const auto kind = static_cast<std::uint32_t>(t.kind);
    const auto target = t.group ? ~1u - *t.group : t.task_idx.value_or(~0u);
    return std::hash<sluice::model::attempt_key>{}({t.run_no, target, kind});
  }
};

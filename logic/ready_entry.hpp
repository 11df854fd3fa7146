// A task that is ready, and where it stands among others. Plain values.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"
#include "model/workflow.hpp"

#include <algorithm>
#include <cstdint>

namespace sluice::logic {

/// The effective priority, without the present minute, which counts for all alike: a point more for
/// each minute since `since`, and at least 99 - m for what is due in m minutes. What is critical is
/// out of reach.
std::int64_t points_of(model::priority base, model::wall_time since, model::wall_time due);

/// What has less than normal priority yields so many points when it becomes ready while much is.
inline constexpr std::uint8_t points_under_load = 10;

/// A task that is ready, and what its place depends on.
struct ready_entry {
  model::task_key task;
  model::wall_time since;      ///< it is ready
  model::wall_time due;        ///< it has to be over, or so it counts if it has no deadline
  std::uint32_t rank = 0;      ///< tasks behind it on the longest way to an end
  bool was_given_back = false; ///< its attempt did not begin
  std::uint8_t yields = 0;     ///< points that it has less
  std::uint64_t turn = 0;      ///< counts up as tasks become ready; no two have the same

  /// As `points_of`. `served_at`: when its queue had its last turn.
  std::int64_t points(model::priority base, model::wall_time served_at) const {
    return points_of(base, std::max(since, served_at) + std::chrono::minutes{yields}, due);
  }

  bool is_before(const ready_entry& other) const { // most of the time the turn decides
    if (due != other.due)
      return due < other.due;
    if (was_given_back != other.was_given_back)
      return was_given_back;
    if (task.run_no != other.task.run_no)
      return task.run_no < other.task.run_no;
    return rank != other.rank ? rank > other.rank : turn < other.turn;
  }
};

/// Where a queue stood among others when it began to wait for capacity.
struct waiting_place {
  std::int64_t points = 0; ///< the effective priority of its first task
  ready_entry first;

  bool is_before(const waiting_place& other) const {
    return points != other.points ? points > other.points : first.is_before(other.first);
  }
};

} // namespace sluice::logic

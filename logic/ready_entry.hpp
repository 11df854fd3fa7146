// A task that is ready, and where it stands among others. Plain values.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <tuple>

namespace sluice::logic {

/// A task that is ready, and what its place depends on.
struct ready_entry {
  model::task_key task;
  model::wall_time since;      ///< it is ready
  model::wall_time due;        ///< it has to be over, or so it counts if it has no deadline
  std::uint32_t rank = 0;      ///< tasks behind it on the longest way to an end
  bool was_given_back = false; ///< its attempt did not begin
  std::uint64_t turn = 0;      ///< counts up as tasks become ready; no two have the same

  bool is_before(const ready_entry& other) const {
    const auto place = [](const ready_entry& e, std::uint32_t rank) {
      return std::make_tuple(e.due, !e.was_given_back, e.task.run_no, rank, e.turn);
    };
    return place(*this, other.rank) < place(other, rank);
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

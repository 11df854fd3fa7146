// Which ready task is next. The ready tasks of one workflow with one priority are a queue: in it
// the earliest deadline comes first, then the oldest run, then the longest way to an end of the
// graph, then who came first. Between queues the effective priority decides, then whose workflow
// has had less. All by keys that change only when a queue does, so that a decision costs O(log n).
// One for each pool; owned by the scheduler core.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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

/// When a task is due that became ready at a time and has no deadline: in a day, so that those that
/// have one do not pass it for ever. Of one hour alike, so that ranks count among them.
model::wall_time due_without_deadline(model::wall_time since);

/// The effective priority, without the present minute, which counts for all alike: a point more for
/// each minute since `since`, and at least 99 - m for what is due in m minutes. What is critical is
/// out of reach.
std::int64_t points_of(model::priority base, model::wall_time since, model::wall_time due);

class ready_order {
public:
  ready_order() = default;
  ready_order(ready_order&&) = default; // but no copies: places know their queues
  ready_order& operator=(ready_order&&) = default;

  void add(const std::string& workflow, model::priority base, const ready_entry& entry);

  bool empty() const { return front_.empty(); }
  std::size_t size() const { return size_; }
  /// @pre not empty
  const ready_entry& front() const { return front_.begin()->where->heap.front(); }
  /// Removes the front, which starts: its queue has had so much more. @pre not empty
  ready_entry serve(model::wall_time now);
  /// Removes the front for another reason. @pre not empty
  ready_entry drop();

private:
  struct queue;
  /// The smallest is the front.
  struct place {
    std::int64_t points = 0; ///< negated
    int base = 0;            ///< negated
    std::uint64_t served = 0;
    std::uint64_t id = 0; ///< of the queue
    queue* where = nullptr;
    friend bool operator<(const place& a, const place& b) {
      return std::tie(a.points, a.base, a.served, a.id)
             < std::tie(b.points, b.base, b.served, b.id);
    }
  };
  /// What is ready of one workflow with one priority.
  struct queue {
    model::priority base = model::normal_priority;
    std::uint64_t id = 0;
    std::uint64_t served = 0; ///< its virtual time, in attempts
    model::wall_time served_at;
    std::vector<ready_entry> heap; ///< the next one in front
    std::optional<std::set<place>::iterator> at;
  };

  void put_in_place(queue& q);
  ready_entry remove_front();

  std::map<std::pair<std::string, model::priority>, queue> queues_; ///< and some that are empty
  std::set<place> front_;                                           ///< of queues that are not
  std::map<model::priority, std::uint64_t> virtual_times_;
  std::uint64_t ids_ = 0;
  std::size_t size_ = 0;
};

} // namespace sluice::logic

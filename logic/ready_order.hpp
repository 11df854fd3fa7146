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
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace sluice::logic {

/// A task that is ready, and what its place depends on.
struct ready_entry {
  model::task_key task;
  model::wall_time deadline = model::wall_time::max(); ///< none: the latest time there is
  std::uint32_t rank = 0;   ///< tasks behind it on the longest way to an end
  bool comes_first = false; ///< its attempt did not begin: before all others of its queue
  std::uint64_t turn = 0;   ///< counts up as tasks become ready; no two have the same

  bool is_before(const ready_entry& other) const {
    const auto place = [](const ready_entry& e, std::uint32_t rank) {
      return std::make_tuple(!e.comes_first, e.deadline, e.task.run_no, rank, e.turn);
    };
    return place(*this, other.rank) < place(other, rank);
  }
};

class ready_order {
public:
  ready_order() = default;
  ready_order(ready_order&&) = default; // but no copies: queues know where they stand
  ready_order& operator=(ready_order&&) = default;

  void add(const std::string& workflow, model::priority base, const ready_entry& entry,
           model::wall_time now);

  bool empty() const { return front_.empty(); }
  std::size_t size() const { return size_; }
  /// @pre not empty
  const ready_entry& front() const { return front_.begin()->where->heap.front(); }
  /// Removes the front, which starts: its workflow has had so much more. @pre not empty
  ready_entry serve(model::wall_time now);
  /// Removes the front for another reason. @pre not empty
  ready_entry drop();

private:
  struct queue;
  struct share;
  /// The smallest is the front.
  struct place {
    std::int64_t points = 0;  ///< negated
    std::uint64_t served = 0; ///< of its workflow, when it was put there
    std::uint64_t id = 0;     ///< of the queue
    queue* where = nullptr;
    friend bool operator<(const place& a, const place& b) {
      return std::tie(a.points, a.served, a.id) < std::tie(b.points, b.served, b.id);
    }
  };
  struct queue {
    model::priority base = model::normal_priority;
    share* of = nullptr;
    std::uint64_t id = 0;
    model::wall_time unserved_since;
    std::vector<ready_entry> heap; ///< the next one in front
    std::optional<std::set<place>::iterator> at;
  };
  /// What one workflow has had: its virtual time, in attempts.
  struct share {
    std::uint64_t served = 0;
    std::size_t waiting = 0; ///< entries in its queues
    std::map<model::priority, queue> queues;
  };

  static std::int64_t points_of(const queue& q);
  void put_in_place(queue& q);
  ready_entry remove_front();

  std::map<std::string, share, std::less<>> shares_; ///< of workflows that were served lately
  std::set<place> front_;                            ///< of queues that are not empty
  std::uint64_t virtual_time_ = 0;
  std::uint64_t queues_ = 0;
  std::size_t size_ = 0;
};

} // namespace sluice::logic

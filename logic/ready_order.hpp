// Which ready task is next. The ready tasks of one workflow with one priority are a queue: in it
// the earliest deadline comes first, then the oldest run, then the longest way to an end of the
// graph, then who came first. Between queues the effective priority decides, then whose workflow
// has had less. What tasks of a queue need beside a slot divides it into lanes, one for each shape;
// a lane that does not fit is set aside until it may. All by keys that change only when a queue
// does, so that a decision costs O(log n). What is equal otherwise is shared by weight: first
// between users, and what a user gets between their workflows. One for each pool; owned by the
// scheduler core.
#pragma once

#include "logic/capacity_ledger.hpp"
#include "logic/entry_queue.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace sluice::logic {

/// When a task is due that became ready at a time and has no deadline: in a day, so that those that
/// have one do not pass it for ever. Of one hour alike, so that ranks count among them.
model::wall_time due_without_deadline(model::wall_time since);

/// How much more or less than others a user or a workflow gets.
using weight = std::uint32_t;

/// Whose tasks they are.
struct sharer {
  std::string_view workflow;
  std::string_view user = {};
};

class ready_order {
  struct queue;

public:
  /// The ready tasks of one queue that need the same.
  class lane : public capacity_waiter {
  public:
    lane(shape_id shape, queue& of) : capacity_waiter(shape), of_(&of) {}
    /// Where it stands among others. @pre it holds a task
    waiting_place place() const { return {points(), entries_.front()}; }

  private:
    friend class ready_order;
    bool is_before(const lane& other) const {
      return entries_.front().is_before(other.entries_.front());
    }
    std::int64_t points() const;
    queue* of_;
    entry_queue entries_;
    bool is_open_ = false; ///< it holds a task, and is not set aside
  };

  ready_order() = default;
  ready_order(ready_order&&) = default; // but no copies: places know their queues
  ready_order& operator=(ready_order&&) = default;

  /// Returns the task's lane if that is set aside and the task is now its first; else null.
  lane* add(const sharer& whose, model::priority base, const ready_entry& entry,
            shape_id shape = 0);

  /// From now on. It is 1 unless it is set.
  void set_weight_of_workflow(const std::string& workflow, weight w);
  void set_weight_of_user(const std::string& user, weight w);

  /// Whether nothing is left but what is set aside.
  bool empty() const { return front_.empty(); }
  /// All tasks, those that are set aside too.
  std::size_t size() const { return size_; }
  /// Those that are not set aside.
  std::size_t open_size() const { return size_ - aside_; }
  /// @pre not empty
  const ready_entry& front() const { return front_lane().entries_.front(); }
  /// That of the front. @pre not empty
  lane& front_lane() { return **front_.begin()->where->open.begin(); }
  const lane& front_lane() const { return **front_.begin()->where->open.begin(); }
  /// Removes the front, which starts: its queue has had so much more. @pre not empty
  ready_entry serve(model::wall_time now);
  /// Removes the front for another reason. @pre not empty
  ready_entry drop();
  /// In no order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (const auto& [key, q] : queues_)
      for (const auto& [shape, which] : q.lanes)
        which.entries_.for_each(visit);
  }
  /// Where a task stands among all that are ready. Looks at all of them.
  struct standing {
    model::wall_time since;
    std::int64_t priority = 0; ///< the effective one, at a time; of what is critical its own
    std::size_t position = 1;
  };
  std::optional<standing> find(model::task_key task, model::wall_time now) const;

  /// Sets the lane of the front aside. @pre not empty
  void set_aside();
  /// It counts again. Repeating it is safe.
  void take_back(lane& which);

private:
  struct is_before {
    bool operator()(const lane* one, const lane* other) const { return one->is_before(*other); }
  };
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
  /// What the queues of one user with one priority have in common.
  struct account {
    weight own = 1;
    std::uint64_t busy = 0; ///< weights of its queues that hold something that is not set aside
  };
  /// What is ready of one user and workflow with one priority.
  struct queue {
    model::priority base = model::normal_priority;
    std::uint64_t id = 0;
    std::uint64_t served = 0; ///< its virtual time: attempts, for what it is to get of them
    weight own = 1;
    account* of = nullptr;
    model::wall_time served_at;
    std::map<shape_id, lane> lanes;  ///< of no needs, perhaps empty, and others, which are not
    std::set<lane*, is_before> open; ///< that hold tasks and are not set aside
    std::optional<std::set<place>::iterator> at;
  };

  queue& queue_of(const sharer& whose, model::priority base);
  void put_in_place(queue& q);
  static std::uint64_t price_of(const queue& q);
  void open(lane& which);
  ready_entry remove_front();

  std::map<std::pair<std::string, model::priority>, account> accounts_; ///< of users
  struct queue_key {
    std::string workflow;
    std::string user;
    model::priority base;
  };
  struct is_key_before {
    using is_transparent = void; // so that nothing is copied to look for a queue
    using view = std::tuple<std::string_view, std::string_view, model::priority>;
    static view of(const queue_key& key) { return {key.workflow, key.user, key.base}; }
    static view of(const view& key) { return key; }
    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const {
      return of(one) < of(other);
    }
  };
  std::map<queue_key, queue, is_key_before> queues_;              ///< and some that are empty
  std::map<std::string, weight> workflow_weights_, user_weights_; ///< that are not 1
  std::set<place> front_; ///< of queues that hold something that is not set aside
  std::map<model::priority, std::uint64_t> virtual_times_;
  std::uint64_t ids_ = 0;
  std::size_t size_ = 0;
  std::size_t aside_ = 0;
};

} // namespace sluice::logic

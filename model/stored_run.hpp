// What the store holds of a run: all that a scheduler needs to take it up.
#pragma once

#include "model/budget.hpp"
#include "model/capacity.hpp"
#include "model/gate.hpp"
#include "model/run.hpp"
#include "model/state.hpp"
#include "model/task_names.hpp"
#include "model/time.hpp"
#include "model/timer.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sluice::model {

/// 16 bytes: a run may have a million of them.
struct stored_task {
  task_state state = task_state::pending; ///< as stored
  std::uint8_t losses = 0;
  bool has_outputs : 1 = false;
  bool started : 1 = false;    ///< its current attempt is of the run's generation
  bool kept : 1 = false;       ///< decided in an earlier generation
  bool fell_back : 1 = false;  ///< its attempts are of its fallback
  bool rolls_back : 1 = false; ///< what it did is undone, since it failed or its run is rolled back
  bool is_waiting : 1 = false; ///< for the attempt that does so: its last one has ended
  bool completed : 1 = false;  ///< it succeeded by an attempt, and can be compensated
  std::uint32_t attempt = 0;   ///< current one, 0: none yet
  std::int64_t finished_us = 0; ///< when it was decided; 0: it is not
};

/// What people allow, and what attempts took of rates lately.
struct stored_capacity {
  struct start {
    wall_time at;
    capacity_grant holds;
  };
  std::vector<store_limit> limits;
  std::vector<start> starts;
};

/// Of a task whose attempts failed, and that is not decided.
struct stored_retries {
  std::uint32_t done = 0;
  failure last; ///< of its current attempt, while it waits for the next one
};

struct stored_run {
  model::run_no run_no;
  std::shared_ptr<const workflow_spec> workflow;
  value params = value::object();
  std::optional<attempt_key> parent; ///< the attempt that the run is; none: it was submitted
  std::string user;                  ///< whose it is
  run_state state = run_state::running;
  std::uint32_t generation = 1;
  bool paused = false;
  wall_time submitted_at;
  bool rolls_back = false; ///< its tasks are compensated, or were
  std::string error;       ///< of a run that is being ended by its deadline, or is rolled back
  std::vector<stored_task> tasks;
  std::vector<instance_range> fan_outs;   ///< of `tasks`, ascending
  std::vector<timer> timers;              ///< that are set
  std::vector<std::uint32_t> completions; ///< tasks that can be compensated, as they succeeded

  // Of few tasks, by index.
  std::unordered_map<std::uint32_t, std::string> reasons;  ///< where there is one
  std::unordered_map<std::uint32_t, std::string> messages; ///< of those that failed
  /// Of the current attempt of undecided ones; of the one by which others can be compensated.
  std::unordered_map<std::uint32_t, value> inputs;
  std::unordered_map<std::uint32_t, stored_retries> retries;
  std::unordered_map<std::uint32_t, failure> rollbacks;    ///< why they roll back
  std::unordered_map<std::uint32_t, std::string> keys;     ///< digests of those that they stand for
  std::unordered_map<std::uint32_t, capacity_grant> holds; ///< attempts under way, beside a slot
  std::unordered_map<std::uint32_t, failure> stops;        ///< why they fail once they have stopped
  std::unordered_set<std::uint32_t> snapshots; ///< tasks whose rollback has something to put back
  std::vector<used_by_attempt> used;           ///< of a workflow with budgets; of all generations

  std::vector<kept_signal> signals; ///< ascending by their number
  std::unordered_map<std::uint32_t, wall_time>
    gates_since; ///< when those that wait for a quota came
};

} // namespace sluice::model

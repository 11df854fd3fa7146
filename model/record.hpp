// What a scheduler step writes: the records that BATCH WRITER commits. Every record is one event
// row
// (`event_of`) beside the rows it changes, so that the event log folds to the tables.
#pragma once

#include "model/event.hpp"
#include "model/gate.hpp"
#include "model/rarely.hpp"
#include "model/run.hpp"
#include "model/task_names.hpp"
#include "model/workflow.hpp"

#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace sluice::model {

/// A new run with all its tasks, pending. Stores the workflow version when it is new.
struct run_created {
  model::run_no run_no;
  std::shared_ptr<const submission> request; ///< never null
  wall_time at;
  std::optional<attempt_key> parent = std::nullopt; ///< the attempt that the run is; none: of none
  run_state state = run_state::running;             ///< or `queued`, behind others of its workflow
};
/// The run moved to another state.
struct run_moved {
  model::run_no run_no;
  run_state from = run_state::running;
  run_state to = run_state::running;
  bool degraded = false;
  std::string error; ///< one sentence, for a run that failed or is about to
  std::string actor;
  wall_time at;
  std::optional<wall_time> due; ///< of its deadline, when that moved it
  value results = nullptr;      ///< what it comes to, of one that has succeeded: object, or null
};
/// Nothing of the run starts any more, or things do again. Moves neither run nor task.
struct run_paused {
  model::run_no run_no;
  bool is_paused = true;
  std::string actor;
  wall_time at;
};
/// A run that had ended goes on with another generation. `task_reset` of each task that starts anew
/// follow.
struct run_retried {
  model::run_no run_no;
  run_state from = run_state::failed;
  std::uint32_t generation = 2; ///< the new one
  std::uint64_t reset = 0;      ///< so many tasks
  std::string actor;
  wall_time at;
};
/// A run in progress has further tasks, pending; they come after all that there were. It is one of
/// another version of its workflow from then on, which is stored when it is new.
struct tasks_added {
  model::run_no run_no;
  std::shared_ptr<const workflow_spec> workflow; ///< with the tasks, in its last addition
  std::string content_hash;
  std::string actor;
  wall_time at;

  const task_addition& addition() const { return workflow->additions.back(); }
};
/// A task is fanned out: its instances are pending, and come after all tasks that there were.
struct task_expanded {
  task_key key;
  std::uint32_t attempt = 0; ///< the task's last one: of an earlier generation, or 0
  instance_range instances;
  std::uint32_t generation = 1; ///< of the run
  wall_time at;
};
/// A task that was decided is pending again, and keeps nothing but its attempts.
struct task_reset {
  task_key key;
  std::uint32_t attempt = 0; ///< the last one, 0: none
  task_state from = task_state::failed;
  std::uint32_t generation = 2;
  std::string actor;
  wall_time at;
  /// It is to be fanned out anew: the states of the instances it has, which count no more.
  std::optional<state_counts> folds = std::nullopt;
};
/// An operator decided a task. It puts nothing out.
struct task_marked {
  task_key key;
  std::uint32_t attempt = 0; ///< the last one, 0: none
  task_state from = task_state::failed;
  task_state to = task_state::succeeded;
  boxed_optional<model::failure> failure; ///< of one that is to count as failed
  std::string actor;
  wall_time at;
};
/// A task has succeeded without an attempt, because another one with the same key has.
struct task_reused {
  task_key key;
  std::uint32_t attempt = 0; ///< the last one, 0: none
  task_state from = task_state::pending;
  task_key of; ///< the other one
  value outputs;
  wall_time at;
};
/// A task that is a gate or a wait has let through: it has succeeded without an attempt.
struct gate_passed {
  task_key key;
  std::uint32_t attempt = 0; ///< always 0: it has none
  task_state from = task_state::waiting;
  wait_reason reason = wait_reason::wait; ///< what it waited for, or would have
  value outputs;                          ///< object, or null
  rarely<decision> whose;                 ///< where somebody decided it
  std::optional<std::uint64_t> signal;    ///< the number of the one that it took
  rarely<quota_pass> quota;               ///< that it counts as
  std::string actor;
  wall_time at;
  std::optional<wall_time> due; ///< of the timer that let it through
};
/// Somebody sent a signal to a run, which keeps it until a gate takes it.
struct signal_received {
  model::run_no run_no;
  kept_signal what;
  std::string by;
  std::string actor;
  wall_time at;
};
/// An operator lets a task that was held try again. It keeps its attempts and its checkpoint; what
/// counts retries and losses begins anew.
struct held_retried {
  task_key key;
  std::uint32_t attempt = 0; ///< the last one
  std::string actor;
  wall_time at;
};
/// An attempt was given to an executor, which starts it after the commit.
struct attempt_dispatched {
  attempt_key key;
  executor_kind executor = executor_kind::process;
  std::string inputs; ///< JSON text of the resolved inputs, or empty
  wall_time at;
  std::uint32_t generation = 1;             ///< of the run
  command_role role = command_role::action; ///< what it runs
  rarely<std::string> key_digest;           ///< of its task, which it stands for from now on
  rarely<capacity_grant> holds;             ///< beside a slot
};
/// An attempt ended; `outcome.state` is where its task went.
struct attempt_ended {
  attempt_outcome outcome;
};
/// A task moved without an attempt ending: skipped, cancelled, cancelling, failed by an expression,
/// ready because its retry is due.
struct task_moved {
  task_key key;
  std::uint32_t attempt = 0; ///< the current one, 0: none yet
  task_state from = task_state::pending;
  task_state to = task_state::skipped;
  std::string reason; ///< `upstream`, `when`, `run_failed`, `cancel`, ...
  boxed_optional<model::failure> failure;
  std::string actor;
  wall_time at;
  std::optional<wall_time> due; ///< of the timer that moved it, which may have fired late
  std::optional<breaker_state> breaker = std::nullopt; ///< that it waits for from now on
  rarely<awaited> awaits = {};                         ///< likewise, of a gate
  rarely<decision> whose = {};                         ///< of a gate that somebody rejected
};
/// Something a person should know about a task; changes no state.
struct warning_raised {
  attempt_key key;
  std::string message;
  wall_time at;
};
/// An attempt saved its progress, in the place of what its task had saved before.
struct checkpoint_saved {
  attempt_key key;
  checkpoint_ptr what;
  wall_time at;
};
/// An attempt took what its task's rollback is to put back. One in a generation.
struct snapshot_saved {
  attempt_key key;
  snapshot_ptr what;
  wall_time at;
};
/// An attempt said how far it is. For people: nothing follows from it.
struct progress_made {
  attempt_key key;
  task_progress what;
  wall_time at;
};
/// An attempt said what it has used so far.
struct usage_noted {
  attempt_key key;
  value usage; ///< object of numbers: all that it has said
  wall_time at;
};
using record =
  std::variant<run_created, run_moved, run_paused, run_retried, tasks_added, task_expanded,
               task_reset, task_marked, task_reused, gate_passed, signal_received, held_retried,
               attempt_dispatched, attempt_ended, task_moved, warning_raised, checkpoint_saved,
               snapshot_saved, progress_made, usage_noted>;

/// Counters of a run after the step; within a group only the last of each run is written.
struct run_counts {
  model::run_no run_no;
  state_counts counts{};
};

/// The records of one scheduler step: atomic together.
struct step {
  std::uint64_t number = 0; ///< from 1 in each incarnation of the scheduler, without gaps
  std::vector<record> records;
  std::vector<run_counts> counts;
  timer_changes timers;
  // What was set for the whole store; it is of no run, and has no event.
  std::vector<switch_state> switches;
  std::vector<store_limit> limits;
};

/// Rows this step writes, roughly: what bounds a group. A new run counts its tasks.
std::size_t weight(const step& s);

/// The event row of a record; `seq` is 0 and `task` empty, the store and the hub know those.
event event_of(const record& r);

} // namespace sluice::model

// What the scheduler core wants done outside, once the step that caused it is committed.
#pragma once

#include "model/event.hpp"
#include "model/rarely.hpp"
#include "model/workflow.hpp"

namespace sluice::model {

/// Which instance of a task that is fanned out an attempt is of.
struct instance_of {
  std::uint32_t index = 0; ///< of the item
  std::uint32_t count = 1; ///< of items
  std::string name;        ///< what stands in brackets behind the task's
  friend bool operator==(const instance_of&, const instance_of&) = default;
};

/// What the store has kept for an attempt, read back before that starts.
struct kept_for_attempt {
  checkpoint_ptr checkpoint; ///< null: none
  snapshot_ptr snapshot;     ///< null: none
  value result;              ///< that of the success which it undoes; null: nothing
  friend bool operator==(const kept_for_attempt&, const kept_for_attempt&) = default;
};

/// Start an attempt that is recorded as dispatched. Carries everything an executor needs.
struct start_attempt {
  attempt_key key;
  std::shared_ptr<const workflow_spec> workflow;
  std::uint32_t task = 0;                   ///< of `workflow`, by its index
  command_role role = command_role::action; ///< what the attempt is to run: this, or the fallback
  bool takes_snapshot : 1 = false;          ///< before its action; see `snapshot_taken`
  // What is to be read back before the start:
  bool has_checkpoint : 1 = false; ///< an earlier attempt saved one
  bool has_snapshot : 1 = false;   ///< it is a rollback that needs it
  bool has_result : 1 = false;     ///< it undoes a success, and needs what that put out
  rarely<kept_for_attempt> kept;   ///< that, once it is read
  rarely<instance_of> instance;    ///< not set: the task is not fanned out
  value inputs;                    ///< object, or null when the task has no `in`
  std::vector<std::pair<std::string, std::string>>
    env;                        ///< evaluated; the task's over the workflow's
  rarely<capacity_grant> holds; ///< what it has beside a slot

  const task_spec& spec() const { return workflow->task(task); }
  /// Of the task, or of the instance.
  std::string name() const {
    return instance.is_set() ? spec().name + "[" + instance->name + "]" : spec().name;
  }
  const model::action& action() const { return *command_for(*workflow, spec(), role); }
};
/// The attempt's snapshot is stored: its action may begin. Repeating it is safe.
struct go_on {
  attempt_key key;
  executor_kind executor = executor_kind::process;
};
/// Stop an attempt. Repeating it is safe, and `immediate` after `graceful` shortens the grace.
struct stop_attempt {
  attempt_key key;
  executor_kind executor = executor_kind::process;
  cancel_mode mode = cancel_mode::graceful;
};
/// A final report is committed (or was stale): its sender may forget the attempt.
struct acknowledge_report {
  attempt_key key;
  executor_kind executor = executor_kind::process;
};
/// Read a task's outputs back from the store; answered by `outputs_loaded`.
struct load_outputs {
  model::run_no run_no;
  std::uint32_t task_idx = 0;
};
/// Look in the store whether a task with this key has succeeded; answered by `key_looked_up`.
struct look_up_key {
  task_key task; ///< that asks
  std::string digest;
  std::uint64_t number = 0; ///< of the question: an answer to an earlier one counts no more
};
/// The answer to `run_submitted`: the id is durable.
struct answer_submit {
  request_id request = 0;
  expected<model::run_no> result;
};
/// The answer to `cancel_requested`. Errors: `not_found`, `conflict` when the run has ended.
struct answer_cancel {
  request_id request = 0;
  expected<model::run_no> result;
};
/// Read back a run that is not in progress; answered by `run_loaded`.
struct load_run {
  model::run_no run_no;
};
/// The answer to `control_requested`. Errors: `not_found`, `conflict` when the run is in no state
/// for it, `invalid_argument`.
struct answer_control {
  request_id request = 0;
  expected<control_result> result;
};
/// The answer to `drain_requested`: nothing is under way any more.
struct answer_drain {
  request_id request = 0;
};
/// Timers that are stored now, or no longer. Repeating it is safe.
struct change_timers {
  timer_changes what;
};
/// The answer to `checkpoint_offered`: it is durable, or a later one of the same attempt is.
/// Errors: `conflict` when the attempt is not the current one, `invalid_argument` for what cannot
/// be saved.
struct answer_checkpoint {
  request_id request = 0;
  expected<void> result;
};
/// Say `checkpoint_pause_over` when it is time for the attempt's next save.
struct pause_checkpoints {
  attempt_key key;
};
/// Look for something to start at that time: some of a rate comes back then. Only the last one
/// asked for counts.
struct wake_up {
  wall_time at;
};
using command =
  std::variant<start_attempt, go_on, stop_attempt, acknowledge_report, load_outputs, look_up_key,
               load_run, answer_submit, answer_cancel, answer_control, answer_drain, change_timers,
               answer_checkpoint, pause_checkpoints, wake_up>;

} // namespace sluice::model

// How what a task did is undone, in attempts of their own: by `rollback` when it has failed, by
// `compensate` when it has succeeded and its run is rolled back. The task is `rolling_back` until
// that is done, also while it waits for a slot. The dependents of a failed one know only then;
// those of the other have long been decided.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::failure_class;
using model::stop_reason;
using model::task_state;

namespace {

std::string undoing_of(const live_task& task) {
  return task.completed ? "its compensation" : "its rollback";
}

std::string appeal_to_a_person(const live_run& run, std::uint32_t task) {
  const auto why = run.rollbacks.find(task); // of one that had succeeded there is none
  return ", so that a person has to look at what it left"
         + (why == run.rollbacks.end() ? "" : "; it had failed before: " + why->second.message);
}

/// The task does not wait any more for what it had asked for.
void forget_loads(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  if (entry.loads == 0)
    return;
  entry.loads = 0;
  entry.pinning = false;
  for (const auto upstream : run.expressions(task)->output_reads)
    if (const auto it = run.outputs.find(upstream); it != run.outputs.end()) {
      auto& kept = it->second;
      kept.pins -= kept.in_store_only && kept.pins > 0 ? 1 : 0;
      std::erase(kept.waiting, task);
    }
}

} // namespace

bool scheduler_core::is_under_way(const live_run& run, std::uint32_t task) const {
  return under_way_[std::size_t(run.executor(task))].contains(run.key_of(task));
}

/// What the rollback is to put back is there, and nothing is changed yet: that begins when it is
/// stored. One that comes again, to another scheduler, may be stored already.
void scheduler_core::on(const model::snapshot_taken& e) {
  live_run* run = reported(e.key);
  const auto task = e.key.task_idx;
  if (run == nullptr || run->tasks[task].state == task_state::cancelling)
    return; // it ends without having done anything
  guarded(*run, [&] {
    if (run->tasks[task].state == task_state::dispatched)
      change_state(*run, task, task_state::running); // it overtook the confirmation
    if (run->snapshots.insert(task).second)
      step_.records.push_back(model::snapshot_saved{e.key, e.what, now_});
    step_.effects.push_back(model::go_on{e.key, run->executor(task)});
  });
}

/// Of a task that is failing: why what it did is not undone, though it has a rollback.
void scheduler_core::explain_missing_rollback(const live_run& run, std::uint32_t task,
                                              model::failure& why) {
  const auto& entry = run.tasks[task];
  if (entry.rolls_back || !entry.has_started || !run.lacks_snapshot(task))
    return;
  const bool did_nothing = run.executor(task) == model::executor_kind::process;
  why.message += did_nothing
                   ? " (it has no snapshot, so that nothing was done and nothing is rolled back)"
                   : " (it has no snapshot, so that it is not rolled back)";
}

/// The task has failed, and that is recorded.
void scheduler_core::begin_rollback(live_run& run, std::uint32_t task, model::failure why) {
  run.tasks[task].rolls_back = true;
  run.tasks[task].losses = 0; // it survives as many as the action did
  run.rollbacks.insert_or_assign(task, std::move(why));
  move_task(run, task, task_state::rolling_back, "");
  run.turns[task] = 0; // its turn may have been for the action
  make_ready_again(run, task, place::last);
}

void scheduler_core::end_rollback(live_run& run, const model::attempt_report& report) {
  const auto task = report.key.task_idx;
  const auto& entry = run.tasks[task];
  const bool is_stopped = entry.state == task_state::cancelling;
  const auto code = report.failure ? report.failure->code : "0";
  if (is_stopped && entry.stop == stop_reason::cancel)
    return end_attempt(run, report, task_state::cancelled,
                       model::failure{failure_class::cancelled, code, "cancelled"});
  if (!report.failure && (!is_stopped || gives_back(entry.stop)))
    return end_attempt(run, report, task_state::rolled_back, std::nullopt);
  if (is_stopped && gives_back(entry.stop))
    return repeat_rollback(run, as_given_back(run, report));
  if (!is_stopped && report.failure->failure_class == failure_class::lost)
    return repeat_rollback(run, report);
  auto why =
    is_stopped ? model::failure{failure_class::timeout, code, "timed out"} : *report.failure;
  why.message = undoing_of(entry) + " failed (" + why.message + ")" + appeal_to_a_person(run, task);
  end_attempt(run, report, task_state::failed, std::move(why));
}

/// Its attempt came to no end of its own. `retry: never` is for the action: to undo it once more
/// is what is safe.
void scheduler_core::repeat_rollback(live_run& run, const model::attempt_report& report) {
  const auto task = report.key.task_idx;
  auto& entry = run.tasks[task];
  if (!report.given_back) {
    ++statistics_.attempts_lost;
    ++entry.losses;
  }
  if (entry.losses > run.crash_limit(task).value_or(options_.crash_limit)) {
    auto why = *report.failure;
    why.message = undoing_of(entry) + " was lost " + std::to_string(entry.losses) + " times"
                  + appeal_to_a_person(run, task);
    return end_attempt(run, report, task_state::failed, std::move(why));
  }
  end_attempt(run, report, task_state::rolling_back, report.failure);
  make_ready_again(run, task, report.given_back ? place::first : place::last);
}

/// The task has succeeded, and can be compensated from now on.
void scheduler_core::note_completion(live_run& run, std::uint32_t task) {
  run.tasks[task].completed = true;
  run.completions.push_back(task);
  run.to_compensate = run.completions.size();
}

/// Compensates one task of a run that is, or is to be, rolled back: one after the other, the last
/// that succeeded first. That one fails is no reason to leave the others as they are. Returns
/// whether there was one. @pre nothing but finally is left to do
bool scheduler_core::compensate_next(live_run& run) {
  if (run.is_to_compensate()) {
    run.rolls_back = true;
    remove_common_timers(run); // they were those of the tasks
    move_run(run, model::run_state::rolling_back);
  }
  if (run.state != model::run_state::rolling_back)
    return false;
  const auto next = run.next_to_compensate();
  if (!next)
    return false;
  while (run.completions[--run.to_compensate] != *next)
    ;
  auto& entry = run.tasks[*next];
  entry.rolls_back = true;
  entry.losses = 0; // those of its action are over
  entry.checkpointed = false;
  forget_loads(run, *next); // which failed, when it had a turn before
  ++run.undecided;
  move_task(run, *next, task_state::rolling_back, "");
  make_ready_again(run, *next, place::last);
  return true;
}

} // namespace sluice::logic

// How what a failed task did is undone: its `rollback`, in attempts of its own. The task is
// `rolling_back` until that is done, also while it waits for a slot; only then its dependents know.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::failure_class;
using model::stop_reason;
using model::task_state;

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
  if (run.tasks[task].has_started && run.lacks_snapshot(task))
    why.message += " (it has no snapshot, so that nothing was done and nothing is rolled back)";
}

/// The task has failed, and that is recorded.
void scheduler_core::begin_rollback(live_run& run, std::uint32_t task, model::failure why) {
  run.tasks[task].rolls_back = true;
  run.tasks[task].losses = 0; // it survives as many as the action did
  run.rollbacks.insert_or_assign(task, std::move(why));
  move_task(run, task, task_state::rolling_back, "");
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
  if (!report.failure && (!is_stopped || entry.stop == stop_reason::drain))
    return end_attempt(run, report, task_state::rolled_back, std::nullopt);
  if (is_stopped && entry.stop == stop_reason::drain)
    return repeat_rollback(run, as_given_back(run, report));
  if (!is_stopped && report.failure->failure_class == failure_class::lost)
    return repeat_rollback(run, report);
  auto why =
    is_stopped ? model::failure{failure_class::timeout, code, "timed out"} : *report.failure;
  why.message = "its rollback failed (" + why.message
                + "), so that a person has to look at what it left; it had failed before: "
                + run.rollbacks.at(task).message;
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
    why.message = "its rollback was lost " + std::to_string(entry.losses)
                  + " times, so that a person has to look at what it left; it had failed before: "
                  + run.rollbacks.at(task).message;
    return end_attempt(run, report, task_state::failed, std::move(why));
  }
  end_attempt(run, report, task_state::rolling_back, report.failure);
  make_ready_again(run, task, report.given_back ? place::first : place::last);
}

} // namespace sluice::logic

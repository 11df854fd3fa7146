// What follows a failed attempt: another one after a wait, or the end of the task.
#include "logic/retry.hpp"
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::task_state;
using model::timer_kind;

void scheduler_core::retry_is_due(live_run& run, std::uint32_t task, model::wall_time due) {
  if (run.tasks[task].state == task_state::paused)
    return; // when it is resumed there is no wait any more
  if (is_held_back(run, task))
    return wait_for_breaker(run, task, due);
  move_task(run, task, task_state::ready, "", std::nullopt, due);
  make_ready_again(run, task, place::last);
}

std::optional<model::milliseconds>
scheduler_core::delay_before_retry(const live_run& run, const model::attempt_key& key,
                                   const model::failure& failure) const {
  const auto* policy = run.retry_policy(key.task_idx);
  if (policy == nullptr || run.tasks[key.task_idx].fell_back || !run.may_retry(key.task_idx)
      || run.is_past_deadline(key.task_idx))
    return std::nullopt;
  return next_delay(*policy, failure, run.retries_done(key.task_idx), spread(key));
}

void scheduler_core::fail_attempt(live_run& run, const model::attempt_report& report,
                                  model::failure failure) {
  const auto task = report.key.task_idx;
  const auto delay = delay_before_retry(run, report.key, failure);
  if (!delay)
    return fail_for_good(run, report, std::move(failure));
  auto& retry = run.retries[task];
  ++retry.done;
  retry.last = failure;
  set_timer(run, {task, timer_kind::retry}, now_ + *delay);
  end_attempt(run, report, task_state::retry_wait, std::move(failure));
}

/// No other attempt of the action follows: its fallback takes over, once, or a person is asked, or
/// the task has failed.
void scheduler_core::fail_for_good(live_run& run, const model::attempt_report& report,
                                   model::failure failure) {
  const auto task = report.key.task_idx;
  if (!run.may_retry(task) || run.is_past_deadline(task))
    return end_attempt(run, report, task_state::failed, std::move(failure));
  const auto* fallback =
    command_for(run.spec(), run.task_spec(task), model::command_role::fallback);
  if (fallback == nullptr || run.tasks[task].fell_back) {
    if (run.is_held_when_exhausted(task))
      return hold(run, report, std::move(failure));
    return end_attempt(run, report, task_state::failed, std::move(failure));
  }
  end_attempt(run, report, task_state::ready, std::move(failure), next::fallback);
  run.tasks[task].fell_back = true;
  give_up_probe(run, task);
  make_ready_again(run, task, place::last);
}

/// It waits for a person's decision, and has not failed until then.
void scheduler_core::hold(live_run& run, const model::attempt_report& report,
                          model::failure failure) {
  const auto task = report.key.task_idx;
  run.held.insert(task);
  run.retries[task].last = failure;
  end_attempt(run, report, task_state::waiting, std::move(failure));
}

/// Nothing of it starts any more, as something else has failed: of what was to be repeated, the
/// attempt that failed was the last one. @pre nothing of it is under way
void scheduler_core::give_up(live_run& run, std::uint32_t task, trouble_of what) {
  const auto* reason = what == trouble_of::run ? "run_failed" : "siblings_failed";
  const auto state = run.tasks[task].state;
  const auto retries = run.retries.find(task);
  const bool is_to_repeat = state == task_state::retry_wait
                            || ((state == task_state::waiting || state == task_state::paused)
                                && retries != run.retries.end());
  if (!is_to_repeat) {
    if (auto* group = run.group_of(task))
      (what == trouble_of::run ? group->stopped : group->given_up) = true;
    return move_task(run, task, task_state::skipped, reason);
  }
  auto last = std::move(retries->second.last);
  note_failure(run, task, last.message);
  move_task(run, task, task_state::failed, reason, std::move(last));
}

} // namespace sluice::logic

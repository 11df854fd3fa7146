// The durable timers of the scheduler core: set and removed in the step that moves what they are
// for.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::task_settings;
using model::task_state;
using model::timer_kind;

std::vector<model::timer> scheduler_core::timers() const {
  std::vector<model::timer> all;
  for (const auto& [run_no, run] : runs_)
    for (const auto& [slot, due] : run.timers)
      all.push_back({run_no, slot.task, slot.kind, due, slot.group});
  return all;
}

void scheduler_core::set_timer(live_run& run, timer_slot slot, model::wall_time due) {
  remove_timer(run, slot);
  run.timers.emplace(slot, due);
  timers_set_.insert({run.run_no, slot.task, slot.kind, due, slot.group});
}

void scheduler_core::remove_timer(live_run& run, timer_slot slot) {
  const auto set = run.timers.extract(slot);
  if (!set)
    return;
  const model::timer removed{run.run_no, slot.task, slot.kind, set.mapped(), slot.group};
  if (timers_set_.erase(removed) == 0) // else nobody has heard of it
    step_.timers.removed.push_back(removed);
}

/// Those that count from the submission, or the beginning of the generation.
void scheduler_core::set_deadline(live_run& run) {
  if (const auto& deadline = run.spec().deadline)
    set_timer(run, {std::nullopt, timer_kind::deadline}, now_ + *deadline);
}

/// Of the tasks, but for those of finally, which have not begun.
void scheduler_core::set_deadlines(live_run& run, model::wall_time since) {
  for (const auto task : run.spec().indices())
    if (!run.is_finally(task))
      set_deadline(run, task, since);
}

void scheduler_core::set_deadline(live_run& run, std::uint32_t task, model::wall_time since) {
  const auto& deadline = setting_of(run.spec(), run.task_spec(task), &task_settings::deadline);
  if (deadline && !is_terminal(run.tasks[task].state))
    set_timer(run, {task, timer_kind::deadline}, since + *deadline);
}

/// Timers come and go with the state they are for.
void scheduler_core::follow_with_timers(live_run& run, std::uint32_t task, task_state to) {
  if (!run.timers.empty()) {
    const auto from = run.tasks[task].state;
    // In a pause it goes on counting; that it fired meanwhile is found when the task is resumed.
    if ((from == task_state::retry_wait || from == task_state::paused) && to != task_state::paused
        && to != task_state::retry_wait)
      remove_timer(run, {task, timer_kind::retry});
    if (from == task_state::waiting) {
      remove_timer(run, {task, timer_kind::breaker});
      remove_timer(run, {task, timer_kind::gate});
    }
    // Of what is pending again since a restart it is set, too.
    if (from == task_state::ready || to == task_state::waiting || to == task_state::paused
        || is_terminal(to))
      remove_timer(run, {task, timer_kind::queue_timeout});
    if (is_terminal(to))
      remove_timer(run, {task, timer_kind::deadline});
  }
  if (to != task_state::ready)
    return;
  const timer_slot slot{task, timer_kind::queue_timeout};
  const auto& limit = setting_of(run.spec(), run.task_spec(task), &task_settings::queue_timeout);
  if (limit && !run.timers.contains(slot)) // after a restart its time in the queue counts on
    set_timer(run, slot, now_ + *limit);
}

/// A timer has fired, and is removed.
void scheduler_core::act_on(live_run& run, const model::timer& due) {
  if (due.kind == timer_kind::retry)
    return retry_is_due(run, *due.task_idx, due.due);
  if (due.kind == timer_kind::breaker)
    return breaker_is_due(run, *due.task_idx, due.due);
  if (due.kind == timer_kind::timebox)
    return timebox_is_over(run, due);
  if (due.kind == timer_kind::budget) {
    run.stirred_pots.insert(due.group.value_or(static_cast<std::uint32_t>(run.groups.size())));
    return; // looked at when the run settles
  }
  if (due.kind == timer_kind::gate)
    return gate_is_due(run, *due.task_idx, due.due);
  if (!due.task_idx)
    return expire_run(run, due.due);
  const auto task = *due.task_idx;
  if (due.kind == timer_kind::timeout) {
    if (run.tasks[task].state != task_state::cancelling) // else the first reason to stop stands
      stop_task(run, task, model::stop_reason::timeout, due.due);
    return;
  }
  const auto state = run.tasks[task].state;
  if (run.stands_for_instances(task))
    return expire_instances(run, due);
  if (due.kind == timer_kind::queue_timeout)
    expire(run, due,
           "not started within "
             + model::to_text(
               *setting_of(run.spec(), run.task_spec(task), &task_settings::queue_timeout))
             + " of being ready");
  else if (!is_active(state))
    expire(run, due, run.deadline_text(task));
  else if (state != task_state::cancelling) // else the first reason to stop stands
    stop_task(run, task, model::stop_reason::deadline, due.due);
}

/// A task that has not started, or waits for its next attempt, is given up.
void scheduler_core::expire(live_run& run, const model::timer& due, std::string message) {
  const auto task = *due.task_idx;
  const std::string reason{to_string(due.kind)};
  note_failure(run, task, message);
  move_task(run, task, task_state::failed, reason,
            model::failure{model::failure_class::deadline, reason, std::move(message)}, due.due);
}

void scheduler_core::expire_run(live_run& run, model::wall_time due) {
  if (run.state != model::run_state::running && run.state != model::run_state::queued)
    return; // a cancel was first
  run.expired = true;
  if (run.error.empty())
    run.error = "not done within its deadline of " + model::to_text(*run.spec().deadline);
  if (run.state == model::run_state::queued)
    return cancel_queued(run, "deadline", due);
  move_run(run, model::run_state::cancelling, due);
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    auto& entry = run.tasks[task];
    if (run.is_finally(task) || run.stands_for_instances(task))
      continue;
    if (gives_back(entry.stop) && !entry.rolls_back)
      entry.stop = model::stop_reason::deadline; // nothing of it goes on
    if (is_terminal(entry.state) || entry.state == task_state::cancelling || entry.rolls_back)
      continue;
    if (is_active(entry.state))
      stop_task(run, task, model::stop_reason::deadline);
    else
      move_task(run, task, task_state::cancelled, "deadline");
  }
}

} // namespace sluice::logic

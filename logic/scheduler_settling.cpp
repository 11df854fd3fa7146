// How a task ends, what follows from that for its dependents and its run, and how a run ends.
#include "logic/scheduler_core.hpp"
#include "logic/transitions.hpp"

#include <algorithm>
#include <stdexcept>

namespace sluice::logic {

using model::run_state;
using model::task_state;

void scheduler_core::change_state(live_run& run, std::uint32_t task, task_state to) {
  auto& entry = run.tasks[task];
  if (!is_legal(entry.state, to))
    throw std::logic_error("task '" + run.name(task) + "' cannot go from "
                           + std::string{to_string(entry.state)} + " to "
                           + std::string{to_string(to)});
  const auto was = as_stored(entry.state);
  const auto is = as_stored(to);
  if (was != is && !run.stands_for_instances(task)) {
    --run.counts[std::size_t(was)];
    ++run.counts[std::size_t(is)];
    touched_.insert(run.run_no);
  }
  follow_with_timers(run, task, to);
  if (run.is_instance(task))
    follow_with_group(run, task, to);
  if (!kinds_.empty())
    follow_with_breaker(run, task, to);
  if (!run.pots.empty())
    follow_with_pots(run, task, to);
  if (entry.state == task_state::waiting) {
    run.held.erase(task);
    leave_gate(run, task);
  }
  entry.state = to;
}

/// The task has come to its end.
void scheduler_core::decide(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  entry.judged = true;
  --run.undecided;
  run.undecided_finally -= run.is_finally(task) ? 1 : 0;
  // What its action was given, or could be, its compensation gets too.
  const bool may_be_undone =
    (entry.completed && entry.state != task_state::rolled_back)
    || (run.stands_for_instances(task) && run.workflow->is_compensable(task));
  if (!may_be_undone || !entry.was_started)
    release_outputs(run, task);
  if (!may_be_undone)
    run.prepared.erase(task);
  if (!may_be_undone && !run.shapes.empty())
    let_go_of_shape(run, task);
  give_back_needs(run, task); // of one that a fault kept from beginning
  run.retries.erase(task);
  run.stops.erase(task);
  run.rollbacks.erase(task);
  if (!run.keys.empty())
    release_key(run, task);
  if (entry.settled) // it is compensated: for its dependents it has succeeded
    return;
  if (run.is_instance(task))
    settle_instance(run, task);
  else
    run.to_settle.push_back(task);
}

void scheduler_core::move_task(live_run& run, std::uint32_t task, task_state to, std::string reason,
                               std::optional<model::failure> failure,
                               std::optional<model::wall_time> due) {
  const auto from = run.tasks[task].state;
  // Without inputs its rollback could not start either.
  const bool rolls_back =
    to == task_state::failed && reason != "expression" && run.is_to_roll_back(task);
  if (to == task_state::failed)
    explain_missing_rollback(run, task, *failure);
  change_state(run, task, to);
  step_.records.push_back(model::task_moved{{run.run_no, task},
                                            run.tasks[task].attempt,
                                            from,
                                            to,
                                            std::move(reason),
                                            failure,
                                            actor_,
                                            now_,
                                            due});
  if (rolls_back)
    begin_rollback(run, task, *failure);
  else if (is_terminal(to))
    decide(run, task);
}

void scheduler_core::move_run(live_run& run, run_state to, std::optional<model::wall_time> due) {
  if (!is_legal(run.state, to))
    throw std::logic_error("run " + to_string(run.run_no) + " cannot go from "
                           + std::string{to_string(run.state)} + " to "
                           + std::string{to_string(to)});
  touched_.insert(run.run_no);
  if (is_terminal(to) && run.rolls_back)
    if (const auto left = run.text_of_what_is_left(); !left.empty())
      run.error += (run.error.empty() ? "" : "; ") + left;
  const bool has_error = to == run_state::failed || run.expired || run.rolls_back;
  step_.records.push_back(
    model::run_moved{run.run_no, run.state, to, run.degraded, has_error ? run.error : std::string{},
                     actor_, now_, due, to == run_state::succeeded ? run.results : model::value{}});
  if (is_terminal(to))
    leave_line(run);
  run.state = to;
  if (!is_terminal(to))
    return;
  remove_common_timers(run);
  if (run.parent)
    ended_children_.push_back(run.run_no);
}

/// All that follows from what was decided; when nothing is left, the run ends.
void scheduler_core::settle(live_run& run) {
  settle_pots(run);
  tell_dependents(run);
  const auto is_only_finally_left = [&run] { return run.undecided == run.undecided_finally; };
  if (is_only_finally_left() && !run.in_finally) {
    while (is_only_finally_left() && compensate_next(run)) // one that cannot start is over at once
      ;
    if (is_only_finally_left() && run.undecided > 0) {
      begin_finally(run);
      tell_dependents(run);
    }
  }
  if (run.undecided == 0 && !is_terminal(run.state))
    end_run(run);
}

/// Tells dependents of every decided task until nothing more follows; a queue, not recursion, so
/// that a skip can run down a chain of any length.
void scheduler_core::tell_dependents(live_run& run) {
  while (!run.to_settle.empty()) {
    const auto task = run.to_settle.front();
    run.to_settle.pop_front();
    run.tasks[task].settled = true;
    judge_failures(run, task);
    settle_dependents(run, task);
  }
}

void scheduler_core::settle_dependents(live_run& run, std::uint32_t task) {
  const auto outcome = outcome_of(run.tasks[task].state, run.is_failure_allowed(task));
  for (const auto dependent : run.workflow->graph().dependents(task)) {
    auto& entry = run.tasks[dependent];
    --entry.undecided;
    if (!entry.judged) // after an early fire later outcomes change nothing
      apply_verdict(run, dependent,
                    judge_join(run.task_spec(dependent).join.rule, outcome, entry.undecided));
  }
}

/// A failure is open while a dependent that could handle it is undecided, handled once one of them
/// succeeded, else unhandled.
void scheduler_core::judge_failures(live_run& run, std::uint32_t task) {
  const auto state = run.tasks[task].state;
  if (!run.open_failures.empty()) {
    for (const auto upstream : run.workflow->graph().upstreams(task)) {
      const auto open = run.open_failures.find(upstream);
      if (open == run.open_failures.end() || !run.workflow->handles_failure(task, upstream))
        continue;
      if (state == task_state::succeeded) {
        run.open_failures.erase(open);
        run.failure_texts.erase(upstream);
      } else if (--open->second == 0) {
        run.open_failures.erase(open);
        unhandled_failure(run, upstream);
      }
    }
  }
  if (run.tasks[task].has_failed())
    count_failure(run, task);
}

void scheduler_core::count_failure(live_run& run, std::uint32_t task) {
  if (run.is_failure_allowed(task))
    run.degraded = true;
  else
    open_failure(run, task);
}

void scheduler_core::open_failure(live_run& run, std::uint32_t task) {
  std::uint32_t undecided = 0;
  for (const auto dependent : run.workflow->graph().dependents(task)) {
    if (!run.workflow->handles_failure(dependent, task))
      continue;
    if (run.tasks[dependent].state == task_state::succeeded) {
      run.failure_texts.erase(task);
      return; // handled: it fired early, for another upstream
    }
    undecided += run.tasks[dependent].settled ? 0 : 1; // the others are counted down when they are
  }
  if (undecided == 0)
    unhandled_failure(run, task);
  else
    run.open_failures.emplace(task, undecided);
}

/// Remembers the sentence about a failure until it is known whether the run fails by it.
void scheduler_core::note_failure(live_run& run, std::uint32_t task, const std::string& message) {
  if (auto* group = run.group_of(task)) {
    if (group->failed == 0) {
      group->failed_with = message;
      group->first_failed = task;
    }
    return;
  }
  if (!run.is_failure_allowed(task))
    run.failure_texts.insert_or_assign(task, message);
}

void scheduler_core::unhandled_failure(live_run& run, std::uint32_t task) {
  const auto text = run.failure_texts.extract(task);
  if (run.error.empty())
    run.error = "task '" + run.task_spec(task).name + "' failed"
                + (text ? ": " + text.mapped() : std::string{});
  run.unhandled.push_back(task);
  // One of an earlier generation does not stop what was asked for since, one of finally nothing.
  if (run.spec().on_failure != model::on_failure::carry_on && !run.stopping
      && run.state == run_state::running && !run.tasks[task].kept && !run.is_finally(task))
    stop_on_failure(run);
}

/// What failed is not what it was: an operator has decided otherwise. A run that stopped for it
/// goes on stopping.
void scheduler_core::recount_failures(live_run& run) {
  const auto before = std::exchange(run.unhandled, {});
  run.open_failures.clear();
  run.degraded = false;
  for (const auto task : run.spec().indices())
    if (run.tasks[task].has_failed())
      count_failure(run, task);
  count_borne_failures(run);
  if (run.expired || run.internal || before.empty())
    return;
  const auto still = [&](std::uint32_t task) {
    return std::find(run.unhandled.begin(), run.unhandled.end(), task) != run.unhandled.end();
  };
  if (run.unhandled.empty())
    run.error.clear();
  else if (!still(before.front())) // its sentence was about that one
    run.error = "task '" + run.task_spec(run.unhandled.front()).name + "' failed";
}

/// Of tasks that have succeeded all the same.
void scheduler_core::count_borne_failures(live_run& run) {
  for (const auto& [task, group] : run.fan_outs)
    if (group.failed > 0 && run.tasks[task].state == task_state::succeeded)
      run.degraded = true;
}

void scheduler_core::stop_on_failure(live_run& run) {
  run.stopping = true;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    const auto state = run.tasks[task].state;
    if (is_terminal(state) || is_active(state) || !run.is_stopped(task)
        || run.stands_for_instances(task))
      continue;
    give_up(run, task, trouble_of::run);
  }
}

/// Stops what is under way, to be ready again, but for what is never to be repeated when that may
/// go on. Returns the names of the tasks.
std::vector<std::string> scheduler_core::stop_attempts(live_run& run) {
  std::vector<std::string> stopped;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    const auto state = run.tasks[task].state;
    if (!is_active(state) || state == task_state::cancelling // the first stop reason stands
        || !is_under_way(run, task) || run.executor(task) == model::executor_kind::workflow)
      continue; // of one that is a run, the tasks are stopped
    if (const auto* policy = run.retry_policy(task);
        !is_draining_ && policy != nullptr && policy->never)
      continue;
    stop_task(run, task, model::stop_reason::drain);
    stopped.push_back(run.name(task));
  }
  return stopped;
}

/// Asks for the end of what is under way. @pre nothing has asked before
void scheduler_core::stop_task(live_run& run, std::uint32_t task, model::stop_reason why,
                               std::optional<model::wall_time> due) {
  run.tasks[task].stop = why;
  move_task(run, task, task_state::cancelling, std::string{to_string(why)}, std::nullopt, due);
  ask_to_stop(run, task, model::cancel_mode::graceful);
}

void scheduler_core::ask_to_stop(const live_run& run, std::uint32_t task, model::cancel_mode mode) {
  const auto executor = run.executor(task);
  if (executor == model::executor_kind::workflow)
    child_stops_.emplace_back(run.key_of(task), mode);
  else
    step_.effects.push_back(model::stop_attempt{run.key_of(task), executor, mode});
}

void scheduler_core::cancel(live_run& run, model::cancel_mode mode) {
  guarded(run, [&] {
    if (run.state == run_state::queued)
      return cancel_queued(run, "cancel");
    if (run.state == run_state::running || run.state == run_state::rolling_back)
      move_run(run, run_state::cancelling);
    if (run.in_finally)
      tell_outcome(run);
    cancel_tasks(run, mode, "cancel");
    settle(run);
  });
}

/// What clean-up there is, in `finally` or to roll back, runs all the same, unless all has to end
/// at once.
void scheduler_core::cancel_tasks(live_run& run, model::cancel_mode mode,
                                  const std::string& reason) {
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    auto& entry = run.tasks[task];
    if (is_terminal(entry.state) || run.stands_for_instances(task)
        || (mode == model::cancel_mode::graceful && run.outlives_cancel(task)))
      continue;
    if (!is_active(entry.state)) {
      move_task(run, task, task_state::cancelled, reason);
      continue;
    }
    const auto why = entry.stop;
    if (!run.expired || run.outlives_cancel(task))
      entry.stop = model::stop_reason::cancel; // overrides a timeout and a deadline of its own
    // That the run is being cancelled tells it of the tasks that are being stopped, but for those
    // that go on then.
    if (entry.state != task_state::cancelling
        || (run.outlives_cancel(task) && why != model::stop_reason::cancel))
      move_task(run, task, task_state::cancelling, reason);
    if (under_way_[std::size_t(run.executor(task))].contains(run.key_of(task)))
      ask_to_stop(run, task, mode);
    else // a fault came between its end and our noting it: no report will follow
      move_task(run, task, task_state::cancelled, reason);
  }
}

void scheduler_core::abandon(live_run& run, const std::string& why) {
  run.internal = true;
  run.error = "internal error: " + why;
  if (run.state == run_state::queued)
    begin_queued(run);
  if (run.state == run_state::running || run.state == run_state::rolling_back)
    move_run(run, run_state::cancelling);
  cancel_tasks(run, model::cancel_mode::immediate, "internal");
  settle(run);
}

} // namespace sluice::logic

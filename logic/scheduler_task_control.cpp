// What operators ask of single tasks, of a run that is in progress or of one that was read back.
#include "logic/generation.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/task_control.hpp"
#include "logic/transitions.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;

model::task_names names_of(const live_run& run) {
  return model::task_names{run.workflow->shared_spec(), run.ranges};
}

model::task_names names_of(const model::stored_run& run) {
  return model::task_names{run.workflow, run.fan_outs};
}

model::run_counts counts_of(const model::stored_run& run) {
  model::run_counts counts{run.run_no, {}};
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
    counts.counts[std::size_t(run.tasks[task].state)] += is_counted(run, task) ? 1 : 0;
  return counts;
}

model::run_counts counts_after(const model::stored_run& run, std::uint32_t moved, task_state to) {
  model::run_counts counts{run.run_no, {}};
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
    counts.counts[std::size_t(task == moved ? to : run.tasks[task].state)] +=
      is_counted(run, task) ? 1 : 0;
  return counts;
}

model::control_result one_task(const live_run& run, std::string task) {
  return {run.run_no, run.generation, {std::move(task)}, run.counted_tasks() - 1};
}

model::control_result one_task(const model::stored_run& run, std::string task) {
  return {run.run_no, run.generation, {std::move(task)}, counted_tasks(run) - 1};
}

expected<void> check_fan_out(const std::string& name, bool stands_for_instances, bool is_decided,
                             const char* verb) {
  if (stands_for_instances && !is_decided)
    return fail(errc::conflict, "task '" + name + "' is fanned out: " + verb
                                  + " its instances, such as '" + name + "[...]'");
  return {};
}

namespace {

/// Whether a task may be marked so.
expected<void> check_mark(const model::mark_task& what, task_state state) {
  const auto is = "task '" + what.task + "' is " + std::string{to_string(state)};
  if (what.as != task_state::succeeded && what.as != task_state::skipped
      && what.as != task_state::failed)
    return fail(errc::invalid_argument, "a task is marked succeeded, skipped or failed, not "
                                          + std::string{to_string(what.as)});
  if (is_active(state))
    return fail(errc::conflict, is + ": what runs has to be cancelled first");
  if (!is_legal(state, what.as))
    return fail(errc::conflict, is + ", and cannot be marked " + std::string{to_string(what.as)});
  return {};
}

/// A dependent of a failed task that is to start, and has not: nothing of that is stored, so a
/// restart would decide it otherwise once the failure is gone.
std::optional<std::uint32_t> goes_on_for(const live_run& run, std::uint32_t failed) {
  const auto is_to_start = [&run](std::uint32_t task) {
    const auto& entry = run.tasks[task];
    return entry.judged
           && (entry.state == task_state::pending || entry.state == task_state::ready
               || entry.state == task_state::paused);
  };
  if (run.is_instance(failed)) // its task is not decided
    return std::nullopt;
  for (const auto dependent : run.workflow->graph().dependents(failed))
    if (is_to_start(dependent))
      return dependent;
  if (run.in_finally && !run.is_finally(failed)) // which sees all failures
    for (auto task = run.spec().first_finally(); task < run.spec().planned_count(); ++task)
      if (is_to_start(task))
        return task;
  return std::nullopt;
}

/// What a task that is marked failed failed by: what it was held for, if it was.
std::optional<model::failure> failure_of(const model::mark_task& what,
                                         const model::failure* held_for) {
  if (what.as != task_state::failed)
    return std::nullopt;
  return held_for != nullptr ? *held_for
                             : model::failure{model::failure_class::permanent, "marked",
                                              "marked failed by an operator"};
}

error not_held(const std::string& task, task_state state) {
  return {errc::conflict, "task '" + task + "' is " + std::string{to_string(state)}
                            + ", and not held: only a task that is held is tried again alone"};
}

bool is_held(const model::stored_run& run, std::uint32_t task) {
  const auto reason = run.reasons.find(task);
  return run.tasks[task].state == task_state::waiting && reason != run.reasons.end()
         && reason->second == to_string(model::wait_reason::hold);
}

/// As `live_run::is_to_roll_back`, of a held task whose run is not in progress.
bool is_to_roll_back(const model::stored_run& run, std::uint32_t task) {
  const auto& spec = run.workflow->task(names_of(run).node(task));
  return run.tasks[task].started
         && (!needs_snapshot(*run.workflow, spec) || run.snapshots.contains(task))
         && command_for(*run.workflow, spec, model::command_role::rollback) != nullptr;
}

/// Whether a task may be paused, or resumed.
expected<void> check_pause(const std::string& task, task_state state, bool is_held, bool pauses) {
  const auto is = "task '" + task + "' is " + std::string{to_string(state)};
  if (!pauses && state != task_state::paused)
    return fail(errc::conflict, is + ", and not paused");
  if (pauses && is_active(state))
    return fail(errc::conflict, is
                                  + ": what runs ends by itself, unless its run is paused with "
                                    "--stop, or cancelled");
  if (is_held)
    return fail(errc::conflict, "task '" + task + "' is held: it starts only when it is told to");
  if (pauses && !is_legal(state, task_state::paused))
    return fail(errc::conflict, is + (state == task_state::paused ? " already" : ""));
  return {};
}

/// An instance that failed stays failed once its task is decided by it.
expected<void> check_instance(const std::string& task, bool is_instance, task_state of_task) {
  if (is_instance && is_terminal(of_task))
    return fail(errc::conflict, "task '" + task + "' is decided already: it is "
                                  + std::string{to_string(of_task)} + "; mark that one");
  return {};
}

} // namespace

expected<model::control_result> scheduler_core::retry(live_run& run,
                                                      const model::retry_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  auto& entry = run.tasks[*task];
  if (!run.held.contains(*task))
    return tl::unexpected(not_held(what.task, entry.state));
  guarded(run, [&] {
    step_.records.push_back(model::held_retried{{run.run_no, *task}, entry.attempt, actor_, now_});
    actor_ = "scheduler"; // what follows is its decision
    entry.losses = 0;
    entry.fell_back = false;
    run.retries.erase(*task);
    change_state(run, *task, task_state::ready);
    make_ready_again(run, *task, place::last);
    settle(run);
  });
  return one_task(run, what.task);
}

/// Of a run that is not in progress: whoever goes on with it tries the task again.
expected<model::control_result> scheduler_core::retry(const model::stored_run& run,
                                                      const model::retry_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto& was = run.tasks[*task];
  if (!is_held(run, *task))
    return tl::unexpected(not_held(what.task, was.state));
  step_.records.push_back(model::held_retried{{run.run_no, *task}, was.attempt, actor_, now_});
  step_.counts.push_back(counts_after(run, *task, task_state::pending));
  return one_task(run, what.task);
}

void scheduler_core::record_mark(model::task_key key, std::uint32_t attempt, task_state from,
                                 task_state to, std::optional<model::failure> failure) {
  step_.records.push_back(
    model::task_marked{key, attempt, from, to, std::move(failure), actor_, now_});
}

expected<model::control_result> scheduler_core::mark(live_run& run, const model::mark_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto from = run.tasks[*task].state;
  const auto node = run.node(*task);
  if (auto may = check_mark(what, from)
                   .and_then([&] {
                     return check_fan_out(what.task, run.stands_for_instances(*task),
                                          is_terminal(from), "mark");
                   })
                   .and_then([&] {
                     return check_instance(run.spec().task(node).name, run.is_instance(*task),
                                           run.tasks[node].state);
                   });
      !may)
    return tl::unexpected(may.error());
  if (const auto dependent = is_terminal(from) ? goes_on_for(run, *task) : std::nullopt)
    return fail(errc::conflict, "task '" + run.name(*dependent) + "' is about to start as '"
                                  + what.task + "' failed: decide that one first");
  auto result = one_task(run, what.task);
  guarded(run, [&] {
    const bool was_held = run.held.contains(*task);
    const auto failure = failure_of(what, was_held ? &run.retries.at(*task).last : nullptr);
    record_mark({run.run_no, *task}, run.tasks[*task].attempt, from, what.as, failure);
    actor_ = "scheduler"; // what follows is its decision
    if (what.as != task_state::failed)
      run.snapshots.erase(*task);
    if (what.as == task_state::succeeded && !run.outputs.contains(*task))
      keep_outputs(run, *task, {});
    if (is_terminal(from)) {
      decide_otherwise(run, *task, what.as);
    } else {
      if (failure)
        note_failure(run, *task, failure->message);
      change_state(run, *task, what.as);
      if (was_held && failure && run.is_to_roll_back(*task))
        begin_rollback(run, *task, *failure); // as if it had not been held
      else
        decide(run, *task);
    }
    settle(run);
  });
  return result;
}

expected<model::control_result> scheduler_core::pause(live_run& run,
                                                      const model::pause_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto state = run.tasks[*task].state;
  if (auto may = check_pause(what.task, state, run.held.contains(*task), true).and_then([&] {
        return check_fan_out(what.task, run.stands_for_instances(*task), is_terminal(state),
                             "pause");
      });
      !may)
    return tl::unexpected(may.error());
  guarded(run, [&] {
    if (state == task_state::ready)
      unqueue(run, *task);
    lend_key(run, *task);
    move_task(run, *task, task_state::paused, "");
  });
  return one_task(run, what.task);
}

expected<model::control_result> scheduler_core::resume(live_run& run,
                                                       const model::resume_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  if (auto may = check_pause(what.task, run.tasks[*task].state, false, false); !may)
    return tl::unexpected(may.error());
  guarded(run, [&] {
    const bool waits_on = run.timers.contains({*task, model::timer_kind::retry});
    move_task(run, *task, waits_on ? task_state::retry_wait : task_state::pending, "");
    actor_ = "scheduler"; // what follows is its decision
    if (!waits_on)
      go_on_after_pause(run, *task);
    settle(run);
  });
  return one_task(run, what.task);
}

/// Of a run that is not in progress: whoever goes on with it finds the task so.
expected<model::control_result> scheduler_core::set_paused(const model::stored_run& run,
                                                           const std::string& name, bool paused) {
  const auto task = find_task(names_of(run), name);
  if (!task)
    return tl::unexpected(task.error());
  const auto& was = run.tasks[*task];
  if (auto may = check_pause(name, was.state, is_held(run, *task), paused).and_then([&] {
        return check_fan_out(name, !is_counted(run, *task), is_terminal(was.state), "pause");
      });
      !may)
    return tl::unexpected(may.error());
  bool waits_on = false;
  for (const auto& timer : run.timers) {
    if (timer.task_idx != *task)
      continue;
    waits_on = waits_on || timer.kind == model::timer_kind::retry;
    if (timer.kind == model::timer_kind::breaker || timer.kind == model::timer_kind::queue_timeout
        || timer.kind == model::timer_kind::gate)
      step_.timers.removed.push_back(timer);
  }
  const auto to = paused     ? task_state::paused
                  : waits_on ? task_state::retry_wait
                             : task_state::pending;
  step_.records.push_back(model::task_moved{.key = {run.run_no, *task},
                                            .attempt = was.attempt,
                                            .from = was.state,
                                            .to = to,
                                            .actor = actor_,
                                            .at = now_});
  step_.counts.push_back(counts_after(run, *task, to));
  return one_task(run, name);
}

/// The task had failed. Dependents that are decided stay as they are, until a retry; the others see
/// it as it is now.
void scheduler_core::decide_otherwise(live_run& run, std::uint32_t task, task_state as) {
  if (!run.stands_for_instances(task)) {
    --run.counts[std::size_t(run.tasks[task].state)];
    ++run.counts[std::size_t(as)];
    touched_.insert(run.run_no);
  }
  if (auto* group = run.group_of(task)) { // its task is not decided
    --group->failed;
    group->succeeded += as == task_state::succeeded ? 1 : 0;
  }
  run.tasks[task].state = as;
  run.to_compensate = run.completions.size(); // it may be one that is to have another turn
  run.failure_texts.erase(task);
  recount_failures(run);
  if (run.in_finally)
    tell_outcome(run);
  if (run.is_instance(task))
    return;
  for (const auto dependent : run.workflow->graph().dependents(task))
    if (!run.tasks[dependent].judged)
      apply_verdict(run, dependent, verdict_on(run, dependent));
}

/// Of a run that is not in progress: it is a fact for whoever goes on with it.
expected<model::control_result> scheduler_core::mark(const model::stored_run& run,
                                                     const model::mark_task& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto from = run.tasks[*task].state;
  const auto node = names_of(run).node(*task);
  if (auto may = check_mark(what, from)
                   .and_then([&] {
                     return check_fan_out(what.task, !is_counted(run, *task), is_terminal(from),
                                          "mark");
                   })
                   .and_then([&] {
                     return check_instance(run.workflow->task(node).name, node != *task,
                                           run.tasks[node].state);
                   });
      !may)
    return tl::unexpected(may.error());
  const auto& was = run.tasks[*task];
  const bool was_held = is_held(run, *task);
  record_mark({run.run_no, *task}, was.attempt, from, what.as,
              failure_of(what, was_held ? &run.retries.at(*task).last : nullptr));
  auto to = what.as;
  if (was_held && what.as == task_state::failed && is_to_roll_back(run, *task)) {
    to = task_state::rolling_back;
    step_.records.push_back(model::task_moved{.key = {run.run_no, *task},
                                              .attempt = was.attempt,
                                              .from = task_state::failed,
                                              .to = to,
                                              .actor = "scheduler",
                                              .at = now_});
  }
  for (const auto& timer : run.timers)
    if (timer.task_idx == *task)
      step_.timers.removed.push_back(timer);
  step_.counts.push_back(counts_after(run, *task, to));
  return one_task(run, what.task);
}

} // namespace sluice::logic

// A run's way back from the store: what was committed, and from that everything a live run holds
// beside it. One pass over its tasks and edges.
#include "logic/scheduler_core.hpp"

#include <algorithm>
#include <limits>

namespace sluice::logic {

using model::task_state;

expected<reaction> scheduler_core::restore(const model::stored_run& stored, model::wall_time now) {
  auto compiled = compile_here(stored.workflow);
  if (!compiled)
    return tl::unexpected(compiled.error());
  if (const auto want = model::task_names{stored.workflow, stored.fan_outs}.size();
      stored.tasks.size() != want)
    return fail(errc::corrupt,
                "run " + to_string(stored.run_no) + " has " + std::to_string(stored.tasks.size())
                  + " tasks, its workflow and its instances are " + std::to_string(want));
  if (stored.parent && !is_current(*stored.parent))
    return fail(errc::conflict, "run " + to_string(stored.run_no) + " is part of run "
                                  + to_string(stored.parent->run_no)
                                  + ", which does not wait for it");
  now_ = now;
  actor_ = "scheduler";
  auto& run = take_up(std::move(*compiled), stored);
  run.in_finally = run.undecided > 0 && run.undecided == run.undecided_finally;
  guarded(run, [&] { go_on(run, stored); });
  return finish_step();
}

/// The run as it is stored; what follows from that is not decided yet.
live_run& scheduler_core::take_up(std::shared_ptr<const compiled_workflow> workflow,
                                  const model::stored_run& stored) {
  auto& run = add_run(stored.run_no, std::move(workflow), stored.params, stored.submitted_at,
                      stored.generation);
  if (stored.parent)
    join_parent(run, *stored.parent);
  run.user = stored.user;
  run.state = stored.state;
  enter_line(run);
  run.paused = stored.paused;
  run.prior_inputs = stored.inputs;
  run.rolls_back = stored.rolls_back;
  run.error = stored.error;
  run.expired =
    run.state == model::run_state::cancelling && !run.rolls_back && !stored.error.empty();
  run.completions = stored.completions;
  run.to_compensate = run.completions.size();
  for (const auto& timer : stored.timers)
    run.timers.emplace(timer_slot{timer.task_idx, timer.kind, timer.group}, timer.due);
  for (const auto& [task, retries] : stored.retries)
    run.retries.emplace(task, retry_progress{retries.done, retries.last});
  run.snapshots = stored.snapshots;
  run.signals = stored.signals;
  run.last_signal = run.signals.empty() ? 0 : run.signals.back().number;
  run.rollbacks = stored.rollbacks;
  run.stops = stored.stops;
  run.tasks.resize(stored.tasks.size());
  for (const auto& range : stored.fan_outs)
    add_instances(run, range);
  for (const auto& [task, why] : run.rollbacks)
    note_failure(run, task, why.message);
  run.counts = {};
  run.undecided = run.undecided_finally = 0;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
    restore_task(run, task, stored);
  for (auto& [task, group] : run.fan_outs)
    restore_group(run, group, stored);
  restore_pots(run, stored);
  return run;
}

void scheduler_core::go_on(live_run& run, const model::stored_run& stored) {
  if (run.state == model::run_state::queued)
    return;
  restore_outputs(run, stored);
  restore_failures(run, stored);
  if (run.is_to_compensate()) // an operator decided the last of its tasks while nobody had it
    run.in_finally = false;
  if (run.in_finally)
    tell_outcome(run);
  judge_again(run);
  judge_groups(run);
  serve_signals(run); // sent while nobody had the run
  look_at_switches(run, stored);
  settle(run);
}

/// An operator decided the last instances of some tasks while nobody had the run.
void scheduler_core::judge_groups(live_run& run) {
  std::vector<std::uint32_t> decided;
  for (const auto& [task, group] : run.fan_outs)
    if (group.undecided == 0 && !is_terminal(run.tasks[task].state))
      decided.push_back(task);
  std::sort(decided.begin(), decided.end());
  for (const auto task : decided)
    judge_instances(run, task);
}

void scheduler_core::restore_task(live_run& run, std::uint32_t task,
                                  const model::stored_run& stored) {
  const auto& was = stored.tasks[task];
  auto& entry = run.tasks[task];
  entry.state = was.state;
  entry.attempt = was.attempt;
  entry.losses = was.losses;
  entry.fell_back = was.fell_back;
  entry.rolls_back = was.rolls_back && !is_terminal(was.state);
  entry.completed = was.completed;
  if (run.is_superseded(task)) { // no more than a memory
    entry.judged = entry.settled = entry.released = true;
    return;
  }
  run.counts[std::size_t(was.state)] += run.stands_for_instances(task) ? 0 : 1;
  if (!is_terminal(was.state)) {
    ++run.undecided;
    run.undecided_finally += run.is_finally(task) ? 1 : 0;
  }
  if (!run.is_instance(task))
    for (const auto upstream : run.workflow->graph().upstreams(task))
      entry.undecided += is_terminal(stored.tasks[upstream].state) ? 0 : 1;
  const auto reason = stored.reasons.find(task);
  const auto has_reason = [&](std::string_view text) {
    return reason != stored.reasons.end() && reason->second == text;
  };
  entry.kept = was.kept;
  if (has_reason("internal") && !was.kept && run.state != model::run_state::rolling_back) {
    run.internal = true;
    run.error = "internal error before the run was taken up again";
  }
  // What is compensated has succeeded for its dependents; what that takes is found again.
  entry.settled = is_terminal(was.state) || was.completed;
  entry.was_started = was.completed;
  if (is_terminal(was.state)) {
    entry.judged = true;
    entry.released =
      !was.completed && !(run.stands_for_instances(task) && run.workflow->is_compensable(task));
    entry.was_started = entry.was_started || !entry.released; // for what undoes its instances
    return;
  }
  // What waits has passed its rules too, though it may not have been dispatched.
  entry.has_started = was.started;
  entry.was_started = was.started || was.completed || was.state == task_state::waiting
                      || run.fan_outs.contains(task); // of one without instances too
  entry.judged = entry.was_started;
  entry.checkpointed = was.started; // perhaps: its next attempt looks for one
  const bool waits_for_breaker =
    was.state == task_state::waiting && has_reason(to_string(model::wait_reason::breaker));
  if (waits_for_breaker)
    kinds_[run.spec().name][run.task_spec(task).name].waiting.insert({run.run_no, task});
  const bool waits_for_key =
    was.state == task_state::waiting && has_reason(to_string(model::wait_reason::idempotency));
  if (waits_for_key)
    run.keys.emplace(task, ""); // found again when its rules are
  else if (const auto key = stored.keys.find(task);
           key != stored.keys.end() && was.started && !was.completed)
    hold_key(run, task, key->second);
  if (was.state == task_state::waiting && has_reason(to_string(model::wait_reason::hold)))
    run.held.insert(task);
  if (was.state == task_state::waiting && has_reason(to_string(model::wait_reason::signal)))
    run.signal_gates[model::gate_name(run.task_spec(task))].insert(task);
  const bool waits_at_switch =
    was.state == task_state::waiting && has_reason(to_string(model::wait_reason::gate));
  if (const auto* shut = waits_at_switch ? closed_for(run, task) : nullptr)
    at_switches_[shut->name].insert({run.run_no, task});
  if (auto* group = run.group_of(task);
      group != nullptr && !run.is_gate(task) && (waits_for_breaker || waits_at_switch))
    group->waiting.insert(task);
  if (was.state == task_state::waiting && has_reason(to_string(model::wait_reason::quota))) {
    const auto& name = model::gate_name(run.task_spec(task));
    const auto since = stored.gates_since.find(task);
    quotas_[name].waiting.emplace(since == stored.gates_since.end() ? now_ : since->second,
                                  model::task_key{run.run_no, task});
    stirred_quotas_.insert(name);
  }
  if (!is_active(was.state))
    return;
  if (was.state == task_state::cancelling) {
    // How its run is being ended is told by the run, but for the tasks of finally.
    const bool is_ended = run.state == model::run_state::cancelling && !run.outlives_cancel(task);
    entry.stop = is_ended && !run.expired  ? model::stop_reason::cancel
                 : has_reason("timeout")   ? model::stop_reason::timeout
                 : has_reason("heartbeat") ? model::stop_reason::heartbeat
                 : has_reason("budget")    ? model::stop_reason::budget
                 : (is_ended && run.expired) || has_reason("deadline")
                   ? model::stop_reason::deadline
                 : has_reason("drain")   ? model::stop_reason::drain
                 : has_reason("preempt") ? model::stop_reason::preempt
                                         : model::stop_reason::cancel;
  }
  if (was.is_waiting)
    return;
  take_capacity(run, task);
  restore_needs(run, task, stored);
}

/// What its instances' ends come to so far.
void scheduler_core::restore_group(live_run& run, instance_group& group,
                                   const model::stored_run& stored) {
  std::int64_t first_us = std::numeric_limits<std::int64_t>::max();
  for (auto instance = group.range.first; instance < group.range.end(); ++instance) {
    const auto& entry = run.tasks[instance];
    if (!entry.settled)
      continue;
    tally(run, group, instance);
    const auto reason = stored.reasons.find(instance);
    const auto is_skipped_for = [&](std::string_view why) {
      return entry.state == task_state::skipped && reason != stored.reasons.end()
             && reason->second == why;
    };
    group.given_up = group.given_up || is_skipped_for("siblings_failed");
    group.stopped = group.stopped || is_skipped_for("run_failed");
    if (const auto& was = stored.tasks[instance];
        entry.has_failed() && was.finished_us < first_us) {
      first_us = was.finished_us;
      group.first_failed = instance;
      const auto message = stored.messages.find(instance);
      group.failed_with = message == stored.messages.end() ? "" : message->second;
    }
  }
}

/// Outputs that someone may still read stay in the store until they are needed.
void scheduler_core::restore_outputs(live_run& run, const model::stored_run& stored) {
  for (const auto reader : run.spec().indices()) {
    const auto* expressions = run.workflow->expressions(reader);
    if (expressions == nullptr || run.tasks[reader].released)
      continue;
    for (const auto upstream : expressions->output_reads) {
      const auto state = run.tasks[upstream].state;
      const bool has_outputs = stored.tasks[upstream].has_outputs
                               || (run.fan_outs.contains(upstream) && is_terminal(state));
      if (!has_outputs && state != task_state::succeeded)
        continue;
      auto& kept = run.outputs[upstream];
      kept.in_store_only = has_outputs; // else it is known that there are none
      ++kept.readers;
    }
  }
  for (const auto task : run.workflow->result_reads())
    if (stored.tasks[task].has_outputs
        || (run.fan_outs.contains(task) && is_terminal(run.tasks[task].state))) {
      auto& kept = run.outputs[task];
      kept.in_store_only = true;
      ++kept.readers;
    }
}

/// Failures count again in the order in which they came.
void scheduler_core::restore_failures(live_run& run, const model::stored_run& stored) {
  std::vector<std::uint32_t> failed;
  for (const auto task : run.spec().indices())
    if (run.tasks[task].has_failed())
      failed.push_back(task);
  std::stable_sort(failed.begin(), failed.end(), [&](auto one, auto other) {
    return stored.tasks[one].finished_us < stored.tasks[other].finished_us;
  });
  for (const auto task : failed) {
    const auto message = stored.messages.find(task);
    note_failure(run, task, message == stored.messages.end() ? "" : message->second);
    count_failure(run, task);
  }
  count_borne_failures(run);
}

/// Sends every task that may run on its way to `ready`, as the last decision about its upstreams
/// did. One that had been dispatched before passed its rules then: they do not count again.
void scheduler_core::judge_again(live_run& run) {
  if (!evaluate_env(run))
    return;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    const auto& entry = run.tasks[task];
    if (entry.was_started && entry.undecided > 0 && run.expressions(task) != nullptr)
      freeze_undecided(run, task);
    const auto key = run.keys.find(task);
    const bool waits_for_key =
      entry.state == task_state::waiting && key != run.keys.end() && key->second.empty();
    const bool is_waiting =
      entry.state == task_state::pending || waits_for_key
      || (entry.state == task_state::rolling_back && !is_under_way(run, task));
    if (!is_waiting || (run.is_instance(task) && !entry.was_started)) // those are admitted
      continue;
    if (entry.was_started)
      prepare(run, task);
    else
      apply_verdict(run, task, verdict_on(run, task));
  }
}

/// What the decisions about its upstreams so far mean for a task.
join_verdict scheduler_core::verdict_on(const live_run& run, std::uint32_t task) const {
  if (run.is_instance(task)) // the rules were those of its task
    return join_verdict::wait;
  const auto rule = run.task_spec(task).join.rule;
  const auto& upstreams = run.workflow->graph().upstreams(task);
  if (upstreams.empty())
    return judge_join_of_root(rule);
  auto open = static_cast<std::uint32_t>(upstreams.size());
  for (const auto upstream : upstreams) {
    const auto state = run.tasks[upstream].state;
    if (!is_terminal(state))
      continue;
    const auto verdict =
      judge_join(rule, outcome_of(state, run.is_failure_allowed(upstream)), --open);
    if (verdict != join_verdict::wait)
      return verdict;
  }
  return join_verdict::wait;
}

} // namespace sluice::logic

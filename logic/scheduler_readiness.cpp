// How a task becomes ready: join rule, `when`, inputs; and the outputs that are kept for that.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;

namespace {

bool holds_nul(const model::value& v) {
  if (v.is_string())
    return v.get_ref<const std::string&>().find('\0') != std::string::npos;
  return v.is_structured() && std::any_of(v.begin(), v.end(), holds_nul);
}

/// Fills in a value that is to reach a process.
expected<model::value> fill_without_nul(const value_template& text, const scope& names) {
  auto filled = text.fill(names);
  if (filled && holds_nul(*filled))
    return fail(errc::invalid_argument, "holds a NUL character");
  return filled;
}

} // namespace

/// Whether the workflow's environment could be evaluated; if not, all undecided tasks have failed:
/// none can start.
bool scheduler_core::evaluate_env(live_run& run) {
  const run_scope names{run};
  for (const auto& [name, text] : run.workflow->env()) {
    auto filled = fill_without_nul(text, names);
    if (!filled) {
      for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
        if (!is_terminal(run.tasks[task].state) // of an earlier generation
            && !run.stands_for_instances(task))
          fail_expression(run, task, "env." + name + ": " + filled.error().message);
      return false;
    }
    run.env.emplace_back(name, model::to_plain_text(*filled));
  }
  return true;
}

void scheduler_core::judge_roots(live_run& run) {
  if (!evaluate_env(run))
    return;
  for (const auto task : run.spec().indices())
    if (!run.is_finally(task) && run.tasks[task].undecided == 0 && !run.tasks[task].judged)
      apply_verdict(run, task, judge_join_of_root(run.task_spec(task).join.rule));
}

/// All other tasks are decided. The run's deadline was theirs; those of finally count from now.
void scheduler_core::begin_finally(live_run& run) {
  run.in_finally = true;
  tell_outcome(run);
  remove_common_timers(run);
  const auto first = run.spec().first_finally();
  const auto end = run.spec().planned_count();
  for (auto task = first; task < end; ++task)
    set_deadline(run, task, now_);
  for (auto task = first; task < end; ++task)
    if (!run.tasks[task].judged)
      apply_verdict(run, task, verdict_on(run, task)); // after a retry some may be decided
}

/// What expressions of finally see of the run.
void scheduler_core::tell_outcome(live_run& run) {
  run.facts["state"] = to_string(run.outcome(live_run::counting::without_finally));
  auto& failed = run.facts["failed"] = model::value::array();
  for (const auto task : run.spec().indices())
    if (const auto& entry = run.tasks[task];
        !run.is_finally(task) && (entry.state == task_state::failed || entry.has_failed()))
      failed.push_back(run.task_spec(task).name);
}

void scheduler_core::apply_verdict(live_run& run, std::uint32_t task, join_verdict verdict) {
  if (verdict == join_verdict::wait || (run.is_finally(task) && !run.in_finally))
    return; // what an operator decides of finally before its turn counts when that comes
  if (run.tasks[task].state == task_state::paused)
    return; // its rules are applied when it is resumed
  run.tasks[task].judged = true;
  if (verdict == join_verdict::skip)
    move_task(run, task, task_state::skipped, "upstream");
  else
    prepare(run, task);
}

/// It is pending again: its rules are applied, as far as they were not.
void scheduler_core::go_on_after_pause(live_run& run, std::uint32_t task) {
  const auto& entry = run.tasks[task];
  if (!entry.judged && run.is_instance(task))
    admit_later(run, task);
  else if (!entry.judged)
    apply_verdict(run, task, verdict_on(run, task));
  else if (entry.was_started || !entry.released || run.is_gate(task))
    prepare(run, task);
  else if (may_begin(run, task))
    make_ready(run, task);
}

void scheduler_core::prepare(live_run& run, std::uint32_t task) {
  if (run.is_instance(task))
    return prepare_instance(run, task);
  if (const auto* expressions = run.expressions(task)) {
    if (run.tasks[task].undecided > 0)
      freeze_undecided(run, task);
    if (wait_for_outputs(run, task))
      return;
    if (!run.tasks[task].was_started && !conditions_hold(run, task, *expressions))
      return; // decided
    if (expressions->fan_out)
      return expand(run, task);
    if (run.is_gate(task)) // what its expressions read is kept: after a pause it waits anew
      return begin_gate(run, task);
    if (!evaluate_values(run, task, *expressions))
      return;
  }
  release_outputs(run, task);
  if (run.is_gate(task))
    return begin_gate(run, task);
  if (may_begin(run, task))
    make_ready(run, task);
}

/// What its expressions read is kept for its task as a whole.
void scheduler_core::prepare_instance(live_run& run, std::uint32_t instance) {
  auto& entry = run.tasks[instance];
  const auto& expressions = *run.expressions(instance);
  const auto task = run.node(instance);
  if (run.tasks[task].loads > 0 || (entry.was_started && wait_for_outputs(run, task))) {
    run.group_of(instance)->waiting.erase(instance);
    return admit_later(run, instance);
  }
  if (!entry.was_started && expressions.when_names_item
      && !holds(run, instance, *expressions.when, "when"))
    return; // decided
  if (run.is_gate(instance)) {
    entry.released = true;
    return begin_gate(run, instance);
  }
  if (!evaluate_values(run, instance, expressions))
    return;
  entry.released = true;
  if (may_begin(run, instance))
    make_ready(run, instance);
}

/// Asks for outputs that are in the store only. Returns whether the task has to wait for some.
bool scheduler_core::wait_for_outputs(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  if (entry.pinning)
    return entry.loads > 0;
  const auto* frozen = run.frozen_for(task);
  for (const auto upstream : run.expressions(task)->output_reads) {
    const auto it = run.outputs.find(upstream);
    if (it == run.outputs.end() || !it->second.in_store_only
        || (frozen != nullptr && state_in(*frozen, upstream) != nullptr)) // it does not see them
      continue;
    auto& kept = it->second;
    entry.pinning = true;
    ++kept.pins;
    if (!kept.values.is_null())
      continue; // read back for another task that still needs it
    if (kept.waiting.empty())
      step_.effects.push_back(model::load_outputs{run.run_no, upstream});
    kept.waiting.push_back(task);
    ++entry.loads;
  }
  return entry.loads > 0;
}

/// The task fired early: until it is evaluated, it goes on seeing its other upstreams undecided.
void scheduler_core::freeze_undecided(live_run& run, std::uint32_t task) {
  if (run.frozen.contains(task))
    return;
  auto& frozen = run.frozen[task];
  for (const auto upstream : run.workflow->graph().upstreams(task))
    if (const auto state = run.tasks[upstream].state; !is_terminal(state))
      frozen.emplace_back(upstream, state);
}

bool scheduler_core::conditions_hold(live_run& run, std::uint32_t task,
                                     const task_expressions& expressions) {
  if (expressions.join && !holds(run, task, *expressions.join, "join"))
    return false;
  return !expressions.when || expressions.when_names_item
         || holds(run, task, *expressions.when, "when");
}

/// If it does not hold, or cannot be evaluated, the task is decided.
bool scheduler_core::holds(live_run& run, std::uint32_t task, const expression& condition,
                           const char* key) {
  const auto verdict = condition.evaluate(run_scope{run, task});
  if (verdict && verdict->is_boolean()) {
    if (!verdict->get<bool>())
      move_task(run, task, task_state::skipped, key);
    return verdict->get<bool>();
  }
  fail_expression(run, task,
                  verdict
                    ? std::string{key} + " is not true or false but " + model::to_text(*verdict)
                    : std::string{key} + ": " + verdict.error().message);
  return false;
}

/// Evaluates inputs, environment and key. On an error the task has failed, and false is returned.
bool scheduler_core::evaluate_values(live_run& run, std::uint32_t task,
                                     const task_expressions& expressions) {
  const run_scope names{run, task};
  prepared_values values;
  if (auto prior = run.prior_inputs.extract(task)) {
    values.inputs = std::move(prior.mapped());
  } else {
    for (const auto& [name, input] : expressions.in) {
      auto filled = fill_without_nul(input, names);
      if (!filled) {
        const auto* key = child_of(run.task_spec(task)) != nullptr ? "params." : "in.";
        fail_expression(run, task, key + name + ": " + filled.error().message);
        return false;
      }
      values.inputs[name] = std::move(*filled);
    }
  }
  if (child_of(run.task_spec(task)) != nullptr && !check_params(run, task, values.inputs))
    return false;
  for (const auto& [name, text] : expressions.env) {
    auto filled = fill_without_nul(text, names);
    if (!filled) {
      fail_expression(run, task, "env." + name + ": " + filled.error().message);
      return false;
    }
    values.env.emplace_back(name, model::to_plain_text(*filled));
  }
  if (!values.inputs.is_null() || !values.env.empty())
    run.prepared.insert_or_assign(task, std::move(values));
  if (expressions.capacity && !evaluate_needs(run, task, *expressions.capacity))
    return false;
  if (!expressions.key || run.tasks[task].completed) // to compensate it is not what the key is for
    return true;
  return evaluate_key(run, task, *expressions.key);
}

void scheduler_core::fail_expression(live_run& run, std::uint32_t task, std::string message,
                                     const char* code) {
  note_failure(run, task, message);
  move_task(run, task, task_state::failed, "expression",
            model::failure{model::failure_class::permanent, code, std::move(message)});
}

void scheduler_core::make_ready(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  if (entry.state == task_state::waiting) // for its key, perhaps since before a restart
    move_task(run, task, task_state::ready,
              std::string{to_string(model::wait_reason::idempotency)});
  entry.was_started = false;
  if (!closed_.empty() && stops_at_switch(run, task))
    return;
  if (is_held_back(run, task))
    return wait_for_breaker(run, task);
  if (!entry.rolls_back && entry.state != task_state::ready)
    change_state(run, task, task_state::ready);
  enqueue(run, task, place::last);
}

/// Its attempt ended, or its wait for the next one, and it goes on.
void scheduler_core::make_ready_again(live_run& run, std::uint32_t task, place where) {
  auto& entry = run.tasks[task];
  if (entry.was_started) { // before a restart: what its expressions come to has to be found again
    if (!entry.rolls_back)
      entry.state = task_state::pending; // which is what is stored of `ready`
    return prepare(run, task);
  }
  if (!closed_.empty() && stops_at_switch(run, task))
    return;
  if (is_held_back(run, task))
    return wait_for_breaker(run, task);
  enqueue(run, task, where);
}

/// Those of instances are read back together, once all are decided. That there are none is kept
/// too: a task that is added asks the store for what nobody here waits for any more.
void scheduler_core::keep_outputs(live_run& run, std::uint32_t task, const model::value& outputs) {
  const bool is_fanned_out = run.fan_outs.contains(task);
  if (run.is_instance(task) || !run.workflow->outputs_are_read(task))
    return;
  std::uint32_t readers = 0;
  for (const auto reader : run.workflow->readers_in_finally(task))
    readers += run.tasks[reader].judged ? 0 : 1;
  for (const auto dependent : run.workflow->graph().dependents(task)) {
    const auto* expressions = run.workflow->expressions(dependent);
    if (expressions != nullptr && !run.tasks[dependent].judged // those do not see it any more
        && std::binary_search(expressions->output_reads.begin(), expressions->output_reads.end(),
                              task))
      ++readers;
  }
  const auto& results = run.workflow->result_reads();
  readers += std::binary_search(results.begin(), results.end(), task) ? 1 : 0;
  if (readers == 0)
    return;
  auto& kept = run.outputs[task];
  kept.readers = readers;
  kept.bytes = model::to_text(outputs).size();
  kept.in_store_only = is_fanned_out || kept.bytes > options_.kept_output_bytes
                       || kept_outputs_bytes_ + kept.bytes > options_.kept_outputs_total_bytes;
  if (kept.in_store_only)
    kept.bytes = 0;
  else
    kept.values = outputs;
  kept_outputs_bytes_ += kept.bytes;
}

/// The task has evaluated what it needs, or never will.
void scheduler_core::release_outputs(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  if (entry.released)
    return;
  entry.released = true;
  const auto* expressions = run.is_instance(task) ? nullptr : run.expressions(task);
  if (expressions == nullptr)
    return;
  const auto frozen = run.frozen.extract(task);
  for (const auto upstream : expressions->output_reads) {
    const auto it = run.outputs.find(upstream);
    if (it == run.outputs.end() || (frozen && state_in(frozen.mapped(), upstream) != nullptr))
      continue; // there is nothing, or it came when this task did not count as a reader any more
    auto& kept = it->second;
    if (entry.pinning && kept.in_store_only && kept.pins > 0 && --kept.pins == 0)
      kept.values = {}; // read back only for those who waited
    if (--kept.readers == 0) {
      kept_outputs_bytes_ -= kept.bytes;
      run.outputs.erase(it);
    }
  }
}

} // namespace sluice::logic

// Tasks that only wait: for a time, for a person's approval, for a signal. They take no capacity
// and have no attempt; what lets them through is a record of its own.
#include "logic/gate.hpp"
#include "logic/generation.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/task_control.hpp"
#include "model/nearest_name.hpp"

#include <algorithm>
#include <utility>

namespace sluice::logic {

using model::task_state;
using model::timer_kind;
using model::wait_reason;

namespace {

const model::gate_spec* gate_of(const model::task_spec& task) {
  const auto* gate = std::get_if<model::gate_action>(&task.action);
  return gate == nullptr ? nullptr : &*gate->what;
}

std::string in_quotes(const std::string& name) {
  return "'" + name + "'";
}

/// Whether somebody can decide the task.
expected<void> check_decision(const model::decide_gate& what, const model::task_spec& task,
                              task_state state) {
  const auto* gate = gate_of(task);
  if (gate == nullptr || gate->which != model::gate_kind::approval)
    return fail(errc::invalid_argument,
                "task " + in_quotes(what.task) + " is no approval: nobody has to decide it");
  if (state != task_state::waiting)
    return fail(errc::conflict, "task " + in_quotes(what.task) + " is "
                                  + std::string{to_string(state)}
                                  + ", and does not wait for an approval");
  return {};
}

std::string text_of_rejection(const model::decision& whose) {
  return "rejected" + (whose.by.empty() ? "" : " by " + whose.by)
         + (whose.note.empty() ? "" : ": " + whose.note);
}

/// Whether some gate of the workflow can take a signal of this name: else it is a mistake.
expected<void> check_taker(const model::workflow_spec& workflow, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& task : workflow.tasks)
    if (const auto* gate = gate_of(task); gate && gate->which == model::gate_kind::signal)
      known.push_back(model::gate_name(task));
  if (std::find(known.begin(), known.end(), name) != known.end())
    return {};
  return fail(errc::invalid_argument, "workflow " + in_quotes(workflow.name)
                                        + " has no gate for the signal " + in_quotes(name)
                                        + model::did_you_mean(name, known));
}

expected<void> check_room(std::size_t kept) {
  if (kept >= model::most_signals)
    return fail(errc::conflict, "the run keeps " + std::to_string(kept)
                                  + " signals that no gate has taken yet, and no more");
  return {};
}

} // namespace

/// The task's rules hold: from now on it waits, unless there is nothing to wait for.
void scheduler_core::begin_gate(live_run& run, std::uint32_t task) {
  const auto& spec = run.task_spec(task);
  const auto* expressions = run.expressions(task);
  const auto* gate = gate_of(spec);
  model::value text;
  if (expressions != nullptr && expressions->awaits) {
    auto filled = expressions->awaits->fill(run_scope{run, task});
    if (!filled)
      return fail_expression(run, task, (gate ? "prompt: " : "wait: ") + filled.error().message);
    text = std::move(*filled);
  }
  if (gate == nullptr)
    return begin_wait(run, task, text);
  if (gate->which == model::gate_kind::signal && take_kept_signal(run, task))
    return;
  if (gate->which == model::gate_kind::named_switch) {
    if (!stops_at_switch(run, task))
      pass_gate(run, task, {.reason = wait_reason::gate});
    return;
  }
  if (gate->which == model::gate_kind::time)
    return begin_hours(run, task);
  if (gate->which == model::gate_kind::quota)
    return begin_quota(run, task);
  model::awaited what{.reason = reason_of(gate->which)};
  if (gate->which == model::gate_kind::approval)
    what.prompt = text.is_null() ? std::string{} : model::to_plain_text(text);
  else
    what.name = model::gate_name(spec);
  if (gate->expires)
    what.due = now_ + *gate->expires;
  wait_at_gate(run, task, std::move(what));
}

void scheduler_core::begin_wait(live_run& run, std::uint32_t task, const model::value& until) {
  const auto end = end_of_wait(until, now_);
  if (!end)
    return fail_expression(run, task, "wait: " + end.error().message);
  if (*end <= now_)
    return pass_gate(run, task, {.reason = wait_reason::wait});
  wait_at_gate(run, task, {.reason = wait_reason::wait, .due = *end});
}

void scheduler_core::wait_at_gate(live_run& run, std::uint32_t task, model::awaited what) {
  const auto due = what.due;
  if (what.reason == wait_reason::signal)
    run.signal_gates[what.name].insert(task);
  if (what.reason == wait_reason::gate)
    at_switches_[what.name].insert({run.run_no, task});
  move_task(run, task, task_state::waiting, std::string{to_string(what.reason)});
  std::get<model::task_moved>(step_.records.back()).awaits = std::move(what);
  if (due)
    set_timer(run, {task, timer_kind::gate}, *due);
  if (auto* group = run.group_of(task); group != nullptr && run.is_gate(task))
    group->waiting.erase(task); // it has its inputs, and keeps nobody from being admitted
}

/// The task goes on from `waiting`, or did not have to wait.
void scheduler_core::pass_gate(live_run& run, std::uint32_t task, model::gate_passed how) {
  how.key = {run.run_no, task};
  how.attempt = run.tasks[task].attempt;
  how.from = run.tasks[task].state;
  how.actor = actor_;
  how.at = now_;
  change_state(run, task, task_state::succeeded);
  keep_outputs(run, task, how.outputs);
  step_.records.push_back(std::move(how));
  decide(run, task);
}

/// The task is not let through.
void scheduler_core::turn_away(live_run& run, std::uint32_t task, task_state to, std::string code,
                               std::string message, model::decision whose,
                               std::optional<model::wall_time> due) {
  std::optional<model::failure> why;
  if (to == task_state::failed) {
    note_failure(run, task, message);
    why = model::failure{model::failure_class::gate, code, std::move(message)};
  }
  const auto at = step_.records.size(); // more may follow from it
  move_task(run, task, to, std::move(code), std::move(why), due);
  std::get<model::task_moved>(step_.records[at]).whose = std::move(whose);
}

/// The wait is over, or nobody has decided the gate in time.
void scheduler_core::gate_is_due(live_run& run, std::uint32_t task, model::wall_time due) {
  if (run.tasks[task].state != task_state::waiting)
    return;
  const auto& spec = run.task_spec(task);
  const auto* gate = gate_of(spec);
  if (gate == nullptr)
    return pass_gate(run, task, {.reason = wait_reason::wait, .due = due});
  if (gate->which == model::gate_kind::time) {
    if (const auto opening = opening_of(*gate); opening > now_) // the clock was set
      return set_timer(run, {task, timer_kind::gate}, opening);
    return pass_gate(run, task, {.reason = wait_reason::time, .due = due});
  }
  if (gate->which == model::gate_kind::quota) {
    stirred_quotas_.insert(model::gate_name(spec));
    return;
  }
  const auto length = model::to_text(gate->expires.value_or(model::milliseconds{0}));
  const auto message = gate->which == model::gate_kind::approval
                         ? "not approved within " + length
                         : "no signal " + in_quotes(model::gate_name(spec)) + " within " + length;
  if (gate->on_expire != model::on_expire::approve)
    return turn_away(run, task,
                     gate->on_expire == model::on_expire::skip ? task_state::skipped
                                                               : state_when_rejected(*gate),
                     "expired", message, {}, due);
  model::gate_passed how{.reason = reason_of(gate->which), .due = due};
  if (gate->which == model::gate_kind::signal)
    how.outputs = {{"payload", nullptr}};
  else // its form has a default for everything
    how.outputs = outputs_of_approval(*gate, model::value::object(), actor_).value();
  pass_gate(run, task, std::move(how));
}

/// The task goes to another state, and waits at no gate any more.
void scheduler_core::leave_gate(live_run& run, std::uint32_t task) {
  const model::task_key key{run.run_no, task};
  for (auto at = at_switches_.begin(); at != at_switches_.end();) {
    at->second.erase(key);
    at = at->second.empty() ? at_switches_.erase(at) : std::next(at);
  }
  const auto* gate = gate_of(run.task_spec(task));
  if (gate != nullptr && gate->which == model::gate_kind::quota) {
    const auto& name = model::gate_name(run.task_spec(task));
    std::erase_if(quotas_[name].waiting, [&](const auto& waits) { return waits.second == key; });
    stirred_quotas_.insert(name);
  }
  if (gate == nullptr || gate->which != model::gate_kind::signal)
    return;
  const auto waiting = run.signal_gates.find(model::gate_name(run.task_spec(task)));
  if (waiting == run.signal_gates.end())
    return;
  waiting->second.erase(task);
  if (waiting->second.empty())
    run.signal_gates.erase(waiting);
}

/// When the gate is open next: now, or later.
model::wall_time scheduler_core::opening_of(const model::gate_spec& gate) const {
  return next_opening(
    *gate.hours, now_, gate.hours->is_local ? options_.local_offset : [](model::wall_time) {
      return model::microseconds{0};
    });
}

void scheduler_core::begin_hours(live_run& run, std::uint32_t task) {
  const auto& gate = *gate_of(run.task_spec(task));
  const auto opening = opening_of(gate);
  if (opening <= now_)
    return pass_gate(run, task, {.reason = wait_reason::time});
  if (gate.on_closed.value_or(model::on_closed::wait) == model::on_closed::wait)
    return wait_at_gate(run, task, {.reason = wait_reason::time, .due = opening});
  turn_away(run, task, state_when_rejected(gate), "closed",
            "closed until " + model::to_rfc3339(opening), {});
}

// --- approvals ---------------------------------------------------------------------------------

expected<model::control_result> scheduler_core::decide_by_hand(live_run& run,
                                                               const model::decide_gate& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto state = run.tasks[*task].state;
  const auto& spec = run.task_spec(*task);
  if (auto may =
        check_fan_out(what.task, run.stands_for_instances(*task), is_terminal(state), "decide")
          .and_then([&] { return check_decision(what, spec, state); });
      !may)
    return tl::unexpected(may.error());
  const auto& gate = *gate_of(spec);
  model::gate_passed how{.reason = wait_reason::approval, .whose = what.whose};
  if (what.verdict == model::verdict::approved) {
    auto outputs = outputs_of_approval(gate, what.values, what.whose.by);
    if (!outputs)
      return tl::unexpected(outputs.error());
    how.outputs = std::move(*outputs);
  }
  auto result = one_task(run, what.task);
  guarded(run, [&] {
    if (what.verdict == model::verdict::approved)
      pass_gate(run, *task, std::move(how));
    else
      turn_away(run, *task, state_when_rejected(gate), "rejected", text_of_rejection(what.whose),
                what.whose);
    actor_ = "scheduler"; // what follows is its decision
    settle(run);
  });
  return result;
}

/// Of a run that is not in progress: it is a fact for whoever goes on with it.
expected<model::control_result> scheduler_core::decide_by_hand(const model::stored_run& run,
                                                               const model::decide_gate& what) {
  const auto task = find_task(names_of(run), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto& was = run.tasks[*task];
  const auto& spec = run.workflow->task(names_of(run).node(*task));
  if (auto may = check_fan_out(what.task, !is_counted(run, *task), is_terminal(was.state), "decide")
                   .and_then([&] { return check_decision(what, spec, was.state); });
      !may)
    return tl::unexpected(may.error());
  const auto& gate = *gate_of(spec);
  const model::task_key key{run.run_no, *task};
  auto to = task_state::succeeded;
  if (what.verdict == model::verdict::approved) {
    auto outputs = outputs_of_approval(gate, what.values, what.whose.by);
    if (!outputs)
      return tl::unexpected(outputs.error());
    step_.records.push_back(model::gate_passed{.key = key,
                                               .attempt = was.attempt,
                                               .from = was.state,
                                               .reason = wait_reason::approval,
                                               .outputs = std::move(*outputs),
                                               .whose = what.whose,
                                               .actor = actor_,
                                               .at = now_});
  } else {
    to = state_when_rejected(gate);
    model::task_moved moved{.key = key,
                            .attempt = was.attempt,
                            .from = was.state,
                            .to = to,
                            .reason = "rejected",
                            .actor = actor_,
                            .at = now_,
                            .whose = what.whose};
    if (to == task_state::failed)
      moved.failure =
        model::failure{model::failure_class::gate, "rejected", text_of_rejection(what.whose)};
    step_.records.push_back(std::move(moved));
  }
  for (const auto& timer : run.timers)
    if (timer.task_idx == *task)
      step_.timers.removed.push_back(timer);
  step_.counts.push_back(counts_after(run, *task, to));
  return one_task(run, what.task);
}

// --- signals -----------------------------------------------------------------------------------

/// The gate takes the oldest signal that came before it waited. Returns whether there was one.
bool scheduler_core::take_kept_signal(live_run& run, std::uint32_t task) {
  const auto& name = model::gate_name(run.task_spec(task));
  const auto kept = std::find_if(run.signals.begin(), run.signals.end(),
                                 [&](const auto& signal) { return signal.name == name; });
  if (kept == run.signals.end())
    return false;
  const auto signal = std::move(*kept);
  run.signals.erase(kept);
  let_through(run, task, signal);
  return true;
}

void scheduler_core::let_through(live_run& run, std::uint32_t task,
                                 const model::kept_signal& signal) {
  pass_gate(run, task,
            {.reason = wait_reason::signal,
             .outputs = {{"payload", signal.payload}},
             .signal = signal.number});
}

/// Hands the signals that are kept to gates that wait for them, both in order. Returns the names of
/// those that go on.
std::vector<std::string> scheduler_core::serve_signals(live_run& run) {
  std::vector<std::string> served;
  for (auto next = run.signals.begin(); next != run.signals.end() && !run.signal_gates.empty();) {
    const auto waiting = run.signal_gates.find(next->name);
    if (waiting == run.signal_gates.end()) {
      ++next;
      continue;
    }
    const auto task = *waiting->second.begin();
    const auto signal = std::move(*next);
    next = run.signals.erase(next);
    served.push_back(run.name(task));
    let_through(run, task, signal);
  }
  return served;
}

expected<model::control_result> scheduler_core::send(live_run& run,
                                                     const model::send_signal& what) {
  if (auto may = check_signal(what.name, what.payload)
                   .and_then([&] { return check_taker(run.spec(), what.name); })
                   .and_then([&] { return check_room(run.signals.size()); });
      !may)
    return tl::unexpected(may.error());
  model::control_result result{run.run_no, run.generation, {}, 0};
  guarded(run, [&] {
    run.signals.push_back({++run.last_signal, what.name, what.payload});
    step_.records.push_back(
      model::signal_received{run.run_no, run.signals.back(), what.by, actor_, now_});
    actor_ = "scheduler"; // what follows is its decision
    result.tasks = serve_signals(run);
    settle(run);
  });
  result.kept = run.counted_tasks() - result.tasks.size();
  return result;
}

/// Of a run that is not in progress: whoever goes on with it finds the signal.
expected<model::control_result> scheduler_core::send(const model::stored_run& run,
                                                     const model::send_signal& what) {
  if (is_terminal(run.state))
    return fail(errc::conflict, "run " + to_string(run.run_no) + " has ended: it is "
                                  + std::string{to_string(run.state)});
  if (auto may = check_signal(what.name, what.payload)
                   .and_then([&] { return check_taker(*run.workflow, what.name); })
                   .and_then([&] { return check_room(run.signals.size()); });
      !may)
    return tl::unexpected(may.error());
  const auto last = run.signals.empty() ? 0 : run.signals.back().number;
  step_.records.push_back(
    model::signal_received{run.run_no, {last + 1, what.name, what.payload}, what.by, actor_, now_});
  return model::control_result{run.run_no, run.generation, {}, counted_tasks(run)};
}

} // namespace sluice::logic

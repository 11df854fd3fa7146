#include "model/record.hpp"

#include "model/overloaded.hpp"

namespace sluice::model {
namespace {

constexpr const char* scheduler = "scheduler";

/// Objects without members are stored as nothing.
value or_null(value object) {
  return object.empty() ? value{} : object;
}

void put_failure(value& data, const boxed_optional<failure>& f) {
  if (!f)
    return;
  data["class"] = to_string(f->failure_class);
  if (!f->code.empty())
    data["code"] = f->code;
  if (!f->message.empty())
    data["message"] = f->message;
}

/// By how much a timer fired too late.
void put_lateness(value& data, wall_time at, const std::optional<wall_time>& due) {
  if (due && at > *due)
    data["late_us"] = (at - *due).count();
}

void put_breaker(value& data, const breaker_state& breaker) {
  data["breaker"] = {{"failures", breaker.failures}};
  if (breaker.open_until)
    data["breaker"]["open_until_us"] = to_us(*breaker.open_until);
}

event_type type_of(task_state to) {
  switch (to) {
  case task_state::skipped:
    return event_type::task_skipped;
  case task_state::cancelling:
    return event_type::task_cancelling;
  case task_state::cancelled:
    return event_type::task_cancelled;
  case task_state::ready:
    return event_type::task_lost;
  case task_state::retry_wait:
    return event_type::task_retrying;
  case task_state::validating:
    return event_type::task_validating;
  case task_state::waiting:
    return event_type::task_waiting;
  case task_state::rolling_back:
    return event_type::task_rolling_back;
  case task_state::paused:
    return event_type::task_paused;
  case task_state::dispatched:
    return event_type::task_dispatched;
  default:
    return event_type::task_finished;
  }
}

event at_task(task_key key, std::uint32_t attempt, event_type type, wall_time at) {
  event e;
  e.at = at;
  e.run_no = key.run_no;
  e.task_idx = key.task_idx;
  if (attempt != 0)
    e.attempt = attempt;
  e.type = type;
  e.actor = scheduler;
  return e;
}

event from_record(const run_created& r) {
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = event_type::run_submitted;
  e.to = to_string(r.state);
  e.actor = r.request->trigger;
  e.data = {{"workflow", r.request->workflow->name},
            {"hash", r.request->content_hash},
            {"tasks", r.request->workflow->tasks.size()},
            {"trigger", r.request->trigger}};
  if (!r.request->user.empty())
    e.data["user"] = r.request->user;
  if (!r.request->params.empty())
    e.data["params"] = r.request->params;
  if (r.parent)
    e.data["parent"] = to_string(*r.parent);
  return e;
}

event from_record(const run_moved& r) {
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = is_terminal(r.to)                 ? event_type::run_finished
           : r.to == run_state::rolling_back ? event_type::run_rolling_back
           : r.to == run_state::running      ? event_type::run_started
                                             : event_type::run_cancelling;
  e.from = to_string(r.from);
  e.to = to_string(r.to);
  e.actor = r.actor;
  auto data = value::object();
  if (r.degraded)
    data["degraded"] = true;
  if (!r.error.empty())
    data["error"] = r.error;
  if (!r.results.is_null())
    data["out"] = r.results;
  put_lateness(data, r.at, r.due);
  e.data = or_null(std::move(data));
  return e;
}

event from_record(const run_paused& r) {
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = r.is_paused ? event_type::run_paused : event_type::run_resumed;
  e.actor = r.actor;
  return e;
}

event from_record(const run_retried& r) {
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = event_type::run_retried;
  e.from = to_string(r.from);
  e.to = to_string(run_state::running);
  e.actor = r.actor;
  e.data = {{"generation", r.generation}, {"reset", r.reset}};
  return e;
}

event from_record(const tasks_added& r) {
  constexpr std::uint32_t most_names = 20; // it is for people
  const auto& added = r.addition();
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = event_type::tasks_added;
  e.actor = r.actor;
  e.data = {{"first", added.first}, {"tasks", added.count}, {"hash", r.content_hash}};
  auto& names = e.data["names"] = value::array();
  for (std::uint32_t i = 0; i < std::min(added.count, most_names); ++i)
    names.push_back(r.workflow->tasks[added.position + i].name);
  return e;
}

event from_record(const task_expanded& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_expanded, r.at);
  e.data = {{"first", r.instances.first}, {"instances", r.instances.items->size()}};
  return e;
}

event from_record(const task_reset& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_reset, r.at);
  e.from = to_string(r.from);
  e.to = to_string(task_state::pending);
  e.actor = r.actor;
  e.data = {{"generation", r.generation}};
  if (r.folds) {
    auto& states = e.data["folds"] = value::object();
    for (std::size_t i = 0; i < r.folds->size(); ++i)
      if ((*r.folds)[i] != 0)
        states[std::string{to_string(task_state(i))}] = (*r.folds)[i];
  }
  return e;
}

event from_record(const task_marked& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_marked, r.at);
  e.from = to_string(r.from);
  e.to = to_string(r.to);
  e.actor = r.actor;
  auto data = value::object();
  put_failure(data, r.failure);
  e.data = or_null(std::move(data));
  return e;
}

event from_record(const task_reused& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_reused, r.at);
  e.from = to_string(r.from);
  e.to = to_string(task_state::succeeded);
  e.data = {{"of", to_string(r.of)}};
  return e;
}

void put_decision(value& data, const rarely<decision>& whose) {
  if (!whose->by.empty())
    data["by"] = whose->by;
  if (!whose->note.empty())
    data["note"] = whose->note;
}

void put_awaited(value& data, const awaited& what) {
  if (!what.name.empty())
    data["name"] = what.name;
  if (!what.prompt.empty())
    data["prompt"] = what.prompt;
  if (what.due)
    data["due_us"] = to_us(*what.due);
}

event from_record(const gate_passed& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_passed, r.at);
  e.from = to_string(r.from);
  e.to = to_string(task_state::succeeded);
  e.actor = r.actor;
  e.data = {{"reason", to_string(r.reason)}};
  put_decision(e.data, r.whose);
  if (r.signal)
    e.data["signal"] = *r.signal;
  put_lateness(e.data, r.at, r.due);
  return e;
}

event from_record(const signal_received& r) {
  event e;
  e.at = r.at;
  e.run_no = r.run_no;
  e.type = event_type::run_signalled;
  e.actor = r.actor;
  e.data = {{"name", r.what.name}, {"signal", r.what.number}};
  if (!r.by.empty())
    e.data["by"] = r.by;
  return e;
}

event from_record(const held_retried& r) {
  auto e = at_task(r.key, r.attempt, event_type::task_released, r.at);
  e.from = to_string(task_state::waiting);
  e.to = to_string(task_state::ready);
  e.actor = r.actor;
  e.data = {{"reason", to_string(wait_reason::hold)}};
  return e;
}

event from_record(const attempt_dispatched& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_dispatched, r.at);
  const bool rolls_back = undoes(r.role); // which goes on, with this attempt
  e.from = to_string(rolls_back ? task_state::rolling_back : task_state::ready);
  e.to = to_string(rolls_back ? task_state::rolling_back : task_state::dispatched);
  e.data = {{"executor", to_string(r.executor)}};
  if (r.generation > 1)
    e.data["generation"] = r.generation;
  if (r.role != command_role::action)
    e.data["role"] = to_string(r.role);
  if (r.holds.is_set())
    e.data["holds"] = to_json(*r.holds);
  return e;
}

event from_record(const attempt_ended& r) {
  const auto& outcome = r.outcome;
  const auto type = outcome.falls_back                          ? event_type::task_fallback
                    : outcome.state == task_state::rolling_back ? event_type::task_lost
                    : outcome.state == task_state::waiting      ? event_type::task_held
                                                                : type_of(outcome.state);
  auto e = at_task(outcome.key.task(), outcome.key.attempt, type, outcome.finished_at);
  e.from = to_string(outcome.from);
  e.to = to_string(outcome.state);
  auto data = value::object();
  put_failure(data, outcome.failure);
  if (outcome.losses != 0)
    data["losses"] = outcome.losses;
  if (outcome.retry_at) {
    data["retry"] = outcome.retries;
    data["due_us"] = to_us(*outcome.retry_at);
  }
  if (outcome.breaker)
    put_breaker(data, *outcome.breaker);
  if (outcome.started_at)
    data["started_us"] = to_us(*outcome.started_at);
  if (outcome.usage != resource_usage{}) {
    data["cpu_us"] = outcome.usage.cpu.count();
    data["peak_rss_bytes"] = outcome.usage.peak_rss_bytes;
  }
  if (outcome.own_usage.is_set())
    data["usage"] = *outcome.own_usage;
  e.data = or_null(std::move(data));
  return e;
}

event from_record(const task_moved& r) {
  const auto released =
    r.from == task_state::waiting ? event_type::task_released : event_type::task_due;
  const bool resumes = r.from == task_state::paused && !is_terminal(r.to);
  const auto type = r.to == task_state::failed  ? event_type::task_failed
                    : r.to == task_state::ready ? released
                    : resumes                   ? event_type::task_resumed
                                                : type_of(r.to);
  auto e = at_task(r.key, r.attempt, type, r.at);
  e.from = to_string(r.from);
  e.to = to_string(r.to);
  e.actor = r.actor;
  auto data = value::object();
  if (!r.reason.empty())
    data["reason"] = r.reason;
  put_lateness(data, r.at, r.due);
  put_failure(data, r.failure);
  if (r.breaker)
    put_breaker(data, *r.breaker);
  if (r.awaits.is_set())
    put_awaited(data, *r.awaits);
  put_decision(data, r.whose);
  e.data = or_null(std::move(data));
  return e;
}

event from_record(const warning_raised& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_warning, r.at);
  e.data = {{"message", r.message}};
  return e;
}

event from_record(const progress_made& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_progress, r.at);
  e.data = value::object();
  if (r.what.fraction)
    e.data["fraction"] = *r.what.fraction;
  if (!r.what.text.empty())
    e.data["text"] = r.what.text;
  return e;
}

event from_record(const usage_noted& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_usage, r.at);
  e.data = {{"usage", r.usage}};
  return e;
}

event from_record(const checkpoint_saved& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_checkpoint, r.at);
  e.data = {{"token", r.what->token}, {"bytes", r.what->data.size()}};
  return e;
}

event from_record(const snapshot_saved& r) {
  auto e = at_task(r.key.task(), r.key.attempt, event_type::task_snapshot, r.at);
  e.data = {{"bytes", r.what->size()}};
  return e;
}

} // namespace

std::size_t weight(const step& s) {
  std::size_t rows = s.counts.size() + s.timers.size() + 2 * s.switches.size() + s.limits.size();
  for (const auto& r : s.records)
    rows += std::visit(
      overloaded{
        [](const run_created& c) { return 2 + c.request->workflow->tasks.size(); },
        [](const run_moved&) { return std::size_t{2}; },
        [](const run_paused&) { return std::size_t{2}; },
        [](const run_retried&) { return std::size_t{2}; },
        [](const tasks_added& a) { return std::size_t{3} + a.addition().count; },
        [](const task_expanded& x) { return 3 + x.instances.items->size(); },
        [](const task_reset&) { return std::size_t{4}; },
        [](const task_marked&) { return std::size_t{4}; },
        [](const task_reused&) { return std::size_t{3}; },
        [](const gate_passed&) { return std::size_t{5}; },
        [](const signal_received&) { return std::size_t{2}; },
        [](const held_retried&) { return std::size_t{2}; },
        [](const attempt_dispatched&) { return std::size_t{3}; },
        [](const attempt_ended& a) {
          const bool wide = a.outcome.failure || !a.outcome.outputs.is_null();
          return std::size_t{3} + (wide ? 1 : 0) + (a.outcome.breaker ? 1 : 0)
                 + (a.outcome.key_digest.is_set() ? 1 : 0) + (a.outcome.is_completion ? 1 : 0);
        },
        [](const task_moved& t) { return std::size_t{t.failure || t.awaits.is_set() ? 3u : 2u}; },
        [](const warning_raised&) { return std::size_t{1}; },
        [](const checkpoint_saved&) { return std::size_t{2}; },
        [](const snapshot_saved&) { return std::size_t{2}; },
        [](const progress_made&) { return std::size_t{1}; },
        [](const usage_noted&) { return std::size_t{2}; },
      },
      r);
  return rows;
}

event event_of(const record& r) {
  return std::visit([](const auto& one) { return from_record(one); }, r);
}

} // namespace sluice::model

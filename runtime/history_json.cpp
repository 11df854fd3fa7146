#include "runtime/history_json.hpp"

namespace sluice::runtime {
namespace {

void put_time(model::value& v, const char* name, const std::optional<model::wall_time>& at) {
  if (at)
    v[name] = model::to_rfc3339(*at);
}

/// Of a run, or that something of it belongs to; the first one goes without saying.
void put_generation(model::value& v, std::uint32_t generation) {
  if (generation > 1)
    v["generation"] = generation;
}

void put_failure(model::value& v, const std::optional<model::failure>& failure) {
  if (failure)
    v["failure"] = {{"class", to_string(failure->failure_class)},
                    {"code", failure->code},
                    {"message", failure->message}};
}

void put_usage(model::value& v, const model::resource_usage& usage) {
  if (usage == model::resource_usage{})
    return;
  v["cpu_us"] = usage.cpu.count();
  v["peak_rss_bytes"] = usage.peak_rss_bytes;
}

void put_awaited(model::value& v, const model::awaited& what) {
  if (!what.name.empty())
    v["name"] = what.name;
  if (!what.prompt.empty())
    v["prompt"] = what.prompt;
  put_time(v, "due_at", what.due);
}

} // namespace

model::value to_json(const storage::waiting_gate& gate) {
  model::value v{{"run", to_string(gate.key.run_no)},
                 {"id", to_string(gate.key)},
                 {"task", gate.task},
                 {"workflow", gate.workflow},
                 {"wait_reason", to_string(gate.what.reason)},
                 {"since", model::to_rfc3339(gate.since)}};
  put_awaited(v, gate.what);
  return v;
}

model::value to_json(const model::switch_state& gate) {
  return {{"gate", gate.name},
          {"state", gate.is_open ? "open" : "closed"},
          {"by", gate.by},
          {"reason", gate.reason},
          {"changed_at", model::to_rfc3339(gate.changed_at)}};
}

model::value to_json(const run_view& run) {
  auto tasks = model::value::object();
  for (std::size_t i = 0; i < run.counts.size(); ++i)
    if (run.counts[i] != 0)
      tasks[std::string{to_string(static_cast<model::task_state>(i))}] = run.counts[i];
  model::value v{
    {"run", to_string(run.run_no)}, {"workflow", run.workflow},
    {"version", run.version},       {"state", run.shown_state()},
    {"trigger", run.trigger},       {"params", run.params},
    {"tasks", std::move(tasks)},    {"task_count", run.task_count()},
    {"degraded", run.degraded},     {"submitted_at", model::to_rfc3339(run.submitted_at)}};
  if (!run.user.empty())
    v["user"] = run.user;
  if (!run.error.empty())
    v["error"] = run.error;
  if (run.parent) {
    v["parent"] = to_string(*run.parent);
    v["parent_task"] = run.parent_task;
  }
  if (run.is_paused())
    v["paused"] = true;
  put_generation(v, run.generation);
  if (run.generation > 1)
    v["began_at"] = model::to_rfc3339(run.began_at);
  put_time(v, "started_at", run.started_at);
  put_time(v, "finished_at", run.finished_at);
  return v;
}

model::value to_json(const task_view& task) {
  model::value v{
    {"run", to_string(task.key.run_no)}, {"id", to_string(task.key)},   {"task", task.name},
    {"task_idx", task.key.task_idx},     {"state", task.shown_state()}, {"attempt", task.attempt}};
  put_generation(v, task.generation);
  if (task.instances)
    v["instances"] = *task.instances;
  if (const auto of = task.node_idx ? model::split_instance_name(task.name) : std::nullopt)
    v["instance_of"] = of->task;
  if (!task.reason.empty())
    v["reason"] = task.reason;
  if (!task.waits_for.empty())
    v["waits_for"] = task.waits_for;
  if (task.wait_reason != model::wait_reason::none)
    v["wait_reason"] = to_string(task.wait_reason);
  if (task.losses != 0)
    v["losses"] = task.losses;
  if (task.retries != 0)
    v["retries"] = task.retries;
  put_time(v, "retry_at", task.retry_at);
  if (task.breaker) {
    v["breaker"]["failures"] = task.breaker->failures;
    put_time(v["breaker"], "open_until", task.breaker->open_until);
  }
  if (task.awaits)
    put_awaited(v, *task.awaits);
  put_failure(v, task.failure);
  put_time(v, "dispatched_at", task.dispatched_at);
  put_time(v, "started_at", task.started_at);
  put_time(v, "finished_at", task.finished_at);
  put_usage(v, task.usage);
  return v;
}

model::value to_json(const storage::attempt_row& attempt) {
  model::value v{{"id", to_string(attempt.key)},
                 {"attempt", attempt.key.attempt},
                 {"executor", to_string(attempt.executor)},
                 {"state", to_string(attempt.state)},
                 {"dispatched_at", model::to_rfc3339(attempt.dispatched_at)}};
  put_generation(v, attempt.generation);
  if (attempt.role != model::command_role::action)
    v["role"] = to_string(attempt.role);
  put_failure(v, attempt.failure);
  if (!attempt.inputs.is_null())
    v["inputs"] = attempt.inputs;
  put_time(v, "started_at", attempt.started_at);
  put_time(v, "finished_at", attempt.finished_at);
  put_usage(v, attempt.usage);
  if (!attempt.own_usage.is_null())
    v["usage"] = attempt.own_usage;
  return v;
}

model::value to_json(const budget_view& budget) {
  auto v = model::value::object();
  const auto units = [](model::amount a) { return double(a) / model::amount_unit; };
  if (!budget.group.empty())
    v["group"] = budget.group;
  for (std::size_t kind = 0; kind < budget.limits.size(); ++kind) {
    if (!budget.limits[kind])
      continue;
    const bool is_time = model::budget_kind(kind) == model::budget_kind::time;
    v[std::string{to_string(model::budget_kind(kind))} + (is_time ? "_s" : "")] = {
      {"used", units(budget.used[kind])}, {"limit", units(*budget.limits[kind])}};
  }
  return v;
}

model::value by_output(const model::value& instances) {
  auto lists = model::value::object();
  for (const auto& outputs : instances.value("out", model::value::array()))
    for (const auto& [name, v] : outputs.items())
      lists[name].push_back(v);
  return lists;
}

} // namespace sluice::runtime

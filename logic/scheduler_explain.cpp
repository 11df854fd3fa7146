// What people ask: why a task does not run. Looks only; its cost follows what is asked, which is
// seldom.
#include "logic/gate.hpp"
#include "logic/generation.hpp"
#include "logic/scheduler_core.hpp"
#include "model/overloaded.hpp"

#include <algorithm>
#include <limits>

namespace sluice::logic {
namespace {

using model::capacity_kind;
using model::task_state;
using model::value;
using model::wait_reason;

/// So many upstreams and holders are named; the rest are counted.
constexpr std::size_t most_named = 20;

wait_reason reason_for(capacity_kind kind) {
  switch (kind) {
  case capacity_kind::resource:
    return wait_reason::resource;
  case capacity_kind::pool:
    return wait_reason::pool;
  case capacity_kind::key:
    return wait_reason::concurrency;
  case capacity_kind::rate:
    return wait_reason::rate;
  }
  return wait_reason::none;
}

std::int64_t milliseconds_between(model::wall_time from, model::wall_time to) {
  return std::max<std::int64_t>(0,
                                std::chrono::duration_cast<model::milliseconds>(to - from).count());
}

value to_json(const shortage& of) {
  const auto& need = of.need;
  const bool counts = need.kind != capacity_kind::resource;
  const auto text = [&](std::int64_t amount) {
    return counts ? std::to_string(amount) : model::amount_text(need.name, amount);
  };
  value v{{"kind", to_string(need.kind)},
          {"name", need.name},
          {"needs", text(need.amount)},
          {"fits", of.fits},
          {"used", text(of.used)}};
  if (of.limit != std::numeric_limits<std::int64_t>::max())
    v["limit"] = text(of.limit);
  if (of.reserved > 0)
    v["reserved"] = text(of.reserved);
  if (need.kind == capacity_kind::rate)
    v["per_ms"] = need.per.count();
  return v;
}

value dependencies_of(const live_run& run, std::uint32_t task) {
  auto list = value::array();
  const auto add = [&](bool decided) {
    for (const auto upstream : run.workflow->graph().upstreams(task))
      if (is_terminal(run.tasks[upstream].state) == decided && list.size() < most_named)
        list.push_back(
          {{"task", run.name(upstream)}, {"state", to_string(run.tasks[upstream].state)}});
  };
  add(false);
  add(true);
  return list;
}

} // namespace

expected<value> scheduler_core::answer(model::run_no run_no, const model::question& asked,
                                       model::wall_time now) const {
  if (std::holds_alternative<model::list_limits>(asked))
    return value{{"limits", limits()}};
  const auto* run = find_run(run_no);
  if (run == nullptr)
    return fail(errc::not_found, "run " + to_string(run_no) + " is not in progress here");
  return std::visit(
    model::overloaded{
      [&](const model::explain_task& what) -> expected<value> {
        return find_task(model::task_names{run->workflow->shared_spec(), run->ranges}, what.task)
          .map([&](std::uint32_t task) { return explain(*run, task, now); });
      },
      [&](const model::list_waits& what) -> expected<value> {
        return value{{"waits", waits_of(*run, what)}};
      },
      [&](const model::list_limits&) -> expected<value> {
        return value{{"limits", limits()}};
      }},
    asked);
}

value scheduler_core::waits_of(const live_run& run, const model::list_waits& what) const {
  auto waits = value::array();
  const auto end = std::min<std::size_t>(
    {run.tasks.size(), std::size_t{what.to} + 1, std::size_t{what.from} + model::most_waits});
  for (auto task = what.from; task < end; ++task) {
    if (run.tasks[task].state != task_state::ready)
      continue;
    if (const auto reason = why_ready_waits(run, task); reason != wait_reason::slot)
      waits.push_back(value::array({task, to_string(reason)}));
  }
  return waits;
}

/// Of what it needs beside a slot, what it lacks first.
wait_reason scheduler_core::why_ready_waits(const live_run& run, std::uint32_t task) const {
  if (run.is_paused())
    return wait_reason::paused;
  if (run.is_at_limit() || run.full_group(task) != nullptr)
    return wait_reason::limit;
  if (const auto* group = run.group_of(task); group != nullptr && !group->queued.contains(task))
    return wait_reason::parallel;
  if (const auto shape = run.shapes.find(task); shape != run.shapes.end()) {
    const auto alternatives = capacity_->shortages(shape->second);
    const auto fits = [](const auto& needs) {
      return std::all_of(needs.begin(), needs.end(), [](const auto& need) { return need.fits; });
    };
    if (std::none_of(alternatives.begin(), alternatives.end(), fits))
      for (const auto& need : alternatives.front())
        if (!need.fits)
          return reason_for(need.need.kind);
  }
  return wait_reason::slot;
}

/// Of one that is `waiting`, at its own gate or for something else.
wait_reason scheduler_core::why_held_back(const live_run& run, std::uint32_t task) const {
  const auto& action = run.task_spec(task).action;
  if (const auto* gate = std::get_if<model::gate_action>(&action))
    return reason_of(gate->what->which);
  if (std::holds_alternative<model::wait_action>(action))
    return wait_reason::wait;
  if (run.held.contains(task))
    return wait_reason::hold;
  const model::task_key key{run.run_no, task};
  if (std::any_of(at_switches_.begin(), at_switches_.end(),
                  [&](const auto& at) { return at.second.contains(key); }))
    return wait_reason::gate;
  const bool has_key =
    run.keys.contains(task) && !run.timers.contains({task, model::timer_kind::breaker});
  return has_key ? wait_reason::idempotency : wait_reason::breaker;
}

wait_reason scheduler_core::why_waits(const live_run& run, std::uint32_t task) const {
  const auto& entry = run.tasks[task];
  if (run.state == model::run_state::queued)
    return wait_reason::limit;
  switch (entry.state) {
  case task_state::ready:
    return why_ready_waits(run, task);
  case task_state::retry_wait:
    return wait_reason::retry;
  case task_state::paused:
    return wait_reason::paused;
  case task_state::waiting:
    return why_held_back(run, task);
  case task_state::pending:
    return entry.loads > 0                          ? wait_reason::inputs
           : run.stands_for_instances(task)         ? wait_reason::none
           : run.is_instance(task) && !entry.judged ? wait_reason::parallel
                                                    : wait_reason::upstream;
  default:
    return wait_reason::none;
  }
}

value scheduler_core::explain(const live_run& run, std::uint32_t task, model::wall_time now) const {
  const auto& entry = run.tasks[task];
  const auto reason = why_waits(run, task);
  value v{{"run", to_string(run.run_no)},
          {"task", run.name(task)},
          {"state", to_string(entry.state)},
          {"join", to_string(run.task_spec(task).join.rule)},
          {"dependencies", dependencies_of(run, run.node(task))},
          {"undecided", run.is_instance(task) ? 0 : entry.undecided},
          {"slots",
           {{"used", busy_[std::size_t(capacity_pool::slots)]},
            {"limit", limit_[std::size_t(capacity_pool::slots)]}}},
          {"priority", run.priority(task)}};
  if (reason != wait_reason::none)
    v["wait_reason"] = to_string(reason);
  if (run.is_finally(task) && !run.in_finally)
    v["before_finally"] = run.undecided - run.undecided_finally;
  if (run.is_paused())
    v["run_paused"] = true;
  if (const auto line = lines_.find(name_of_line(run));
      run.state == model::run_state::queued && line != lines_.end())
    v["active_runs"] = {{"used", line->second.active}, {"limit", *run.spec().active_runs}};
  if (const auto& limit = run.spec().active_tasks)
    v["active_tasks"] = {{"used", run.active}, {"limit", *limit}};
  if (const auto* group = run.group_of(task))
    if (const auto& limit = run.task_spec(task).fan_out->max_parallel)
      v["max_parallel"] = {{"used", group->active}, {"limit", *limit}};
  explain_timers(run, task, now, v);
  if (const auto shape = run.shapes.find(task);
      shape != run.shapes.end() && !is_under_way(run, task))
    explain_needs(shape->second, v);
  if (const auto grant = run.grants.find(task); grant != run.grants.end())
    v["holds"] = to_text(grant->second);
  if (entry.state == task_state::ready)
    explain_place(run, task, now, v);
  return v;
}

/// What the task waits for by the clock.
void scheduler_core::explain_timers(const live_run& run, std::uint32_t task, model::wall_time now,
                                    value& v) const {
  for (const auto kind :
       {model::timer_kind::retry, model::timer_kind::breaker, model::timer_kind::deadline,
        model::timer_kind::queue_timeout, model::timer_kind::gate})
    for (const auto of : {std::optional{task}, std::optional{run.node(task)}})
      if (const auto timer = run.timers.find({of, kind}); timer != run.timers.end())
        v[std::string{to_string(kind)} + "_in_ms"] = milliseconds_between(now, timer->second);
}

/// Each alternative against what is free, and who has the rest.
void scheduler_core::explain_needs(shape_id shape, value& v) const {
  auto& alternatives = v["alternatives"] = value::array();
  for (const auto& needs : capacity_->shortages(shape)) {
    auto& alternative = alternatives.emplace_back(value::array());
    for (const auto& need : needs) {
      auto row = to_json(need);
      if (!need.fits && need.need.kind != capacity_kind::rate)
        row["held_by"] = holders_of(need.need);
      alternative.push_back(std::move(row));
    }
  }
}

value scheduler_core::holders_of(const model::capacity_need& need) const {
  auto holders = value::array();
  const auto is_of = [&](const model::capacity_need& taken) {
    return taken.kind == need.kind && taken.name == need.name;
  };
  for (const auto& [run_no, run] : runs_)
    for (const auto& [task, grant] : run.grants)
      if (holders.size() < most_named && std::any_of(grant.taken.begin(), grant.taken.end(), is_of))
        holders.push_back(to_string(run_no) + "/" + run.name(task));
  return holders;
}

void scheduler_core::explain_place(const live_run& run, std::uint32_t task, model::wall_time now,
                                   value& v) const {
  const auto& order = order_[std::size_t(pool_of(run, task))];
  const auto place = order.find({run.run_no, task}, now);
  if (!place)
    return; // it stands aside, at a limit of its run
  v["position"] = place->position;
  v["of"] = order.size();
  v["effective_priority"] = place->priority;
  v["ready_ms"] = milliseconds_between(place->since, now);
}

} // namespace sluice::logic

// Switches of the store, which people open and close: gates for one, and tasks that need some to be
// open before they are ready. They are of all runs.
#include "logic/gate.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/spec_checks.hpp"

#include <algorithm>
#include <utility>

namespace sluice::logic {

using model::task_state;
using model::wait_reason;

namespace {

const model::gate_spec* gate_of(const live_run& run, std::uint32_t task) {
  const auto* gate = std::get_if<model::gate_action>(&run.task_spec(task).action);
  return gate == nullptr ? nullptr : &*gate->what;
}

model::on_closed rule_of(const live_run& run, std::uint32_t task) {
  const auto* gate = gate_of(run, task);
  const auto& rule = gate != nullptr ? gate->on_closed : run.task_spec(task).settings->on_closed;
  return rule.value_or(model::on_closed::wait);
}

bool needs_switch(const live_run& run, std::uint32_t task, const std::string& name) {
  const auto& names = setting_of(run.spec(), run.task_spec(task), &model::task_settings::gates);
  return names && std::find(names->begin(), names->end(), name) != names->end();
}

std::string text_of(const model::switch_state& shut) {
  return "gate '" + shut.name + "' is closed" + (shut.by.empty() ? "" : " by " + shut.by)
         + (shut.reason.empty() ? "" : ": " + shut.reason);
}

} // namespace

/// The switch that keeps the task from going on; null: none. What undoes it needs none.
const model::switch_state* scheduler_core::closed_for(const live_run& run,
                                                      std::uint32_t task) const {
  if (closed_.empty() || run.tasks[task].rolls_back)
    return nullptr;
  const auto find = [this](const std::string& name) {
    const auto found = closed_.find(name);
    return found == closed_.end() ? nullptr : &found->second;
  };
  if (run.is_gate(task)) {
    const auto* gate = gate_of(run, task);
    return gate != nullptr && gate->which == model::gate_kind::named_switch
             ? find(model::gate_name(run.task_spec(task)))
             : nullptr;
  }
  if (const auto& names = setting_of(run.spec(), run.task_spec(task), &model::task_settings::gates))
    for (const auto& name : *names)
      if (const auto* shut = find(name))
        return shut;
  return nullptr;
}

/// Whether a switch keeps the task from going on: it waits from now on, or is decided.
bool scheduler_core::stops_at_switch(live_run& run, std::uint32_t task) {
  const auto* shut = closed_for(run, task);
  if (shut == nullptr)
    return false;
  const auto rule = rule_of(run, task);
  if (rule == model::on_closed::wait)
    wait_at_gate(run, task, {.reason = wait_reason::gate, .name = shut->name});
  else
    turn_away(run, task, rule == model::on_closed::skip ? task_state::skipped : task_state::failed,
              "closed", text_of(*shut), {});
  return true;
}

/// The task waits for a switch that is open now; it may need others.
void scheduler_core::pass_switch(live_run& run, std::uint32_t task) {
  if (run.is_gate(task))
    return pass_gate(run, task, {.reason = wait_reason::gate});
  move_task(run, task, task_state::ready, std::string{to_string(wait_reason::gate)});
  make_ready_again(run, task, place::last);
}

expected<model::control_result> scheduler_core::set(const model::set_switch& what) {
  if (const auto valid = check_gate_name(what.name); !valid)
    return tl::unexpected(valid.error());
  const auto known = closed_.find(what.name);
  const bool closes = what.to == model::switch_position::closed;
  if (closes && known != closed_.end())
    return fail(errc::conflict, text_of(known->second) + " already");
  if (!closes && known == closed_.end())
    return fail(errc::conflict, "gate '" + what.name + "' is open already");
  step_.switches.push_back({what.name, !closes, what.whose.by, what.whose.note, now_});
  actor_ = "scheduler"; // what follows is its decision
  model::control_result result;
  if (closes) {
    closed_.emplace(what.name, step_.switches.back());
    shut_out(what.name, result.tasks);
  } else {
    closed_.erase(known);
    let_in(what.name, result.tasks);
  }
  return result;
}

/// What is ready, and needs it, is so no more. A task that waits for its retry is looked at when
/// that is due.
void scheduler_core::shut_out(const std::string& name, std::vector<std::string>& touched) {
  for (auto& [run_no, run] : runs_)
    guarded(run, [&, live = &run] {
      for (std::uint32_t task = 0; task < live->tasks.size(); ++task) {
        if (live->tasks[task].state != task_state::ready || !needs_switch(*live, task, name))
          continue;
        unqueue(*live, task);
        stops_at_switch(*live, task);
        touched.push_back(to_string(live->run_no) + "/" + live->name(task));
      }
      settle(*live);
    });
}

void scheduler_core::let_in(const std::string& name, std::vector<std::string>& touched) {
  auto waiting = at_switches_.extract(name);
  if (!waiting)
    return;
  for (const auto& key : waiting.mapped()) {
    auto& run = runs_.at(key.run_no);
    guarded(run, [&] {
      if (run.tasks[key.task_idx].state != task_state::waiting)
        return; // decided by what another one of them led to
      touched.push_back(to_string(key.run_no) + "/" + run.name(key.task_idx));
      pass_switch(run, key.task_idx);
      settle(run);
    });
  }
}

/// What waited for a switch that was opened while nobody had the run goes on.
void scheduler_core::look_at_switches(live_run& run, const model::stored_run& stored) {
  for (std::uint32_t task = 0; task < stored.tasks.size(); ++task) {
    if (run.tasks[task].state != task_state::waiting)
      continue;
    const auto reason = stored.reasons.find(task);
    if (reason != stored.reasons.end() && reason->second == to_string(wait_reason::gate)
        && closed_for(run, task) == nullptr)
      pass_switch(run, task);
  }
}

} // namespace sluice::logic

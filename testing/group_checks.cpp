#include "testing/group_checks.hpp"

#include <algorithm>

namespace sluice::testing {

using model::event_type;

std::string group_checks::see(const model::event& event, const logic::compiled_workflow& workflow,
                              std::optional<std::uint32_t> node) {
  // What was added begins the time of its group anew.
  if (event.type == event_type::run_retried || event.type == event_type::tasks_added)
    std::erase_if(over_, [&](const auto& scope) { return scope.first == event.run_no; });
  if (!node)
    return {};
  const auto group = workflow.group(*node);
  std::string wrong;
  if (event.type == event_type::task_dispatched
      && event.to == to_string(model::task_state::dispatched) && !workflow.spec().is_finally(*node))
    wrong = check_start(event, workflow, group);
  if (event.data.is_object() && event.data.contains("usage"))
    note_use(event, group);
  if (event.type == event_type::task_failed || event.type == event_type::task_cancelling)
    note_end(event, workflow, group);
  return wrong;
}

void group_checks::note_use(const model::event& event, std::optional<std::uint32_t> group) {
  const auto used = model::amounts_of(event.data.at("usage"));
  auto& told = told_[{event.run_no, *event.task_idx, event.attempt.value_or(0)}];
  for (std::size_t kind = 0; kind < used.size(); ++kind) {
    const auto more = std::max<model::amount>(used[kind] - told[kind], 0);
    told[kind] += more;
    spent_[{event.run_no, std::nullopt}][kind] += more;
    if (group)
      spent_[{event.run_no, group}][kind] += more;
  }
}

/// What ends a task from beside it ends all that it is about.
void group_checks::note_end(const model::event& event, const logic::compiled_workflow& workflow,
                            std::optional<std::uint32_t> group) {
  const auto text = [&](const char* name) {
    return event.data.is_object() ? event.data.value(name, "") : std::string{};
  };
  if (text("code") == "timebox")
    over_.insert({event.run_no, group});
  if (text("class") != "budget")
    return;
  const bool is_of_group =
    group
    && text("message").find("group '" + workflow.spec().groups[*group].name + "'")
         != std::string::npos;
  over_.insert({event.run_no, is_of_group ? group : std::nullopt});
}

std::string group_checks::check_start(const model::event& event,
                                      const logic::compiled_workflow& workflow,
                                      std::optional<std::uint32_t> group) const {
  const auto name = to_string(model::task_key{event.run_no, *event.task_idx});
  const auto is_used_up = [&](const scope& of, const std::optional<model::budget_spec>& budget) {
    const auto spent = spent_.find(of);
    if (!budget || budget->on_exceeded == model::on_exceeded::warn || spent == spent_.end())
      return false;
    for (std::size_t kind = 0; kind < budget->limits.size(); ++kind)
      if (budget->limits[kind] && spent->second[kind] >= *budget->limits[kind])
        return true;
    return false;
  };
  const auto& spec = workflow.spec();
  if (over_.contains({event.run_no, std::nullopt})
      || (group && over_.contains({event.run_no, group})))
    return name + " starts though the time or the budget for it is over";
  if (is_used_up({event.run_no, std::nullopt}, spec.budget)
      || (group && is_used_up({event.run_no, group}, spec.groups[*group].budget)))
    return name + " starts though what it may use is used up";
  return {};
}

} // namespace sluice::testing

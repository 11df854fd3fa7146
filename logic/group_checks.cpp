// What is wrong with groups of tasks, and with budgets.
#include "logic/spec_checks.hpp"
#include "logic/spec_path.hpp"
#include "model/nearest_name.hpp"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace sluice::logic {
namespace {

using problems_t = std::vector<spec_problem>;

/// So that the sum of those of all tasks stays an amount.
constexpr model::amount most_weight = model::amount_unit * 1'000'000;
/// They are looked through for each attempt.
constexpr std::size_t most_weights = 1'000;

std::string in_quotes(const std::string& text) {
  return "'" + text + "'";
}

bool is_name(const std::string& text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

std::string path_of_task(const model::workflow_spec& workflow, std::uint32_t task) {
  return path_of(workflow.is_finally(task) ? "finally" : "tasks", workflow.task(task).name);
}

/// The names that tasks give, each with the tasks that do.
std::map<std::string, std::vector<std::uint32_t>>
named_groups(const model::workflow_spec& workflow) {
  std::map<std::string, std::vector<std::uint32_t>> named;
  for (const auto task : workflow.indices())
    if (const auto& name = setting_of(workflow, workflow.task(task), &model::task_settings::group))
      named[*name].push_back(task);
  return named;
}

/// @param tasks those that it holds for, by name
void check_budget(const model::budget_spec& budget, const std::vector<std::string>& tasks,
                  const std::string& path, problems_t& problems) {
  const auto report = [&](const std::string& at, std::string message) {
    problems.push_back({at, std::move(message), 0});
  };
  bool has_limit = false;
  for (std::size_t i = 0; i < model::budget_kind_count; ++i) {
    has_limit = has_limit || budget.limits[i];
    if (budget.limits[i] && *budget.limits[i] <= 0)
      report(path_of(path, to_string(model::budget_kind(i))), "must be more than nothing");
  }
  if (!has_limit)
    report(path, "limits nothing; it needs cost, tokens or time");
  if (budget.weights.size() > most_weights)
    return report(path_of(path, "split"),
                  "has more than " + std::to_string(most_weights) + " weights");
  const std::unordered_set<std::string_view> known(tasks.begin(), tasks.end());
  for (const auto& [task, weight] : budget.weights) {
    const auto here = path_of(path_of(path, "split"), task);
    if (!known.contains(task))
      problems.push_back(
        {here,
         "no task " + in_quotes(task) + " uses this budget" + model::did_you_mean(task, tasks), 0,
         true});
    if (weight <= 0 || weight > most_weight)
      report(here, "must be more than nothing, and at most a million");
  }
}

std::vector<std::string> names_of(const model::workflow_spec& workflow,
                                  const std::vector<std::uint32_t>& tasks) {
  std::vector<std::string> names;
  for (const auto task : tasks)
    names.push_back(workflow.task(task).name);
  return names;
}

void check_group(const model::workflow_spec& workflow, const model::group_spec& group,
                 const std::vector<std::uint32_t>& tasks, problems_t& problems) {
  const auto path = path_of("groups", group.name);
  if (group.timebox && group.timebox->count() <= 0)
    problems.push_back({path_of(path, "timebox"), "must be longer than nothing", 0});
  if (group.active_tasks && *group.active_tasks == 0)
    problems.push_back({path_of(path_of(path, "limits"), "active_tasks"), "must be at least 1", 0});
  if (group.budget)
    check_budget(*group.budget, names_of(workflow, tasks), path_of(path, "budget"), problems);
}

} // namespace

void check_groups(const model::workflow_spec& workflow, problems_t& problems) {
  const auto named = named_groups(workflow);
  std::vector<std::string> declared, labels;
  for (const auto& group : workflow.groups)
    declared.push_back(group.name);
  for (const auto& [name, tasks] : named)
    labels.push_back(name);
  for (const auto& [name, tasks] : named) {
    const bool is_own = (*workflow.task(tasks.front()).settings).group.has_value();
    const auto path =
      is_own ? path_of(path_of_task(workflow, tasks.front()), "group") : "defaults.group";
    if (!is_name(name))
      problems.push_back({path, in_quotes(name) + " is no name of a group", 0});
    else if (std::find(declared.begin(), declared.end(), name) == declared.end())
      if (const auto nearest = model::did_you_mean(name, declared); !nearest.empty())
        problems.push_back({path, "'groups' has no group " + in_quotes(name) + nearest, 0});
  }
  std::unordered_set<std::string_view> seen;
  for (const auto& group : workflow.groups) {
    const auto path = path_of("groups", group.name);
    if (!seen.insert(group.name).second)
      problems.push_back({path, "the group " + in_quotes(group.name) + " stands twice", 0, true});
    const auto tasks = named.find(group.name);
    if (tasks == named.end())
      problems.push_back({path,
                          "no task is in the group " + in_quotes(group.name)
                            + model::did_you_mean(group.name, labels),
                          0, true});
    check_group(workflow, group,
                tasks == named.end() ? std::vector<std::uint32_t>{} : tasks->second, problems);
  }
  if (!workflow.budget)
    return;
  std::vector<std::string> all;
  if (!workflow.budget->weights.empty())
    for (const auto& task : workflow.tasks)
      all.push_back(task.name);
  check_budget(*workflow.budget, all, "budget", problems);
}

} // namespace sluice::logic

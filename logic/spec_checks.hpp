// What a specification can get wrong without its graph and its expressions: names, parameters,
// actions, settings. Plain functions of `compile`; messages for people.
#pragma once

#include "logic/compiled_workflow.hpp"

#include <string>
#include <vector>

namespace sluice::logic {

/// More tasks than this are refused: indices, counters and tables are sized for it.
inline constexpr std::size_t max_tasks = 1'000'000;

/// More than this are refused in one run, instances counted.
inline constexpr std::size_t most_tasks_of_run = 4'000'000;

/// So many levels of workflows may be started by one, which is not counted.
inline constexpr std::uint32_t most_levels = 8;

/// The largest `crash_limit`: losses are counted in one byte.
inline constexpr std::uint32_t most_losses = 254;

/// How deep the workflows are nested that this one starts, that none has the name of one that it is
/// part of, and how many tasks all of them have: what has to hold before anything goes through
/// them.
void check_nesting(const model::workflow_spec& workflow, std::vector<spec_problem>& problems);

/// The parameters that a task gives to its workflow, at `path`; those that expressions make are
/// checked when they are made.
void check_child_params(const model::workflow_action& child, const std::string& path,
                        std::vector<spec_problem>& problems);

/// The workflow's own parts: name, parameters, defaults, limits and the number of tasks.
void check_workflow(const model::workflow_spec& workflow, const handler_lookup& has_handler,
                    std::vector<spec_problem>& problems);

/// Groups of tasks, and budgets: names, limits, and that every group has tasks.
void check_groups(const model::workflow_spec& workflow, std::vector<spec_problem>& problems);

/// One task's own parts, at `path`: action, names of inputs, environment and outputs, settings.
void check_task(const model::task_spec& task, const model::task_settings& defaults,
                const std::string& path, const handler_lookup& has_handler,
                std::vector<spec_problem>& problems);

/// What has a declaration like a parameter, such as the values of a form.
void check_form(const std::vector<model::param_spec>& form, const std::string& path,
                std::vector<spec_problem>& problems);

/// What it is fanned out over, as far as no expression changes that. @pre it is fanned out
void check_items(const model::task_spec& task, const fan_out_expressions& items,
                 const std::string& path, std::vector<spec_problem>& problems);

} // namespace sluice::logic

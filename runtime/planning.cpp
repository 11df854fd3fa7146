#include "runtime/planning.hpp"

#include "logic/compiled_workflow.hpp"
#include "logic/dag.hpp"
#include "logic/fan_out.hpp"

#include <algorithm>

namespace sluice::runtime {

namespace {

/// What can be known before a run: its parameters, where they have defaults.
class default_scope final : public logic::empty_scope {
public:
  explicit default_scope(const model::workflow_spec& workflow) {
    for (const auto& param : workflow.params)
      if (param.default_value)
        params_[param.name] = *param.default_value;
  }
  const model::value& params() const override { return params_; }

private:
  model::value params_ = model::value::object();
};

/// Instances in the place of the tasks they are of, as far as their number is known; and how many
/// run at once by the limits of their tasks and groups.
void count_instances(model::execution_plan& plan, const logic::compiled_workflow& workflow) {
  const auto& spec = workflow.spec();
  const default_scope defaults{spec};
  for (std::uint32_t task = 0; task < spec.tasks.size(); ++task)
    if (spec.tasks[task].fans_out()) {
      const auto items =
        logic::list_items(spec.tasks[task], *workflow.expressions(task)->fan_out, defaults);
      plan.instances[task] =
        items ? std::optional{static_cast<std::uint32_t>(items->size())} : std::nullopt;
    }
  if (plan.instances.empty() && spec.groups.empty())
    return;
  plan.task_count = plan.width = 0;
  for (auto& stage : plan.stages) {
    stage.width = 0;
    std::uint32_t at_once = 0;
    std::map<std::uint32_t, std::uint32_t> of_groups;
    for (const auto task : stage.tasks) {
      const auto known = plan.instances.find(task);
      const auto count = known == plan.instances.end() ? 1 : known->second.value_or(1);
      stage.width += count;
      const auto group = workflow.group(task);
      (group ? of_groups[*group] : at_once) +=
        std::min(count, spec.tasks[task].fan_out->max_parallel.value_or(count));
    }
    for (const auto& [group, tasks] : of_groups)
      at_once += std::min(tasks, spec.groups[group].active_tasks.value_or(tasks));
    stage.max_parallel = std::min(at_once, spec.active_tasks.value_or(at_once));
    plan.width = std::max(plan.width, stage.width);
    plan.task_count += stage.width;
  }
}

} // namespace

expected<model::execution_plan> plan_of(std::shared_ptr<const model::workflow_spec> workflow) {
  const auto compiled = logic::compile(std::move(workflow));
  if (!compiled) {
    const auto& problem = compiled.error().front();
    return fail(errc::invalid_argument, problem.path + ": " + problem.message);
  }
  const auto& spec = (*compiled)->spec();
  auto plan = logic::make_plan((*compiled)->graph(), spec.active_tasks, spec.first_finally());
  count_instances(plan, **compiled);
  return plan;
}

} // namespace sluice::runtime

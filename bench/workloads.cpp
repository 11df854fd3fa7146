#include "bench/workloads.hpp"

namespace sluice::bench {

workflow_ptr independent_tasks(const std::string& name, const model::action& action,
                               std::size_t count) {
  return chains(name, action, count, 1);
}

workflow_ptr fanned_out_task(const std::string& name, const model::action& action,
                             std::uint32_t count) {
  auto workflow = *independent_tasks(name, action, 1);
  workflow.tasks[0].fan_out->items = model::foreach_items{count};
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

workflow_ptr chains(const std::string& name, const model::action& action, std::size_t count,
                    std::size_t length) {
  auto workflow = std::make_shared<model::workflow_spec>();
  workflow->name = name;
  workflow->base_dir = "/";
  workflow->tasks.resize(count * length);
  for (std::size_t i = 0; i < workflow->tasks.size(); ++i) {
    auto& task = workflow->tasks[i];
    task.name = "t" + std::to_string(i);
    task.action = action;
    if (i % length > 0)
      task.after = {"t" + std::to_string(i - 1)};
  }
  return workflow;
}

} // namespace sluice::bench

#include "bench/workloads.hpp"

namespace sluice::bench {

workflow_ptr independent_tasks(const std::string& name, const model::action& action,
                               std::size_t count) {
  return chains(name, action, count, 1);
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

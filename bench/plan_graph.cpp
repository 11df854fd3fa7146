// P11: how long a plan of 100,000 tasks with 1,000,000 edges takes: validation, order, critical
// path. Limit: resolving the same names with one hash table, and one pass over the edges.
#include "bench/figure.hpp"
#include "bench/workloads.hpp"
#include "runtime/planning.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <unordered_map>

namespace {

using namespace sluice;

constexpr std::size_t task_count = 100'000, edge_count = 1'000'000, width = 1'000;

/// Stages of 1,000 tasks, each task after ten or eleven of the stage before.
bench::workflow_ptr wide_graph() {
  auto workflow = *bench::independent_tasks("plan-graph", model::call_action{"noop"}, task_count);
  std::size_t edges = edge_count;
  for (std::size_t i = width; i < task_count; ++i) {
    const auto tasks_left = task_count - i;
    const auto upstreams = (edges + tasks_left - 1) / tasks_left;
    const auto stage = i / width * width;
    for (std::size_t k = 0; k < upstreams; ++k) // 97 and the width have no common factor
      workflow.tasks[i].after.push_back(workflow.tasks[stage - width + (i + 97 * k) % width].name);
    edges -= upstreams;
  }
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

/// The number of tasks on the longest path; nothing is checked. @pre upstreams come first
std::size_t bare_pass(const model::workflow_spec& workflow) {
  std::unordered_map<std::string_view, std::size_t> index;
  index.reserve(workflow.tasks.size());
  std::vector<std::size_t> depth(workflow.tasks.size(), 1);
  std::size_t deepest = 0;
  for (std::size_t i = 0; i < workflow.tasks.size(); ++i) {
    index.emplace(workflow.tasks[i].name, i);
    for (const auto& upstream : workflow.tasks[i].after)
      depth[i] = std::max(depth[i], depth[index.at(upstream)] + 1);
    deepest = std::max(deepest, depth[i]);
  }
  return deepest;
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 7;
  const auto workflow = wide_graph();
  bench::figure result{.id = "P11",
                       .what = "plan of 100,000 tasks with 1,000,000 edges, against resolving "
                               "their names in one pass",
                       .unit = "s",
                       .wanted = {bench::budget_kind::figure_at_most, 1}};
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const bench::stopwatch since_pass;
    const auto deepest = bare_pass(*workflow);
    const auto pass = since_pass.elapsed();
    const bench::stopwatch since_plan;
    const auto plan = bench::must(runtime::plan_of(workflow));
    const auto ours = since_plan.elapsed();
    if (plan.critical_path.size() != deepest)
      bench::give_up("the plan's critical path is wrong");
    if (i == 0)
      continue;
    result.values.push_back(ours.seconds);
    result.limits.push_back(pass.seconds);
    result.costs.push_back(ours / double(task_count));
  }
  bench::print(result);
}

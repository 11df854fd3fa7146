// P7: whether a task costs more, in processor time, and how much memory it holds while it waits,
// when its run has 1,000,000 of them. Limits: runs of 10,000 tasks; the specification itself.
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"
#include "runtime/footprint.hpp"

#include <cstdlib>
#include <latch>

namespace {

using namespace sluice;

constexpr std::size_t many = 1'000'000, few = 10'000;

/// What one of the tasks costs, in `runs` runs on a node of their own.
bench::cost cost_per_task(const bench::workflow_ptr& workflow, int runs) {
  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store");
  bench::run_timer timer{*node};
  bench::cost sum;
  for (int i = 0; i < runs; ++i)
    sum = sum + timer.time(bench::submission_of(workflow, workflow->name)).ended;
  node->stop();
  return sum / (double(workflow->tasks.size()) * runs);
}

void measure_cost(int repetitions) {
  const model::call_action noop{"noop"};
  const auto small = bench::independent_tasks("growth-small", noop, few);
  const auto large = bench::independent_tasks("growth-large", noop, many);
  bench::figure cpu{.id = "P7",
                    .what = "processor time of a task, 1,000,000 in one run against 10,000",
                    .unit = "us",
                    .wanted = {bench::budget_kind::ratio_at_most, 1.25}};
  bench::figure wall = cpu;
  wall.id = "P7.wall";
  wall.what = "the same in elapsed time";
  for (int i = 0; i < repetitions; ++i) {
    const auto base = cost_per_task(small, 20);
    const auto ours = cost_per_task(large, 1);
    cpu.values.push_back(ours.cpu_seconds * 1e6);
    cpu.limits.push_back(base.cpu_seconds * 1e6);
    cpu.costs.push_back(ours);
    wall.values.push_back(ours.seconds * 1e6);
    wall.limits.push_back(base.seconds * 1e6);
  }
  bench::print(cpu);
  bench::print(wall);
}

/// While one task runs that all others come after.
void measure_memory() {
  bench::scratch_directory scratch;
  std::latch is_running{1}, may_end{1};
  auto functions = executors::function_registry::with_builtins();
  const executors::blocking_handler hold = [&](const executors::call_context&) {
    is_running.count_down();
    may_end.wait();
    return executors::call_result{};
  };
  bench::must(functions.add("hold", hold));
  const auto node =
    bench::start_node(scratch.path() / "store", 1,
                      std::make_shared<const executors::function_registry>(std::move(functions)));

  const double empty = bench::resident_bytes();
  auto workflow = *bench::independent_tasks("growth-pending", model::call_action{"noop"}, many);
  workflow.tasks[0].action = model::call_action{"hold"};
  for (std::size_t i = 1; i < many; ++i)
    workflow.tasks[i].after = {workflow.tasks[0].name};
  const auto shared = std::make_shared<const model::workflow_spec>(std::move(workflow));
  const double specified = bench::resident_bytes();
  bench::must(node->submit(bench::submission_of(shared, shared->name)));
  is_running.wait();
  const double pending = bench::resident_bytes();
  may_end.count_down();
  node->stop();

  bench::print({.id = "P7.memory",
                .what = "memory of a pending task, 1,000,000 in one run, against its specification",
                .unit = "bytes",
                .wanted = {bench::budget_kind::figure_at_most, 300},
                .values = {(pending - specified) / double(many)},
                .limits = {(specified - empty) / double(many)}});
}

} // namespace

int main(int argc, char** argv) {
  sluice::runtime::share_heap_arenas(); // as our own programs do
  measure_memory();                     // first, while the heap is fresh
  measure_cost(argc > 1 ? std::atoi(argv[1]) : 3);
}

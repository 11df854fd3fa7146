// P7: whether a task, or an instance, costs more, in processor time, and how much memory it holds
// while it waits, when its run has 1,000,000 of them. Limits: runs of 10,000 tasks; the
// specification itself.
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"
#include "runtime/footprint.hpp"

#include <cstdlib>
#include <latch>

namespace {

using namespace sluice;

constexpr std::size_t many = 1'000'000, few = 10'000;

/// What one of `tasks` costs, in `runs` runs on a node of their own.
bench::cost cost_per_task(const bench::workflow_ptr& workflow, std::size_t tasks, int runs) {
  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store");
  bench::run_timer timer{*node};
  bench::cost sum;
  for (int i = 0; i < runs; ++i)
    sum = sum + timer.time(bench::submission_of(workflow, workflow->name)).ended;
  node->stop();
  return sum / (double(tasks) * runs);
}

void measure_cost(const std::string& id, const std::string& what, const bench::workflow_ptr& small,
                  const bench::workflow_ptr& large, int repetitions) {
  bench::figure cpu{.id = id,
                    .what = "processor time of " + what + ", 1,000,000 in one run against 10,000",
                    .unit = "us",
                    .wanted = {bench::budget_kind::ratio_at_most, 1.25}};
  bench::figure wall = cpu;
  wall.id = id + ".wall";
  wall.what = "the same in elapsed time";
  for (int i = 0; i < repetitions; ++i) {
    const auto base = cost_per_task(small, few, 20);
    const auto ours = cost_per_task(large, many, 1);
    cpu.values.push_back(ours.cpu_seconds * 1e6);
    cpu.limits.push_back(base.cpu_seconds * 1e6);
    cpu.costs.push_back(ours);
    wall.values.push_back(ours.seconds * 1e6);
    wall.limits.push_back(base.seconds * 1e6);
  }
  bench::print(cpu);
  bench::print(wall);
}

bench::workflow_ptr all_after_the_first() {
  auto workflow = *bench::independent_tasks("growth-pending", model::call_action{"noop"}, many);
  workflow.tasks[0].action = model::call_action{"hold"};
  for (std::size_t i = 1; i < many; ++i)
    workflow.tasks[i].after = {workflow.tasks[0].name};
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

bench::workflow_ptr one_at_a_time() {
  auto workflow = *bench::fanned_out_task("fan-out-pending", model::call_action{"hold"}, many);
  workflow.tasks[0].fan_out->max_parallel = 1;
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

/// While the first of a million tasks runs, and the others wait for that: bytes of each, and those
/// of its specification.
std::pair<double, double> memory_per_task(bench::workflow_ptr (*make)()) {
  bench::scratch_directory scratch;
  std::latch is_running{1}, may_end{1};
  auto functions = executors::function_registry::with_builtins();
  const executors::blocking_handler hold = [&](const executors::call_context&) {
    if (!is_running.try_wait())
      is_running.count_down();
    may_end.wait();
    return executors::call_result{};
  };
  bench::must(functions.add("hold", hold));
  const auto node =
    bench::start_node(scratch.path() / "store", 1,
                      std::make_shared<const executors::function_registry>(std::move(functions)));

  const double empty = bench::resident_bytes();
  const auto workflow = make();
  const double specified = bench::resident_bytes();
  bench::must(node->submit(bench::submission_of(workflow, workflow->name)));
  is_running.wait();
  const double pending = bench::resident_bytes();
  may_end.count_down();
  node->stop();

  return {(pending - specified) / double(many), (specified - empty) / double(many)};
}

void measure_memory() {
  const bench::budget wanted{bench::budget_kind::figure_at_most, 300};
  const auto [task, specification] = memory_per_task(all_after_the_first);
  bench::print({.id = "P7.memory",
                .what = "memory of a pending task, 1,000,000 in one run, against its specification",
                .unit = "bytes",
                .wanted = wanted,
                .values = {task},
                .limits = {specification}});
  bench::print({.id = "P7f.memory",
                .what = "memory of a pending instance, 1,000,000 of one task, against such a task",
                .unit = "bytes",
                .wanted = wanted,
                .values = {memory_per_task(one_at_a_time).first},
                .limits = {task}});
}

} // namespace

int main(int argc, char** argv) {
  sluice::runtime::share_heap_arenas(); // as our own programs do
  measure_memory();                     // first, while the heap is fresh
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 3;
  const model::call_action noop{"noop"};
  measure_cost("P7", "a task", bench::independent_tasks("growth-small", noop, few),
               bench::independent_tasks("growth-large", noop, many), repetitions);
  measure_cost("P7f", "an instance", bench::fanned_out_task("fan-out-small", noop, few),
               bench::fanned_out_task("fan-out-large", noop, many), repetitions);
}

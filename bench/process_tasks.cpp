// P1: how much of the machine's own speed of starting processes is left to a durable run of 2,000
// tasks with 8 slots, logs captured. Limit: the bare loop, before each run.
#include "bench/bare_loop.hpp"
#include "bench/measure.hpp"

#include <cstdlib>
#include <string>

int main(int argc, char** argv) {
  using namespace sluice;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 7;
  constexpr std::size_t tasks = 2000;
  constexpr std::uint32_t slots = 8;

  model::workflow_spec workflow;
  workflow.name = "process-tasks";
  workflow.base_dir = "/";
  for (std::size_t i = 0; i < tasks; ++i) {
    model::task_spec task;
    task.name = "t" + std::to_string(i);
    task.action = model::exec_action{{"/bin/true"}};
    workflow.tasks.push_back(std::move(task));
  }

  bench::scratch_directory scratch;
  runtime::orchestrator_options options;
  options.store_dir = scratch.path() / "store";
  options.slots = slots;
  options.command = "benchmark process_tasks";
  options.guard_program =
    std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "sluice-guard";
  const auto node = bench::must(runtime::orchestrator::start(options));

  bench::run_timer timer{*node};
  bench::figure result{
    "P1", "2,000 process tasks, 8 slots, durable, against a bare spawn loop", "tasks/s", {}, {},
    0.9};
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const double bare =
      bench::bare_loop_seconds(tasks, slots, scratch.path() / ("bare" + std::to_string(i)));
    const double ours = timer.seconds(workflow);
    if (i == 0)
      continue;
    result.limits.push_back(tasks / bare);
    result.values.push_back(tasks / ours);
  }
  node->stop();
  bench::print(result);
}

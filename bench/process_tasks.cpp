// P1: how much of the machine's own speed of starting processes is left to a durable run of 2,000
// tasks with 8 slots, logs captured. Limit: the bare loop, before each run.
#include "bench/bare_loop.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <cstdlib>

int main(int argc, char** argv) {
  using namespace sluice;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 7;
  constexpr std::size_t tasks = 2000;
  constexpr std::uint32_t slots = 8;

  const auto workflow =
    bench::independent_tasks("process-tasks", model::exec_action{{"/bin/true"}}, tasks);
  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store", slots);
  bench::run_timer timer{*node};
  bench::figure result{.id = "P1",
                       .what = "2,000 process tasks, 8 slots, durable, against a bare spawn loop",
                       .unit = "tasks/s",
                       .wanted = {bench::budget_kind::ratio_at_least, 0.9}};
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const double bare =
      bench::bare_loop_seconds(tasks, slots, scratch.path() / ("bare" + std::to_string(i)));
    const auto ours = timer.time(bench::submission_of(workflow, workflow->name)).ended;
    if (i > 0)
      result.add_speed(tasks, ours, bare, tasks);
  }
  node->stop();
  bench::print(result);
}

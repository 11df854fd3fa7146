// P2 and P2c: how many native no-op tasks, and chains of three of them, a node drains in one
// durable run. Limit: storing the same rows and nothing else.
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <cstdlib>

namespace {

using namespace sluice;

void measure(bench::figure result, const bench::workflow_ptr& workflow, std::size_t count,
             int repetitions) {
  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store");
  bench::run_timer timer{*node};
  bench::bare_store bare{scratch.path() / "bare"};
  const auto what = bench::submission_of(workflow, workflow->name);
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const double stored = bare.run_seconds(what);
    const auto ours = timer.time(what).ended;
    if (i > 0)
      result.add_speed(double(count), ours, stored, double(workflow->tasks.size()));
  }
  node->stop();
  bench::print(result);
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 7;
  const model::call_action noop{"noop"};
  measure({.id = "P2",
           .what = "20,000 native no-op tasks in one durable run, against storing the same rows",
           .unit = "tasks/s",
           .wanted = {bench::budget_kind::figure_at_least, 20'000}},
          bench::independent_tasks("native-tasks", noop, 20'000), 20'000, repetitions);
  measure({.id = "P2c",
           .what = "2,000 native chains of three tasks in one durable run, against storing the "
                   "same rows",
           .unit = "chains/s",
           .wanted = {bench::budget_kind::figure_at_least, 5'000}},
          bench::chains("native-chains", noop, 2'000, 3), 2'000, repetitions);
}

// P8: how long the submission of a run of 100,000 tasks takes until its commit is acknowledged.
// Limit: the same commit straight through `storage::store`.
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <cstdlib>

int main(int argc, char** argv) {
  using namespace sluice;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 5;
  constexpr std::size_t tasks = 100'000;
  const auto workflow = bench::independent_tasks("submit-run", model::call_action{"noop"}, tasks);

  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store");
  bench::run_timer timer{*node};
  bench::bare_store bare{scratch.path() / "bare"};
  bench::figure result{.id = "P8",
                       .what = "submission of 100,000 tasks to the acknowledged commit, against "
                               "that commit alone",
                       .unit = "s",
                       .wanted = {bench::budget_kind::figure_at_most, 2}};
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    // A version of its own each time: storing the specification belongs to it.
    const auto what = bench::submission_of(workflow, "submit-run-" + std::to_string(i));
    const double stored = bare.submit_seconds(what);
    const auto ours = timer.time(what).acknowledged;
    if (i == 0)
      continue;
    result.values.push_back(ours.seconds);
    result.limits.push_back(stored);
    result.costs.push_back(ours / double(tasks));
  }
  node->stop();
  bench::print(result);
}

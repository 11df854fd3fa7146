// P3: how long a chain of process tasks pauses between the exit of one and the start of the next,
// without and with a value passed on. Limit: what cannot be left out, one fdatasync, and
// reaping the one and starting the next.
#include "bench/bare_loop.hpp"
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <algorithm>
#include <cstdlib>

namespace {

using namespace sluice;

constexpr std::size_t length = 500;

/// Each task puts out a number, and takes that of the one before.
bench::workflow_ptr chain_with_values() {
  auto workflow = *bench::chains(
    "chain-values", model::exec_action{{"/bin/sh", "-c", "echo n=1 > \"$SLUICE_OUT\""}}, 1, length);
  for (std::size_t i = 0; i < length; ++i) {
    auto& task = workflow.tasks[i];
    task.out = {{"n", model::value_type::integer}};
    if (i > 0)
      task.in = {{"n", "${{ tasks." + workflow.tasks[i - 1].name + ".out.n }}"}};
  }
  return std::make_shared<const model::workflow_spec>(std::move(workflow));
}

/// Milliseconds from each recorded exit to the next recorded start.
std::vector<double> hops_ms(storage::reader& reader, model::run_no run) {
  std::vector<double> hops;
  std::optional<model::wall_time> exit;
  for (std::uint32_t task = 0; task < length; ++task) {
    const auto attempt = bench::must(reader.attempts({run, task})).back();
    if (exit)
      hops.push_back(
        std::chrono::duration<double, std::milli>(attempt.started_at.value() - *exit).count());
    exit = attempt.finished_at;
  }
  return hops;
}

struct limits_ms {
  double median = 0;        ///< one fdatasync and one bare spawn
  double fdatasync_p99 = 0; ///< the slowest part of a hop is the disk's
};
/// A bare chain: each exit is followed by a commit and the next start.
limits_ms measure_limits(const std::filesystem::path& dir, int repetition) {
  bench::bare_commit disk{dir};
  bench::bare_starter processes{dir / ("bare" + std::to_string(repetition))};
  std::vector<double> commits, spawns;
  for (std::size_t i = 0; i < length; ++i) {
    commits.push_back(disk.seconds());
    const auto life = processes.run();
    spawns.push_back(life.reap + life.start); // what lies between two tasks
  }
  return {1e3 * (bench::summarize(commits).median + bench::summarize(spawns).median),
          1e3 * bench::percentile(commits, 0.99)};
}

void measure(const std::string& id, const std::string& what, const bench::workflow_ptr& workflow,
             int repetitions) {
  bench::scratch_directory scratch;
  const auto node = bench::start_node(scratch.path() / "store");
  bench::run_timer timer{*node};
  const auto reader = bench::must(storage::open_reader({scratch.path() / "store"}));
  bench::figure median{.id = id,
                       .what = what + ": median pause, against one fdatasync and one bare spawn",
                       .unit = "ms",
                       .wanted = {bench::budget_kind::ratio_at_most, 1.5}};
  bench::figure p99{.id = id + ".p99",
                    .what = what + ": 99th percentile, against that of fdatasync",
                    .unit = "ms",
                    .wanted = {bench::budget_kind::figure_at_most, 0}};
  for (int i = 0; i <= repetitions; ++i) { // the first pair warms up
    const auto limit = bench::as_process_thread([&] { return measure_limits(scratch.path(), i); });
    const auto run = timer.time(bench::submission_of(workflow, workflow->name));
    const auto hops = hops_ms(*reader, run.run_no);
    if (i == 0)
      continue;
    median.values.push_back(bench::summarize(hops).median);
    median.limits.push_back(limit.median);
    median.costs.push_back(run.ended / double(length));
    p99.values.push_back(bench::percentile(hops, 0.99));
    p99.limits.push_back(limit.fdatasync_p99);
  }
  p99.wanted.value = std::max(15.0, 5 * bench::summarize(p99.limits).median);
  node->stop();
  bench::print(median);
  bench::print(p99);
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 7;
  measure("P3", "hops of a chain of 500 processes",
          bench::chains("chain", model::exec_action{{"/bin/true"}}, 1, length), repetitions);
  measure("P3v", "the same with a value passed at each hop", chain_with_values(), repetitions);
}

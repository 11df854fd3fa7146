// P9: how long `sluice run --resume` takes from its start to the first dispatch, on a store with
// 100,000 pending tasks. Limit: reading the same rows.
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// Seconds to the first dispatch that it prints; then waits for its end.
double resume_seconds(const std::filesystem::path& store) {
  const std::string command = "./sluice --store '" + store.string() + "' run --json --resume r-1";
  const sluice::bench::stopwatch since;
  std::FILE* const output = ::popen(command.c_str(), "r");
  if (output == nullptr)
    sluice::bench::give_up("cannot start the program");
  double first = 0;
  std::array<char, 4096> line;
  while (std::fgets(line.data(), line.size(), output) != nullptr)
    if (first == 0 && std::strstr(line.data(), "task_dispatched") != nullptr)
      first = since.elapsed().seconds;
  if (::pclose(output) != 0 || first == 0)
    sluice::bench::give_up("the resumed run did not succeed");
  return first;
}

} // namespace

int main(int argc, char** argv) {
  using namespace sluice;
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 5;
  const auto workflow = bench::independent_tasks("recovery", model::call_action{"noop"}, 100'000);
  const auto what = bench::submission_of(workflow, "recovery");

  bench::scratch_directory scratch;
  bench::figure result{.id = "P9",
                       .what = "from the start of the program to the first dispatch of a resumed "
                               "run with 100,000 pending tasks, against reading their rows",
                       .unit = "s",
                       .wanted = {bench::budget_kind::figure_at_most, 1}};
  for (int i = 0; i <= repetitions; ++i) { // the first warms up
    const auto dir = scratch.path() / ("store" + std::to_string(i));
    bench::bare_store{dir}.submit_seconds(what);
    const bench::stopwatch reading;
    {
      const auto reader = bench::must(storage::open_reader({dir}));
      bench::must(reader->stored_run({1}));
    }
    const double read = reading.elapsed().seconds;
    const double ours = resume_seconds(dir);
    if (i == 0)
      continue;
    result.values.push_back(ours);
    result.limits.push_back(read);
  }
  bench::print(result);
}

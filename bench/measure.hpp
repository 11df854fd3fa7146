// What the benchmarks share: a temporary store, timing of one run, medians, and the one line of
// JSON that bench/run.py reads.
#pragma once

#include "model/workflow.hpp"
#include "runtime/orchestrator.hpp"

#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sluice::bench {

/// A directory that goes with the object. Below the working directory, because /tmp may be memory
/// and a durable commit has to reach a disk.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

struct sample_summary {
  double least = 0, median = 0, most = 0;
};
sample_summary summarize(std::vector<double> samples);

/// Ends the program with the message when the result is an error: a benchmark has no other way on.
template <class T>
T must(expected<T> result);

/// Times whole runs on a node, one after the other.
class run_timer {
public:
  explicit run_timer(runtime::orchestrator& node);

  /// Seconds from the submission of the workflow to its committed end. Ends the program unless the
  /// run succeeds.
  double seconds(const model::workflow_spec& workflow);

private:
  runtime::orchestrator& node_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<model::run_no, model::run_state> ended_;
  runtime::subscription watch_;
};

/// One figure with its limit from the same run; the ratio of each pair is kept.
struct figure {
  std::string id;   ///< of the budget, such as `P1`
  std::string what; ///< one line
  std::string unit;
  std::vector<double> values, limits; ///< pairwise, in order of measurement
  double budget = 0;                  ///< the least ratio wanted
};
/// Prints the figure as one line of JSON.
void print(const figure& f);

} // namespace sluice::bench

#include <cstdio>
#include <cstdlib>

template <class T>
T sluice::bench::must(expected<T> result) {
  if (!result) {
    std::fprintf(stderr, "benchmark: %s\n", result.error().message.c_str());
    std::exit(1);
  }
  return std::move(*result);
}

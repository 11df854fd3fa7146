// What the benchmarks share: a temporary directory, what a piece of work costs, medians and
// percentiles.
#pragma once

#include "model/error.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace sluice::bench {

/// A directory that goes with the object, or with what SLUICE_BENCH_SCRATCH names, where that is
/// set. Below the working directory, because /tmp may be memory and a durable commit has to reach a
/// disk.
class scratch_directory {
public:
  scratch_directory();
  ~scratch_directory();
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
  bool is_kept_ = false;
};

struct sample_summary {
  double least = 0, median = 0, most = 0;
};
sample_summary summarize(std::vector<double> samples);

/// The sample that a share `p` (0 to 1) of all samples does not exceed.
double percentile(std::vector<double> samples, double p);

/// What something took: time, and processor time of this process with all its threads, children
/// not counted.
struct cost {
  double seconds = 0;
  double cpu_seconds = 0;
  double allocations = 0; ///< with `new`
};
cost operator+(const cost& one, const cost& other);
cost operator/(const cost& of, double tasks);

/// Measures from its construction on.
class stopwatch {
public:
  stopwatch();
  cost elapsed() const;

private:
  model::clock clock_;
  model::steady_time started_;
  double cpu_at_start_;
  std::uint64_t allocations_at_start_;
};

/// Bytes of memory that this process holds, after free heap has been given back.
double resident_bytes();

/// Ends the program: a benchmark has no other way on.
[[noreturn]] void give_up(const std::string& why);

/// The result; gives up when it is an error.
template <class T>
T must(expected<T> result) {
  if (!result)
    give_up(result.error().message);
  if constexpr (!std::is_void_v<T>)
    return std::move(*result);
}

} // namespace sluice::bench

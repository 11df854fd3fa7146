#include "bench/measure.hpp"

#include "bench/allocations.hpp"
#include "runtime/clock.hpp"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::bench {
namespace {

/// Asks ext4 to put each directory made below this one into another group of blocks. Creating a
/// file there looks at every file that was deleted in its group lately, on a file system without a
/// journal for minutes: one measurement would slow down the next. Elsewhere nothing happens.
void spread_directories_below(const std::string& path) {
  const int dir = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int flags = 0;
  if (dir >= 0 && ::ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_TOPDIR_FL;
    [[maybe_unused]] const int ignored = ::ioctl(dir, FS_IOC_SETFLAGS, &flags);
  }
  if (dir >= 0)
    ::close(dir);
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

} // namespace

scratch_directory::scratch_directory() {
  const char* shared = std::getenv("SLUICE_BENCH_SCRATCH");
  is_kept_ = shared != nullptr;
  const auto parent = is_kept_ ? std::filesystem::path{shared} : std::filesystem::current_path();
  std::string name = (parent / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    give_up("cannot make a scratch directory " + name);
  spread_directories_below(name);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  if (!is_kept_)
    std::filesystem::remove_all(path_, ignored);
}

sample_summary summarize(std::vector<double> samples) {
  if (samples.empty())
    return {};
  std::sort(samples.begin(), samples.end());
  const auto middle = samples.size() / 2;
  const double median =
    samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  return {samples.front(), median, samples.back()};
}

double percentile(std::vector<double> samples, double p) {
  if (samples.empty())
    return 0;
  std::sort(samples.begin(), samples.end());
  const auto rank = std::ceil(p * static_cast<double>(samples.size()));
  return samples[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

cost operator+(const cost& one, const cost& other) {
  return {one.seconds + other.seconds, one.cpu_seconds + other.cpu_seconds,
          one.allocations + other.allocations};
}

cost operator/(const cost& of, double tasks) {
  return {of.seconds / tasks, of.cpu_seconds / tasks, of.allocations / tasks};
}

stopwatch::stopwatch()
  : clock_(runtime::system_clock()), started_(clock_.steady()), cpu_at_start_(cpu_seconds()),
    allocations_at_start_(allocations()) {}

cost stopwatch::elapsed() const {
  return {std::chrono::duration<double>(clock_.steady() - started_).count(),
          cpu_seconds() - cpu_at_start_, double(allocations() - allocations_at_start_)};
}

double resident_bytes() {
  ::malloc_trim(0);
  std::ifstream statm{"/proc/self/statm"};
  double total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

void give_up(const std::string& why) {
  std::fprintf(stderr, "benchmark: %s\n", why.c_str());
  std::exit(1);
}

} // namespace sluice::bench

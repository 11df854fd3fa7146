// The limit of starting processes: what this machine does with no orchestrator at all. Same spawn
// attributes, a log file opened as standard output, pidfd and epoll, wait4; no store.
#pragma once

#include "executors/thread_slice.hpp"

#include <cstddef>
#include <filesystem>
#include <future>
#include <memory>

namespace sluice::bench {

/// Does something on a thread of its own that the kernel schedules as it does our process thread.
/// What the limit may not gain or lose by is how it queues behind the processes it starts.
template <class Work>
auto as_process_thread(const Work& work) {
  return std::async(std::launch::async,
                    [&work] {
                      executors::prefer_short_slices(executors::slice_heirs::none);
                      return work();
                    })
    .get();
}

/// Seconds for `count` runs of /bin/true, `in_flight` at once, with one log file each below `logs`.
double bare_loop_seconds(std::size_t count, std::size_t in_flight,
                         const std::filesystem::path& logs);

/// Seconds of the parts of one process's life.
struct bare_life {
  double start = 0; ///< until posix_spawn returns: the child executes its program
  double run = 0;   ///< from then until its exit is seen
  double reap = 0;  ///< from then until it is gone

  double total() const { return start + run + reap; }
};

class bare_loop; // in bare_loop.cpp

/// Runs /bin/true as the bare loop does, one at a time. Use it on one thread.
class bare_starter {
public:
  explicit bare_starter(std::filesystem::path logs);
  ~bare_starter();
  bare_life run();

private:
  std::unique_ptr<bare_loop> loop_;
  std::size_t started_ = 0;
};

} // namespace sluice::bench

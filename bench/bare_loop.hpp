// The limit of starting processes: what this machine does with no orchestrator at all. Same spawn
// attributes, a log file opened as standard output, pidfd and epoll, wait4; no store.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace sluice::bench {

/// Seconds for `count` runs of /bin/true, `in_flight` at once, with one log file each below `logs`.
double bare_loop_seconds(std::size_t count, std::size_t in_flight,
                         const std::filesystem::path& logs);

/// Seconds of the parts of one process's life.
struct bare_start {
  double start = 0; ///< until posix_spawn returns: the child executes its program
  double run = 0;   ///< from then until its exit is seen
  double reap = 0;  ///< from then until it is gone
};
/// The same one at a time: each start by itself.
std::vector<bare_start> bare_starts(std::size_t count, const std::filesystem::path& logs);

} // namespace sluice::bench

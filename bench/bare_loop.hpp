// The limit of starting processes: what this machine does with no orchestrator at all. Same spawn
// attributes, a log file opened as standard output, pidfd and epoll, wait4; no store.
#pragma once

#include <cstddef>
#include <filesystem>

namespace sluice::bench {

/// Seconds for `count` runs of /bin/true, `in_flight` at once, with one log file each below `logs`.
double bare_loop_seconds(std::size_t count, std::size_t in_flight,
                         const std::filesystem::path& logs);

} // namespace sluice::bench

// Starting one child process with posix_spawn, and signalling its process group. posix_spawn and
// not fork: its cost does not grow with our memory. Only a child that is to be held to limits from
// its first instruction is forked, see confined_spawn.hpp. Used on the process thread, which lives
// as long as its children.
#pragma once

#include <tl/expected.hpp>

#include <cstdint>
#include <unordered_set>

#include <spawn.h>
#include <sys/types.h>

namespace sluice::executors {

/// Texts are borrowed for the call.
struct spawn_request {
  const char* program = nullptr; ///< relative ones are relative to `workdir`
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  const char* log_path = nullptr; ///< stdout and stderr are appended there; created with 0600
  int output = -1;                ///< where they go instead; -1: to the log
  const char* workdir = nullptr;  ///< null: ours
  int cgroup = -1;                ///< directory of the control group to be born in; -1: ours
  std::int64_t data_bytes = 0;    ///< RLIMIT_DATA of the child and what it starts; 0: ours

  /// What posix_spawn cannot do.
  bool is_confined() const { return cgroup >= 0 || data_bytes > 0; }
};

class spawner {
public:
  /// Children close all descriptors but 0, 1, 2 and `guard_fd`, which is close-on-exec: it must
  /// stay open until they execute their program (guard_process.hpp). -1: there is none.
  explicit spawner(int guard_fd);
  spawner(const spawner&) = delete;
  spawner& operator=(const spawner&) = delete;
  ~spawner();

  /// Starts the child as the leader of a new process group, with default signals and stdin from
  /// /dev/null. The error is an errno value and does not say which of the paths it is about.
  tl::expected<pid_t, int> spawn(const spawn_request& request) const;

private:
  posix_spawnattr_t attributes_;
  int guard_fd_;
};

/// Signals every process of the group. @pre the group's leader is ours and not reaped: its id could
/// be somebody else's afterwards
void signal_group(pid_t group, int signal_number);

/// Whether the kernel still knows a process, perhaps a dead one, in the group.
bool group_exists(pid_t group);

/// Of all groups of this machine those with a process that is not dead. Where no init reaps orphans
/// a group of zombies exists for ever, so that its existence proves nothing. Looks at every
/// process: one call for many groups. Nothing when /proc cannot be read.
tl::expected<std::unordered_set<pid_t>, int> living_groups();

} // namespace sluice::executors

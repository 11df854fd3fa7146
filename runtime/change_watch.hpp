// Sleeping until a store or a log file may have changed, without polling: inotify on the directory
// of the database (a commit writes to the WAL, the end of a runtime closes it) and on single files.
// Owned by one follower, used on its thread.
#pragma once

#include "model/error.hpp"

#include <filesystem>
#include <map>

namespace sluice::runtime {

class change_watch {
public:
  /// Errors: `unavailable` when the kernel has no inotify instance or watch to spare.
  static expected<change_watch> open();

  change_watch(change_watch&& other) noexcept;
  change_watch& operator=(change_watch&& other) noexcept;
  ~change_watch();

  /// Changes of any file directly in `dir` wake the waiter.
  expected<void> add_directory(const std::filesystem::path& dir);
  /// Writes to `file` wake the waiter; when it does not exist yet, its appearance does. Repeating
  /// it is safe, and needed after a wake-up for as long as the file does not exist.
  expected<void> add_file(const std::filesystem::path& file);
  /// Stops watching a file that is followed no longer: the kernel allows only so many.
  void remove_file(const std::filesystem::path& file);

  /// Returns after at least one change since the last call, at once when there was one already.
  /// Callers watch first, then look, then wait.
  ///
  /// Returns without a change as well, soon after the last one and then ever more seldom, up to
  /// once a second: a commit becomes visible some time after the write to the WAL that is told of
  /// (the disk is synced in between), and through shared memory, which inotify does not see.
  /// Says whether something changed.
  expected<bool> wait();

private:
  explicit change_watch(int fd) : fd_(fd) {}
  int fd_ = -1;
  std::map<std::filesystem::path, int> files_; ///< watches of files that exist
  int patience_ms_ = 1;                        ///< until the next look without a change
};

} // namespace sluice::runtime

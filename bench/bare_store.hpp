// The limits of the disk: what storing the same rows costs with no actors, and one fdatasync.
#pragma once

#include "model/run.hpp"
#include "storage/open.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace sluice::bench {

/// Commits what runs of native no-op tasks write, straight through `storage::store`: the rows are
/// made beforehand and not timed, and there is no scheduler, no message, no handler beside it.
class bare_store {
public:
  explicit bare_store(const std::filesystem::path& dir);

  /// Seconds for a whole run in groups of 1,000 steps, the size from which larger groups make
  /// SQLite hardly faster.
  double run_seconds(const model::submission& what);
  /// Seconds for the one commit that creates the run.
  double submit_seconds(const model::submission& what);

private:
  double commit_seconds(std::vector<storage::step_ptr> steps);

  std::unique_ptr<storage::store> store_;
  std::int64_t last_run_ = 0;
};

/// What a small commit costs the disk: four pages written into a file of fixed size, and fdatasync.
class bare_commit {
public:
  explicit bare_commit(const std::filesystem::path& dir);
  ~bare_commit();
  bare_commit(const bare_commit&) = delete;
  bare_commit& operator=(const bare_commit&) = delete;

  /// Does it once.
  double seconds();

private:
  int file_ = -1;
  std::size_t next_ = 0;
};

} // namespace sluice::bench

// Which unfinished runs of the store a host has, and what it needs to take them up.
#pragma once

#include "model/stored_run.hpp"
#include "storage/store.hpp"

#include <memory>
#include <vector>

namespace sluice::actors {

/// Those that it was asked to resume, and those that began with it: were submitted to it, or
/// retried. All others that are unfinished belong to someone else.
struct run_ownership {
  std::int64_t after_seq = 0; ///< of the last event before it
  std::vector<model::run_no> resumed;
};

struct live_runs {
  std::shared_ptr<const std::vector<model::stored_run>> runs; ///< in order of their numbers
  /// What is known against kinds of tasks, of these runs and of all others.
  std::shared_ptr<const std::vector<model::stored_breaker>> breakers;
  std::shared_ptr<const model::stored_gates> gates; ///< of all runs
  model::stored_capacity capacity;
  model::run_no next_run; ///< the first that nobody has
};

/// Errors: those of `storage::reader`.
expected<live_runs> read_live_runs(storage::reader& store, const run_ownership& ours,
                                   model::wall_time now);

} // namespace sluice::actors

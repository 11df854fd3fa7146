// Forgets runs that ended long ago: their rows, events and logs.
#pragma once

#include "model/error.hpp"
#include "model/ids.hpp"
#include "model/time.hpp"

#include <filesystem>
#include <vector>

namespace sluice::runtime {

/// Removes the runs that ended more than `keep` before `now`, and what is left of logs and work
/// directories of runs that are not there any more. Holds the store meanwhile. Kept are the newest
/// run, as numbers are not given twice, and runs whose key still stands for them. Returns those
/// that were removed, in ascending order. Errors: `not_found` when there is no store, `conflict`
/// when another process holds it; those of the store.
expected<std::vector<model::run_no>> prune(const std::filesystem::path& store_dir,
                                           model::milliseconds keep, model::wall_time now);

} // namespace sluice::runtime

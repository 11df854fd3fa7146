// What a run's events say about it: its state at a moment of the past, whether the rows agree, and
// rows that say it again.
#pragma once

#include "logic/event_fold.hpp"
#include "runtime/history.hpp"

#include <optional>

namespace sluice::runtime {

struct replayed_run {
  logic::folded_run run; ///< no tasks: it had not been submitted yet
  std::int64_t last_seq = 0;
  std::size_t events = 0;             ///< so many were applied
  std::optional<model::wall_time> at; ///< of the last of them
  std::vector<std::string> misfits;   ///< events that cannot be, as sentences; the first few
  std::vector<std::string> problems;  ///< rows that say something else; the first few
  storage::mended_run mended;         ///< what they should say

  bool is_sound() const { return misfits.empty() && problems.empty(); }
};

/// Folds the events of a run, up to a moment or all of them. With all of them the result is
/// compared with the rows. Errors: those of the store.
expected<replayed_run> replay(history& store, const run_view& run,
                              std::optional<model::wall_time> until);

/// Makes the rows of a run say what its events say. Holds the store meanwhile. Returns what was
/// found and mended. Errors: `conflict` when another process holds the store, or when the events do
/// not fit together: then there is nothing to go by; those of the store.
expected<replayed_run> repair(const std::filesystem::path& store_dir, model::run_no run,
                              model::wall_time now);

} // namespace sluice::runtime

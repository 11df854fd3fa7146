// What a run's events say about it: its state at a moment of the past, and whether the rows agree.
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
  std::vector<std::string> problems;  ///< what cannot be, as sentences; the first few
};

/// Folds the events of a run, up to a moment or all of them. With all of them the result is
/// compared with the rows. Errors: those of the store.
expected<replayed_run> replay(history& store, const run_view& run,
                              std::optional<model::wall_time> until);

} // namespace sluice::runtime

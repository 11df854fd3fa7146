// The next generation of a run that has ended: which of its tasks start anew, and the state it
// begins with. Pure functions.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "model/control.hpp"
#include "model/stored_run.hpp"

#include <algorithm>
#include <vector>

namespace sluice::logic {

/// Tasks that start anew.
struct picked_tasks {
  std::vector<std::uint32_t> reset;  ///< ascending; of instances, only those whose task keeps them
  std::vector<std::uint32_t> folded; ///< of them, those that are to be fanned out anew

  bool folds(std::uint32_t task) const {
    return std::find(folded.begin(), folded.end(), task) != folded.end();
  }
};

/// The tasks that start anew; none when all that had failed was marked since. Errors:
/// `conflict` when the run has not ended, when nothing is downstream of the task that is named, and
/// when the run did not fail and no task is named; `invalid_argument` for a task that it does not
/// have, with the nearest name.
/// @pre `workflow` is that of the run
expected<picked_tasks> pick_tasks(const compiled_workflow& workflow, const model::stored_run& run,
                                  const model::retry_run& what);

/// The tasks to be compensated when the run is rolled back that has ended, in the order in which
/// they are. Errors: `conflict` when it has not ended with success or failure, and when there are
/// none.
expected<std::vector<std::uint32_t>> pick_compensations(const model::stored_run& run);

/// The run as its next generation begins: these tasks are pending and have nothing but their
/// attempts' number, all others are kept as they are.
model::stored_run next_generation(model::stored_run run, const picked_tasks& picked);

/// The index of a task. Errors: `invalid_argument`, with the nearest name.
expected<std::uint32_t> find_task(const model::task_names& names, const std::string& name);

/// Whether a task counts as one of its run: instances do in the place of the task they are of, but
/// not those that are superseded.
bool is_counted(const model::stored_run& run, std::uint32_t task);
std::uint64_t counted_tasks(const model::stored_run& run);

} // namespace sluice::logic

// The tasks that a run is given while it is in progress: its workflow with them. Plain functions,
// any thread.
#pragma once

#include "logic/compiled_workflow.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::logic {

/// What is there, and what comes.
struct addition_request {
  const model::workflow_spec& workflow; ///< that the run is one of
  const model::workflow_spec& added;    ///< its tasks, and its defaults for them
  std::uint32_t first = 0;              ///< index behind those of all tasks and instances there are
  /// Tasks of `added`, by position, ascending, of which a reader could not understand everything.
  std::span<const std::uint32_t> read_in_part;
};

/// The workflow with the further tasks behind all others, compiled; or all that is wrong with them,
/// in order: the paths are those of `added`. What the added defaults leave open the workflow's own
/// say, but for the directory: theirs is that of `added`.
tl::expected<std::shared_ptr<const compiled_workflow>, std::vector<spec_problem>>
compile_with_added(const addition_request& request, const handler_lookup& has_handler = {});

} // namespace sluice::logic

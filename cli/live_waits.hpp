// What ready tasks wait for, as only the runtime knows that has their run. Blocks.
#pragma once

#include "cli/session.hpp"
#include "runtime/history.hpp"

#include <vector>

namespace sluice::cli {

/// Fills in what tasks of a run wait for, of those of which the store alone says that it is a slot.
/// Asks the runtime that holds the store; without one, or without its answer, they stay as they
/// are.
void add_live_waits(const session& s, const runtime::run_view& run,
                    std::vector<runtime::task_view>& tasks);

} // namespace sluice::cli

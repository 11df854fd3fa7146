// Tasks as rows of a table.
#pragma once

#include "cli/session.hpp"
#include "cli/table.hpp"
#include "runtime/history.hpp"

namespace sluice::cli {

/// Why a task is where it is: its failure, the reason of a skip, what it waits for.
std::string task_detail(const runtime::task_view& task, model::wall_time now);

/// Name, state, time and detail.
std::vector<cell> task_cells(const runtime::task_view& task, const session& s);

} // namespace sluice::cli

// The end of a run, told so that a person knows what to do next.
#pragma once

#include "cli/session.hpp"
#include "runtime/history.hpp"

#include <set>
#include <string>

namespace sluice::cli {

/// Whether its failure is to be told: also when what it did was rolled back then.
bool has_failed(const runtime::task_view& task);

/// Prints one failed task: what happened, the end of its log, where that is, and the command that
/// shows more.
void print_failure(session& s, runtime::history& store, const runtime::task_view& task,
                   bool is_allowed);

/// Of an instance that of its task.
std::string name_in_file(const runtime::task_view& task);

/// Names of the tasks that may fail without failing the run.
std::set<std::string> allowed_to_fail(const model::workflow_spec& workflow);

/// The final report of a run: every failed task as above (the first few), then one line with the
/// state, the counts and how long it took. Errors are those of reading.
expected<void> print_report(session& s, runtime::history& store, const runtime::run_view& run);

} // namespace sluice::cli

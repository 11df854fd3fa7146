// What a runtime does about those before it: runs that were left unfinished, and their files.
#pragma once

#include "executors/function_registry.hpp"
#include "storage/store.hpp"

#include <filesystem>

namespace sluice::runtime {

/// Whether the run can be taken up here. Errors: `not_found`; `conflict` when it has ended;
/// `invalid_argument` when it calls a handler that this program does not have; those of the reader.
expected<void> check_resumable(storage::reader& store, model::run_no run,
                               const executors::function_registry& functions);

/// Removes the working directories of attempts that a killed runtime left.
/// @pre nothing runs: the guard of the one before has ended
void remove_left_work(const std::filesystem::path& work_dir);

} // namespace sluice::runtime

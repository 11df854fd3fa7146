// Calls that a task makes to the runtime that executes it. Blocks.
#pragma once

#include "api/requests.hpp"
#include "cli/session.hpp"

namespace sluice::cli {

/// Makes the call in the name of the attempt whose environment this process has, and returns the
/// exit code. Outside a task there is nobody to tell: that is no error, so that a program can be
/// tried by hand.
int tell_own_runtime(session& s, api::request what);

} // namespace sluice::cli

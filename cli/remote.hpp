// Asking the runtime that holds the store, from another process. Blocks.
#pragma once

#include "api/requests.hpp"
#include "cli/session.hpp"

#include <tl/expected.hpp>

namespace sluice::cli {

/// The JSON that the holder of the session's store answers. What goes wrong is printed, and the
/// exit code for it returned: `exit_unreachable` when there is no holder to ask.
tl::expected<model::value, int> ask_holder(session& s, const api::request& what);

} // namespace sluice::cli

// Starting a child that is limited from its first instruction: born in a control group, or with a
// limit of its own on memory. That is what posix_spawn has no words for. Used on the process
// thread.
#pragma once

#include "executors/spawn.hpp"

namespace sluice::executors {

/// As `spawner::spawn`. Costs what a fork costs: it grows with our memory, by about a third of a
/// millisecond for 30 MB.
tl::expected<pid_t, int> spawn_confined(const spawn_request& request, int guard_fd);

} // namespace sluice::executors

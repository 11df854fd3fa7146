// What the end of a process means for its attempt. Pure.
#pragma once

#include "model/run.hpp"

#include <optional>

namespace sluice::executors {

/// Stands for a status that we could not get; no wait status of the kernel.
inline constexpr int exit_status_lost = -1;

/// Nothing for exit 0. Exit 75 (EX_TEMPFAIL of sysexits.h) is class transient, other codes and
/// signals are class exit, with codes such as `3` and `SIGKILL`.
std::optional<model::failure> exit_failure(int wait_status);

} // namespace sluice::executors

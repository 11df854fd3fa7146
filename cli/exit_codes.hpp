// What the program's exit codes mean. Scripts depend on them: never reuse one.
#pragma once

#include "model/error.hpp"

namespace sluice::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_run_failed = 1; ///< the run failed, or was cancelled from elsewhere
inline constexpr int exit_usage = 2;      ///< a wrong command line or an invalid file
inline constexpr int exit_not_found = 3;
inline constexpr int exit_refused = 4;       ///< such as a store that another process holds
inline constexpr int exit_unreachable = 5;   ///< no runtime answers
inline constexpr int exit_internal = 70;     ///< a bug, or a store that cannot be used
inline constexpr int exit_interrupted = 130; ///< 128 + SIGINT
inline constexpr int exit_terminated = 143;  ///< 128 + SIGTERM

constexpr int exit_code_of(errc code) {
  switch (code) {
  case errc::invalid_argument:
    return exit_usage;
  case errc::not_found:
    return exit_not_found;
  case errc::conflict:
    return exit_refused;
  case errc::cancelled:
    return exit_run_failed;
  case errc::unavailable:
  case errc::timeout:
  case errc::corrupt:
  case errc::internal:
    break;
  }
  return exit_internal;
}

} // namespace sluice::cli

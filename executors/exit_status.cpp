#include "executors/exit_status.hpp"

#include <cstring>

#include <sys/wait.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;

constexpr int exit_code_transient = 75; // EX_TEMPFAIL

std::string signal_name(int number) {
  if (const char* name = ::sigabbrev_np(number))
    return std::string{"SIG"} + name;
  return "SIG" + std::to_string(number); // real-time signals have no name
}

} // namespace

std::optional<model::failure> exit_failure(int wait_status) {
  if (wait_status == exit_status_lost)
    return failure{failure_class::internal, "status_lost", "the exit status was taken by others"};
  if (WIFSIGNALED(wait_status)) {
    const auto name = signal_name(WTERMSIG(wait_status));
    return failure{failure_class::exit, name, "killed by " + name};
  }
  const int code = WEXITSTATUS(wait_status);
  if (code == 0)
    return std::nullopt;
  const auto text = std::to_string(code);
  return failure{code == exit_code_transient ? failure_class::transient : failure_class::exit, text,
                 "exit " + text};
}

} // namespace sluice::executors

// One call of a native handler: finding it, keeping its exceptions in, and turning its result into
// a report. Called by FUNCTION EXECUTOR and its workers.
#pragma once

#include "executors/function_registry.hpp"

namespace sluice::executors {

/// Whether the attempt's handler runs without a thread and a slot. Unknown ones do: they only fail.
bool is_asynchronous(const function_registry& functions, const model::start_attempt& start);

/// How a blocking handler speaks to its runtime; see `call_context`.
struct call_voice {
  std::function<expected<void>(model::checkpoint)> save_checkpoint;
  std::function<void()> heartbeat;
};

/// Calls the handler. An exception becomes a failure of class `internal`, an unknown name one of
/// class `permanent`.
delayed_result invoke(const function_registry& functions, const model::start_attempt& start,
                      std::stop_token stop, call_voice voice = {});

/// Puts the result into the report. Outputs are checked against those the task declares, as those
/// of a process are; a task that declares none keeps what its handler returned.
void fill_report(model::attempt_report& report, const model::start_attempt& start,
                 call_result result);

} // namespace sluice::executors

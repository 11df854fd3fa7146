// The rules of tasks that only wait: when a wait is over, what an approval puts out, and what
// becomes of a gate that does not let its task through. Pure functions.
#pragma once

#include "model/workflow.hpp"

#include <string>

namespace sluice::logic {

/// When a wait is over that begins now: `v` is a text, a length of time or a time. May have passed
/// already. Errors: `invalid_argument`.
expected<model::wall_time> end_of_wait(const model::value& v, model::wall_time now);

/// What an approval puts out: the values of its form, defaults filled in, and who gave it. Errors:
/// `invalid_argument`, with a sentence for each value that is unknown, missing or wrong.
expected<model::value> outputs_of_approval(const model::gate_spec& gate, const model::value& given,
                                           const std::string& by);

/// What becomes of a task whose gate is rejected, or has expired: it is failed or skipped.
model::task_state state_when_rejected(const model::gate_spec& gate);

/// Errors: `invalid_argument` when a signal cannot have this name, or is too large to keep.
expected<void> check_signal(const std::string& name, const model::value& payload);

} // namespace sluice::logic

// The rules of tasks that only wait: when a wait is over, what an approval puts out, and what
// becomes of a gate that does not let its task through. Pure functions.
#pragma once

#include "model/workflow.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::logic {

/// When a wait is over that begins now: `v` is a text, a length of time or a time. May have passed
/// already. Errors: `invalid_argument`.
expected<model::wall_time> end_of_wait(const model::value& v, model::wall_time now);

/// What an approval puts out: the values of its form, defaults filled in, and who gave it. Errors:
/// `invalid_argument`, with a sentence for each value that is unknown, missing or wrong.
expected<model::value> outputs_of_approval(const model::gate_spec& gate, const model::value& given,
                                           const std::string& by);

/// When the hours have begun: now, when it is within them, else when they begin next. `offset`: by
/// how much the clock that they go by is ahead of UTC then.
model::wall_time next_opening(const model::opening_hours& hours, model::wall_time now,
                              const std::function<model::microseconds(model::wall_time)>& offset);

/// Reads hours such as `22:00-06:00`; to 24:00 at the latest. Errors: `invalid_argument`.
expected<model::opening_hours> parse_hours(std::string_view text);

/// The bit of a day, from its name `mon` to `sun`; nothing for another word.
std::optional<std::uint8_t> parse_day(std::string_view name);

/// What becomes of a task whose gate is rejected, or has expired: it is failed or skipped.
model::task_state state_when_rejected(const model::gate_spec& gate);

/// Errors: `invalid_argument` when no signal, switch or quota can have this name.
expected<void> check_gate_name(const std::string& name);

/// Errors: `invalid_argument` when a signal cannot have this name, or is too large to keep.
expected<void> check_signal(const std::string& name, const model::value& payload);

/// What a task waits for at a gate of a kind.
model::wait_reason reason_of(model::gate_kind kind);

} // namespace sluice::logic

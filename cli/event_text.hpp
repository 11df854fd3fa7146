// A committed event as a line of text. Pure functions.
#pragma once

#include "cli/console.hpp"
#include "cli/words.hpp"
#include "model/event.hpp"
#include "runtime/zones.hpp"

#include <optional>
#include <string>

namespace sluice::cli {

/// What an event's data says to a person: failure, reason, message; may be empty.
std::string event_detail(const model::event& e);

/// What is known against the kind of its task, when the event tells.
std::optional<model::breaker_state> breaker_of(const model::event& e);
/// What a gate waits for from now on, when the event tells.
std::optional<model::awaited> awaited_of(const model::event& e);
/// What an attempt failed by, when it did.
std::optional<model::failure> failure_of(const model::event& e);
/// What the event's task waits for from now on, if for anything.
std::optional<hindrance> hindrance_of(const model::event& e);

/// `07:30:00.250  r-12/load#1  failed  exit 3: exited with 3`
std::string event_line(const model::event& e, const console& out, runtime::zone_choice zone);

} // namespace sluice::cli

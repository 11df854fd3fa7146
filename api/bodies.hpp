// The JSON bodies of requests, read and checked. Plain functions, any thread.
#pragma once

#include "model/control.hpp"
#include "model/run.hpp"

#include <optional>
#include <string_view>

namespace sluice::api {

/// `{"fraction": 0.4, "text": "row 7"}`, either of them. Errors: `invalid_argument`.
expected<model::task_progress> read_progress(std::string_view body);

/// `{"tokens": 1200, "cost": 0.03}`: an object of numbers. Errors: `invalid_argument`.
expected<model::value> read_usage(std::string_view body);

/// `{"rows": 7, "table": "daily"}`: an object of values. Errors: `invalid_argument`.
expected<model::value> read_outputs(std::string_view body);

/// `{"from": "load"}`, `{"downstream": "load"}`, or nothing: what failed. `{"task": "load"}`: a
/// task that is held. Errors: `invalid_argument`.
expected<model::control> read_retry(std::string_view body);

/// `{"task": "load", "as": "succeeded"}`. Errors: `invalid_argument`.
expected<model::mark_task> read_mark(std::string_view body);

/// `{"group": "load", "force": true}`; nothing: the whole run is to be cancelled. Errors:
/// `invalid_argument`.
expected<std::optional<model::cancel_group>> read_cancel(std::string_view body);
/// `{"stop": true}`, or nothing: what is under way ends by itself. `{"task": "load"}`: only that
/// task. Errors: `invalid_argument`.
expected<model::control> read_pause(std::string_view body);
/// Nothing: the run; `{"task": "load"}`: only that task. Errors: `invalid_argument`.
expected<model::control> read_resume(std::string_view body);

/// `{"task": "publish", "values": {"target": "staging"}, "by": "ana", "note": "looks fine"}`, all
/// but the task as one likes. Errors: `invalid_argument`.
expected<model::decide_gate> read_approval(std::string_view body);
/// The same without values.
expected<model::decide_gate> read_rejection(std::string_view body);
/// `{"name": "go", "payload": ..., "by": "ana"}`, all but the name as one likes. Errors:
/// `invalid_argument`.
expected<model::send_signal> read_signal(std::string_view body);

/// `{"workflow": SPECIFICATION}`, as a version of it is stored; only its tasks and defaults count.
/// Errors: `invalid_argument`.
expected<model::add_tasks> read_added_tasks(std::string_view body);

/// `{"by": "ana", "reason": "nightly work"}`, or nothing. Errors: `invalid_argument`.
expected<model::decision> read_decision(std::string_view body);

/// `{"kind": "pool", "name": "db", "amount": "3", "by": "ana"}`: slots have no name, and without an
/// amount it is taken back. Errors: `invalid_argument`.
expected<model::set_store_limit> read_store_limit(std::string_view body);

/// What was done to a run, as it travels; and back, for who asked. Errors: `invalid_argument`.
model::value to_json(const model::control_result& done);
expected<model::control_result> read_control_result(const model::value& answer);

} // namespace sluice::api

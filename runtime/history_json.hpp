// The JSON form of what `history` shows: the same for the command line and, later, for HTTP.
#pragma once

#include "runtime/history.hpp"

namespace sluice::runtime {

model::value to_json(const run_view& run);
model::value to_json(const task_view& task);
model::value to_json(const budget_view& budget);
model::value to_json(const storage::attempt_row& attempt);
model::value to_json(const storage::waiting_gate& gate);
model::value to_json(const model::switch_state& gate);

/// What the instances of a task put out, as its expressions see it: each output as a list.
model::value by_output(const model::value& instances);

} // namespace sluice::runtime

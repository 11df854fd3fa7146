// The table of legal moves between states. What is not in it is a bug: the scheduler core asks here
// before it changes a state. Pure functions.
#pragma once

#include "model/state.hpp"

namespace sluice::logic {

bool is_legal(model::task_state from, model::task_state to);
bool is_legal(model::run_state from, model::run_state to);

} // namespace sluice::logic

// Workflows that nobody would write, and everybody might.
#pragma once

#include "model/workflow.hpp"
#include "testing/dice.hpp"

namespace sluice::testing {

/// A valid workflow of `tasks` tasks: every join rule, conditions, inputs from upstreams, outputs
/// (some too large to be kept in memory), timeouts, deadlines, retries, allowed failures, commands
/// and native calls. Every command declares the outputs `v` (an integer) and `text`.
model::workflow_spec random_workflow(dice& random, std::size_t tasks);

} // namespace sluice::testing

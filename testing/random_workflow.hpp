// Workflows that nobody would write, and everybody might.
#pragma once

#include "model/workflow.hpp"
#include "testing/dice.hpp"

namespace sluice::testing {

/// A valid workflow of `tasks` tasks: every join rule, conditions, inputs from upstreams, outputs
/// (some too large to be kept in memory), timeouts, deadlines, retries, allowed failures, commands
/// and native calls. Every command declares the outputs `v` (an integer) and `text`.
model::workflow_spec random_workflow(dice& random, std::size_t tasks);

/// Some tasks of the same kinds that a run of such a workflow can be given: they may depend on all
/// that it has. @pre `to` comes from `random_workflow`, and from additions like this one
model::workflow_spec random_addition(dice& random, const model::workflow_spec& to);

} // namespace sluice::testing

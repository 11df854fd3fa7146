// What a workflow would do, without doing it. A plain function, any thread.
#pragma once

#include "model/plan.hpp"
#include "model/workflow.hpp"

namespace sluice::runtime {

/// The stages of a workflow, how much of each can run at once, and the longest way through it.
/// Errors: `invalid_argument` with the first problem of a workflow that is not valid.
expected<model::execution_plan> plan_of(std::shared_ptr<const model::workflow_spec> workflow);

} // namespace sluice::runtime

// What a specification can get wrong about tasks that only wait. Plain functions of `compile`.
#pragma once

#include "logic/compiled_workflow.hpp"

#include <string>
#include <vector>

namespace sluice::logic {

/// What the task waits for, and what it says that means nothing to one that does not run. What
/// stands in the defaults does not concern it. @pre it is a gate
void check_gate(const model::task_spec& task, const std::string& path,
                std::vector<spec_problem>& problems);

} // namespace sluice::logic

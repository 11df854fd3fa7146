// How the answer to "why does this task not run?" reads. Pure functions.
#pragma once

#include "model/json.hpp"
#include "runtime/history.hpp"

#include <string>
#include <vector>

namespace sluice::cli {

/// What a runtime answers, in lines.
std::vector<std::string> explanation_lines(const model::value& answer);

/// What the store alone says of a task, in the form of such an answer.
model::value explanation_of(const runtime::task_ref& found);

} // namespace sluice::cli

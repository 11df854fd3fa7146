// Declarations of values with a type: parameters of a workflow, what a form asks for. Reports what
// is wrong, and goes on.
#pragma once

#include "runtime/node_reader.hpp"

#include <vector>

namespace sluice::runtime {

/// A map of names with a type, a default, or both; `what` completes "must be a map of ".
std::vector<model::param_spec> read_params(node_reader& nodes, const placed_node& at,
                                           const char* what);

} // namespace sluice::runtime

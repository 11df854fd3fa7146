// Tree to value: CEL's evaluation, with errors as values and within a budget. A plain function;
// evaluations on different threads do not disturb one another.
#pragma once

#include "logic/expression_tree.hpp"

#include <span>

namespace sluice::logic {

/// Errors: `invalid_argument` with a sentence that names the part that failed.
/// @pre the references are those that were parsed with the tree
expected<model::value> evaluate_tree(const expression_tree& tree,
                                     std::span<const reference> references, const scope& names,
                                     const evaluation_budget& budget);

} // namespace sluice::logic

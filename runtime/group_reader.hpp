// Reads the keys that are about groups of tasks and about budgets.
#pragma once

#include "runtime/node_reader.hpp"

namespace sluice::runtime {

/// What `groups` holds.
std::vector<model::group_spec> read_groups(node_reader& nodes, const placed_node& at);

/// What `budget` holds, of a workflow or of a group.
std::optional<model::budget_spec> read_budget(node_reader& nodes, const placed_node& at);

} // namespace sluice::runtime

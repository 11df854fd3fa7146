// The keys of a task that is a gate. Reports what is wrong, and goes on.
#pragma once

#include "runtime/node_reader.hpp"

namespace sluice::runtime {

/// Whether the key says something of a gate, beside what kind it is.
bool is_gate_key(file_key key);

/// @pre `is_gate_key(key)`
void read_gate_key(node_reader& nodes, file_key key, const placed_node& at, model::gate_spec& gate);

/// What stands at `gate`; one that is missing or wrong is reported.
std::optional<model::gate_kind> read_gate_kind(node_reader& nodes, const placed_node& at);

} // namespace sluice::runtime

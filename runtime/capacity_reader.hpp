// The keys that say what a task needs beside a slot. Reports what is wrong, and goes on.
#pragma once

#include "runtime/node_reader.hpp"

namespace sluice::runtime {

/// Whether the key says what a task needs.
bool is_capacity_key(file_key key);

/// @pre `is_capacity_key(key)`
void read_capacity_key(node_reader& nodes, file_key key, const placed_node& at,
                       model::task_settings& settings);

} // namespace sluice::runtime

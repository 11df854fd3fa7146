// The keys of a task that is fanned out. Reports what is wrong, and goes on.
#pragma once

#include "runtime/node_reader.hpp"

namespace sluice::runtime {

/// Whether the key says what a task is fanned out over, or how.
bool is_fan_out_key(file_key key);

/// @pre `is_fan_out_key(key)`
void read_fan_out_key(node_reader& nodes, file_key key, const placed_entry& entry,
                      model::fan_out_spec& fan_out);

} // namespace sluice::runtime

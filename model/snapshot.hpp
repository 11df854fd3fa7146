// What a task found before it changed anything, for its rollback to put back. Plain value, shared
// by const pointer: it may be large.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace sluice::model {

/// Any bytes, also none.
using snapshot_ptr = std::shared_ptr<const std::string>;

/// A task with more to keep writes a file, and keeps its name.
inline constexpr std::size_t most_snapshot_bytes = std::size_t{1} << 20;

} // namespace sluice::model

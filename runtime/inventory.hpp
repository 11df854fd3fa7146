// What this node has that tasks may need beside slots: looked at once, when the runtime starts.
#pragma once

#include "model/capacity.hpp"

#include <filesystem>

namespace sluice::runtime {

/// Where the operating system tells it; a test has directories of its own.
struct inventory_places {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  std::filesystem::path dev = "/dev";
};

/// Processors, memory, room beside the store and graphics processors: as many as there are, or as
/// this process may use by its cgroup. What is `given` counts in their place, and adds others.
model::resource_amounts take_inventory(const std::filesystem::path& store_dir,
                                       const model::resource_amounts& given,
                                       const inventory_places& places = {});

/// Reads `gpu=2`, `mem=8Gi` or `licence=0.5`. Errors: `invalid_argument`.
expected<std::pair<std::string, std::int64_t>> parse_resource(std::string_view text);

} // namespace sluice::runtime

// What a workflow would do: its stages, how wide they are, and the longest way through it.
#pragma once

#include "model/time.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::model {

/// Tasks that can start once all earlier stages are done.
struct stage {
  std::vector<std::uint32_t> tasks; ///< indices, ascending
  std::uint32_t width = 0;          ///< how many they are, instances counted
  std::uint32_t max_parallel = 0;   ///< of them at once, as far as limits of the workflow go
};

struct execution_plan {
  std::uint32_t task_count = 0; ///< instances count in the place of the task they are of
  std::uint32_t width = 0;      ///< the most tasks of one stage
  std::vector<stage> stages;
  /// By task, of those that are fanned out: into how many; nothing when that depends on a run.
  std::map<std::uint32_t, std::optional<std::uint32_t>> instances;
  std::vector<std::uint32_t>
    critical_path;                      ///< from first to last; by number of tasks without history
  std::optional<milliseconds> estimate; ///< nothing without history
};

} // namespace sluice::model

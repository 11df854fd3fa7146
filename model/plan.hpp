// What a workflow would do: its stages, how wide they are, and the longest way through it.
#pragma once

#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::model {

/// Tasks that can start once all earlier stages are done.
struct stage {
  std::vector<std::uint32_t> tasks; ///< indices, ascending
  std::uint32_t max_parallel = 0;   ///< width, or the workflow's `active_tasks` when that is less
};

struct execution_plan {
  std::uint32_t task_count = 0;
  std::uint32_t width = 0; ///< the most tasks of one stage
  std::vector<stage> stages;
  std::vector<std::uint32_t>
    critical_path;                      ///< from first to last; by number of tasks without history
  std::optional<milliseconds> estimate; ///< nothing without history
};

} // namespace sluice::model

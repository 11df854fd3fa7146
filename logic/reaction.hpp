// What one scheduler step yields: records to commit, and effects to release after the commit.
#pragma once

#include "model/command.hpp"
#include "model/record.hpp"

#include <vector>

namespace sluice::logic {

struct reaction {
  std::vector<model::record> records;
  std::vector<model::run_counts> counts;
  model::timer_changes timers;
  std::vector<model::switch_state> switches;
  std::vector<model::store_limit> limits;
  std::vector<model::command> effects;
};

} // namespace sluice::logic

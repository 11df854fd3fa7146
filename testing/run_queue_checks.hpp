// What is promised of runs that wait for others of their workflow: no more are active than may be,
// and none waits for nothing. Owned by a scenario.
#pragma once

#include "model/event.hpp"
#include "model/workflow.hpp"

#include <map>
#include <string>
#include <utility>

namespace sluice::testing {

class run_queue_checks {
public:
  /// Something happened to a run as a whole. Returns what it violates, or an empty text.
  std::string see(const model::event& event, const model::workflow_spec& spec);

private:
  struct place {
    std::pair<std::size_t, std::string> line; ///< level and name
    bool is_active = false;
    bool is_queued = false;
  };
  std::map<model::run_no, place> runs_;
};

} // namespace sluice::testing

// What is promised of capacity, checked at every start and every dispatch: nothing is held that
// there is not, nothing twice, and no rate is passed. Owned by a scenario.
#pragma once

#include "model/command.hpp"
#include "model/event.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::testing {

class capacity_checks {
public:
  /// What scenarios' nodes have.
  static model::resource_amounts of_node() { return {{"cpu", 4'000}, {"gpu", 2'000}}; }

  /// An attempt starts beside others. Returns what it violates, or an empty text.
  std::string start(const model::start_attempt& order,
                    const std::vector<model::attempt_key>& under_way);
  /// Something happened, in the order of events.
  void pass_time(model::wall_time now);
  /// An attempt was dispatched. Returns the same.
  std::string dispatch(const model::event& event);

private:
  std::map<model::attempt_key, model::capacity_grant> holds_; ///< of processes
  std::map<std::string, std::vector<model::wall_time>> rates_;
  model::wall_time last_at_;
};

} // namespace sluice::testing

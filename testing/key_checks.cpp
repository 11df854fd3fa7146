#include "testing/key_checks.hpp"

namespace sluice::testing {

using model::event_type;
using model::task_state;

std::string key_checks::see(const model::event& event, const std::string& key) {
  auto& use = uses_[key];
  const model::task_key self{event.run_no, *event.task_idx};
  const auto to = *model::parse_task_state(event.to);
  std::string wrong;
  if (event.type == event_type::task_dispatched && to == task_state::dispatched) {
    if (use.is_done)
      wrong = to_string(self) + " does again what " + to_string(use.last) + " has done";
    for (const auto other : use.begun)
      if (other != self)
        wrong = to_string(self) + " starts beside " + to_string(other) + ", which has the same key";
    use.begun.insert(self);
    use.last = self;
  }
  if (event.type == event_type::task_reused
      && (!use.is_done || event.data.at("of") != to_string(use.last)))
    wrong = to_string(self) + " has a result that is not of the last success with its key";
  if (is_terminal(to) || event.type == event_type::task_reset)
    use.begun.erase(self);
  if (self == use.last)
    use.is_done = to == task_state::succeeded;
  return wrong;
}

} // namespace sluice::testing

// The durable timers of the scheduler core: set and removed in the step that moves what they are
// for.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

std::vector<model::timer> scheduler_core::timers() const {
  std::vector<model::timer> all;
  for (const auto& [run_no, run] : runs_)
    for (const auto& [slot, due] : run.timers)
      all.push_back({run_no, slot.first, slot.second, due});
  return all;
}

void scheduler_core::set_timer(live_run& run, timer_slot slot, model::wall_time due) {
  remove_timer(run, slot);
  run.timers.emplace(slot, due);
  timers_set_.insert({run.run_no, slot.first, slot.second, due});
}

void scheduler_core::remove_timer(live_run& run, timer_slot slot) {
  const auto set = run.timers.extract(slot);
  if (!set)
    return;
  const model::timer removed{run.run_no, slot.first, slot.second, set.mapped()};
  if (timers_set_.erase(removed) == 0) // else nobody has heard of it
    step_.timers.removed.push_back(removed);
}

} // namespace sluice::logic

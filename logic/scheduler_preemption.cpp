// Which attempts are stopped, to go on later, so that a task with a higher priority can start.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {
namespace {

/// Attempts that are looked at for one task: more are not worth the time of a dispatch.
constexpr int most_candidates = 64;

} // namespace

using victims_t = std::vector<model::attempt_key>;

/// Whom others are stopped for: the task that is next in its lane.
struct scheduler_core::beneficiary {
  ready_order::lane& lane;
  capacity_pool pool;
  model::priority priority;
  bool lacks_slot;
  bool lacks_needs;
};

/// What the attempts hold is all that the task lacks: all of them are stopped, or none. The next
/// ones only when these are gone.
void scheduler_core::preempt_for(const live_run& run, std::uint32_t task, ready_order::lane& lane,
                                 capacity_pool pool) {
  if (!preempting_.empty() || preemptible_.empty()
      || preemptible_.begin()->first >= run.priority(task))
    return;
  const beneficiary who{lane, pool, run.priority(task), !has_capacity(run, task, pool),
                        lane.shape() != 0 && !capacity_->fitting(lane)};
  const auto victims = find_victims(who);
  if (victims.empty() || !keep_for(who, victims))
    return;
  preempting_.insert(victims.begin(), victims.end());
  for (const auto& key : victims) {
    auto& victim = runs_.at(key.run_no);
    guarded(victim, [&] { stop_task(victim, key.task_idx, model::stop_reason::preempt); });
  }
}

/// From the lowest priority up until they are enough. Empty when a few are not.
victims_t scheduler_core::find_victims(const beneficiary& who) const {
  victims_t victims;
  int looked_at = 0;
  for (const auto& [priority, key] : preemptible_) {
    if (priority >= who.priority || ++looked_at > most_candidates)
      break;
    if (!may_be_stopped_for(who, key, priority))
      continue;
    victims.push_back(key);
    if (are_enough(victims, who))
      return let_off_needless(std::move(victims), who);
  }
  return {};
}

/// From the highest priority down.
victims_t scheduler_core::let_off_needless(victims_t victims, const beneficiary& who) const {
  for (auto i = victims.size(); i-- > 0;) {
    auto fewer = victims;
    fewer.erase(fewer.begin() + std::ptrdiff_t(i));
    if (are_enough(fewer, who))
      victims = std::move(fewer);
  }
  return victims;
}

bool scheduler_core::are_enough(const victims_t& victims, const beneficiary& who) const {
  if (who.lacks_slot && victims.empty())
    return false;
  return !who.lacks_needs || capacity_->fitting_without(who.lane, held_by(victims)).has_value();
}

/// Whether an attempt has something that is lacking, and would not be the next one again.
bool scheduler_core::may_be_stopped_for(const beneficiary& who, const model::attempt_key& key,
                                        model::priority priority) const {
  const auto& victim = runs_.at(key.run_no);
  const auto task = key.task_idx;
  if (victim.tasks[task].state == model::task_state::cancelling
      || pool_of(victim, task) != who.pool)
    return false;
  const auto due = victim.due(task).value_or(due_without_deadline(now_));
  if (points_of(priority, now_, due) > who.lane.place().points)
    return false;
  const auto grant = victim.grants.find(task);
  return who.lacks_slot
         || (who.lacks_needs && grant != victim.grants.end()
             && capacity_->lacks_some_of(who.lane, grant->second));
}

/// What the victims hold is for the task, so that nobody else has it first. False when something is
/// kept for another one.
bool scheduler_core::keep_for(const beneficiary& who, const victims_t& victims) {
  return !who.lacks_needs
         || capacity_->reserve_for(who.lane,
                                   *capacity_->fitting_without(who.lane, held_by(victims)));
}

std::vector<const model::capacity_grant*> scheduler_core::held_by(const victims_t& attempts) const {
  std::vector<const model::capacity_grant*> held;
  for (const auto& key : attempts)
    if (const auto& grants = runs_.at(key.run_no).grants; grants.contains(key.task_idx))
      held.push_back(&grants.at(key.task_idx));
  return held;
}

} // namespace sluice::logic

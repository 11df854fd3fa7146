// What has been ready for long: people are told, once of each task of a run, as nothing else may
// ever show that it waits for what does not come.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

constexpr std::size_t most_warnings = 100; // of one look

} // namespace

/// Looks at all that is ready: once in as long as that may take to be worth a warning.
void scheduler_core::look_for_long_waits() {
  if (!long_wait_due_ || now_ < *long_wait_due_)
    return;
  std::optional<model::wall_time> oldest; // of those that are not worth it yet
  for (std::size_t pool = 0; pool < capacity_pool_count; ++pool) {
    order_[pool].for_each(
      [&](const ready_entry& entry) { note_long_wait(entry, capacity_pool(pool), oldest); });
    for (const auto& [run_no, run] : runs_)
      if (!run.is_paused())
        for (const auto& waiting : run.put_off[pool])
          note_long_wait(waiting.entry, capacity_pool(pool), oldest);
  }
  long_wait_due_.reset();
  constexpr int looks = 10; // at most so many in the time of a long wait
  if (oldest)
    long_wait_due_ = std::max(*oldest + options_.long_wait, now_ + options_.long_wait / looks);
}

void scheduler_core::note_long_wait(const ready_entry& entry, capacity_pool pool,
                                    std::optional<model::wall_time>& oldest) {
  const auto found = runs_.find(entry.task.run_no);
  if (found == runs_.end() || !is_due(found->second, entry, pool))
    return;
  auto& run = found->second;
  const auto task = entry.task.task_idx;
  if (entry.since + options_.long_wait > now_) {
    oldest = std::min(oldest.value_or(entry.since), entry.since);
    return;
  }
  if (step_.records.size() >= most_warnings || !run.warned_of.insert(run.node(task)).second)
    return;
  const auto waited = std::chrono::floor<model::seconds>(now_ - entry.since);
  step_.records.push_back(model::warning_raised{
    run.key_of(task),
    "task '" + run.name(task) + "' has been ready for " + model::to_human(waited)
      + " and waits for: " + std::string{to_string(why_ready_waits(run, task))},
    now_});
}

/// What is ready when a step ends is looked at later.
void scheduler_core::plan_look() {
  const bool is_any_ready = std::any_of(order_.begin(), order_.end(),
                                        [](const ready_order& order) { return order.size() > 0; });
  if (!long_wait_due_ && is_any_ready)
    long_wait_due_ = now_ + options_.long_wait;
}

} // namespace sluice::logic

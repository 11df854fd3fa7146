// Kinds of tasks that keep failing: which tasks their breakers hold back, which one is the probe,
// and what follows when a breaker opens or closes. Reaches over runs, so it is done at the end of a
// step (`settle_breakers`), when every run has settled.
#include "logic/retry.hpp"
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;
using model::timer_kind;

/// Null when nothing is known against tasks of its kind, as of nearly all.
scheduler_core::task_kind* scheduler_core::kind_of(const live_run& run, std::uint32_t task) {
  if (kinds_.empty())
    return nullptr;
  const auto workflow = kinds_.find(run.spec().name);
  if (workflow == kinds_.end())
    return nullptr;
  const auto kind = workflow->second.find(run.task_spec(task).name);
  return kind == workflow->second.end() ? nullptr : &kind->second;
}

void scheduler_core::stir(const live_run& run, std::uint32_t task) {
  stirred_.emplace(run.spec().name, run.task_spec(task).name);
}

/// The run is paused, or goes on: which of its tasks may be probes is another matter now.
void scheduler_core::stir_kinds_of(const live_run& run) {
  if (const auto workflow = kinds_.find(run.spec().name); workflow != kinds_.end())
    for (const auto& [task, kind] : workflow->second)
      stirred_.emplace(workflow->first, task);
}

/// Whether the task has to wait instead of being ready. If a probe is due, it becomes it, unless
/// its run is paused: nothing would come of it. Its fallback and its rollback are other actions,
/// and what is known against the task does not concern them.
bool scheduler_core::is_held_back(const live_run& run, std::uint32_t task) {
  auto* kind = kind_of(run, task);
  if (kind == nullptr || !run.tasks[task].does_its_action() || !kind->breaker.is_open())
    return false;
  if (!run.is_paused())
    return !kind->breaker.admits({run.run_no, task}, now_);
  give_up_probe(run, task);
  return true;
}

/// Waits for the end of the pause, or for what comes of the probe.
void scheduler_core::wait_for_breaker(live_run& run, std::uint32_t task,
                                      std::optional<model::wall_time> due) {
  auto& kind = *kind_of(run, task);
  move_task(run, task, task_state::waiting, std::string{to_string(model::wait_reason::breaker)},
            std::nullopt, due);
  std::get<model::task_moved>(step_.records.back()).breaker = kind.breaker.state();
  kind.waiting.insert({run.run_no, task});
  if (!kind.breaker.probe())
    wait_until(run, task, *kind.breaker.state().open_until);
}

void scheduler_core::wait_until(live_run& run, std::uint32_t task, model::wall_time end_of_pause) {
  const timer_slot slot{task, timer_kind::breaker};
  if (const auto set = run.timers.find(slot);
      set == run.timers.end() || set->second != end_of_pause)
    set_timer(run, slot, end_of_pause);
}

void scheduler_core::breaker_is_due(live_run& run, std::uint32_t task, model::wall_time due) {
  auto* kind = kind_of(run, task);
  if (kind != nullptr && !run.is_paused() && kind->breaker.try_with({run.run_no, task}))
    release_from_breaker(run, task, due);
}

void scheduler_core::release_from_breaker(live_run& run, std::uint32_t task,
                                          std::optional<model::wall_time> due) {
  move_task(run, task, task_state::ready, std::string{to_string(model::wait_reason::breaker)},
            std::nullopt, due);
  make_ready_again(run, task, place::last);
}

/// The task goes to another state: it waits no more, and may be the probe no more.
void scheduler_core::follow_with_breaker(const live_run& run, std::uint32_t task, task_state to) {
  auto* kind = kind_of(run, task);
  if (kind == nullptr)
    return;
  if (run.tasks[task].state == task_state::waiting)
    kind->waiting.erase({run.run_no, task});
  if (!is_active(to) && as_stored(to) != task_state::pending)
    give_up_probe(run, task);
}

/// Nothing more will come of the task that says anything.
void scheduler_core::give_up_probe(const live_run& run, std::uint32_t task) {
  auto* kind = kind_of(run, task);
  if (kind != nullptr && kind->breaker.give_up({run.run_no, task}))
    stir(run, task);
}

/// What an attempt that ends says about its kind, when that changes what is known.
std::optional<model::breaker_state>
scheduler_core::judge_kind(const live_run& run, const model::attempt_key& key,
                           const std::optional<model::failure>& failure) {
  const auto task = key.task_idx;
  if (!run.tasks[task].does_its_action())
    return std::nullopt;
  if (failure) {
    if (!may_pass_by_itself(run.retry_policy(task), *failure))
      return std::nullopt;
    auto& breaker = kinds_[run.spec().name][run.task_spec(task).name].breaker;
    if (breaker.fail(key.task(), now_, options_.breaker)) {
      stir(run, task);
      step_.records.push_back(
        model::warning_raised{key,
                              "its breaker is open: " + std::to_string(breaker.state().failures)
                                + " attempts in a row failed, another one follows in "
                                + model::to_text(options_.breaker.pause) + " at the earliest",
                              now_});
    }
    return breaker.state();
  }
  auto* kind = kind_of(run, task);
  if (kind == nullptr)
    return std::nullopt;
  kind->breaker.succeed();
  stir(run, task);
  return kind->breaker.state();
}

void scheduler_core::settle_breakers() {
  while (!stirred_.empty()) {
    actor_ = "scheduler"; // whoever caused it
    const auto [workflow, task] = std::move(stirred_.extract(stirred_.begin()).value());
    const auto of_workflow = kinds_.find(workflow);
    if (of_workflow == kinds_.end())
      continue;
    const auto kind = of_workflow->second.find(task);
    if (kind == of_workflow->second.end())
      continue;
    if (kind->second.breaker.is_open())
      hold_back(kind->second, workflow, task);
    else
      release_all(kind->second);
    if (kind->second.breaker.state().failures == 0 && kind->second.waiting.empty()) {
      of_workflow->second.erase(kind);
      if (of_workflow->second.empty())
        kinds_.erase(of_workflow);
    }
  }
}

/// The breaker has opened, its probe is gone, or other tasks may be it: what is ready waits, and
/// all have to know until when.
void scheduler_core::hold_back(task_kind& kind, const std::string& workflow,
                               const std::string& task_name) {
  for_each_of_kind(workflow, task_name, [&](live_run& run, std::uint32_t task) {
    if (run.tasks[task].state != task_state::ready || !is_held_back(run, task))
      return;
    unqueue(run, task);
    wait_for_breaker(run, task);
  });
  if (kind.breaker.probe() || kind.waiting.empty())
    return;
  if (!kind.breaker.is_half_open(now_)) {
    for (const auto& key : kind.waiting)
      wait_until(runs_.at(key.run_no), key.task_idx, *kind.breaker.state().open_until);
    return;
  }
  const auto next = std::find_if(kind.waiting.begin(), kind.waiting.end(), [&](const auto& key) {
    return !runs_.at(key.run_no).is_paused();
  });
  if (next == kind.waiting.end())
    return; // until one of their runs goes on
  kind.breaker.try_with(*next);
  release_and_settle(*next);
}

void scheduler_core::release_all(task_kind& kind) {
  for (const auto& key : std::exchange(kind.waiting, {}))
    release_and_settle(key);
}

void scheduler_core::release_and_settle(model::task_key key) {
  live_run& run = runs_.at(key.run_no);
  guarded(run, [&] {
    release_from_breaker(run, key.task_idx);
    settle(run);
  });
}

/// Tasks of one kind in live runs. Names are compared one by one: breakers seldom open.
template <class Visit>
void scheduler_core::for_each_of_kind(const std::string& workflow, const std::string& task_name,
                                      const Visit& visit) {
  for (auto& [run_no, run] : runs_) {
    if (run.spec().name != workflow)
      continue;
    const auto& tasks = run.spec().tasks;
    const auto same = std::find_if(tasks.begin(), tasks.end(),
                                   [&](const auto& task) { return task.name == task_name; });
    if (same == tasks.end())
      continue;
    const auto node = run.spec().index_at(static_cast<std::uint32_t>(same - tasks.begin()));
    guarded(run, [&, live = &run] {
      const auto group = live->fan_outs.find(node);
      if (group == live->fan_outs.end())
        return visit(*live, node);
      for (auto task = group->second.range.first; task < group->second.range.end(); ++task)
        visit(*live, task);
    });
  }
}

reaction scheduler_core::restore(const std::vector<model::stored_breaker>& stored,
                                 model::wall_time now) {
  now_ = now;
  actor_ = "scheduler";
  for (const auto& row : stored) {
    auto& kind = kinds_[row.workflow][row.task];
    kind.breaker = breaker{row.state};
    // Whoever was the probe is not stored: what is under way when one is due tells as much.
    if (kind.breaker.is_half_open(now))
      for_each_of_kind(row.workflow, row.task, [&](live_run& run, std::uint32_t task) {
        if (is_active(run.tasks[task].state) && run.tasks[task].does_its_action())
          kind.breaker.try_with({run.run_no, task});
      });
  }
  for (const auto& [workflow, kinds] : kinds_)
    for (const auto& [task, kind] : kinds)
      if (kind.breaker.is_open() || !kind.waiting.empty())
        stirred_.emplace(workflow, task);
  settle_breakers();
  take_up_children();
  return finish_step();
}

} // namespace sluice::logic

// What holds for the tasks of a group together: the time that they have, how many of them run at
// once, and that they are cancelled together. And how tasks end because of something beside them.
#include "logic/scheduler_core.hpp"
#include "model/nearest_name.hpp"

#include <algorithm>

namespace sluice::logic {

using model::stop_reason;
using model::task_state;
using model::timer_kind;

namespace {

const std::optional<std::string>& label_of(const model::workflow_spec& workflow,
                                           std::uint32_t task) {
  return setting_of(workflow, workflow.task(task), &model::task_settings::group);
}

error no_such_group(const model::workflow_spec& workflow, const std::string& name) {
  std::vector<std::string> known;
  for (const auto task : workflow.indices())
    if (const auto& label = label_of(workflow, task);
        label && (known.empty() || known.back() != *label))
      known.push_back(*label);
  return {errc::not_found, "workflow '" + workflow.name + "' has no group '" + name + "'"
                             + model::did_you_mean(name, known)};
}

bool has_group(const model::workflow_spec& workflow, const std::string& name) {
  for (const auto task : workflow.indices())
    if (label_of(workflow, task) == name)
      return true;
  return false;
}

} // namespace

/// The first attempt of a group begins its time. While anything of the group may start, its timer
/// is set from then on.
void scheduler_core::begin_timebox(live_run& run, std::uint32_t task) {
  const auto group = run.declared_group(task);
  if (!group || run.cleans_up(task))
    return;
  const auto& timebox = run.spec().groups[*group].timebox;
  const timer_slot slot{std::nullopt, timer_kind::timebox, *group};
  if (timebox && !run.timers.contains(slot))
    set_timer(run, slot, now_ + *timebox);
}

void scheduler_core::timebox_is_over(live_run& run, const model::timer& due) {
  const auto& group = run.spec().groups[*due.group];
  const model::failure why{model::failure_class::deadline, std::string{to_string(due.kind)},
                           "group '" + group.name + "' was not done within its timebox of "
                             + model::to_text(*group.timebox)};
  for (const auto member : run.workflow->members(*due.group))
    run.for_each_counted(member, [&](std::uint32_t task) {
      fail_early(run, task, stop_reason::deadline, why, reach::all, due.due);
    });
}

/// Those of the run and of its groups: nothing but clean-up is left.
void scheduler_core::remove_common_timers(live_run& run) {
  remove_timer(run, {std::nullopt, timer_kind::deadline});
  for (std::uint32_t group = 0; group < run.groups.size(); ++group)
    remove_timer(run, {std::nullopt, timer_kind::timebox, group});
  if (run.pots.empty())
    return;
  remove_timer(run, {std::nullopt, timer_kind::budget});
  for (std::uint32_t group = 0; group < run.groups.size(); ++group)
    remove_timer(run, {std::nullopt, timer_kind::budget, group});
}

/// The front of the queue has had its turn, and its group may start nothing more for now. Whoever
/// was put off by the run may have the turn instead.
void scheduler_core::put_off(live_run& run, task_group& group, capacity_pool pool) {
  const auto entry = order_[std::size_t(pool)].drop();
  group.put_off[std::size_t(pool)].insert({run.priority(entry.task.task_idx), entry});
  call_up(run);
}

/// As many of what was put off for its group have their turn again as the group may start.
void scheduler_core::call_up_group(live_run& run, std::uint32_t task) {
  const auto index = run.declared_group(task);
  if (!index || run.full_group(task) != nullptr)
    return;
  const auto& most = run.spec().groups[*index].active_tasks;
  if (!most)
    return;
  auto& group = run.groups[*index];
  for (std::size_t pool = 0; pool < capacity_pool_count; ++pool) {
    auto& waiting = group.put_off[pool];
    for (auto left = *most - group.active; left > 0 && !waiting.empty(); --left) {
      const auto next = waiting.extract(waiting.begin()).value();
      queue(run, capacity_pool(pool), next.base, next.entry);
    }
  }
}

/// The task fails because of something beside it: at once if nothing of it runs, else when it has
/// stopped. What is being stopped to go on later does not go on. Clean-up is left alone.
void scheduler_core::fail_early(live_run& run, std::uint32_t task, stop_reason why,
                                const model::failure& failure, reach how_far,
                                std::optional<model::wall_time> due) {
  auto& entry = run.tasks[task];
  if (is_terminal(entry.state) || run.stands_for_instances(task) || run.cleans_up(task))
    return;
  if (!is_active(entry.state)) {
    note_failure(run, task, failure.message);
    const std::string reason{why == stop_reason::budget ? to_string(why)
                                                        : std::string_view{failure.code}};
    return move_task(run, task, task_state::failed, reason, failure, due);
  }
  const bool ends_anyway = entry.stop == stop_reason::cancel || entry.stop == stop_reason::deadline
                           || entry.stop == stop_reason::budget;
  if (how_far == reach::what_waits || (entry.state == task_state::cancelling && ends_anyway))
    return;
  entry.stop = why;
  run.stops.insert_or_assign(task, failure);
  move_task(run, task, task_state::cancelling, std::string{to_string(why)}, failure, due);
  ask_to_stop(run, task, model::cancel_mode::graceful);
}

/// What a task fails by whose attempt was stopped for good; `code` tells how the attempt ended.
model::failure scheduler_core::failure_of_stop(live_run& run, std::uint32_t task,
                                               const std::string& code) {
  if (auto known = run.stops.extract(task))
    return std::move(known.mapped());
  return {model::failure_class::deadline, code, run.deadline_text(task)};
}

/// As when its run is cancelled, but the run goes on.
void scheduler_core::cancel_early(live_run& run, std::uint32_t task, model::cancel_mode mode) {
  auto& entry = run.tasks[task];
  if (is_terminal(entry.state) || run.stands_for_instances(task) || run.cleans_up(task))
    return;
  const std::string reason{to_string(stop_reason::cancel)};
  if (!is_active(entry.state))
    return move_task(run, task, task_state::cancelled, reason);
  if (entry.stop != stop_reason::cancel || entry.state != task_state::cancelling) {
    entry.stop = stop_reason::cancel;
    move_task(run, task, task_state::cancelling, reason);
  }
  ask_to_stop(run, task, mode);
}

expected<model::control_result> scheduler_core::cancel(live_run& run,
                                                       const model::cancel_group& what) {
  const auto& workflow = run.spec();
  if (!has_group(workflow, what.group))
    return tl::unexpected(no_such_group(workflow, what.group));
  if (run.state != model::run_state::running)
    return fail(errc::conflict, "run " + to_string(run.run_no) + " is "
                                  + std::string{to_string(run.state)} + " already");
  model::control_result result{run.run_no, run.generation, {}, run.counted_tasks()};
  guarded(run, [&] {
    for (const auto member : workflow.indices()) {
      if (label_of(workflow, member) != what.group)
        continue;
      run.for_each_counted(member, [&](std::uint32_t task) {
        const auto before = run.tasks[task].state;
        cancel_early(run, task, what.mode);
        if (run.tasks[task].state != before)
          result.tasks.push_back(run.name(task));
      });
    }
    result.kept -= result.tasks.size();
    actor_ = "scheduler"; // what follows is its decision
    settle(run);
  });
  return result;
}

/// Of a run that is not in progress.
expected<model::control_result> scheduler_core::cancel(const model::stored_run& run,
                                                       const model::cancel_group& what) {
  if (!has_group(*run.workflow, what.group))
    return tl::unexpected(no_such_group(*run.workflow, what.group));
  const auto id = "run " + to_string(run.run_no);
  return fail(errc::conflict,
              is_terminal(run.state)
                ? id + " has ended: it is " + std::string{to_string(run.state)}
                : id + " is not in progress: go on with it first, or cancel all of it");
}

} // namespace sluice::logic

// Tasks that are done once for each of some items. Such a task stays pending while its instances go
// their ways, and ends as they did. Instances are admitted a few at a time: only those have their
// inputs worked out, so that a million of them need little memory and one pass. Who has room is
// looked after at the end of a step.
#include "logic/fan_out.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/spec_checks.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;

namespace {

constexpr std::size_t most_admitted = 64;

bool has_room(const live_run& run, const instance_group& group) {
  const auto& limit = run.spec().task(group.range.task).fan_out->max_parallel;
  return !limit || group.active + group.queued.size() < *limit;
}

/// Whether so many have failed that the task has too, whatever becomes of the others.
bool is_lost(const model::fan_out_spec& wanted, const instance_group& group) {
  const auto may_succeed = group.succeeded + group.undecided;
  return group.failed > wanted.max_failures
         || (wanted.min_success && group.failed + group.cancelled > 0
             && may_succeed < *wanted.min_success);
}

std::string text_of_failure(const live_run& run, const instance_group& group) {
  const auto total = std::to_string(group.size());
  const auto& wanted = *run.spec().task(group.range.task).fan_out;
  auto too_few =
    "only " + std::to_string(group.succeeded) + " of " + total + " instances succeeded";
  if (wanted.min_success && group.succeeded < *wanted.min_success)
    too_few += ", fewer than the " + std::to_string(*wanted.min_success) + " of min_success";
  else
    too_few += ", others were left out";
  if (group.failed == 0)
    return too_few;
  const auto first = "the first one '" + run.name(group.first_failed)
                     + (group.failed_with.empty() ? "'" : "': " + group.failed_with);
  if (group.failed <= wanted.max_failures)
    return too_few + "; of those that failed " + first;
  return std::to_string(group.failed) + " of " + total + " instances failed, " + first;
}

} // namespace

/// The task's rules hold: it is done for each of its items from now on.
void scheduler_core::expand(live_run& run, std::uint32_t task) {
  if (run.fan_outs.contains(task)) { // what it needs was read back
    hungry_.insert({run.run_no, task});
    return;
  }
  const auto& spec = run.task_spec(task);
  auto items = list_items(spec, *run.expressions(task)->fan_out, run_scope{run, task});
  if (!items)
    return fail_expression(run, task, "items: " + items.error().message);
  if (const auto same = items->duplicate())
    return fail_expression(run, task, text_of_duplicate(*items, *same));
  if (run.tasks.size() + items->size() > most_tasks_of_run)
    return fail_expression(run, task,
                           std::to_string(run.tasks.size() + items->size())
                             + " tasks in one run are more than the limit of "
                             + std::to_string(most_tasks_of_run));
  if (run.tasks[task].undecided > 0)
    freeze_undecided(run, task);
  const model::instance_range range{task, static_cast<std::uint32_t>(run.tasks.size()),
                                    std::make_shared<const model::item_list>(std::move(*items)),
                                    false};
  step_.records.push_back(
    model::task_expanded{{run.run_no, task}, run.tasks[task].attempt, range, run.generation, now_});
  touched_.insert(run.run_no);
  const auto count = range.end() - range.first;
  run.tasks.resize(run.tasks.size() + count);
  run.undecided += count;
  run.undecided_finally += run.is_finally(task) ? count : 0;
  auto& pending = run.counts[std::size_t(task_state::pending)];
  pending += count - (count > 0 ? 1 : 0); // they count in its place
  add_instances(run, range);
  if (!run.pots.empty())
    expect_instances(run, task, count);
  if (count == 0)
    judge_instances(run, task);
}

void scheduler_core::add_instances(live_run& run, model::instance_range range) {
  const auto task = range.task;
  run.ranges.push_back(range);
  if (range.superseded)
    return;
  auto& group = run.fan_outs[task];
  group.next = range.first;
  group.range = std::move(range);
  group.undecided = group.size();
  hungry_.insert({run.run_no, task});
}

/// Admits instances where there is room.
void scheduler_core::feed_instances() {
  while (!hungry_.empty()) {
    actor_ = "scheduler"; // whoever made room
    const auto key = hungry_.extract(hungry_.begin()).value();
    const auto run = runs_.find(key.run_no);
    if (run == runs_.end() || is_terminal(run->second.state))
      continue;
    guarded(run->second, [&] {
      feed(run->second, key.task_idx);
      settle(run->second);
    });
  }
}

void scheduler_core::feed(live_run& run, std::uint32_t task) {
  const auto found = run.fan_outs.find(task);
  if (found == run.fan_outs.end())
    return;
  auto& group = found->second; // stays where it is
  while (!group.parked.empty() && has_room(run, group)) {
    const auto instance = group.parked.front();
    group.parked.pop_front();
    if (is_queued(run, instance, pool_of(run, instance)))
      enqueue(run, instance, place::last);
  }
  const auto is_to_admit = [&run, this](std::uint32_t instance) {
    const auto& entry = run.tasks[instance];
    if (entry.state == task_state::pending)
      return !entry.judged || entry.was_started;
    const auto key = run.keys.find(instance);
    const bool waits_for_key = // since before a restart
      entry.state == task_state::waiting && key != run.keys.end() && key->second.empty();
    return waits_for_key
           || (entry.state == task_state::rolling_back && entry.was_started
               && !is_under_way(run, instance));
  };
  while (run.tasks[task].loads == 0 && group.next < group.range.end()
         && group.admitted() < most_admitted && has_room(run, group))
    if (const auto instance = group.next++; is_to_admit(instance))
      admit(run, instance);
}

/// Its inputs are worked out, and it is ready, unless something holds it back.
void scheduler_core::admit(live_run& run, std::uint32_t instance) {
  run.tasks[instance].judged = true;
  run.group_of(instance)->waiting.insert(instance); // until it is known to be ready
  prepare(run, instance);
}

/// Of one that was passed over, or came back: it is looked at when there is room.
void scheduler_core::admit_later(live_run& run, std::uint32_t instance) {
  auto& group = *run.group_of(instance);
  group.next = std::min(group.next, instance);
  hungry_.insert({run.run_no, group.range.task});
}

/// Puts what is ready into the queue; of a group that is as busy as it may be, beside it.
void scheduler_core::enqueue(live_run& run, std::uint32_t task, place where) {
  if (auto* group = run.group_of(task)) {
    group->waiting.erase(task);
    if (!has_room(run, *group)) {
      where == place::first ? group->parked.push_front(task) : group->parked.push_back(task);
      return;
    }
    group->queued.insert(task);
  }
  const auto turn = ++turns_;
  const auto pool = pool_of(run, task);
  const bool yields =
    run.priority(task) < model::normal_priority
    && order_[std::size_t(pool)].open_size() > backlog_per_slot * limit_[std::size_t(pool)];
  queue(run, pool, run.priority(task),
        {.task = {run.run_no, task},
         .since = now_,
         .due = run.due(task).value_or(due_without_deadline(now_)),
         .rank = run.workflow->rank(run.node(task)),
         .was_given_back = where == place::first,
         .yields = yields ? points_under_load : std::uint8_t{0},
         .turn = turn});
  if (const auto again = run.turns.find(task); again != run.turns.end())
    again->second = turn;
}

/// Takes out what was ready.
void scheduler_core::unqueue(live_run& run, std::uint32_t task) {
  run.turns[task] = 0;
  auto* group = run.group_of(task);
  if (group == nullptr)
    return;
  group->queued.erase(task);
  std::erase(group->parked, task);
  hungry_.insert({run.run_no, group->range.task});
}

/// An instance goes to another state: it may make room.
void scheduler_core::follow_with_group(live_run& run, std::uint32_t task, task_state to) {
  auto* group = run.group_of(task);
  if (group == nullptr || as_stored(to) == task_state::pending)
    return;
  if (to == task_state::waiting && !run.held.contains(task)) {
    if (group->queued.erase(task) != 0)
      group->waiting.insert(task);
  } else {
    group->queued.erase(task);
    group->waiting.erase(task);
  }
  hungry_.insert({run.run_no, group->range.task});
}

/// Counts how an instance ended.
void scheduler_core::tally(live_run& run, instance_group& group, std::uint32_t instance) {
  const auto& entry = run.tasks[instance];
  --group.undecided;
  if (entry.has_failed())
    ++group.failed;
  else if (entry.state == task_state::cancelled && !entry.completed)
    ++group.cancelled;
  else if (entry.state == task_state::succeeded || entry.completed)
    ++group.succeeded;
}

/// An instance is decided.
void scheduler_core::settle_instance(live_run& run, std::uint32_t instance) {
  auto& group = *run.group_of(instance);
  run.tasks[instance].settled = true;
  tally(run, group, instance);
  const auto task = group.range.task;
  if (group.undecided == 0)
    return judge_instances(run, task);
  const bool gives_up = run.spec().on_failure != model::on_failure::carry_on
                        && !run.is_failure_allowed(task) && !group.given_up;
  if (gives_up && is_lost(*run.task_spec(task).fan_out, group))
    give_up_instances(run, group);
}

/// The task has failed, whatever becomes of those that have not started: they are left out.
void scheduler_core::give_up_instances(live_run& run, instance_group& group) {
  for (auto instance = group.range.first; instance < group.range.end(); ++instance)
    if (const auto state = run.tasks[instance].state; !is_terminal(state) && !is_active(state))
      give_up(run, instance, trouble_of::siblings);
}

/// All instances are decided, and with them the task.
void scheduler_core::judge_instances(live_run& run, std::uint32_t task) {
  if (is_terminal(run.tasks[task].state))
    return;
  const auto& group = run.fan_outs.at(task);
  const auto& wanted = *run.task_spec(task).fan_out;
  keep_outputs(run, task, {});
  const bool too_few = wanted.min_success && group.succeeded < *wanted.min_success;
  if (group.failed > wanted.max_failures || group.given_up
      || (too_few && group.cancelled == 0 && !group.stopped)) {
    auto why = text_of_failure(run, group);
    note_failure(run, task, why);
    return move_task(run, task, task_state::failed, "instances",
                     model::failure{model::failure_class::permanent, "instances", std::move(why)});
  }
  if (group.cancelled > 0)
    return move_task(run, task, task_state::cancelled, "instances");
  if (group.stopped)
    return move_task(run, task, task_state::skipped, "run_failed");
  if (group.size() > 0 && group.succeeded + group.failed == 0)
    return move_task(run, task, task_state::skipped, "instances");
  run.degraded = run.degraded || group.failed > 0;
  move_task(run, task, task_state::succeeded, "");
}

/// The deadline of the task has passed, which is that of all its instances.
void scheduler_core::expire_instances(live_run& run, const model::timer& due) {
  const auto range = run.fan_outs.at(*due.task_idx).range;
  for (auto instance = range.first; instance < range.end(); ++instance) {
    const auto state = run.tasks[instance].state;
    if (is_terminal(state) || state == task_state::cancelling || run.tasks[instance].rolls_back)
      continue;
    if (is_active(state))
      stop_task(run, instance, model::stop_reason::deadline, due.due);
    else
      expire(run, {run.run_no, instance, due.kind, due.due}, run.deadline_text(instance));
  }
}

/// What their expressions need cannot be had.
void scheduler_core::fail_instances(live_run& run, std::uint32_t task, const std::string& message) {
  const auto range = run.fan_outs.at(task).range;
  for (auto instance = range.first; instance < range.end(); ++instance)
    if (const auto state = run.tasks[instance].state;
        !is_terminal(state) && !is_under_way(run, instance))
      fail_expression(run, instance, message);
}

} // namespace sluice::logic

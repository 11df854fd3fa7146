// Which ready task starts, when there is capacity for it, and how its attempt begins.
#include "logic/scheduler_core.hpp"

#include <algorithm>
#include <limits>

namespace sluice::logic {
namespace {

/// Of runs that attempts are, in one step: all of them are one transaction. When that is committed,
/// a step follows that goes on.
constexpr std::size_t most_begun_tasks = 10'000;

} // namespace

using model::task_state;

capacity_pool scheduler_core::pool_of(const live_run& run, std::uint32_t task) const {
  const auto& action = run.action(task);
  if (std::holds_alternative<model::workflow_action>(action))
    return pool_of_children(run.level);
  const auto* call = std::get_if<model::call_action>(&action);
  return call != nullptr && options_.is_asynchronous && options_.is_asynchronous(call->handler)
           ? capacity_pool::asynchronous_calls
           : capacity_pool::slots;
}

/// Those that had their turn while the run might start none have it again, as many as it may start.
void scheduler_core::call_up(live_run& run) {
  if (!run.may_start())
    return;
  const auto most = run.spec().active_tasks;
  const auto room = most ? *most - run.active : std::numeric_limits<std::uint32_t>::max();
  for (std::size_t pool = 0; pool < capacity_pool_count; ++pool) {
    auto& waiting = run.put_off[pool];
    for (auto left = room; left > 0 && !waiting.empty(); --left) {
      const auto next = waiting.extract(waiting.begin()).value();
      queue(run, capacity_pool(pool), next.base, next.entry);
    }
  }
}

bool scheduler_core::has_capacity(const live_run& run, std::uint32_t task, capacity_pool pool) {
  const auto busy = busy_[std::size_t(pool)];
  const auto limit = limit_[std::size_t(pool)];
  if (pool >= capacity_pool::child_runs && begun_tasks_ >= most_begun_tasks)
    return false;
  if (busy < limit)
    return true;
  // What waits for a slot when the runtime is killed has not begun, but counts as lost: a task that
  // is never repeated would fail without having been tried.
  if (const auto* policy = run.retry_policy(task); policy != nullptr && policy->never)
    return false;
  // Calls start when they are told to, so nothing may be ahead while one holds a slot.
  const auto processes = under_way_[std::size_t(model::executor_kind::process)].size();
  return pool == capacity_pool::slots && run.executor(task) == model::executor_kind::process
         && limit == scaling_.most() // which is what the executor holds others back for
         && busy == processes && busy < limit + pace_.ahead(now_);
}

/// Whether the task waits in this queue, and is not only left in it: what is to be rolled back may
/// have been ready for an action of another pool.
bool scheduler_core::is_queued(const live_run& run, std::uint32_t task, capacity_pool pool) const {
  const auto state = run.tasks[task].state;
  return state == task_state::ready
         || (state == task_state::rolling_back && !is_under_way(run, task)
             && pool_of(run, task) == pool);
}

/// Whether the task still waits for this turn.
bool scheduler_core::is_due(const live_run& run, const ready_entry& entry,
                            capacity_pool pool) const {
  const auto task = entry.task.task_idx;
  const auto turn = run.turns.find(task);
  return is_queued(run, task, pool) && entry.turn >= run.first_turn
         && (turn == run.turns.end() || turn->second == entry.turn);
}

void scheduler_core::fill_capacity() {
  if (is_draining_)
    return;
  capacity_->pass_time(now_);
  look_for_long_waits();
  if (scaling_.is_adaptive())
    judge_slots();
  dispatch_ready();
  // What was dispatched made room for others, has tasks of its own, or is over.
  while (!hungry_.empty() || !ended_children_.empty() || has_begun_runs_) {
    has_begun_runs_ = false;
    settle_step();
    dispatch_ready();
  }
}

/// Runs begin before tasks start, so that theirs have their place among the others.
void scheduler_core::dispatch_ready() {
  take_back_lanes();
  do {
    for (std::size_t n = 0; n < capacity_pool_count; ++n) {
      const auto pool = (n + std::size_t(capacity_pool::child_runs)) % capacity_pool_count;
      while (!order_[pool].empty() && dispatch_front(capacity_pool(pool)))
        ;
    }
  } while (take_back_lanes());
}

/// Deals with the task that is next. Returns false when there is no room for it, nor for another
/// one.
bool scheduler_core::dispatch_front(capacity_pool pool) {
  auto& order = order_[std::size_t(pool)];
  const auto next = order.front();
  const auto found = runs_.find(next.task.run_no);
  if (found == runs_.end()) {
    order.drop();
    return true;
  }
  auto& run = found->second;
  const auto task = next.task.task_idx;
  if (!is_due(run, next, pool)) { // decided while it queued, or taken out
    order.drop();
    call_up_group(run, task);
    call_up(run); // it may have had the turn of another one
    return true;
  }
  if (!run.may_start()) {
    run.put_off[std::size_t(pool)].insert({run.priority(task), order.drop()});
    return true;
  }
  if (auto* full = run.full_group(task)) {
    put_off(run, *full, pool);
    return true;
  }
  auto& lane = order.front_lane();
  if (!has_capacity(run, task, pool)) {
    preempt_for(run, task, lane, pool);
    return false;
  }
  if (lane.shape() != 0 && !take_needs(run, task, lane)) {
    lane.tag = std::uint8_t(pool);
    preempt_for(run, task, lane, pool);
    order.set_aside();
    return true;
  }
  order.serve(now_);
  guarded(run, [&] { dispatch_task(run, task); });
  return true;
}

void scheduler_core::dispatch_task(live_run& run, std::uint32_t task) {
  auto& entry = run.tasks[task];
  ++entry.attempt;
  entry.has_started = true;
  entry.stop = model::stop_reason::none;
  if (!entry.rolls_back) // else it stays what it is until that is done
    change_state(run, task, task_state::dispatched);
  else if (run.is_instance(task))
    follow_with_group(run, task, task_state::dispatched);
  take_capacity(run, task);
  auto start = order_for(run, task);
  model::rarely<model::capacity_grant> holds;
  if (const auto grant = run.grants.find(task); grant != run.grants.end())
    start.holds = holds = grant->second;
  model::rarely<std::string> key_digest;
  if (const auto held = run.keys.find(task); held != run.keys.end())
    key_digest = held->second;
  const auto executor = run.executor(task);
  if (!run.groups.empty())
    begin_timebox(run, task);
  if (!run.pots.empty())
    begin_use(run, task, start);
  step_.records.push_back(model::attempt_dispatched{
    start.key, executor, start.inputs.is_null() ? std::string{} : model::to_text(start.inputs),
    now_, run.generation, start.role, key_digest, std::move(holds)});
  if (executor == model::executor_kind::workflow)
    start_child(run, task, start.inputs);
  else
    step_.effects.push_back(std::move(start));
}

/// What an executor needs to start the task's attempt.
model::start_attempt scheduler_core::order_for(live_run& run, std::uint32_t task) const {
  const auto& entry = run.tasks[task];
  const auto executor = run.executor(task);
  model::start_attempt start;
  start.key = run.key_of(task);
  start.workflow = run.workflow->shared_spec();
  start.task = run.node(task);
  if (const auto* group = run.group_of(task))
    start.instance = model::instance_of{task - group->range.first, group->size(),
                                        group->range.items->name(task - group->range.first)};
  start.role = run.role(task);
  start.env = run.env;
  start.has_checkpoint = entry.checkpointed;
  start.has_snapshot = entry.rolls_back && run.snapshots.contains(task);
  start.takes_snapshot =
    !entry.rolls_back && executor == model::executor_kind::process && run.lacks_snapshot(task);
  start.has_result =
    start.role == model::command_role::compensate && declares_output(run.task_spec(task), "");
  if (const auto values = run.prepared.find(task); values != run.prepared.end()) {
    start.inputs = values->second.inputs; // kept: a lost attempt starts again with the same
    for (const auto& [name, text] : values->second.env) {
      const auto same = std::find_if(start.env.begin(), start.env.end(),
                                     [&](const auto& e) { return e.first == name; });
      if (same != start.env.end())
        same->second = text;
      else
        start.env.emplace_back(name, text);
    }
  }
  return start;
}

void scheduler_core::take_capacity(live_run& run, std::uint32_t task) {
  under_way_[std::size_t(run.executor(task))].insert(run.key_of(task));
  ++busy_[std::size_t(pool_of(run, task))];
  ++run.active;
  if (run.is_preemptible(task))
    preemptible_.emplace(run.priority(task), run.key_of(task));
  if (auto* group = run.group_of(task))
    ++group->active;
  if (const auto declared = run.declared_group(task))
    ++run.groups[*declared].active;
}

void scheduler_core::release_capacity(live_run& run, const model::attempt_key& key) {
  const auto executor = run.executor(key.task_idx);
  if (under_way_[std::size_t(executor)].erase(key) == 0)
    return;
  give_back_needs(run, key.task_idx);
  if (!preemptible_.empty())
    preemptible_.erase({run.priority(key.task_idx), key});
  if (!preempting_.empty())
    preempting_.erase(key);
  --busy_[std::size_t(pool_of(run, key.task_idx))];
  --run.active;
  if (auto* group = run.group_of(key.task_idx)) {
    --group->active;
    hungry_.insert({run.run_no, group->range.task});
  }
  if (const auto declared = run.declared_group(key.task_idx))
    --run.groups[*declared].active;
  call_up(run);
  call_up_group(run, key.task_idx);
}

} // namespace sluice::logic

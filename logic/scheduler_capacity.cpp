// What tasks need beside slots: found out with their inputs, taken when they start, and given back
// when their attempts end, so that nothing is held while a task waits to try again.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

using model::capacity_kind;
using model::task_settings;

/// What all alternatives have in common comes first: who waits for a key is looked at when that
/// comes back, and at no other time.
capacity_demand demand_of(const std::vector<model::capacity_need>& common,
                          const std::optional<std::vector<model::resource_amounts>>& resources) {
  if (!resources)
    return {common};
  capacity_demand demand;
  for (const auto& amounts : *resources) {
    auto& needs = demand.emplace_back(common);
    for (const auto& [name, amount] : amounts)
      needs.push_back({.kind = capacity_kind::resource, .name = name, .amount = amount});
  }
  return demand;
}

} // namespace

/// The text of a key of `concurrency` or `rate`; the task's own when it says none.
expected<std::string> scheduler_core::limit_key(const live_run& run, std::uint32_t task,
                                                const std::optional<value_template>& text) const {
  if (!text)
    return run.spec().name + "/" + run.task_spec(task).name;
  const auto filled = text->fill(run_scope{run, task});
  if (!filled)
    return tl::unexpected(filled.error());
  auto key = model::to_plain_text(*filled);
  if (const auto valid = model::check_key(key); !valid)
    return tl::unexpected(valid.error());
  return key;
}

/// Finds out what the task needs beside a slot. On an error it has failed, and false is returned.
bool scheduler_core::evaluate_needs(live_run& run, std::uint32_t task,
                                    const capacity_expressions& expressions) {
  const auto& spec = run.spec();
  const auto& own = run.task_spec(task);
  std::vector<model::capacity_need> common;
  const auto add = [&](capacity_kind kind, const auto& limit, const auto& text, const char* name) {
    auto key = limit_key(run, task, text);
    if (!key) {
      fail_expression(run, task, std::string{name} + ".key: " + key.error().message);
      return false;
    }
    common.push_back({.kind = kind, .name = std::move(*key), .amount = 1, .limit = limit.max});
    return true;
  };
  if (const auto& limit = setting_of(spec, own, &task_settings::concurrency);
      limit && !add(capacity_kind::key, *limit, expressions.concurrency_key, "concurrency"))
    return false;
  if (const auto& limit = setting_of(spec, own, &task_settings::rate)) {
    if (!add(capacity_kind::rate, *limit, expressions.rate_key, "rate"))
      return false;
    common.back().per = limit->per;
  }
  if (child_of(own) != nullptr) { // it holds nothing that its own tasks may need
    for (auto& need : common)
      need.name += " (runs at level " + std::to_string(run.level + 1) + ")";
    return hold_shape(run, task, {common});
  }
  if (const auto& pool = setting_of(spec, own, &task_settings::pool))
    common.push_back({.kind = capacity_kind::pool, .name = *pool, .amount = 1});
  return hold_shape(run, task, demand_of(common, setting_of(spec, own, &task_settings::resources)));
}

bool scheduler_core::hold_shape(live_run& run, std::uint32_t task, const capacity_demand& demand) {
  const auto shape = capacity_->hold(demand);
  let_go_of_shape(run, task); // of before, if there is one
  if (auto why = capacity_->why_never(shape)) {
    capacity_->let_go(shape);
    if (run.tasks[task].rolls_back) // on a smaller machine than before: it is undone all the same
      return true;
    note_failure(run, task, *why);
    move_task(run, task, model::task_state::failed, "resource",
              model::failure{model::failure_class::resource, "too_large", std::move(*why)});
    return false;
  }
  run.shapes.emplace(task, shape);
  return true;
}

void scheduler_core::let_go_of_shape(live_run& run, std::uint32_t task) {
  if (const auto held = run.shapes.extract(task))
    capacity_->let_go(held.mapped());
}

/// The run is over.
void scheduler_core::let_go_of_shapes(live_run& run) {
  for (const auto& [task, shape] : std::exchange(run.shapes, {}))
    capacity_->let_go(shape);
}

/// Puts a task that is ready into the order.
void scheduler_core::queue(live_run& run, capacity_pool pool, model::priority base,
                           const ready_entry& entry) {
  const auto shape = run.shapes.find(entry.task.task_idx);
  auto* lane = order_[std::size_t(pool)].add({run.spec().name, run.user}, base, entry,
                                             shape == run.shapes.end() ? 0 : shape->second);
  if (lane != nullptr && lane->is_parked())
    capacity_->wake(*lane); // it has another place among those that wait now
}

/// Takes all that the task needs. Returns false when there is not enough: its lane waits.
bool scheduler_core::take_needs(live_run& run, std::uint32_t task, ready_order::lane& lane) {
  const auto alternative = capacity_->fitting(lane);
  if (!alternative) {
    capacity_->park(lane, lane.place(), now_);
    return false;
  }
  run.grants.insert_or_assign(task, capacity_->take(lane, *alternative, now_));
  return true;
}

void scheduler_core::give_back_needs(live_run& run, std::uint32_t task) {
  if (run.grants.empty())
    return;
  if (const auto held = run.grants.extract(task))
    capacity_->give_back(held.mapped());
}

void scheduler_core::restore(const model::stored_capacity& stored, model::wall_time now) {
  for (const auto& what : stored.limits) {
    store_limits_.emplace(std::pair{what.kind, what.name}, what);
    apply(what);
  }
  for (const auto& start : stored.starts) {
    auto rates = start.holds;
    std::erase_if(rates.taken, [&](const model::capacity_need& need) {
      return need.kind != capacity_kind::rate || start.at + need.per <= now;
    });
    capacity_->take_again(rates, std::min(start.at, now)); // the clock may have been set back
  }
}

/// Of an attempt that is under way since before a restart.
void scheduler_core::restore_needs(live_run& run, std::uint32_t task,
                                   const model::stored_run& stored) {
  const auto found = stored.holds.find(task);
  if (found == stored.holds.end())
    return;
  auto grant = found->second;
  std::erase_if(grant.taken, [](const model::capacity_need& need) {
    return need.kind == capacity_kind::rate; // those of ended ones count too, so that is apart
  });
  capacity_->take_again(grant, now_);
  run.grants.emplace(task, std::move(grant));
}

/// Lanes that may fit now count again. Returns whether there are any.
bool scheduler_core::take_back_lanes() {
  const auto woken = capacity_->take_woken();
  for (auto* waiter : woken)
    order_[waiter->tag].take_back(static_cast<ready_order::lane&>(*waiter));
  return !woken.empty();
}

/// Somebody waits for a rate, or for more slots, and nothing else has to happen before that goes
/// on.
void scheduler_core::ask_for_wake_up() {
  auto next = capacity_->next_return();
  const auto look = scaling_.next_look(order_[std::size_t(capacity_pool::slots)].open_size());
  if (look && (!next || *look < *next))
    next = look;
  plan_look();
  if (long_wait_due_ && (!next || *long_wait_due_ < *next))
    next = long_wait_due_;
  if (next && next != wake_asked_) {
    wake_asked_ = next;
    step_.effects.push_back(model::wake_up{*next});
  }
}

} // namespace sluice::logic

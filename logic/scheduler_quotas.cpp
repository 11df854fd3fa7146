// Gates that let only so many pass in a time, of all runs of a store. Those that wait do so in
// order of their arrival; only the first of them has a timer. Reaches over runs, so it is done at
// the end of a step (`settle_quotas`).
#include "logic/gate.hpp"
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;
using model::timer_kind;
using model::wait_reason;

namespace {

const model::gate_spec& gate_of(const live_run& run, std::uint32_t task) {
  return *std::get<model::gate_action>(run.task_spec(task).action).what;
}

} // namespace

/// When the next one may pass; nothing: now.
std::optional<model::wall_time> scheduler_core::room_in(const quota_book& book,
                                                        const model::quota_limit& limit) const {
  if (book.passes.size() < limit.max)
    return std::nullopt;
  const auto free_at = book.passes[book.passes.size() - limit.max] + limit.per;
  return free_at > now_ ? std::optional{free_at} : std::nullopt;
}

void scheduler_core::begin_quota(live_run& run, std::uint32_t task) {
  const auto& gate = gate_of(run, task);
  const auto& name = model::gate_name(run.task_spec(task));
  auto& book = quotas_[name];
  const auto free_at = room_in(book, *gate.quota);
  if (!free_at && book.waiting.empty())
    return pass_quota(run, task, book);
  if (gate.on_closed.value_or(model::on_closed::wait) != model::on_closed::wait)
    return turn_away(run, task, state_when_rejected(gate), "quota",
                     "quota '" + name + "': " + std::to_string(gate.quota->max)
                       + " have passed within " + model::to_text(gate.quota->per),
                     {});
  wait_at_gate(run, task, {.reason = wait_reason::quota, .name = name});
  book.waiting.emplace(now_, model::task_key{run.run_no, task});
  stirred_quotas_.insert(name);
}

void scheduler_core::pass_quota(live_run& run, std::uint32_t task, quota_book& book,
                                std::optional<model::wall_time> due) {
  book.passes.push_back(now_);
  if (book.passes.size() > model::most_passes)
    book.passes.pop_front();
  model::gate_passed how{.reason = wait_reason::quota, .due = due};
  how.quota = model::quota_pass{model::gate_name(run.task_spec(task)), ++book.last_number, now_};
  pass_gate(run, task, std::move(how));
}

/// Lets pass who may; the first of those who may not has a timer.
void scheduler_core::settle_quotas() {
  while (!stirred_quotas_.empty()) {
    actor_ = "scheduler"; // whoever caused it
    const auto name = stirred_quotas_.extract(stirred_quotas_.begin()).value();
    auto& book = quotas_[name];
    while (!book.waiting.empty()) {
      const auto key = book.waiting.begin()->second;
      auto& run = runs_.at(key.run_no);
      const timer_slot slot{key.task_idx, timer_kind::gate};
      if (const auto free_at = room_in(book, *gate_of(run, key.task_idx).quota)) {
        if (const auto set = run.timers.find(slot);
            set == run.timers.end() || set->second != *free_at)
          guarded(run, [&] { set_timer(run, slot, *free_at); });
        break;
      }
      book.waiting.erase(book.waiting.begin());
      guarded(run, [&] {
        if (run.tasks[key.task_idx].state == task_state::waiting)
          pass_quota(run, key.task_idx, book);
        settle(run);
      });
    }
  }
}

} // namespace sluice::logic

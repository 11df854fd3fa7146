// What operators ask of runs. One that is in progress is here; any other one is read back first,
// behind everything about it that is not committed yet. What is asked of single tasks is in
// scheduler_task_control.cpp.
#include "logic/generation.hpp"
#include "logic/scheduler_core.hpp"
#include "model/overloaded.hpp"

#include <utility>

namespace sluice::logic {

using model::task_state;

namespace {

/// Of those that the task was fanned out into last.
model::state_counts states_of_instances(const model::stored_run& run, std::uint32_t task) {
  model::state_counts counts{};
  const auto* range = model::current_range(run.fan_outs, task);
  for (auto idx = range->first; idx < range->end(); ++idx)
    ++counts[std::size_t(run.tasks[idx].state)];
  return counts;
}

} // namespace

void scheduler_core::on(const model::control_requested& e) {
  if (const auto* what = std::get_if<model::set_switch>(&e.what)) {
    actor_ = e.actor;
    step_.effects.push_back(model::answer_control{e.request, set(*what)});
    return;
  }
  if (const auto* what = std::get_if<model::set_store_limit>(&e.what)) {
    step_.effects.push_back(model::answer_control{e.request, set(*what)});
    return;
  }
  const auto live = runs_.find(e.run_no);
  const auto being_read = asked_.find(e.run_no);
  if (live != runs_.end() && being_read == asked_.end()) {
    actor_ = e.actor;
    step_.effects.push_back(model::answer_control{e.request, act_live(e, live->second)});
    return;
  }
  auto& waiting = asked_[e.run_no];
  if (waiting.empty())
    step_.effects.push_back(model::load_run{e.run_no});
  waiting.push_back(e);
}

void scheduler_core::on(const model::run_loaded& e) {
  auto asked = asked_.extract(e.run_no);
  if (!asked)
    return;
  auto& waiting = asked.mapped();
  const auto first = std::move(waiting.front());
  waiting.pop_front();
  actor_ = first.actor;
  const auto live = runs_.find(e.run_no); // it was submitted meanwhile
  auto result = live != runs_.end()
                  ? act_live(first, live->second)
                  : e.run.and_then([&](const auto& run) { return act(first, *run); });
  step_.effects.push_back(model::answer_control{first.request, std::move(result)});
  for (const auto& next : waiting)
    on(next); // what was read does not hold any more
}

expected<model::control_result> scheduler_core::act(const model::control_requested& asked,
                                                    const model::stored_run& run) {
  const bool begins_anew = std::holds_alternative<model::retry_run>(asked.what)
                           || std::holds_alternative<model::rollback_run>(asked.what);
  if (run.parent && begins_anew)
    return fail(errc::conflict, "run " + to_string(run.run_no) + " is part of run "
                                  + to_string(run.parent->run_no)
                                  + ", and has ended for it: ask that of the whole");
  return std::visit(
    model::overloaded{
      [&](const model::retry_run& what) { return retry(run, what); },
      [&](const model::retry_task& what) { return retry(run, what); },
      [&](const model::mark_task& what) { return mark(run, what); },
      [&](const model::pause_run&) { return set_paused(run, true); },
      [&](const model::resume_run&) { return set_paused(run, false); },
      [&](const model::pause_task& what) { return set_paused(run, what.task, true); },
      [&](const model::resume_task& what) { return set_paused(run, what.task, false); },
      [&](const model::rollback_run&) { return rollback(run); },
      [&](const model::cancel_group& what) { return cancel(run, what); },
      [&](const model::decide_gate& what) { return decide_by_hand(run, what); },
      [&](const model::send_signal& what) { return send(run, what); },
      [&](const model::set_switch& what) { return set(what); },
      [&](const model::set_store_limit& what) { return set(what); },
      [&](const model::add_tasks& what) { return add(run, what); },
    },
    asked.what);
}

expected<model::control_result> scheduler_core::act_live(const model::control_requested& asked,
                                                         live_run& run) {
  using result = expected<model::control_result>;
  const auto refuse = [&]() -> result {
    return fail(errc::conflict, "run " + to_string(asked.run_no) + " has not ended: it is "
                                  + std::string{to_string(run.state)});
  };
  const bool is_of_run = std::holds_alternative<model::pause_run>(asked.what)
                         || std::holds_alternative<model::resume_run>(asked.what);
  if (run.state == model::run_state::queued && !is_of_run)
    return fail(errc::conflict, "run " + to_string(asked.run_no)
                                  + " has not begun: it waits for others of its workflow");
  return std::visit(model::overloaded{
                      [&](const model::retry_run&) { return refuse(); },
                      [&](const model::rollback_run&) { return refuse(); },
                      [&](const model::retry_task& what) { return retry(run, what); },
                      [&](const model::mark_task& what) { return mark(run, what); },
                      [&](const model::pause_run& what) { return pause(run, what); },
                      [&](const model::resume_run&) { return resume(run); },
                      [&](const model::pause_task& what) { return pause(run, what); },
                      [&](const model::resume_task& what) { return resume(run, what); },
                      [&](const model::cancel_group& what) { return cancel(run, what); },
                      [&](const model::decide_gate& what) { return decide_by_hand(run, what); },
                      [&](const model::send_signal& what) { return send(run, what); },
                      [&](const model::set_switch& what) { return set(what); },
                      [&](const model::set_store_limit& what) { return set(what); },
                      [&](const model::add_tasks& what) { return add(run, what); },
                    },
                    asked.what);
}

expected<model::control_result> scheduler_core::retry(const model::stored_run& ended,
                                                      const model::retry_run& what) {
  auto compiled = compile_here(ended.workflow);
  if (!compiled)
    return tl::unexpected(compiled.error());
  const auto picked = pick_tasks(**compiled, ended, what);
  if (!picked)
    return tl::unexpected(picked.error());
  const auto next = next_generation(ended, *picked);
  step_.records.push_back(model::run_retried{next.run_no, ended.state, next.generation,
                                             picked->reset.size(), actor_, now_});
  const model::task_names names{next.workflow, next.fan_outs};
  model::control_result result{next.run_no, next.generation, {}, 0};
  for (const auto task : picked->reset) {
    const auto& was = ended.tasks[task];
    step_.records.push_back(model::task_reset{
      {next.run_no, task},
      was.attempt,
      was.state,
      next.generation,
      actor_,
      now_,
      picked->folds(task) ? std::optional{states_of_instances(ended, task)} : std::nullopt});
    if (is_counted(next, task))
      result.tasks.push_back(names.name(task));
  }
  result.kept = counted_tasks(next) - result.tasks.size();
  actor_ = "scheduler"; // what follows is its decision
  auto& run = take_up(std::move(*compiled), next);
  touched_.insert(run.run_no);
  guarded(run, [&] {
    set_deadline(run);
    set_deadlines(run, now_);
    go_on(run, next);
  });
  return result;
}

/// Compensates what succeeded, and once more what could not be compensated before.
expected<model::control_result> scheduler_core::rollback(const model::stored_run& ended) {
  auto compiled = compile_here(ended.workflow);
  if (!compiled)
    return tl::unexpected(compiled.error());
  const auto picked = pick_compensations(ended);
  if (!picked)
    return tl::unexpected(picked.error());
  auto next = ended;
  next.state = model::run_state::rolling_back;
  next.paused = false;
  if (std::exchange(next.rolls_back, true))
    next.error.clear(); // it is about the last time
  step_.records.push_back(model::run_moved{next.run_no, ended.state, next.state, false, next.error,
                                           actor_, now_, std::nullopt});
  model::control_result result{
    next.run_no, next.generation, {}, counted_tasks(ended) - picked->size()};
  const model::task_names names{ended.workflow, ended.fan_outs};
  for (const auto task : *picked) {
    auto& state = next.tasks[task].state;
    result.tasks.push_back(names.name(task));
    if (state != task_state::succeeded)
      record_mark({next.run_no, task}, next.tasks[task].attempt,
                  std::exchange(state, task_state::succeeded), task_state::succeeded, std::nullopt);
  }
  actor_ = "scheduler"; // what follows is its decision
  auto& run = take_up(std::move(*compiled), next);
  touched_.insert(run.run_no);
  guarded(run, [&] { go_on(run, next); });
  return result;
}

expected<model::control_result> scheduler_core::pause(live_run& run, const model::pause_run& what) {
  const bool stops = what.mode == model::pause_mode::stop;
  if (run.paused && !stops)
    return fail(errc::conflict, "run " + to_string(run.run_no) + " is paused already");
  model::control_result result{run.run_no, run.generation, {}, run.counted_tasks()};
  guarded(run, [&] {
    if (!std::exchange(run.paused, true))
      step_.records.push_back(model::run_paused{run.run_no, true, actor_, now_});
    stir_kinds_of(run);
    if (stops)
      result.tasks = stop_attempts(run);
    follow_pause(run, stops);
    result.kept -= result.tasks.size();
  });
  return result;
}

expected<model::control_result> scheduler_core::resume(live_run& run) {
  if (!run.paused)
    return fail(errc::conflict, "run " + to_string(run.run_no) + " is not paused");
  run.paused = false;
  step_.records.push_back(model::run_paused{run.run_no, false, actor_, now_});
  stir_kinds_of(run);
  call_up(run);
  follow_pause(run, false);
  return model::control_result{run.run_no, run.generation, {}, run.counted_tasks()};
}

/// Of a run that is not in progress: whoever goes on with it finds it so.
expected<model::control_result> scheduler_core::set_paused(const model::stored_run& run,
                                                           bool paused) {
  const auto id = "run " + to_string(run.run_no);
  if (is_terminal(run.state))
    return fail(errc::conflict, id + " has ended: it is " + std::string{to_string(run.state)});
  if (run.paused == paused)
    return fail(errc::conflict, id + (paused ? " is paused already" : " is not paused"));
  step_.records.push_back(model::run_paused{run.run_no, paused, actor_, now_});
  return model::control_result{run.run_no, run.generation, {}, counted_tasks(run)};
}

} // namespace sluice::logic

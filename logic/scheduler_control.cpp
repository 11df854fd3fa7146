// What operators ask of runs. One that is in progress is here; any other one is read back first,
// behind everything about it that is not committed yet.
#include "logic/generation.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/transitions.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

using model::task_state;

template <class... Fs>
struct overloaded : Fs... {
  using Fs::operator()...;
};
template <class... Fs>
overloaded(Fs...) -> overloaded<Fs...>;

/// Whether a task may be marked so.
expected<void> check_mark(const model::mark_task& what, task_state state) {
  const auto is = "task '" + what.task + "' is " + std::string{to_string(state)};
  if (what.as != task_state::succeeded && what.as != task_state::skipped
      && what.as != task_state::failed)
    return fail(errc::invalid_argument, "a task is marked succeeded, skipped or failed, not "
                                          + std::string{to_string(what.as)});
  if (is_active(state))
    return fail(errc::conflict, is + ": what runs has to be cancelled first");
  if (!is_legal(state, what.as))
    return fail(errc::conflict, is + ", and cannot be marked " + std::string{to_string(what.as)});
  return {};
}

/// A dependent of a failed task that is to start, and has not: nothing of that is stored, so a
/// restart would decide it otherwise once the failure is gone.
std::optional<std::uint32_t> goes_on_for(const live_run& run, std::uint32_t failed) {
  for (const auto dependent : run.workflow->graph().dependents(failed)) {
    const auto& entry = run.tasks[dependent];
    if (entry.judged && (entry.state == task_state::pending || entry.state == task_state::ready))
      return dependent;
  }
  return std::nullopt;
}

model::control_result one_task(model::run_no run, std::uint32_t generation,
                               const model::workflow_spec& workflow, std::string task) {
  return {run, generation, {std::move(task)}, workflow.tasks.size() - 1};
}

} // namespace

void scheduler_core::on(const model::control_requested& e) {
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
  return std::visit(overloaded{
                      [&](const model::retry_run& what) { return retry(run, what); },
                      [&](const model::mark_task& what) { return mark(run, what); },
                      [&](const model::pause_run&) { return set_paused(run, true); },
                      [&](const model::resume_run&) { return set_paused(run, false); },
                    },
                    asked.what);
}

expected<model::control_result> scheduler_core::act_live(const model::control_requested& asked,
                                                         live_run& run) {
  using result = expected<model::control_result>;
  return std::visit(overloaded{
                      [&](const model::retry_run&) -> result {
                        return fail(errc::conflict, "run " + to_string(asked.run_no)
                                                      + " has not ended: it is "
                                                      + std::string{to_string(run.state)});
                      },
                      [&](const model::mark_task& what) { return mark(run, what); },
                      [&](const model::pause_run& what) { return pause(run, what); },
                      [&](const model::resume_run&) { return resume(run); },
                    },
                    asked.what);
}

expected<model::control_result> scheduler_core::retry(const model::stored_run& ended,
                                                      const model::retry_run& what) {
  auto compiled = compile_here(ended.workflow);
  if (!compiled)
    return tl::unexpected(compiled.error());
  const auto reset = pick_tasks(**compiled, ended, what);
  if (!reset)
    return tl::unexpected(reset.error());
  const auto next = next_generation(ended, *reset);
  step_.records.push_back(
    model::run_retried{next.run_no, ended.state, next.generation, reset->size(), actor_, now_});
  model::control_result result{
    next.run_no, next.generation, {}, ended.tasks.size() - reset->size()};
  for (const auto task : *reset) {
    const auto& was = ended.tasks[task];
    step_.records.push_back(model::task_reset{
      {next.run_no, task}, was.attempt, was.state, next.generation, actor_, now_});
    result.tasks.push_back(ended.workflow->tasks[task].name);
  }
  actor_ = "scheduler"; // what follows is its decision
  auto& run = take_up(std::move(*compiled), next);
  touched_.insert(run.run_no);
  guarded(run, [&] {
    set_deadlines(run);
    go_on(run, next);
  });
  return result;
}

void scheduler_core::record_mark(model::task_key key, std::uint32_t attempt, task_state from,
                                 task_state to) {
  std::optional<model::failure> failure;
  if (to == task_state::failed)
    failure = {model::failure_class::permanent, "marked", "marked failed by an operator"};
  step_.records.push_back(
    model::task_marked{key, attempt, from, to, std::move(failure), actor_, now_});
}

expected<model::control_result> scheduler_core::mark(live_run& run, const model::mark_task& what) {
  const auto task = find_task(run.spec(), what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto from = run.tasks[*task].state;
  if (auto may = check_mark(what, from); !may)
    return tl::unexpected(may.error());
  if (const auto dependent = is_terminal(from) ? goes_on_for(run, *task) : std::nullopt)
    return fail(errc::conflict, "task '" + run.task_spec(*dependent).name
                                  + "' is about to start as '" + what.task
                                  + "' failed: decide that one first");
  auto result = one_task(run.run_no, run.generation, run.spec(), what.task);
  guarded(run, [&] {
    record_mark({run.run_no, *task}, run.tasks[*task].attempt, from, what.as);
    actor_ = "scheduler"; // what follows is its decision
    if (is_terminal(from)) {
      decide_otherwise(run, *task, what.as);
    } else {
      if (what.as == task_state::failed)
        note_failure(run, *task, "marked failed by an operator");
      change_state(run, *task, what.as);
      decide(run, *task);
    }
    settle(run);
  });
  return result;
}

/// The task had failed. Dependents that are decided stay as they are, until a retry; the others see
/// it as it is now.
void scheduler_core::decide_otherwise(live_run& run, std::uint32_t task, task_state as) {
  --run.counts[std::size_t(run.tasks[task].state)];
  ++run.counts[std::size_t(as)];
  touched_.insert(run.run_no);
  run.tasks[task].state = as;
  run.failure_texts.erase(task);
  recount_failures(run);
  if (run.in_finally)
    tell_outcome(run);
  for (const auto dependent : run.workflow->graph().dependents(task))
    if (!run.tasks[dependent].judged)
      apply_verdict(run, dependent, verdict_on(run, dependent));
}

/// Of a run that is not in progress: it is a fact for whoever goes on with it.
expected<model::control_result> scheduler_core::mark(const model::stored_run& run,
                                                     const model::mark_task& what) {
  const auto task = find_task(*run.workflow, what.task);
  if (!task)
    return tl::unexpected(task.error());
  const auto from = run.tasks[*task].state;
  if (auto may = check_mark(what, from); !may)
    return tl::unexpected(may.error());
  record_mark({run.run_no, *task}, run.tasks[*task].attempt, from, what.as);
  for (const auto& timer : run.timers)
    if (timer.task_idx == *task)
      step_.timers.removed.push_back(timer);
  model::run_counts counts{run.run_no, {}};
  for (const auto& one : run.tasks)
    ++counts.counts[std::size_t(one.state)];
  --counts.counts[std::size_t(from)];
  ++counts.counts[std::size_t(what.as)];
  step_.counts.push_back(counts);
  return one_task(run.run_no, run.generation, *run.workflow, what.task);
}

expected<model::control_result> scheduler_core::pause(live_run& run, const model::pause_run& what) {
  const bool stops = what.mode == model::pause_mode::stop;
  if (run.paused && !stops)
    return fail(errc::conflict, "run " + to_string(run.run_no) + " is paused already");
  model::control_result result{run.run_no, run.generation, {}, run.tasks.size()};
  guarded(run, [&] {
    if (!std::exchange(run.paused, true))
      step_.records.push_back(model::run_paused{run.run_no, true, actor_, now_});
    stir_kinds_of(run);
    if (stops)
      result.tasks = stop_attempts(run);
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
  note_dispatchable(run);
  return model::control_result{run.run_no, run.generation, {}, run.tasks.size()};
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
  return model::control_result{run.run_no, run.generation, {}, run.tasks.size()};
}

} // namespace sluice::logic

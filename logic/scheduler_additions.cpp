// Tasks that a run is given while it is in progress. Nothing that there is changes: they come
// behind all tasks and instances, and only they depend on others.
#include "logic/added_tasks.hpp"
#include "logic/scheduler_core.hpp"
#include "logic/task_control.hpp"

#include <algorithm>

namespace sluice::logic {

using model::task_state;

namespace {

/// Whether the run can take further tasks. One that stops, or has begun to clean up, is ending.
expected<void> check_takes_tasks(const live_run& run) {
  const auto id = "run " + to_string(run.run_no);
  if (run.parent)
    return fail(errc::conflict, id + " is part of run " + to_string(run.parent->run_no)
                                  + ": add the tasks to the whole");
  if (run.state != model::run_state::running)
    return fail(errc::conflict,
                id + " takes no tasks any more: it is " + std::string{to_string(run.state)});
  if (run.stopping)
    return fail(errc::conflict, id + " takes no tasks any more: it is ending, as " + run.error);
  if (run.in_finally || run.undecided == run.undecided_finally)
    return fail(errc::conflict,
                id + " takes no tasks any more: all of its tasks are decided, and it is ending");
  if (run.spec().additions.size() >= model::most_additions)
    return fail(errc::conflict, id + " was given tasks " + std::to_string(model::most_additions)
                                  + " times, and takes no more");
  return {};
}

expected<void> check_room(const live_run& run, std::size_t added) {
  const auto id = "run " + to_string(run.run_no);
  if (run.spec().tasks.size() + added > max_tasks)
    return fail(errc::conflict,
                id + " would have more tasks than the limit of " + std::to_string(max_tasks));
  if (run.tasks.size() + added > most_tasks_of_run)
    return fail(errc::conflict, id + " would have more tasks and instances than the limit of "
                                  + std::to_string(most_tasks_of_run));
  return {};
}

std::string text_of(const std::vector<spec_problem>& problems) {
  std::string all;
  for (const auto& problem : problems)
    all += (all.empty() ? "" : "; ") + problem.path + ": " + problem.message;
  return all;
}

} // namespace

expected<model::control_result> scheduler_core::add(live_run& run, const model::add_tasks& what) {
  if (auto may =
        check_takes_tasks(run).and_then([&] { return check_room(run, what.what->tasks.size()); });
      !may)
    return tl::unexpected(may.error());
  auto compiled = compile_with_added({.workflow = run.spec(),
                                      .added = *what.what,
                                      .first = static_cast<std::uint32_t>(run.tasks.size()),
                                      .read_in_part = {}},
                                     options_.has_handler);
  if (!compiled)
    return fail(errc::invalid_argument, text_of(compiled.error()));
  const auto& spec = (*compiled)->shared_spec();
  model::tasks_added added{run.run_no, spec, options_.digest(model::to_text(model::to_json(*spec))),
                           actor_, now_};
  model::control_result result{run.run_no, run.generation, {}, run.counted_tasks()};
  for (const auto& task : what.what->tasks)
    result.tasks.push_back(task.name);
  step_.records.push_back(std::move(added));
  actor_ = "scheduler"; // what follows is its decision
  guarded(run, [&] {
    take_in(run, std::move(*compiled));
    settle(run);
  });
  return result;
}

/// They are pending, and those that may start are on their way.
void scheduler_core::take_in(live_run& run, std::shared_ptr<const compiled_workflow> workflow) {
  run.workflow = std::move(workflow);
  const auto& spec = run.spec();
  const auto& addition = spec.additions.back();
  const auto end = addition.first + addition.count;
  run.tasks.resize(end);
  run.undecided += addition.count;
  run.counts[std::size_t(task_state::pending)] += addition.count;
  touched_.insert(run.run_no);
  for (auto task = addition.first; task < end; ++task) {
    for (const auto upstream : run.workflow->graph().upstreams(task))
      run.tasks[task].undecided += is_terminal(run.tasks[upstream].state) ? 0 : 1;
    read_outputs_later(run, task);
    set_deadline(run, task, now_);
  }
  grow_pots(run, addition.first, end);
  recount_failures(run); // some of them may be handled yet
  for (auto task = addition.first; task < end; ++task)
    if (!is_terminal(run.tasks[task].state))
      apply_verdict(run, task, verdict_on(run, task));
}

/// What others have put out already it reads too: from the store, where nobody else does. Of those
/// that are not decided its readers are counted when they are.
void scheduler_core::read_outputs_later(live_run& run, std::uint32_t task) {
  const auto* expressions = run.workflow->expressions(task);
  if (expressions == nullptr)
    return;
  for (const auto upstream : expressions->output_reads) {
    const auto state = run.tasks[upstream].state;
    if (!is_terminal(state) || (state != task_state::succeeded && !run.fan_outs.contains(upstream)))
      continue;
    const auto [kept, is_new] = run.outputs.try_emplace(upstream);
    kept->second.in_store_only = kept->second.in_store_only || is_new;
    ++kept->second.readers;
  }
}

/// Of a run that is not in progress: whether it takes the tasks tells a core that has it for a
/// moment. Whoever goes on with the run finds them.
expected<model::control_result> scheduler_core::add(const model::stored_run& run,
                                                    const model::add_tasks& what) {
  const auto id = "run " + to_string(run.run_no);
  if (is_terminal(run.state))
    return fail(errc::conflict, id + " has ended: it is " + std::string{to_string(run.state)});
  scheduler_core trial{options_};
  if (const auto taken = trial.restore(run, now_); !taken)
    return tl::unexpected(taken.error());
  const auto live = trial.runs_.find(run.run_no);
  if (live == trial.runs_.end())
    return fail(errc::conflict, id + " takes no tasks any more: all of its tasks are decided");
  trial.actor_ = actor_;
  auto result = trial.add(live->second, what);
  if (!result)
    return result;
  auto& record = trial.step_.records.front();
  const auto& added = std::get<model::tasks_added>(record);
  const auto& [first, position, count, defaults] = added.addition();
  auto counts = counts_of(run);
  counts.counts[std::size_t(task_state::pending)] += count;
  step_.counts.push_back(counts);
  for (auto task = first; task < first + count; ++task)
    if (const auto& deadline =
          setting_of(*added.workflow, added.workflow->task(task), &model::task_settings::deadline))
      timers_set_.insert({run.run_no, task, model::timer_kind::deadline, now_ + *deadline, {}});
  step_.records.push_back(std::move(record));
  return result;
}

} // namespace sluice::logic

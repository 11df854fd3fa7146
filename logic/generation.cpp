#include "logic/generation.hpp"

#include "model/nearest_name.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

using model::run_state;
using model::task_state;

/// A set of tasks that grows along the edges of a graph.
class spreading_set {
public:
  explicit spreading_set(const dag& graph) : graph_(graph), in_(graph.size(), false) {}

  void add(std::uint32_t task) {
    if (in_[task])
      return;
    in_[task] = true;
    fresh_.push_back(task);
  }
  /// Adds the dependents of what was added for which `follows` holds, and theirs.
  template <class Follows>
  void spread(const Follows& follows) {
    while (!fresh_.empty()) {
      const auto task = fresh_.back();
      fresh_.pop_back();
      for (const auto dependent : graph_.dependents(task))
        if (follows(dependent))
          add(dependent);
    }
  }
  std::vector<std::uint32_t> tasks() const {
    std::vector<std::uint32_t> all;
    for (std::uint32_t task = 0; task < in_.size(); ++task)
      if (in_[task])
        all.push_back(task);
    return all;
  }

private:
  const dag& graph_;
  std::vector<bool> in_;
  std::vector<std::uint32_t> fresh_; ///< whose dependents were not looked at
};

/// What failed or was cancelled, and what was skipped because of it.
std::vector<std::uint32_t> what_failed(const compiled_workflow& workflow,
                                       const model::stored_run& run) {
  const auto is_skipped_for = [&](std::uint32_t task, std::string_view why) {
    const auto reason = run.reasons.find(task);
    return run.tasks[task].state == task_state::skipped && reason != run.reasons.end()
           && reason->second == why;
  };
  spreading_set picked{workflow.graph()};
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task) {
    const auto state = run.tasks[task].state;
    if (state == task_state::failed || state == task_state::rolled_back
        || state == task_state::cancelled || is_skipped_for(task, "run_failed"))
      picked.add(task);
  }
  picked.spread([&](std::uint32_t dependent) { return is_skipped_for(dependent, "upstream"); });
  return picked.tasks();
}

std::vector<std::uint32_t> downstream_of(const dag& graph, std::uint32_t task) {
  spreading_set picked{graph};
  picked.add(task);
  picked.spread([](std::uint32_t) { return true; });
  return picked.tasks();
}

/// What they need and was compensated has to be done again.
void add_undone_upstreams(const dag& graph, const model::stored_run& run,
                          std::vector<std::uint32_t>& picked) {
  std::vector<bool> is_picked(graph.size(), false);
  for (const auto task : picked)
    is_picked[task] = true;
  for (std::size_t i = 0; i < picked.size(); ++i) // which grows
    for (const auto upstream : graph.upstreams(picked[i]))
      if (const auto& was = run.tasks[upstream];
          was.completed && was.state != task_state::succeeded && !is_picked[upstream]) {
        is_picked[upstream] = true;
        picked.push_back(upstream);
      }
  std::sort(picked.begin(), picked.end());
}

} // namespace

expected<std::uint32_t> find_task(const model::workflow_spec& workflow, const std::string& name) {
  const auto& tasks = workflow.tasks;
  const auto found =
    std::find_if(tasks.begin(), tasks.end(), [&](const auto& task) { return task.name == name; });
  if (found != tasks.end())
    return static_cast<std::uint32_t>(found - tasks.begin());
  std::vector<std::string> names;
  for (const auto& task : tasks)
    names.push_back(task.name);
  return fail(errc::invalid_argument, "workflow '" + workflow.name + "' has no task '" + name + "'"
                                        + model::did_you_mean(name, names));
}

expected<std::vector<std::uint32_t>> pick_tasks(const compiled_workflow& workflow,
                                                const model::stored_run& run,
                                                const model::retry_run& what) {
  const auto id = to_string(run.run_no);
  if (!is_terminal(run.state))
    return fail(errc::conflict,
                "run " + id + " has not ended: it is " + std::string{to_string(run.state)});
  std::vector<std::uint32_t> picked;
  if (what.scope == model::retry_scope::failed) {
    if (run.state != run_state::failed && run.state != run_state::cancelled)
      return fail(errc::conflict, "run " + id + " is " + std::string{to_string(run.state)}
                                    + ": name the task to start again from");
    picked = what_failed(workflow, run);
  } else {
    const auto task = find_task(workflow.spec(), what.task);
    if (!task)
      return tl::unexpected(task.error());
    picked = downstream_of(workflow.graph(), *task);
    if (what.scope == model::retry_scope::downstream)
      std::erase(picked, *task);
    add_undone_upstreams(workflow.graph(), run, picked);
  }
  // At the end of the generation finally has its turn again.
  const auto first_finally = workflow.spec().first_finally();
  if (!picked.empty() && picked.front() < first_finally) {
    std::erase_if(picked, [&](std::uint32_t task) { return task >= first_finally; });
    for (auto task = first_finally; task < run.tasks.size(); ++task)
      picked.push_back(task);
  }
  // What had failed may have been marked since: then the run only comes to another end.
  if (picked.empty() && what.scope != model::retry_scope::failed)
    return fail(errc::conflict, "nothing of run " + id + " is to start again");
  return picked;
}

expected<std::vector<std::uint32_t>> pick_compensations(const model::stored_run& run) {
  const auto id = to_string(run.run_no);
  const auto is = "run " + id + " is " + std::string{to_string(run.state)};
  if (!is_terminal(run.state))
    return fail(errc::conflict,
                "run " + id + " has not ended: it is " + std::string{to_string(run.state)});
  if (run.state != run_state::succeeded && run.state != run_state::failed)
    return fail(errc::conflict, is + ": only what succeeded or failed can be rolled back");
  std::vector<std::uint32_t> picked;
  for (const auto task : run.completions)
    if (const auto state = run.tasks[task].state;
        state == task_state::succeeded || state == task_state::failed)
      picked.push_back(task);
  if (picked.empty())
    return fail(errc::conflict, "nothing of run " + id
                                  + " can be compensated: none of its tasks with `compensate` "
                                    "succeeded, or all of them are rolled back");
  std::reverse(picked.begin(), picked.end());
  return picked;
}

model::stored_run next_generation(model::stored_run run, std::span<const std::uint32_t> reset) {
  run.state = run_state::running;
  ++run.generation;
  run.paused = run.rolls_back = false;
  run.error.clear();
  for (auto& task : run.tasks)
    task.kept = true;
  for (const auto task : reset) {
    run.tasks[task] = {.attempt = run.tasks[task].attempt};
    run.reasons.erase(task);
    run.messages.erase(task);
    run.inputs.erase(task);
    run.retries.erase(task);
    run.snapshots.erase(task);
  }
  std::erase_if(run.completions, [&](std::uint32_t task) { return !run.tasks[task].completed; });
  return run;
}

} // namespace sluice::logic

#include "logic/generation.hpp"

#include "model/nearest_name.hpp"

#include <algorithm>
#include <unordered_set>

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

bool is_skipped_for(const model::stored_run& run, std::uint32_t task, std::string_view why) {
  const auto reason = run.reasons.find(task);
  return run.tasks[task].state == task_state::skipped && reason != run.reasons.end()
         && reason->second == why;
}

/// What failed or was cancelled, and what was skipped because of it; instances with the task they
/// are of.
std::vector<std::uint32_t> what_failed(const compiled_workflow& workflow,
                                       const model::stored_run& run) {
  const auto is_to_repeat = [&](std::uint32_t task) {
    const auto state = run.tasks[task].state;
    return state == task_state::failed || state == task_state::rolled_back
           || state == task_state::cancelled || is_skipped_for(run, task, "run_failed")
           || is_skipped_for(run, task, "siblings_failed");
  };
  spreading_set picked{workflow.graph()};
  std::vector<std::uint32_t> instances;
  for (const auto task : workflow.spec().indices())
    if (is_to_repeat(task))
      picked.add(task);
  for (const auto& range : run.fan_outs) {
    // Those that failed without their task failing by it stay as they are.
    const bool is_borne = run.tasks[range.task].state == task_state::succeeded;
    for (auto task = range.first; task < range.end() && !range.superseded; ++task)
      if (is_to_repeat(task) && (!is_borne || run.tasks[task].completed)) {
        instances.push_back(task);
        picked.add(range.task);
      }
  }
  picked.spread(
    [&](std::uint32_t dependent) { return is_skipped_for(run, dependent, "upstream"); });
  auto all = picked.tasks();
  all.insert(all.end(), instances.begin(), instances.end());
  return all;
}

/// Of the tasks that are to be done again, those that are fanned out anew: their items may be
/// others, since something that they need is done again too.
std::vector<std::uint32_t> what_folds(const dag& graph, const model::stored_run& run,
                                      const std::vector<std::uint32_t>& picked,
                                      std::optional<std::uint32_t> instance) {
  const std::unordered_set<std::uint32_t> again(picked.begin(), picked.end());
  std::vector<std::uint32_t> folded;
  for (const auto& range : run.fan_outs) {
    if (range.superseded || !again.contains(range.task))
      continue;
    const auto upstreams = graph.upstreams(range.task);
    const bool changes = std::any_of(upstreams.begin(), upstreams.end(),
                                     [&](auto upstream) { return again.contains(upstream); });
    const bool is_by_instance =
      (instance && range.holds(*instance))
      || std::any_of(picked.begin(), picked.end(), [&](auto task) { return range.holds(task); });
    if (changes || !is_by_instance)
      folded.push_back(range.task);
  }
  return folded;
}

std::vector<std::uint32_t> downstream_of(const dag& graph, std::uint32_t task) {
  spreading_set picked{graph};
  picked.add(task);
  picked.spread([](std::uint32_t) { return true; });
  return picked.tasks();
}

bool is_undone(const model::stored_task& was) {
  return was.completed && was.state != task_state::succeeded;
}

/// What they need and was compensated has to be done again.
void add_undone_upstreams(const dag& graph, const model::stored_run& run,
                          std::vector<std::uint32_t>& picked) {
  std::vector<bool> is_picked(run.tasks.size(), false);
  const auto pick = [&](std::uint32_t task) {
    if (!is_picked[task])
      picked.push_back(task);
    is_picked[task] = true;
  };
  for (const auto task : picked)
    is_picked[task] = true;
  for (std::size_t i = 0; i < picked.size(); ++i) { // which grows
    if (picked[i] >= graph.size())                  // an instance
      continue;
    for (const auto upstream : graph.upstreams(picked[i])) { // of some instances there are none
      if (is_undone(run.tasks[upstream]))
        pick(upstream);
      const auto* range = model::current_range(run.fan_outs, upstream);
      for (auto task = range ? range->first : 0; range && task < range->end(); ++task)
        if (is_undone(run.tasks[task])) {
          pick(task);
          pick(upstream);
        }
    }
  }
  std::sort(picked.begin(), picked.end());
}

} // namespace

expected<std::uint32_t> find_task(const model::task_names& names, const std::string& name) {
  if (const auto found = names.find(name))
    return *found;
  std::vector<std::string> known;
  for (const auto& task : names.workflow()->tasks)
    known.push_back(task.name);
  return fail(errc::invalid_argument, "workflow '" + names.workflow()->name + "' has no task '"
                                        + name + "'" + model::did_you_mean(name, known));
}

bool is_counted(const model::stored_run& run, std::uint32_t task) {
  if (!run.workflow->has(task))
    return !model::range_of(run.fan_outs, task)->superseded;
  const auto* range = model::current_range(run.fan_outs, task);
  return range == nullptr || range->items->size() == 0;
}

std::uint64_t counted_tasks(const model::stored_run& run) {
  auto count = std::uint64_t{run.workflow->tasks.size()};
  for (const auto& range : run.fan_outs)
    if (const auto size = range.items->size(); !range.superseded && size > 0)
      count += size - 1;
  return count;
}

expected<picked_tasks> pick_tasks(const compiled_workflow& workflow, const model::stored_run& run,
                                  const model::retry_run& what) {
  const auto id = to_string(run.run_no);
  if (!is_terminal(run.state))
    return fail(errc::conflict,
                "run " + id + " has not ended: it is " + std::string{to_string(run.state)});
  std::vector<std::uint32_t> picked;
  std::optional<std::uint32_t> instance; // that was named
  if (what.scope == model::retry_scope::failed) {
    if (run.state != run_state::failed && run.state != run_state::cancelled)
      return fail(errc::conflict, "run " + id + " is " + std::string{to_string(run.state)}
                                    + ": name the task to start again from");
    picked = what_failed(workflow, run);
  } else {
    const model::task_names names{run.workflow, run.fan_outs};
    const auto task = find_task(names, what.task);
    if (!task)
      return tl::unexpected(task.error());
    const auto node = names.node(*task);
    picked = downstream_of(workflow.graph(), node);
    if (what.scope == model::retry_scope::downstream) {
      std::erase(picked, node);
    } else if (node != *task) {
      instance = *task;
      picked.push_back(*task);
      const auto& range = *model::range_of(run.fan_outs, *task);
      for (auto sibling = range.first; sibling < range.end(); ++sibling)
        if (is_skipped_for(run, sibling, "siblings_failed")) // for it, perhaps
          picked.push_back(sibling);
      std::sort(picked.begin(), picked.end());
    }
    add_undone_upstreams(workflow.graph(), run, picked);
  }
  // At the end of the generation finally has its turn again.
  const auto& spec = workflow.spec();
  const auto is_of_finally = [&](std::uint32_t task) {
    return spec.is_finally(spec.has(task) ? task : model::range_of(run.fan_outs, task)->task);
  };
  if (!std::all_of(picked.begin(), picked.end(), is_of_finally)) {
    std::erase_if(picked, is_of_finally);
    for (auto task = spec.first_finally(); task < spec.planned_count(); ++task)
      picked.push_back(task);
    std::sort(picked.begin(), picked.end());
  }
  // What had failed may have been marked since: then the run only comes to another end.
  if (picked.empty() && what.scope != model::retry_scope::failed)
    return fail(errc::conflict, "nothing of run " + id + " is to start again");
  picked_tasks result{std::move(picked), {}};
  result.folded = what_folds(workflow.graph(), run, result.reset, instance);
  // Instances of those count no more: there is nothing to start again.
  std::erase_if(result.reset, [&](std::uint32_t task) {
    return !spec.has(task) && result.folds(model::range_of(run.fan_outs, task)->task);
  });
  return result;
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

model::stored_run next_generation(model::stored_run run, const picked_tasks& picked) {
  run.state = run_state::running;
  ++run.generation;
  run.paused = run.rolls_back = false;
  run.error.clear();
  for (auto& task : run.tasks)
    task.kept = true;
  for (auto& range : run.fan_outs)
    range.superseded = range.superseded || picked.folds(range.task);
  for (const auto task : picked.reset) {
    run.tasks[task] = {.attempt = run.tasks[task].attempt};
    run.reasons.erase(task);
    run.messages.erase(task);
    run.inputs.erase(task);
    run.retries.erase(task);
    run.snapshots.erase(task);
  }
  std::erase_if(run.completions, [&](std::uint32_t task) {
    return !run.tasks[task].completed || !is_counted(run, task);
  });
  return run;
}

} // namespace sluice::logic

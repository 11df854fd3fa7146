#include "logic/live_run.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace sluice::logic {

const model::task_state* state_in(const undecided_upstreams& upstreams, std::uint32_t task) {
  const auto found =
    std::lower_bound(upstreams.begin(), upstreams.end(), task,
                     [](const auto& upstream, std::uint32_t t) { return upstream.first < t; });
  return found == upstreams.end() || found->first != task ? nullptr : &found->second;
}

namespace {

template <class Run>
auto find_group(Run& run, std::uint32_t task) -> decltype(&run.fan_outs.begin()->second) {
  if (!run.is_instance(task))
    return nullptr;
  const auto group = run.fan_outs.find(run.node(task));
  return group != run.fan_outs.end() && group->second.range.holds(task) ? &group->second : nullptr;
}

} // namespace

bool needs_snapshot(const model::workflow_spec& workflow, const model::task_spec& task) {
  return command_for(workflow, task, model::command_role::snapshot) != nullptr
         && executor_of(task.action) == model::executor_kind::process;
}

const instance_group* live_run::group_of(std::uint32_t task) const {
  return find_group(*this, task);
}

instance_group* live_run::group_of(std::uint32_t task) {
  return find_group(*this, task);
}

bool live_run::stands_for_instances(std::uint32_t task) const {
  if (fan_outs.empty() || is_instance(task))
    return false;
  const auto group = fan_outs.find(task);
  return group != fan_outs.end() && group->second.size() > 0;
}

bool live_run::is_superseded(std::uint32_t task) const {
  return is_instance(task) && group_of(task) == nullptr;
}

std::string live_run::name(std::uint32_t task) const {
  if (!is_instance(task))
    return task_spec(task).name;
  const auto& range = *model::range_of(ranges, task);
  return task_spec(task).name + "[" + range.items->name(task - range.first) + "]";
}

std::uint64_t live_run::counted_tasks() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

task_group* live_run::full_group(std::uint32_t task) {
  const auto group = declared_group(task);
  if (!group)
    return nullptr;
  const auto& most = spec().groups[*group].active_tasks;
  return most && groups[*group].active >= *most ? &groups[*group] : nullptr;
}

bool live_run::is_stopped(std::uint32_t task) const {
  return stopping && !is_finally(task) && is_stopped_by_failure(task_spec(task).join.rule);
}

bool live_run::is_to_roll_back(std::uint32_t task) const {
  return tasks[task].has_started && !tasks[task].rolls_back && !lacks_snapshot(task)
         && command_for(spec(), task_spec(task), model::command_role::rollback) != nullptr;
}

bool live_run::lacks_snapshot(std::uint32_t task) const {
  return needs_snapshot(spec(), task_spec(task)) && !snapshots.contains(task);
}

bool live_run::may_retry(std::uint32_t task) const {
  return !is_stopped(task) && (state == model::run_state::running || is_finally(task));
}

model::run_state live_run::outcome(counting which) const {
  using enum model::run_state;
  if (state == cancelling)
    return internal || expired ? failed : cancelled;
  const auto is_left = [this](std::uint32_t task) { // succeeded: so an operator marked it since
    return tasks[task].state == model::task_state::failed
           || tasks[task].state == model::task_state::succeeded;
  };
  const auto is_counted = [&](std::uint32_t task) {
    if (!is_finally(task))
      return state != rolling_back;
    // Of a run that had ended, and is rolled back, finally is over: it says nothing of that.
    return which == counting::all && (state != rolling_back || in_finally);
  };
  if (std::any_of(unhandled.begin(), unhandled.end(), is_counted))
    return failed;
  if (state != rolling_back)
    return has_no_results ? failed : succeeded;
  return std::any_of(completions.begin(), completions.end(), is_left) ? failed : rolled_back;
}

bool live_run::is_to_compensate() const {
  return spec().on_failure == model::on_failure::compensate && state == model::run_state::running
         && std::any_of(
           unhandled.begin(), unhandled.end(),
           [this](std::uint32_t task) { return !is_finally(task) && !tasks[task].kept; })
         && next_to_compensate();
}

std::optional<std::uint32_t> live_run::next_to_compensate() const {
  const auto end = completions.begin() + std::ptrdiff_t(to_compensate);
  const auto last =
    std::find_if(std::make_reverse_iterator(end), completions.rend(), [this](std::uint32_t task) {
      return tasks[task].state == model::task_state::succeeded;
    });
  return last == completions.rend() ? std::nullopt : std::optional{*last};
}

std::string live_run::text_of_what_is_left() const {
  const auto names_of = [this](std::initializer_list<model::task_state> states) {
    constexpr std::size_t most = 10;
    std::string names;
    std::size_t count = 0;
    for (auto task = completions.rbegin(); task != completions.rend(); ++task)
      if (std::find(states.begin(), states.end(), tasks[*task].state) != states.end()
          && count++ < most)
        names += (count == 1 ? "'" : ", '") + name(*task) + "'";
    return count > most ? names + " and " + std::to_string(count - most) + " more" : names;
  };
  using enum model::task_state;
  const bool is_cancelled = state == model::run_state::cancelling;
  const auto broken = is_cancelled ? names_of({failed}) : names_of({failed, succeeded});
  const auto left = is_cancelled ? names_of({succeeded, cancelled}) : "";
  std::string text;
  if (!broken.empty())
    text = "not compensated: " + broken;
  if (!left.empty())
    text += (text.empty() ? "" : "; ") + ("cancelled before it was compensated: " + left);
  return text;
}

bool live_run::is_failure_allowed(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::allow_failure)
    .value_or(false);
}

bool live_run::is_held_when_exhausted(std::uint32_t task) const {
  return state == model::run_state::running && !stopping
         && model::setting_of(spec(), task_spec(task), &model::task_settings::on_exhausted)
              == model::on_exhausted::hold;
}

const model::retry_policy* live_run::retry_policy(std::uint32_t task) const {
  const auto& policy = model::setting_of(spec(), task_spec(task), &model::task_settings::retry);
  return policy ? &*policy : nullptr;
}

std::uint32_t live_run::retries_done(std::uint32_t task) const {
  const auto found = retries.find(task);
  return found == retries.end() ? 0 : found->second.done;
}

model::priority live_run::priority(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::priority)
    .value_or(base_priority);
}

bool live_run::is_preemptible(std::uint32_t task) const {
  const auto* policy = retry_policy(task);
  return !tasks[task].rolls_back && child_of(task_spec(task)) == nullptr
         && (policy == nullptr || !policy->never)
         && model::setting_of(spec(), task_spec(task), &model::task_settings::preemptible)
              .value_or(false);
}

std::optional<model::wall_time> live_run::due(std::uint32_t task) const {
  std::optional<model::wall_time> earliest;
  if (timers.empty())
    return earliest;
  for (const auto of : {std::optional{node(task)}, std::optional<std::uint32_t>{}})
    if (const auto timer = timers.find({of, model::timer_kind::deadline}); timer != timers.end())
      earliest = earliest ? std::min(*earliest, timer->second) : timer->second;
  return earliest;
}

bool live_run::is_past_deadline(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::deadline)
         && !timers.contains({node(task), model::timer_kind::deadline});
}

std::string live_run::deadline_text(std::uint32_t task) const {
  const auto& own = model::setting_of(spec(), task_spec(task), &model::task_settings::deadline);
  const auto* since = task_spec(task).addition == 0 ? " of the submission" : " of being added";
  return is_past_deadline(task) ? "not done within " + model::to_text(*own) + since
                                : "the deadline of its run has passed";
}

std::optional<std::uint32_t> live_run::crash_limit(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::crash_limit);
}

const undecided_upstreams* live_run::frozen_for(std::uint32_t task) const {
  const auto found = frozen.find(task);
  return found == frozen.end() ? nullptr : &found->second;
}

run_scope::run_scope(const live_run& run, std::uint32_t task)
  : run_(run), frozen_(run.frozen_for(run.node(task))) {
  if (!run.is_instance(task))
    return;
  const auto& range = *model::range_of(run.ranges, task);
  item_ = range.items->item(task - range.first);
}

const kept_outputs* run_scope::outputs_of(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx || (frozen_ != nullptr && state_in(*frozen_, *idx) != nullptr))
    return nullptr;
  const auto kept = run_.outputs.find(*idx);
  return kept == run_.outputs.end() || kept->second.values.is_null() ? nullptr : &kept->second;
}

const model::value* run_scope::task_outputs(std::string_view task) const {
  const auto* kept = outputs_of(task);
  return kept == nullptr ? nullptr : &kept->values;
}

std::string_view run_scope::task_state(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx)
    return {};
  const auto* then = frozen_ != nullptr ? state_in(*frozen_, *idx) : nullptr;
  return to_string(then != nullptr ? *then : run_.tasks[*idx].state);
}

const instance_group* run_scope::instances_of(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx || !is_terminal(run_.tasks[*idx].state)
      || (frozen_ != nullptr && state_in(*frozen_, *idx) != nullptr))
    return nullptr;
  const auto group = run_.fan_outs.find(*idx);
  return group == run_.fan_outs.end() ? nullptr : &group->second;
}

const model::value* run_scope::instance_outputs(std::string_view task,
                                                std::string_view instance) const {
  const auto* group = instances_of(task);
  const auto* kept = group != nullptr ? outputs_of(task) : nullptr;
  const auto index = kept != nullptr ? group->range.items->find(instance) : std::nullopt;
  if (!index)
    return nullptr;
  const auto found = std::lower_bound(kept->instances.begin(), kept->instances.end(), *index);
  return found == kept->instances.end() || *found != *index
           ? nullptr
           : &kept->values[std::size_t(found - kept->instances.begin())];
}

std::string_view run_scope::instance_state(std::string_view task, std::string_view instance) const {
  const auto* group = instances_of(task);
  const auto index = group != nullptr ? group->range.items->find(instance) : std::nullopt;
  return index ? to_string(run_.tasks[group->range.first + *index].state) : std::string_view{};
}

std::optional<model::value> run_scope::task_states(std::string_view task) const {
  const auto* group = instances_of(task);
  if (group == nullptr)
    return std::nullopt;
  auto states = model::value::array();
  for (auto idx = group->range.first; idx < group->range.end(); ++idx)
    states.push_back(to_string(run_.tasks[idx].state));
  return states;
}

} // namespace sluice::logic

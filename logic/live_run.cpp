#include "logic/live_run.hpp"

#include <algorithm>

namespace sluice::logic {

const model::task_state* state_in(const undecided_upstreams& upstreams, std::uint32_t task) {
  const auto found =
    std::lower_bound(upstreams.begin(), upstreams.end(), task,
                     [](const auto& upstream, std::uint32_t t) { return upstream.first < t; });
  return found == upstreams.end() || found->first != task ? nullptr : &found->second;
}

bool live_run::is_stopped(std::uint32_t task) const {
  return stopping && !is_finally(task) && is_stopped_by_failure(task_spec(task).join.rule);
}

bool live_run::is_to_roll_back(std::uint32_t task) const {
  return tasks[task].has_started && !tasks[task].rolls_back && !lacks_snapshot(task)
         && command_for(spec(), task_spec(task), model::command_role::rollback) != nullptr;
}

bool live_run::lacks_snapshot(std::uint32_t task) const {
  return command_for(spec(), task_spec(task), model::command_role::snapshot) != nullptr
         && executor_of(task_spec(task).action) == model::executor_kind::process
         && !snapshots.contains(task);
}

bool live_run::may_retry(std::uint32_t task) const {
  return !is_stopped(task) && (state == model::run_state::running || is_finally(task));
}

model::run_state live_run::outcome(bool has_failed) const {
  if (state == model::run_state::cancelling)
    return internal || expired ? model::run_state::failed : model::run_state::cancelled;
  return has_failed ? model::run_state::failed : model::run_state::succeeded;
}

model::run_state live_run::outcome_before_finally() const {
  return outcome(std::any_of(unhandled.begin(), unhandled.end(),
                             [this](std::uint32_t task) { return !is_finally(task); }));
}

bool live_run::is_failure_allowed(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::allow_failure)
    .value_or(false);
}

bool live_run::is_held_when_exhausted(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::on_exhausted)
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

bool live_run::is_past_deadline(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::deadline)
         && !timers.contains({task, model::timer_kind::deadline});
}

std::string live_run::deadline_text(std::uint32_t task) const {
  const auto& own = model::setting_of(spec(), task_spec(task), &model::task_settings::deadline);
  return is_past_deadline(task) ? "not done within " + model::to_text(*own) + " of the submission"
                                : "the deadline of its run has passed";
}

std::optional<std::uint32_t> live_run::crash_limit(std::uint32_t task) const {
  return model::setting_of(spec(), task_spec(task), &model::task_settings::crash_limit);
}

const undecided_upstreams* live_run::frozen_for(std::uint32_t task) const {
  const auto found = frozen.find(task);
  return found == frozen.end() ? nullptr : &found->second;
}

const model::value* run_scope::task_outputs(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx || (frozen_ != nullptr && state_in(*frozen_, *idx) != nullptr))
    return nullptr;
  const auto kept = run_.outputs.find(*idx);
  return kept == run_.outputs.end() || kept->second.values.is_null() ? nullptr
                                                                     : &kept->second.values;
}

std::string_view run_scope::task_state(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx)
    return {};
  const auto* then = frozen_ != nullptr ? state_in(*frozen_, *idx) : nullptr;
  return to_string(then != nullptr ? *then : run_.tasks[*idx].state);
}

} // namespace sluice::logic

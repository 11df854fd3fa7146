// Attempts that are runs of their own: such a run is begun in the step that dispatches its attempt,
// is stopped and paused with it, and ends it in the step in which it ends itself. What reaches from
// one run to another is queued and done at the end of a step, as with breakers.
#include "logic/scheduler_core.hpp"
#include "model/params.hpp"

namespace sluice::logic {

using model::task_state;

void scheduler_core::start_child(live_run& run, std::uint32_t task, const model::value& params) {
  change_state(run, task, task_state::running);
  if (const auto& limit =
        setting_of(run.spec(), run.task_spec(task), &model::task_settings::timeout))
    set_timer(run, {task, model::timer_kind::timeout}, now_ + *limit);
  const auto workflow = run.workflow->child(run.node(task));
  auto complete =
    model::complete_params(workflow->spec(), params.is_null() ? model::value::object() : params);
  if (!complete)
    throw std::logic_error("the parameters of task '" + run.name(task) + "' do not fit any more");
  model::submission what;
  what.workflow = workflow->shared_spec();
  what.content_hash = hash_of_child(run, task);
  what.params = std::move(*complete);
  what.trigger = "parent";
  what.user = run.user;
  begin_run(workflow, what, run.key_of(task));
  has_begun_runs_ = true;
  begun_tasks_ += workflow->spec().tasks.size();
}

/// Worked out once for all runs of a workflow that its parent starts.
const std::string& scheduler_core::hash_of_child(live_run& run, std::uint32_t task) {
  const auto node = run.node(task);
  auto& hash = run.child_hashes[node];
  if (hash.empty())
    hash = options_.digest(model::to_text(model::to_json(run.workflow->child(node)->spec())));
  return hash;
}

/// What the run takes over from those that it is part of. @pre the attempt is under way
void scheduler_core::join_parent(live_run& run, const model::attempt_key& parent) {
  const auto& of = runs_.at(parent.run_no);
  run.parent = parent;
  run.level = of.level + 1;
  run.base_priority = of.priority(parent.task_idx);
  run.parent_paused = of.is_paused();
  children_.emplace(parent, run.run_no);
}

/// All runs are taken up: an attempt whose run is not among them is lost.
void scheduler_core::take_up_children() {
  if (under_way_[std::size_t(model::executor_kind::workflow)].empty())
    return;
  model::executor_ready here{model::executor_kind::workflow, {}};
  for (const auto& [parent, run] : children_)
    here.attempts.push_back(parent);
  on(here);
}

/// Passes on what asks attempts to stop.
void scheduler_core::stop_children() {
  for (const auto& [parent, mode] : std::exchange(child_stops_, {})) {
    const auto child = children_.find(parent);
    if (child == children_.end())
      continue; // it has ended meanwhile
    if (auto& run = runs_.at(child->second); !is_terminal(run.state))
      cancel(run, mode);
  }
}

model::attempt_report scheduler_core::report_of(const live_run& child, model::wall_time now) {
  const auto id = "run " + to_string(child.run_no);
  const auto because = child.error.empty() ? std::string{} : ": " + child.error;
  model::attempt_report report;
  report.key = *child.parent;
  report.started_at = child.submitted_at;
  report.finished_at = now;
  if (child.state == model::run_state::succeeded)
    report.outputs = child.results;
  else if (child.state == model::run_state::cancelled)
    report.failure = {model::failure_class::cancelled, "cancelled", id + " was cancelled"};
  else
    report.failure = {
      model::failure_class::exit, std::string{to_string(child.state)},
      id + (child.state == model::run_state::failed ? " failed" : " failed and was rolled back")
        + because};
  return report;
}

/// Attempts end with their runs.
void scheduler_core::end_with_children() {
  while (!ended_children_.empty()) {
    const auto& child = runs_.at(ended_children_.front());
    ended_children_.pop_front();
    const auto report = report_of(child, now_);
    children_.erase(report.key);
    if (auto* run = reported(report.key))
      guarded(*run, [&] {
        finish(*run, report);
        settle(*run);
      });
  }
}

/// The run is paused or goes on, and so are those that are part of it.
void scheduler_core::follow_pause(live_run& run, bool stops) {
  for (auto at = children_.lower_bound({run.run_no, 0, 0});
       at != children_.end() && at->first.run_no == run.run_no; ++at) {
    auto& child = runs_.at(at->second);
    child.parent_paused = run.is_paused();
    stir_kinds_of(child);
    if (stops)
      guarded(child, [&] { stop_attempts(child); });
    call_up(child);
    follow_pause(child, stops);
  }
}

/// What expressions made of the parameters fits. If not, the task has failed.
bool scheduler_core::check_params(live_run& run, std::uint32_t task, const model::value& params) {
  const auto complete = model::complete_params(*child_of(run.task_spec(task))->spec,
                                               params.is_null() ? model::value::object() : params);
  if (complete)
    return true;
  std::string all;
  for (const auto& problem : complete.error())
    all += (all.empty() ? "" : "; ") + problem;
  fail_expression(run, task, std::move(all), "params");
  return false;
}

} // namespace sluice::logic

// Runs of one workflow that may not all be active at once: those that come too late are queued, and
// begin in order as others end. Of runs that are attempts each level has a line of its own, so that
// no run waits for one that it is part of. Whoever lets a run go on that has ended does not want it
// to wait.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::run_state;

std::string scheduler_core::name_of_line(const live_run& run) {
  return std::to_string(run.level) + "/" + run.spec().name;
}

/// A new run: others are active, or were there before.
bool scheduler_core::has_to_queue(const live_run& run) {
  const auto& most = run.spec().active_runs;
  const auto line = lines_.find(name_of_line(run));
  return most && line != lines_.end()
         && (line->second.active >= *most || !line->second.waiting.empty());
}

void scheduler_core::enter_line(const live_run& run) {
  const auto name = name_of_line(run);
  auto& line = lines_[name];
  if (run.state != run_state::queued) {
    ++line.active;
    return;
  }
  line.waiting.insert(run.run_no);
  stirred_lines_.insert(name); // what it waited for before a restart may have ended
}

/// It ends.
void scheduler_core::leave_line(const live_run& run) {
  const auto found = lines_.find(name_of_line(run));
  auto& line = found->second;
  if (run.state == run_state::queued)
    line.waiting.erase(run.run_no);
  else
    --line.active;
  if (line.active == 0 && line.waiting.empty())
    lines_.erase(found);
  else if (!line.waiting.empty())
    stirred_lines_.insert(found->first);
}

void scheduler_core::begin_next_runs() {
  if (!has_all_runs_)
    return;
  for (const auto& name : std::exchange(stirred_lines_, {})) {
    const auto found = lines_.find(name);
    if (is_draining_ || found == lines_.end() || found->second.waiting.empty())
      continue;
    auto& line = found->second;
    auto& run = runs_.at(*line.waiting.begin());
    if (line.active >= *run.spec().active_runs)
      continue;
    if (line.waiting.size() > 1)
      stirred_lines_.insert(name); // the next one may begin too
    begin_queued(run);
    guarded(run, [&] { begin_tasks(run); });
  }
}

/// @pre it is queued
void scheduler_core::begin_queued(live_run& run) {
  auto& line = lines_.at(name_of_line(run));
  line.waiting.erase(run.run_no);
  ++line.active;
  move_run(run, run_state::running);
}

/// The tasks of a run that begins. Their deadlines count from when it was submitted.
void scheduler_core::begin_tasks(live_run& run) {
  set_deadlines(run, run.submitted_at);
  judge_roots(run);
  settle(run);
}

/// It has not begun, so there is nothing to clean up.
void scheduler_core::cancel_queued(live_run& run, const std::string& reason,
                                   std::optional<model::wall_time> due) {
  run.in_finally = true;
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
    move_task(run, task, model::task_state::cancelled, reason);
  move_run(run, run_state::cancelled, due);
}

} // namespace sluice::logic

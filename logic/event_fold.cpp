#include "logic/event_fold.hpp"

#include "logic/transitions.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace sluice::logic {
namespace {

using model::event_type;

tl::unexpected<error> misfit(const model::event& e, std::string_view why) {
  auto text = "event " + std::to_string(e.seq) + " (" + std::string{to_string(e.type)} + " of "
              + to_string(e.run_no);
  if (e.task_idx)
    text += "/" + std::to_string(*e.task_idx);
  if (e.attempt)
    text += "#" + std::to_string(*e.attempt);
  return fail(errc::internal, text + ", " + e.from + " to " + e.to + "): " + std::string{why});
}

/// -1: there is none.
std::int64_t number_of(const model::event& e, const char* name) {
  const auto v = e.data.is_object() ? e.data.value(name, model::value{}) : model::value{};
  return v.is_number_integer() ? v.get<std::int64_t>() : -1;
}

} // namespace

bool folded_run::is_counted(std::uint32_t task) const {
  return std::none_of(fan_outs.begin(), fan_outs.end(), [task](const instances& of) {
    return of.superseded ? task >= of.first && task < of.first + of.count
                         : task == of.task && of.count > 0;
  });
}

bool folded_run::is_superseded(std::uint32_t task) const {
  return std::any_of(fan_outs.begin(), fan_outs.end(), [task](const instances& of) {
    return of.superseded && task >= of.first && task < of.first + of.count;
  });
}

std::uint32_t folded_run::node(std::uint32_t task) const {
  const auto found = std::find_if(fan_outs.begin(), fan_outs.end(), [task](const instances& of) {
    return task >= of.first && task < of.first + of.count;
  });
  return found == fan_outs.end() ? task : found->task;
}

const folded_run* event_fold::find(model::run_no run) const {
  const auto it = runs_.find(run);
  return it == runs_.end() ? nullptr : &it->second;
}

expected<void> event_fold::apply(const model::event& e) {
  if (log_ == log::complete ? e.seq != last_seq_ + 1 : e.seq <= last_seq_)
    return misfit(e, "the event before it has seq " + std::to_string(last_seq_));
  const auto run = runs_.find(e.run_no);
  if ((run == runs_.end()) != (e.type == event_type::run_submitted))
    return misfit(e, run == runs_.end() ? "there is no such run" : "the run is there already");
  const bool is_of_task = e.task_idx && run != runs_.end();
  auto done = is_of_task ? apply_to_task(e, run->second) : apply_to_run(e);
  if (done)
    last_seq_ = e.seq;
  return done;
}

expected<void> event_fold::apply_pause(const model::event& e, folded_run& run) {
  const bool pauses = e.type == event_type::run_paused;
  if (is_terminal(run.state) || run.paused == pauses)
    return misfit(e, "the run is " + std::string{to_string(run.state)}
                       + (run.paused ? ", paused" : ", not paused"));
  run.paused = pauses;
  return {};
}

expected<void> event_fold::note_signal(const model::event& e, const folded_run& run) {
  if (is_terminal(run.state))
    return misfit(e, "the run is " + std::string{to_string(run.state)});
  return {};
}

expected<void> event_fold::apply_to_run(const model::event& e) {
  if (e.type == event_type::run_paused || e.type == event_type::run_resumed)
    return apply_pause(e, runs_.at(e.run_no));
  if (e.type == event_type::run_signalled)
    return note_signal(e, runs_.at(e.run_no));
  if (e.type == event_type::tasks_added)
    return add_tasks(e, runs_.at(e.run_no));
  const auto to = model::parse_run_state(e.to);
  if (!to)
    return misfit(e, "there is no such state");
  if (e.type == event_type::run_submitted) {
    const auto tasks = e.data.is_object() ? e.data.value("tasks", model::value{}) : model::value{};
    if (!tasks.is_number_integer() || tasks.get<std::int64_t>() < 0)
      return misfit(e, "it does not say how many tasks there are");
    auto& made = runs_[e.run_no];
    made.state = *to;
    made.tasks.resize(tasks.get<std::size_t>());
    made.counts[std::size_t(model::task_state::pending)] =
      static_cast<std::uint32_t>(made.tasks.size());
    return {};
  }
  auto& run = runs_.at(e.run_no);
  if (e.from != to_string(run.state))
    return misfit(e, "the run is " + std::string{to_string(run.state)});
  if (!is_legal(run.state, *to))
    return misfit(e, "not a legal move");
  if (is_terminal(*to))
    for (const auto& task : run.tasks)
      if (!is_terminal(task.state))
        return misfit(e, "a task is not decided");
  const bool begins = e.type == event_type::run_retried;
  if (begins != (is_terminal(run.state) && *to == model::run_state::running))
    return misfit(e, "a run goes on with a new generation only");
  if (begins && (!e.data.is_object() || e.data.value("generation", 0u) != run.generation + 1))
    return misfit(e, "the generation is " + std::to_string(run.generation));
  run.generation += begins ? 1 : 0;
  if (is_terminal(run.state)) // whoever asked for more does not want it to wait
    run.paused = false;
  run.state = *to;
  return {};
}

expected<void> event_fold::apply_to_task(const model::event& e, folded_run& run) {
  if (*e.task_idx >= run.tasks.size())
    return misfit(e, "the run has only " + std::to_string(run.tasks.size()) + " tasks");
  auto& task = run.tasks[*e.task_idx];
  if (e.is_note()) {
    if (e.attempt.value_or(0) != task.attempt)
      return misfit(e, "the current attempt is " + std::to_string(task.attempt));
    return e.type == event_type::task_expanded ? expand(e, run) : expected<void>{};
  }
  const auto from = model::parse_task_state(e.from);
  const auto to = model::parse_task_state(e.to);
  if (!from || !to)
    return misfit(e, "there is no such state");
  if (as_stored(*from) != task.state)
    return misfit(e, "the task is " + std::string{to_string(task.state)});
  if (!is_legal(*from, *to))
    return misfit(e, "not a legal move");
  if ((e.type == event_type::task_reset)
      != (is_terminal(*from) && *to == model::task_state::pending))
    return misfit(e, "what was decided goes on when it is reset only");
  const bool is_new = e.type == event_type::task_dispatched;
  if (is_new && run.paused)
    return misfit(e, "the run is paused");
  const auto attempt = task.attempt + (is_new ? 1 : 0);
  if (e.attempt.value_or(0) != attempt)
    return misfit(e, "the current attempt is " + std::to_string(task.attempt));
  if (e.type == event_type::task_reset && e.data.is_object() && e.data.contains("folds"))
    fold(run, *e.task_idx);
  const std::uint32_t weight = run.is_counted(*e.task_idx) ? 1 : 0;
  run.counts[std::size_t(task.state)] -= weight;
  task = {as_stored(*to), attempt};
  run.counts[std::size_t(task.state)] += weight;
  return {};
}

/// They are there, pending, behind all others.
expected<void> event_fold::add_tasks(const model::event& e, folded_run& run) {
  const auto first = number_of(e, "first");
  const auto count = number_of(e, "tasks");
  if (run.state != model::run_state::running)
    return misfit(e, "the run is " + std::string{to_string(run.state)});
  if (first != static_cast<std::int64_t>(run.tasks.size()) || count < 1)
    return misfit(e, "the run has " + std::to_string(run.tasks.size()) + " tasks");
  run.tasks.resize(run.tasks.size() + static_cast<std::size_t>(count));
  run.counts[std::size_t(model::task_state::pending)] += static_cast<std::uint32_t>(count);
  return {};
}

/// The instances are there, and count in the place of their task.
expected<void> event_fold::expand(const model::event& e, folded_run& run) {
  const auto first = number_of(e, "first");
  const auto count = number_of(e, "instances");
  auto& task = run.tasks[*e.task_idx];
  if (first != static_cast<std::int64_t>(run.tasks.size()) || count < 0)
    return misfit(e, "the run has " + std::to_string(run.tasks.size()) + " tasks");
  if (task.state != model::task_state::pending || !run.is_counted(*e.task_idx))
    return misfit(e, "the task is " + std::string{to_string(task.state)});
  run.counts[std::size_t(task.state)] -= count > 0 ? 1 : 0;
  run.tasks.resize(run.tasks.size() + static_cast<std::size_t>(count));
  run.counts[std::size_t(model::task_state::pending)] += static_cast<std::uint32_t>(count);
  run.fan_outs.push_back(
    {*e.task_idx, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(count), false});
  return {};
}

/// The instances that the task has count no more; it does, until it is fanned out anew.
void event_fold::fold(folded_run& run, std::uint32_t task) {
  for (auto& range : run.fan_outs) {
    if (range.task != task || range.superseded)
      continue;
    range.superseded = true;
    for (auto idx = range.first; idx < range.first + range.count; ++idx)
      --run.counts[std::size_t(run.tasks[idx].state)];
    run.counts[std::size_t(run.tasks[task].state)] += range.count > 0 ? 1 : 0;
  }
}

} // namespace sluice::logic

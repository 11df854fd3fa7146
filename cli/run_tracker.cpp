#include "cli/run_tracker.hpp"

#include "cli/event_text.hpp"

#include <algorithm>

namespace sluice::cli {

run_tracker::run_tracker(std::shared_ptr<const model::workflow_spec> workflow)
  : workflow_(std::move(workflow)), total_(workflow_->tasks.size()) {}

run_tracker::run_tracker(std::shared_ptr<const model::workflow_spec> workflow,
                         const runtime::run_view& run)
  : workflow_(std::move(workflow)), succeeded_(run.count(model::task_state::succeeded)),
    failed_(run.count(model::task_state::failed)), skipped_(run.count(model::task_state::skipped)),
    cancelled_(run.count(model::task_state::cancelled)),
    rolled_back_(run.count(model::task_state::rolled_back)), state_(run.state),
    since_(run.began_at) {
  total_ = run.task_count();
}

expected<void> run_tracker::read_tasks(runtime::history& store, const runtime::run_view& run) {
  const bool fans_out = std::any_of(workflow_->tasks.begin(), workflow_->tasks.end(),
                                    [](const auto& task) { return task.fans_out(); });
  if (!fans_out
      && run.count(model::task_state::waiting) + run.count(model::task_state::paused) == 0)
    return {};
  return store.each_task(run, [this](const runtime::task_view& task) {
    const auto waits = [&](hindrance what) {
      waiting_.emplace(task.key.task_idx, waiting_task{std::move(what), task.name});
    };
    if (task.instances.value_or(0) > 0)
      fanned_out_.insert(task.key.task_idx);
    if (task.breaker)
      waits(*task.breaker);
    else if (task.awaits)
      waits(*task.awaits);
    else if (task.wait_reason == model::wait_reason::hold)
      waits(task.failure.value_or(model::failure{}));
    else if (task.state == model::task_state::paused)
      waits(paused_by_hand{});
    return true;
  });
}

/// Its instances are there, and count in its place.
void run_tracker::expand(const model::event& e) {
  const auto count = e.data.value("instances", std::size_t{0});
  if (count == 0)
    return;
  fanned_out_.insert(*e.task_idx);
  total_ += count - 1;
}

/// Those that there were count no more.
void run_tracker::fold(const model::event& e) {
  if (fanned_out_.erase(*e.task_idx) == 0)
    return;
  ++total_;
  for (const auto& [state, count] : e.data.at("folds").items()) {
    total_ -= count.get<std::size_t>();
    count_of(state) -= count.get<std::size_t>();
  }
}

void run_tracker::apply(const model::event& e) {
  if (e.type == model::event_type::tasks_added)
    total_ += e.data.value("tasks", std::size_t{0});
  if (!e.task_idx && e.is_note())
    return; // it is paused, or resumed, or was given tasks
  if (!e.task_idx) {
    state_ = model::parse_run_state(e.to).value_or(state_);
    const auto from = model::parse_run_state(e.from);
    if (!from || model::is_terminal(*from)) // submitted, or asked for more
      since_ = e.at;
    if (model::is_terminal(state_))
      ended_at_ = e.at;
    return;
  }
  if (e.is_note()) {
    const auto found = running_.find(*e.task_idx);
    if (e.type == model::event_type::task_progress && found != running_.end())
      found->second.progress = event_detail(e);
    if (e.type == model::event_type::task_expanded)
      expand(e);
    return;
  }
  const bool folds = e.type == model::event_type::task_reset && e.data.contains("folds");
  if (fanned_out_.contains(*e.task_idx)) { // what counts are its instances
    if (folds)
      fold(e);
    return;
  }
  waiting_.erase(*e.task_idx);
  const auto state = model::parse_task_state(e.to);
  if (const auto from = model::parse_task_state(e.from); from && model::is_terminal(*from))
    --count_of(e.from); // it starts anew, is marked otherwise, or rolls back
  if (const auto what = hindrance_of(e))
    waiting_.insert_or_assign(*e.task_idx, waiting_task{*what, e.task});
  if (e.type == model::event_type::task_reset)
    return;
  if (e.type == model::event_type::task_dispatched)
    running_[*e.task_idx] = {e.attempt.value_or(0),
                             e.at,
                             state == model::task_state::rolling_back ? "rolling back" : "",
                             {},
                             e.task};
  else if (state == model::task_state::cancelling)
    under_way(e).doing = "cancelling";
  else if (state == model::task_state::validating)
    under_way(e).doing = "validating";
  else if (state && model::is_terminal(*state))
    task_ended(*e.task_idx, e.to);
  else
    running_.erase(*e.task_idx); // another attempt follows
}

std::optional<model::wall_time> run_tracker::began_at(const model::event& e) const {
  if (const auto started = e.data.find("started_us");
      started != e.data.end() && started->is_number_integer())
    return model::from_us(started->get<std::int64_t>());
  const auto found = e.task_idx ? running_.find(*e.task_idx) : running_.end();
  return found == running_.end() ? std::nullopt : std::optional{found->second.since};
}

running_task& run_tracker::under_way(const model::event& e) {
  return running_
    .try_emplace(*e.task_idx, running_task{e.attempt.value_or(0), e.at, {}, {}, e.task})
    .first->second;
}

void run_tracker::task_ended(std::uint32_t task, std::string_view state) {
  running_.erase(task);
  ++count_of(state);
}

std::size_t& run_tracker::count_of(std::string_view state) {
  return state == "succeeded"     ? succeeded_
         : state == "skipped"     ? skipped_
         : state == "cancelled"   ? cancelled_
         : state == "rolled_back" ? rolled_back_
                                  : failed_;
}

} // namespace sluice::cli

#include "cli/task_table.hpp"

#include "cli/words.hpp"

namespace sluice::cli {
namespace {

std::string see_explain(const runtime::task_view& task) {
  return ", see: sluice explain " + to_string(task.key);
}

std::string wait_words(const runtime::task_view& task, model::wall_time now) {
  switch (task.wait_reason) {
  case model::wait_reason::upstream:
    return "waits for " + printable(task.waits_for);
  case model::wait_reason::slot:
    return "waits for a slot";
  case model::wait_reason::limit:
    return "waits for room under limits.active_tasks";
  case model::wait_reason::parallel:
    return "waits for another instance: max_parallel run";
  case model::wait_reason::resource:
    return "waits for resources" + see_explain(task);
  case model::wait_reason::pool:
    return "waits for room in its pool" + see_explain(task);
  case model::wait_reason::concurrency:
    return "waits for its concurrency key" + see_explain(task);
  case model::wait_reason::rate:
    return "waits for its rate" + see_explain(task);
  case model::wait_reason::paused:
    return task.state == model::task_state::paused ? "does not start until it is resumed"
                                                   : "waits: its run is paused";
  case model::wait_reason::idempotency:
    return std::string{words_for_shared_key};
  case model::wait_reason::breaker:
    return breaker_words(*task.breaker, now);
  case model::wait_reason::wait:
  case model::wait_reason::approval:
  case model::wait_reason::signal:
  case model::wait_reason::gate:
  case model::wait_reason::time:
  case model::wait_reason::quota:
    return gate_words(task.awaits.value_or(model::awaited{.reason = task.wait_reason}), now);
  case model::wait_reason::hold:
    return held_words(task.failure.value_or(model::failure{}));
  default:
    return {};
  }
}

/// `, retry 2 in 4.2s` behind the failure that is to be repeated.
std::string retry_words(const runtime::task_view& task, model::wall_time now) {
  if (!task.retry_at)
    return {};
  const auto left = *task.retry_at - now;
  return ", retry " + std::to_string(task.retries)
         + (left.count() > 0 ? " in " + model::to_human(left) : " is due");
}

} // namespace

std::string task_detail(const runtime::task_view& task, model::wall_time now) {
  if (task.failure && task.wait_reason != model::wait_reason::hold)
    return failure_sentence(*task.failure) + retry_words(task, now);
  if (task.interrupted)
    return "its runtime is gone";
  const auto waits = wait_words(task, now);
  if (task.losses != 0 && task.reason.empty())
    return waits + (waits.empty() ? "" : " after ") + plural(task.losses, "lost attempt");
  if (!waits.empty())
    return waits;
  if (task.instances && task.reason.empty())
    return plural(*task.instances, "instance");
  return printable(task.reason);
}

std::vector<cell> task_cells(const runtime::task_view& task, const session& s) {
  const auto state = task.shown_state();
  return {{printable(task.name)},
          {std::string{state}, tint_of(state)},
          {task_time(task, s.clock.wall())},
          {task_detail(task, s.clock.wall())}};
}

} // namespace sluice::cli

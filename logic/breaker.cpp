#include "logic/breaker.hpp"

#include <limits>

namespace sluice::logic {

bool breaker::admits(model::task_key task, model::wall_time now) {
  return !is_open() || probe_ == task || (is_half_open(now) && try_with(task));
}

bool breaker::try_with(model::task_key task) {
  if (!probe_)
    probe_ = task;
  return probe_ == task;
}

bool breaker::fail(model::task_key task, model::wall_time now, const breaker_options& options) {
  if (state_.failures < std::numeric_limits<std::uint32_t>::max())
    ++state_.failures;
  const bool opens = is_open() ? probe_ == task : state_.failures >= options.failures;
  if (opens) {
    state_.open_until = now + options.pause;
    probe_.reset();
  }
  return opens;
}

bool breaker::give_up(model::task_key task) {
  if (probe_ != task)
    return false;
  probe_.reset();
  return true;
}

} // namespace sluice::logic

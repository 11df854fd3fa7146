#include "logic/restart_policy.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

/// More than any pause needs to double up to its longest; under an unlimited policy the list must
/// end.
constexpr std::size_t remembered = 32;

} // namespace

std::optional<model::milliseconds> restart_policy::next_pause(model::steady_time now,
                                                              counting how) {
  while (!recent_.empty() && now - recent_.front() > limits_.window)
    recent_.pop_front();
  if (how == counting::limited && recent_.size() + 1 >= limits_.restarts)
    return std::nullopt;
  auto pause = limits_.first_pause;
  for (std::size_t i = 0; i < recent_.size() && pause < limits_.longest_pause; ++i)
    pause *= 2;
  recent_.push_back(now);
  if (recent_.size() > std::max(remembered, limits_.restarts))
    recent_.pop_front();
  return std::min(pause, limits_.longest_pause);
}

} // namespace sluice::logic

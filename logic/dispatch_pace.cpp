#include "logic/dispatch_pace.hpp"

namespace sluice::logic {

void dispatch_pace::note_end(model::wall_time at) {
  if (most_ == 0)
    return;
  ends_.push_back(at);
  if (ends_.size() > std::size_t{2} * most_ + 1)
    ends_.pop_front();
}

std::uint32_t dispatch_pace::ahead(model::wall_time now) {
  if (!ends_.empty() && ends_.back() > now)
    ends_.clear(); // the clock was set back
  while (!ends_.empty() && now - ends_.front() > window)
    ends_.pop_front();
  return ends_.empty() ? 0 : static_cast<std::uint32_t>((ends_.size() - 1) / 2);
}

} // namespace sluice::logic

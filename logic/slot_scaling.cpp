#include "logic/slot_scaling.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

constexpr std::size_t enough_per_slot = 2;

} // namespace

void slot_scaling::note_peak(std::int64_t bytes) {
  constexpr std::int64_t fading = 64; // attempts, roughly, that a large one is remembered for
  largest_peak_ = std::max(bytes, largest_peak_ - largest_peak_ / fading);
}

std::uint32_t slot_scaling::wanted(std::size_t ready) const {
  auto slots = slots_;
  if (ready > backlog_per_slot * slots)
    slots = std::min(options_.most, slots + std::max(slots / 2, 1u));
  else if (ready < enough_per_slot * slots && slots > options_.least)
    --slots;
  if (options_.memory == 0 || largest_peak_ == 0)
    return slots;
  const auto affordable = std::max<std::int64_t>(options_.memory / largest_peak_, 1);
  return std::uint32_t(std::min<std::int64_t>(slots, affordable));
}

bool slot_scaling::judge(std::size_t ready, model::wall_time now) {
  const auto slots = wanted(ready);
  const bool is_early = changed_at_ && now >= *changed_at_ // a clock set back makes nobody wait
                        && now < *changed_at_ + options_.cool_down;
  if (!is_adaptive() || slots == slots_ || is_early)
    return false;
  slots_ = slots;
  changed_at_ = now;
  return true;
}

std::optional<model::wall_time> slot_scaling::next_look(std::size_t ready) const {
  if (!is_adaptive() || !changed_at_ || wanted(ready) == slots_)
    return std::nullopt;
  return *changed_at_ + options_.cool_down;
}

} // namespace sluice::logic

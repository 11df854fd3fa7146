#include "testing/capacity_checks.hpp"

#include <algorithm>

namespace sluice::testing {

std::string capacity_checks::start(const model::start_attempt& order,
                                   const std::vector<model::attempt_key>& under_way) {
  std::erase_if(holds_, [&](const auto& held) {
    return std::find(under_way.begin(), under_way.end(), held.first) == under_way.end();
  });
  if (!order.holds.is_set())
    return {};
  holds_[order.key] = *order.holds;
  const auto node = of_node();
  for (const auto& need : order.holds->taken) {
    if (need.kind == model::capacity_kind::rate)
      continue;
    std::int64_t sum = 0;
    auto limit = need.limit;
    for (const auto& [key, held] : holds_)
      for (const auto& other : held.taken)
        if (other.kind == need.kind && other.name == need.name) {
          sum += other.amount;
          limit = std::max(limit, other.limit); // it may have been dispatched after this one
        }
    for (const auto& [name, amount] : node)
      if (need.kind == model::capacity_kind::resource && name == need.name)
        limit = amount;
    if (sum > limit)
      return to_string(order.key) + " starts with " + to_text(need) + ", of which all is held";
  }
  std::map<std::uint32_t, std::int64_t> units;
  for (const auto& [key, held] : holds_)
    for (const auto index : held.indices)
      units[index] += std::min<std::int64_t>(*held.amount_of("gpu"), 1'000);
  for (const auto& [index, amount] : units)
    if (amount > 1'000)
      return to_string(order.key) + " starts with a unit that others hold";
  return {};
}

void capacity_checks::pass_time(model::wall_time now) {
  if (now < last_at_)
    rates_.clear(); // the clock was set back: what was before may have come back meanwhile
  last_at_ = now;
}

std::string capacity_checks::dispatch(const model::event& event) {
  const auto found = event.data.is_object() ? event.data.find("holds") : event.data.end();
  if (!event.data.is_object() || found == event.data.end())
    return {};
  const auto grant = model::grant_from_json(*found);
  if (!grant)
    return grant.error().message;
  for (const auto& need : grant->taken) {
    if (need.kind != model::capacity_kind::rate)
      continue;
    auto& starts = rates_[need.name];
    starts.push_back(event.at);
    const auto lately = std::count_if(starts.begin(), starts.end(),
                                      [&](auto at) { return at > event.at - need.per; });
    if (lately > need.limit)
      return to_string(event.run_no) + " has a task that passes its rate";
  }
  return {};
}

} // namespace sluice::testing

#include "logic/budget.hpp"

#include <algorithm>

namespace sluice::logic {

using model::amount;
using model::budget_kind;

namespace {

constexpr std::array all_kinds{budget_kind::cost, budget_kind::tokens, budget_kind::time};

/// whole * part / parts, rounded down. @pre part <= parts
amount part_of(amount whole, amount part, amount parts) {
  if (parts <= 0)
    return 0;
  __extension__ using wide = __int128; // the product needs more bits than an amount has
  return static_cast<amount>(wide{whole} * part / parts);
}

} // namespace

amount pot::use::of(budget_kind kind, model::wall_time now) const {
  if (kind != budget_kind::time)
    return told[std::size_t(kind)];
  return since ? std::max<amount>((now - *since).count(), 0) : 0;
}

void pot::add_spent(const model::amounts& used) {
  for (std::size_t i = 0; i < used.size(); ++i)
    spent_[i] = model::sum(spent_[i], used[i]);
}

pot::allowance pot::begin(std::uint32_t task, std::optional<amount> weight, model::wall_time now) {
  use begun;
  allowance may;
  for (const auto kind : all_kinds) {
    const auto i = std::size_t(kind);
    if (!spec_->limits[i])
      continue;
    const auto rest = left(kind, now);
    may[i] = rest;
    if (!spec_->is_split || !weight)
      continue;
    const auto free = std::max<amount>(rest - reserved(kind, now), 0);
    may[i] = begun.share[i] = part_of(free, *weight, model::sum(expected_, *weight));
  }
  under_way_.insert_or_assign(task, begun);
  return may;
}

void pot::resume(std::uint32_t task, std::optional<amount> weight, const model::amounts& used,
                 model::wall_time since, model::wall_time now) {
  begin(task, weight, now);
  for (const auto kind : {budget_kind::cost, budget_kind::tokens})
    if (auto& share = under_way_.at(task).share[std::size_t(kind)])
      share = std::max(*share, used[std::size_t(kind)]);
  tell(task, used);
  start(task, since);
}

void pot::start(std::uint32_t task, model::wall_time at) {
  if (const auto found = under_way_.find(task); found != under_way_.end())
    found->second.since = at;
}

void pot::tell(std::uint32_t task, const model::amounts& used) {
  const auto found = under_way_.find(task);
  if (found == under_way_.end())
    return;
  for (const auto kind : {budget_kind::cost, budget_kind::tokens}) {
    auto& told = found->second.told[std::size_t(kind)];
    auto& spent = spent_[std::size_t(kind)];
    spent = model::sum(spent, std::max<amount>(used[std::size_t(kind)] - told, 0));
    told = std::max(told, used[std::size_t(kind)]);
    note_excess(task, found->second.share, kind, told);
  }
}

/// That a task has used more than its share does not pass with its attempt.
void pot::note_excess(std::uint32_t task, const allowance& share, budget_kind kind, amount own) {
  const auto i = std::size_t(kind);
  if (share[i] && own > *share[i] && !excesses_[i])
    excesses_[i] = excess{kind, true, task, own, *share[i]};
}

void pot::end(std::uint32_t task, const model::amounts& used, model::microseconds took) {
  const auto found = under_way_.find(task);
  if (found == under_way_.end())
    return;
  tell(task, used);
  auto& time = spent_[std::size_t(budget_kind::time)];
  time = model::sum(time, std::max<amount>(took.count(), 0));
  note_excess(task, found->second.share, budget_kind::time, took.count());
  under_way_.erase(found);
  if (stopped == handled::empty) // it may be about to start again
    stopped = handled::nothing;
}

std::optional<std::uint32_t> pot::some_task() const {
  const auto least = std::min_element(under_way_.begin(), under_way_.end(),
                                      [](auto& a, auto& b) { return a.first < b.first; });
  return least == under_way_.end() ? std::nullopt : std::optional{least->first};
}

amount pot::used(budget_kind kind, model::wall_time now) const {
  auto all = spent_[std::size_t(kind)];
  if (kind == budget_kind::time)
    for (const auto& [task, use] : under_way_)
      all = model::sum(all, use.of(kind, now));
  return all;
}

amount pot::left(budget_kind kind, model::wall_time now) const {
  return std::max<amount>(spec_->limits[std::size_t(kind)].value_or(0) - used(kind, now), 0);
}

/// What those under way may yet use of their shares.
amount pot::reserved(budget_kind kind, model::wall_time now) const {
  amount all = 0;
  for (const auto& [task, use] : under_way_)
    if (const auto& share = use.share[std::size_t(kind)])
      all = model::sum(all, std::max<amount>(*share - use.of(kind, now), 0));
  return all;
}

std::optional<excess> pot::exceeded(budget_kind kind, model::wall_time now) const {
  const auto& limit = spec_->limits[std::size_t(kind)];
  if (!limit)
    return std::nullopt;
  const auto all = used(kind, now);
  if (all > *limit)
    return excess{kind, true, std::nullopt, all, *limit};
  auto found = excesses_[std::size_t(kind)];
  for (const auto& [task, use] : under_way_) // whose time goes on
    if (const auto& share = use.share[std::size_t(kind)])
      if (const auto own = use.of(kind, now); own > *share && (!found || task < *found->task))
        found = excess{kind, true, task, own, *share};
  if (!found && all == *limit)
    found = excess{kind, false, std::nullopt, all, *limit};
  return found;
}

std::optional<excess> pot::exceeded(model::wall_time now) const {
  std::optional<excess> empty;
  for (const auto kind : all_kinds) {
    auto found = exceeded(kind, now);
    if (found && found->is_over)
      return found;
    if (!empty)
      empty = found;
  }
  return empty;
}

std::optional<model::wall_time> pot::time_is_over_at(model::wall_time now) const {
  constexpr auto time = std::size_t(budget_kind::time);
  std::int64_t running = 0;
  std::optional<amount> soonest;
  for (const auto& [task, use] : under_way_) {
    if (!use.since)
      continue;
    ++running;
    if (const auto& share = use.share[time])
      soonest = std::min(soonest.value_or(*share), *share - use.of(budget_kind::time, now));
  }
  if (running == 0 || !spec_->limits[time])
    return std::nullopt;
  const auto together = left(budget_kind::time, now) / running;
  // A moment later there is less than nothing left.
  return now
         + model::microseconds{std::max<amount>(std::min(soonest.value_or(together), together), 0)
                               + 1};
}

amount weight_of(const model::budget_spec& budget, const std::string& task) {
  const auto found = std::find_if(budget.weights.begin(), budget.weights.end(),
                                  [&](const auto& weight) { return weight.first == task; });
  return found == budget.weights.end() ? model::amount_unit : found->second;
}

} // namespace sluice::logic

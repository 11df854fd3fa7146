#include "logic/ready_order.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::logic {
namespace {

constexpr std::size_t most_idle_shares = 64;

bool is_after(const ready_entry& a, const ready_entry& b) {
  return b.is_before(a);
}

std::int64_t minute_of(model::wall_time at) {
  return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count();
}

} // namespace

/// The effective priority without the present minute, which counts for all alike: a queue gains a
/// point for each minute in which it is not served, and one whose first task is due in m minutes
/// has at least 99 - m.
std::int64_t ready_order::points_of(const queue& q) {
  constexpr std::int64_t out_of_reach = std::int64_t{1} << 40;
  auto points = q.base - minute_of(q.unserved_since);
  if (const auto deadline = q.heap.front().deadline; deadline != model::wall_time::max())
    points = std::max(points, model::critical_priority - 1 - minute_of(deadline));
  return points + (q.base == model::critical_priority ? out_of_reach : 0);
}

void ready_order::add(const std::string& workflow, model::priority base, const ready_entry& entry,
                      model::wall_time now) {
  auto found = shares_.find(workflow);
  if (found == shares_.end())
    found = shares_.try_emplace(workflow).first;
  auto& of = found->second;
  if (of.waiting++ == 0) // what it did not need while it was idle is gone
    of.served = std::max(of.served, virtual_time_);
  const auto [position, is_new] = of.queues.try_emplace(base);
  auto& q = position->second;
  if (is_new)
    q = {.base = base, .of = &of, .id = ++queues_, .unserved_since = now, .heap = {}, .at = {}};
  if (q.heap.empty())
    q.unserved_since = now;
  const bool leads = q.heap.empty() || entry.is_before(q.heap.front());
  q.heap.push_back(entry);
  std::push_heap(q.heap.begin(), q.heap.end(), is_after);
  ++size_;
  if (leads)
    put_in_place(q);
}

ready_entry ready_order::serve(model::wall_time now) {
  auto& q = *front_.begin()->where;
  virtual_time_ = q.of->served++;
  q.unserved_since = now;
  return remove_front();
}

ready_entry ready_order::drop() {
  return remove_front();
}

ready_entry ready_order::remove_front() {
  auto& q = *front_.begin()->where;
  std::pop_heap(q.heap.begin(), q.heap.end(), is_after);
  const auto entry = q.heap.back();
  q.heap.pop_back();
  --q.of->waiting;
  --size_;
  if (q.heap.empty()) {
    front_.erase(*std::exchange(q.at, std::nullopt));
    if (front_.empty() && shares_.size() > most_idle_shares)
      shares_.clear();
  } else {
    put_in_place(q);
  }
  // Other queues of a workflow that was served stand too far in front, which shows when they come
  // to be the first.
  while (!front_.empty() && front_.begin()->served != front_.begin()->where->of->served)
    put_in_place(*front_.begin()->where);
  return entry;
}

void ready_order::put_in_place(queue& q) {
  const place wanted{-points_of(q), q.of->served, q.id, &q};
  if (!q.at) {
    q.at = front_.insert(wanted).first;
    return;
  }
  auto node = front_.extract(*q.at);
  node.value() = wanted;
  q.at = front_.insert(std::move(node)).position;
}

} // namespace sluice::logic

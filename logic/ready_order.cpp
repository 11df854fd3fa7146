#include "logic/ready_order.hpp"

#include <algorithm>
#include <chrono>

namespace sluice::logic {
namespace {

constexpr std::size_t most_empty_queues = 64;

bool is_after(const ready_entry& a, const ready_entry& b) {
  return b.is_before(a);
}

std::int64_t minute_of(model::wall_time at) {
  return std::chrono::floor<std::chrono::minutes>(at).time_since_epoch().count();
}

} // namespace

model::wall_time due_without_deadline(model::wall_time since) {
  return std::chrono::floor<std::chrono::hours>(since) + std::chrono::days{1};
}

std::int64_t points_of(model::priority base, model::wall_time since, model::wall_time due) {
  constexpr std::int64_t out_of_reach = std::int64_t{1} << 40;
  return std::max(base - minute_of(since), model::critical_priority - 1 - minute_of(due))
         + (base == model::critical_priority ? out_of_reach : 0);
}

void ready_order::add(const std::string& workflow, model::priority base, const ready_entry& entry) {
  const auto [position, is_new] = queues_.try_emplace({workflow, base});
  auto& q = position->second;
  if (is_new)
    q = {.base = base, .id = ++ids_};
  if (q.heap.empty()) // what it did not need while it was empty is gone
    q.served = std::max(q.served, virtual_times_[base]);
  const bool leads = q.heap.empty() || entry.is_before(q.heap.front());
  q.heap.push_back(entry);
  std::push_heap(q.heap.begin(), q.heap.end(), is_after);
  ++size_;
  if (leads)
    put_in_place(q);
}

ready_entry ready_order::serve(model::wall_time now) {
  auto& q = *front_.begin()->where;
  virtual_times_[q.base] = q.served++;
  q.served_at = now;
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
  --size_;
  if (!q.heap.empty()) {
    put_in_place(q);
    return entry;
  }
  front_.erase(*std::exchange(q.at, std::nullopt));
  if (front_.empty() && queues_.size() > most_empty_queues)
    queues_.clear();
  return entry;
}

void ready_order::put_in_place(queue& q) {
  const auto& first = q.heap.front();
  const auto unserved_since = std::max(first.since, q.served_at);
  const place wanted{-points_of(q.base, unserved_since, first.due), -q.base, q.served, q.id, &q};
  if (!q.at) {
    q.at = front_.insert(wanted).first;
    return;
  }
  auto node = front_.extract(*q.at);
  node.value() = wanted;
  q.at = front_.insert(std::move(node)).position;
}

} // namespace sluice::logic

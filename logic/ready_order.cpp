#include "logic/ready_order.hpp"

#include <algorithm>
#include <chrono>

namespace sluice::logic {
namespace {

constexpr std::size_t most_empty_queues = 64;
/// An attempt, in virtual time.
constexpr std::uint64_t one_attempt = 1'000'000;

weight weight_in(const std::map<std::string, weight>& weights, const std::string& name) {
  const auto found = weights.find(name);
  return found == weights.end() ? 1 : found->second;
}

void set_weight(std::map<std::string, weight>& weights, const std::string& name, weight w) {
  if (w == 1)
    weights.erase(name);
  else
    weights[name] = w;
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

std::int64_t ready_order::lane::points() const {
  const auto& first = entries_.front();
  return first.points(of_->base, of_->served_at);
}

ready_order::queue& ready_order::queue_of(const sharer& whose, model::priority base) {
  if (const auto known = queues_.find(is_key_before::view{whose.workflow, whose.user, base});
      known != queues_.end())
    return known->second;
  queue_key key{std::string{whose.workflow}, std::string{whose.user}, base};
  auto& of = accounts_.try_emplace({key.user, base}, account{weight_in(user_weights_, key.user)})
               .first->second;
  const auto own = weight_in(workflow_weights_, key.workflow);
  auto& q = queues_.try_emplace(std::move(key)).first->second;
  q.base = base;
  q.id = ++ids_;
  q.own = own;
  q.of = &of;
  return q;
}

ready_order::lane* ready_order::add(const sharer& whose, model::priority base,
                                    const ready_entry& entry, shape_id shape) {
  auto& q = queue_of(whose, base);
  auto& own = q.lanes.try_emplace(shape, shape, q).first->second;
  auto& entries = own.entries_;
  const bool was_empty = entries.empty();
  const bool leads = was_empty || entry.is_before(entries.front());
  const bool is_aside = !was_empty && !own.is_open_;
  std::optional<decltype(q.open)::node_type> place;
  if (leads && own.is_open_)
    place = q.open.extract(&own);
  entries.push(entry);
  ++size_;
  aside_ += is_aside ? 1 : 0;
  if (was_empty) {
    open(own);
  } else if (place) {
    q.open.insert(std::move(*place));
    put_in_place(q);
  }
  return is_aside && leads ? &own : nullptr;
}

ready_entry ready_order::serve(model::wall_time now) {
  auto& q = *front_.begin()->where;
  virtual_times_[q.base] = q.served;
  q.served += price_of(q);
  q.served_at = now;
  return remove_front();
}

/// What an attempt costs the queue: of what its user is to get, the queue is to get what its weight
/// is among those of the user that are busy with it.
std::uint64_t ready_order::price_of(const queue& q) {
  return one_attempt * q.of->busy / (std::uint64_t{q.own} * q.of->own);
}

void ready_order::set_weight_of_workflow(const std::string& workflow, weight w) {
  set_weight(workflow_weights_, workflow, w);
  for (auto& [key, q] : queues_) {
    if (key.workflow != workflow)
      continue;
    if (q.at)
      q.of->busy += std::uint64_t{w} - q.own;
    q.own = w;
  }
}

void ready_order::set_weight_of_user(const std::string& user, weight w) {
  set_weight(user_weights_, user, w);
  for (auto& [key, of] : accounts_)
    if (key.first == user)
      of.own = w;
}

ready_entry ready_order::drop() {
  return remove_front();
}

void ready_order::set_aside() {
  auto& q = *front_.begin()->where;
  auto& front = **q.open.begin();
  front.is_open_ = false;
  aside_ += front.entries_.size();
  q.open.erase(q.open.begin());
  put_in_place(q);
}

void ready_order::take_back(lane& which) {
  if (which.is_open_)
    return;
  aside_ -= which.entries_.size();
  open(which);
}

void ready_order::open(lane& which) {
  auto& q = *which.of_;
  if (q.open.empty()) // what it did not need meanwhile is gone
    q.served = std::max(q.served, virtual_times_[q.base]);
  which.is_open_ = true;
  q.open.insert(&which);
  put_in_place(q);
}

std::optional<ready_order::standing> ready_order::find(model::task_key task,
                                                       model::wall_time now) const {
  const lane* own = nullptr;
  std::optional<ready_entry> entry;
  for (const auto& [key, q] : queues_)
    for (const auto& [shape, which] : q.lanes)
      which.entries_.for_each([&, &which = which](const ready_entry& other) {
        if (other.task == task && (!entry || other.turn > entry->turn)) {
          own = &which;
          entry = other;
        }
      });
  if (own == nullptr)
    return std::nullopt;
  const auto& q = *own->of_;
  const auto points = entry->points(q.base, q.served_at);
  standing found{entry->since, q.base, 1};
  if (q.base != model::critical_priority)
    found.priority = std::min<std::int64_t>(points + minute_of(now), model::critical_priority - 1);
  for (const auto& [key, other] : queues_)
    for (const auto& [shape, which] : other.lanes)
      which.entries_.for_each([&, &other = other](const ready_entry& before) {
        const auto theirs = before.points(other.base, other.served_at);
        const bool is_before = &other == &q
                                 ? before.is_before(*entry)
                                 : theirs > points || (theirs == points && other.served < q.served);
        found.position += is_before ? 1 : 0;
      });
  return found;
}

ready_entry ready_order::remove_front() {
  auto& q = *front_.begin()->where;
  auto place = q.open.extract(q.open.begin());
  auto& own = *place.value();
  const auto entry = own.entries_.pop();
  --size_;
  if (!own.entries_.empty()) {
    q.open.insert(std::move(place));
  } else {
    own.is_open_ = false;
    if (own.shape() != 0)
      q.lanes.erase(own.shape());
  }
  put_in_place(q);
  if (size_ == 0 && queues_.size() > most_empty_queues) {
    queues_.clear();
    accounts_.clear();
  }
  return entry;
}

/// It stands where its first open lane puts it; nowhere, when it has none.
void ready_order::put_in_place(queue& q) {
  if (q.open.empty()) {
    if (q.at) {
      front_.erase(*std::exchange(q.at, std::nullopt));
      q.of->busy -= q.own;
    }
    return;
  }
  const place wanted{-(*q.open.begin())->points(), -q.base, q.served, q.id, &q};
  if (!q.at) {
    q.of->busy += q.own;
    q.at = front_.insert(wanted).first;
    return;
  }
  auto node = front_.extract(*q.at);
  node.value() = wanted;
  q.at = front_.insert(std::move(node)).position;
}

} // namespace sluice::logic

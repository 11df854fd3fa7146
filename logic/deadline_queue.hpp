// Deadlines by key, of which only the earliest needs a wake-up: an armed one can be taken back, and
// an hour-long one costs one entry. Owned by one actor.
#pragma once

#include "model/time.hpp"

#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sluice::logic {

template <class Key>
class deadline_queue {
public:
  /// Replaces the key's deadline if it has one.
  void arm(const Key& key, model::steady_time when) {
    disarm(key);
    by_key_.emplace(key, when);
    by_time_.emplace(when, key);
  }

  void disarm(const Key& key) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end())
      return;
    by_time_.erase({it->second, key});
    by_key_.erase(it);
  }

  /// Takes the keys whose deadline has come, earliest first.
  std::vector<Key> take_due(model::steady_time now) {
    std::vector<Key> due;
    while (!by_time_.empty() && by_time_.begin()->first <= now) {
      due.push_back(by_time_.begin()->second);
      by_key_.erase(due.back());
      by_time_.erase(by_time_.begin());
    }
    return due;
  }

  std::optional<model::steady_time> earliest() const {
    return by_time_.empty() ? std::nullopt : std::optional{by_time_.begin()->first};
  }

private:
  std::set<std::pair<model::steady_time, Key>> by_time_;
  std::unordered_map<Key, model::steady_time> by_key_;
};

} // namespace sluice::logic

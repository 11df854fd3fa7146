// Ready tasks in their order. Most of the time they come in it, and are taken as they came; those
// that have to go before others are in a heap beside them. So a decision costs O(log n) at most,
// and no more than a step along a vector as a rule.
#pragma once

#include "logic/ready_entry.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sluice::logic {

class entry_queue {
public:
  bool empty() const { return size() == 0; }
  std::size_t size() const { return in_order_.size() - taken_ + heap_.size(); }
  /// @pre not empty
  const ready_entry& front() const { return is_heap_next() ? heap_.front() : in_order_[taken_]; }

  void push(const ready_entry& entry) {
    if (taken_ == in_order_.size() || in_order_.back().is_before(entry)) {
      in_order_.push_back(entry);
      return;
    }
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), is_after);
  }

  /// Takes the front out. @pre not empty
  ready_entry pop() {
    if (is_heap_next()) {
      std::pop_heap(heap_.begin(), heap_.end(), is_after);
      const auto entry = heap_.back();
      heap_.pop_back();
      return entry;
    }
    const auto entry = in_order_[taken_++];
    if (taken_ == in_order_.size() || taken_ >= least_gap + in_order_.size() / 2) {
      in_order_.erase(in_order_.begin(), in_order_.begin() + std::ptrdiff_t(taken_));
      taken_ = 0;
    }
    return entry;
  }

  /// In no order.
  template <class Visit>
  void for_each(const Visit& visit) const {
    std::for_each(in_order_.begin() + std::ptrdiff_t(taken_), in_order_.end(), visit);
    std::for_each(heap_.begin(), heap_.end(), visit);
  }

private:
  static constexpr std::size_t least_gap = 64; ///< that is worth moving the rest
  static bool is_after(const ready_entry& a, const ready_entry& b) { return b.is_before(a); }
  bool is_heap_next() const {
    return !heap_.empty()
           && (taken_ == in_order_.size() || heap_.front().is_before(in_order_[taken_]));
  }

  std::vector<ready_entry> in_order_;
  std::size_t taken_ = 0; ///< of those in order, from the beginning
  std::vector<ready_entry> heap_;
};

} // namespace sluice::logic

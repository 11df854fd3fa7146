// The scheduler's side of the commit protocol: numbers the steps, holds back their effects until
// the commit that holds them, bounds what is outstanding, and knows what to send again when the
// writer was replaced. Owned by SCHEDULER; no threads.
#pragma once

#include "logic/reaction.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace sluice::logic {

using step_ptr = std::shared_ptr<const model::step>;

struct commit_window_limits {
  /// Weight of a group (see `model::weight`); a heavier step travels alone.
  std::size_t group = 4096;
  std::size_t groups_outstanding = 4;
};

class commit_window {
public:
  explicit commit_window(commit_window_limits limits = {}) : limits_(limits) {}

  /// Takes one scheduler step. Returns the effects that may happen at once: all of them when it
  /// records nothing and nothing before it is uncommitted.
  std::vector<model::command> push(reaction&& step);

  /// The steps to send to the writer now, in order.
  std::vector<step_ptr> take_sendable();

  /// Everything up to step `number` is durable. Returns the effects that this releases, in order.
  /// A number seen before releases nothing.
  std::vector<model::command> committed(std::uint64_t number);

  /// The writer is a new one and has committed up to `number`: what follows is to be sent again, by
  /// `take_sendable`. Returns the effects of what was committed meanwhile.
  std::vector<model::command> writer_replaced(std::uint64_t number);

  /// Whether the scheduler may dispatch and accept more.
  bool has_room() const { return outstanding_ < limits_.group * limits_.groups_outstanding; }
  bool is_empty() const { return pending_.empty(); }

private:
  struct pending_step {
    step_ptr step;
    std::size_t weight = 0;
    std::vector<model::command> effects;
    bool sent = false;
  };

  commit_window_limits limits_;
  std::deque<pending_step> pending_; ///< uncommitted, in order; sent ones first
  std::size_t outstanding_ = 0;      ///< weight of `pending_`
  std::size_t sent_ = 0;             ///< how many of `pending_` are with the writer
  std::size_t sent_weight_ = 0;
  std::uint64_t last_number_ = 0;
};

} // namespace sluice::logic

// One armed wake-up for the earliest of an actor's deadlines. CAF cannot take a delayed message
// back, so an early one may come for nothing; it then arms the next.
#pragma once

#include "actors/messages.hpp"
#include "logic/deadline_queue.hpp"

#include <caf/actor_clock.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace sluice::actors {

template <class Actor>
model::steady_time steady_now(Actor* self) {
  return std::chrono::duration_cast<model::steady_time>(self->clock().now().time_since_epoch());
}

class wakeup {
public:
  /// Sends the actor `deadline_passed` when the earliest deadline comes, unless that is arranged.
  template <class Actor, class Key>
  void arm(Actor* self, const logic::deadline_queue<Key>& deadlines) {
    const auto earliest = deadlines.earliest();
    if (!earliest || (armed_ && *armed_ <= *earliest))
      return;
    armed_ = earliest;
    self->delayed_send(self, std::max(model::steady_time{0}, *earliest - steady_now(self)),
                       deadline_passed{});
  }
  /// The message has come.
  void passed() { armed_.reset(); }

private:
  std::optional<model::steady_time> armed_;
};

} // namespace sluice::actors

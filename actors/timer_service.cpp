#include "actors/timer_service.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

using service_pointer = timer_service_actor::stateful_pointer<timer_service_state>;

/// Beyond this a sum with the clock's reading would overflow.
constexpr model::steady_time longest_wait = std::chrono::hours{24 * 365 * 100};

/// Tells what is due, and waits for the earliest of the others.
void look(service_pointer self) {
  auto& state = self->state;
  for (const auto& timer : state.timers.take_due(steady_now(self)))
    self->send(state.listener, model::timer_fired{timer});
  state.earliest.arm(self, state.timers);
}

void arm(service_pointer self, const std::vector<model::timer>& timers) {
  auto& state = self->state;
  const auto now = state.clock.wall();
  for (const auto& timer : timers)
    state.timers.arm(timer, steady_now(self)
                              + std::min<model::steady_time>(timer.due - now, longest_wait));
  look(self);
}

} // namespace

timer_service_actor::behavior_type timer_service(service_pointer self, model::clock clock) {
  self->state.clock = std::move(clock);
  self->set_exception_handler(describe_exception);
  return {
    [self](watch_timers& all) {
      self->state.listener = std::move(all.listener);
      self->state.timers = {};
      arm(self, all.timers);
    },
    [self](const model::change_timers& changes) {
      for (const auto& timer : changes.what.removed)
        self->state.timers.disarm(timer);
      arm(self, changes.what.set);
    },
    [self](deadline_passed) {
      self->state.earliest.passed();
      look(self);
    },
  };
}

} // namespace sluice::actors

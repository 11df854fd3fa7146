// TIMER SERVICE: see interfaces.hpp. Durable timers are points in wall time; while it lives it
// waits for them by the monotonic clock, so that a wall clock that is set makes no wait longer or
// shorter.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/wakeup.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

struct timer_service_state {
  timer_service_state() = default;

  timer_listener_actor listener; ///< null until it has said what to wait for
  model::clock clock;
  logic::deadline_queue<model::timer> timers;
  wakeup earliest;

  static inline const char* name = "timer_service";
};

timer_service_actor::behavior_type
timer_service(timer_service_actor::stateful_pointer<timer_service_state> self, model::clock clock);

} // namespace sluice::actors

// EVENT SUBSCRIBER: see interfaces.hpp. Remembers its cursor, so that a new hub goes on where the
// old one ended.
#pragma once

#include "actors/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

struct event_subscriber_state {
  event_subscriber_state() = default;

  event_callback on_events;
  event_hub_actor hub;
  std::int64_t cursor = 0; ///< last seq handed to the callback

  static inline const char* name = "event_subscriber";
};

event_subscriber_actor::behavior_type
event_subscriber(event_subscriber_actor::stateful_pointer<event_subscriber_state> self,
                 event_callback on_events, event_hub_actor hub, std::int64_t after_seq);

} // namespace sluice::actors

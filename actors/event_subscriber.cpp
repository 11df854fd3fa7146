#include "actors/event_subscriber.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {

event_subscriber_actor::behavior_type
event_subscriber(event_subscriber_actor::stateful_pointer<event_subscriber_state> self,
                 event_callback on_events, event_hub_actor hub, std::int64_t after_seq) {
  auto& state = self->state;
  state.on_events = std::move(on_events);
  state.hub = std::move(hub);
  state.cursor = after_seq;
  self->set_exception_handler(describe_exception);
  self->send(state.hub, subscribe_events{self, after_seq});
  return {
    [self](const events_published& batch) {
      auto& st = self->state;
      // A batch of the old hub may arrive after the new one has begun to repeat it.
      std::span<const model::event> events{*batch.events};
      while (!events.empty() && events.front().seq <= st.cursor)
        events = events.subspan(1);
      if (!events.empty()) {
        st.cursor = events.back().seq;
        st.on_events(events);
      }
      self->send(st.hub, grant_credit{self});
    },
    [self](use_event_hub& change) {
      self->state.hub = std::move(change.hub);
      self->send(self->state.hub, subscribe_events{self, self->state.cursor});
    },
  };
}

} // namespace sluice::actors

#include "testing/tree.hpp"

#include <caf/all.hpp>

namespace sluice::testing {

caf::actor child_of(const actors::host_actor& host, actors::child which) {
  const auto& state = state_of<actors::host_state>(host);
  switch (which) {
  case actors::child::scheduler:
    return caf::actor_cast<caf::actor>(state.scheduler);
  case actors::child::batch_writer:
    return caf::actor_cast<caf::actor>(state.writer);
  case actors::child::process_executor:
    return caf::actor_cast<caf::actor>(state.processes);
  case actors::child::function_executor:
    return caf::actor_cast<caf::actor>(state.functions);
  case actors::child::event_hub:
    return caf::actor_cast<caf::actor>(state.hub);
  case actors::child::readers:
    return caf::actor_cast<caf::actor>(state.readers);
  case actors::child::timer_service:
    return caf::actor_cast<caf::actor>(state.timers);
  }
  return {};
}

} // namespace sluice::testing

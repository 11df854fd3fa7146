// Looks into a tree of cooperative actors, to crash one of them or to see what it holds.
#pragma once

#include "actors/host_actor.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>

namespace sluice::testing {

/// The state of a cooperative actor.
template <class State, class Handle>
State& state_of(const Handle& handle) {
  using pointer = typename Handle::template stateful_pointer<State>;
  return dynamic_cast<pointer>(caf::actor_cast<caf::abstract_actor*>(handle))->state;
}

/// The actor that HOST started last for this place; it may be dead.
caf::actor child_of(const actors::host_actor& host, actors::child which);

} // namespace sluice::testing

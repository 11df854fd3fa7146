// Our errors as CAF's and back, so that a code survives an actor's death or a failed request.
#pragma once

#include "model/error.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>

namespace sluice::actors {

caf::error to_caf(const error& e);

/// CAF's own errors become `timeout` (a request without answer), `unavailable` (the receiver is
/// gone) or `internal`.
error from_caf(const caf::error& e);

/// The configuration of every actor system of ours. `threads`: for all actors that are not
/// detached. The sharing policy blocks idle threads, where the default one would poll.
class system_config : public caf::actor_system_config {
public:
  explicit system_config(std::size_t threads);
};

/// Keeps the text of an exception that ends an actor.
caf::error describe_exception(caf::scheduled_actor* self, std::exception_ptr& exception);

} // namespace sluice::actors

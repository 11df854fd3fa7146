// EVENT HUB: see interfaces.hpp.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/options.hpp"

#include <caf/stateful_actor.hpp>

#include <map>

namespace sluice::actors {

struct event_hub_state {
  event_hub_state() = default;

  struct subscriber {
    event_subscriber_actor handle;
    std::int64_t cursor = 0; ///< last seq sent
    std::uint32_t credit = 0;
    bool reading = false; ///< a read from the table is under way
  };

  event_hub_options options;
  readers_actor readers;
  std::int64_t last_seq = 0; ///< known to be committed
  bool reads_again = false;  ///< a `read_again` is on its way
  std::map<caf::actor_id, subscriber> subscribers;
  /// Names of tasks of runs whose creation passed by; dropped at the run's end.
  std::map<model::run_no, model::task_names> names;

  static inline const char* name = "event_hub";
};

/// `last_seq`: what is committed already.
event_hub_actor::behavior_type event_hub(event_hub_actor::stateful_pointer<event_hub_state> self,
                                         event_hub_options options, readers_actor readers,
                                         std::int64_t last_seq);

} // namespace sluice::actors

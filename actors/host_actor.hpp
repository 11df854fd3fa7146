// HOST, the actor behind host.hpp: the tree and its supervision.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/options.hpp"
#include "logic/restart_policy.hpp"

#include <caf/stateful_actor.hpp>

#include <map>
#include <optional>

namespace sluice::actors {

/// How HOST spawns what blocks: detached, or not in a test with one thread.
enum class spawning : std::uint8_t { detached, cooperative };

struct host_state {
  host_state() = default;

  host_options options;
  spawning how = spawning::detached;
  std::uint64_t incarnation = 0;
  std::int64_t first_seq = 0; ///< committed before this host
  run_ownership ours;
  live_runs runs;                ///< what the next scheduler begins with
  bool scheduler_is_due = false; ///< it died, and its pause is over

  scheduler_actor scheduler;
  batch_writer_actor writer;
  event_hub_actor hub;
  readers_actor readers;
  process_executor_actor processes;
  function_executor_actor functions;
  timer_service_actor timers;
  std::map<std::uint64_t, event_subscriber_actor> watchers;

  std::map<caf::actor_id, child> children;
  std::map<child, logic::restart_policy> restarts;
  /// Requests that SCHEDULER has not answered, and whom to tell that it never will; bounded by what
  /// it accepts.
  std::map<std::uint64_t, std::function<void(error)>> asked;
  std::uint64_t last_asked = 0;
  /// Progress that is not known to be stored; a new scheduler is told of all of it.
  std::map<std::uint64_t, host_save_checkpoint> saves;
  std::optional<host_drain> draining; ///< the last that was asked
  bool failed = false;                ///< on_fatal was called

  static inline const char* name = "host";
};

/// What the store says when a host starts.
struct store_position {
  std::uint64_t incarnation = 0; ///< of the scheduler of this host
  std::int64_t last_seq = 0;
  live_runs runs; ///< those that it is to take up
};

/// Reads it. Errors: those of the store.
expected<store_position> read_position(const host_options& options);

host_actor::behavior_type host_behavior(host_actor::stateful_pointer<host_state> self,
                                        host_options options, store_position position,
                                        spawning how);

} // namespace sluice::actors

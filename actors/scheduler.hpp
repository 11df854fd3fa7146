// SCHEDULER: see interfaces.hpp. Translates between messages and scheduler_core; every rule is
// there.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/options.hpp"
#include "logic/scheduler_core.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <deque>
#include <unordered_map>

namespace sluice::actors {

/// A submission with a key, until it is known whether it is a repeated one.
struct keyed_submission {
  submit_run request;
  caf::typed_response_promise<run_accepted> answer;
};

struct scheduler_state {
  scheduler_state() = default;

  std::unique_ptr<logic::scheduler_core> core;
  logic::commit_window window;
  model::clock clock;
  std::uint32_t waiting_submissions = 0; ///< bound of `held`

  batch_writer_actor writer;     ///< null while there is none that may be sent steps
  batch_writer_actor new_writer; ///< has been asked where the store stands
  /// Of the kinds that actors execute, which come first.
  std::array<executor_actor, std::size_t(model::executor_kind::workflow)> executors;
  readers_actor readers;
  timer_service_actor timers;

  model::request_id last_request = 0;
  std::unordered_map<model::request_id, caf::typed_response_promise<run_accepted>> answers;
  std::unordered_map<model::request_id, caf::typed_response_promise<run_controlled>> controls;
  std::unordered_map<model::request_id, caf::typed_response_promise<drained_all>> drains;
  std::unordered_map<model::request_id, caf::typed_response_promise<checkpoint_kept>> savers;
  /// Attempts that start when what their task kept is read; true: they were told to stop since.
  std::unordered_map<model::attempt_key, bool> resuming;
  model::wall_time woken_for;            ///< the wake-up that counts
  std::deque<model::run_submitted> held; ///< submissions that wait for room in the window
  /// By digest. The key of the first is being looked up, or its run is on its way to the store; the
  /// others wait for it.
  std::unordered_map<std::string, std::deque<keyed_submission>> keyed;
  std::unordered_map<model::request_id, std::string> keys; ///< of those the core has

  static inline const char* name = "scheduler";
};

/// Begins with what the store holds. The writer arrives by `use_batch_writer`, until
/// then steps wait; executors by `executor_ready`, until all are there nothing is dispatched.
scheduler_actor::behavior_type scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
                                         logic::core_options core, scheduler_options options,
                                         model::clock clock, readers_actor readers,
                                         const live_runs& stored);

} // namespace sluice::actors

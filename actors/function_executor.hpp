// FUNCTION EXECUTOR: see interfaces.hpp.
#pragma once

#include "actors/attempt_clocks.hpp"
#include "actors/interfaces.hpp"
#include "executors/function_registry.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <set>
#include <unordered_map>

namespace sluice::actors {

/// Makes a FUNCTION WORKER; HOST decides on what thread it runs.
using function_worker_factory = std::function<function_worker_actor()>;

struct function_executor_state {
  function_executor_state() = default;

  /// Progress of a blocking handler, which waits for the answer.
  struct save {
    save_checkpoint what;
    caf::typed_response_promise<checkpoint_kept> waits;
  };
  struct call {
    std::stop_source stop;
    time_limits limits;
    std::optional<save> saving;
    function_worker_actor worker;                 ///< of a blocking handler
    std::optional<model::attempt_report> pending; ///< of an asynchronous one that is not over
    std::optional<model::stop_reason> overdue;    ///< it was told that it has to stop, and why
    std::shared_ptr<const model::attempt_report> report; ///< over, not acknowledged yet
  };

  status_channel_actor status;
  std::shared_ptr<const executors::function_registry> functions;
  model::clock clock;
  function_worker_factory spawn_worker;

  std::unordered_map<model::attempt_key, call> calls;
  std::set<caf::actor_id> workers; ///< linked: they end with this actor
  std::vector<function_worker_actor> idle_workers;
  attempt_clocks clocks;
  logic::deadline_queue<model::attempt_key> ends; ///< of asynchronous calls

  static inline const char* name = "function_executor";
};

function_executor_actor::behavior_type
function_executor(function_executor_actor::stateful_pointer<function_executor_state> self,
                  status_channel_actor status,
                  std::shared_ptr<const executors::function_registry> functions, model::clock clock,
                  function_worker_factory spawn_worker);

} // namespace sluice::actors

// FUNCTION WORKER: see interfaces.hpp.
#pragma once

#include "actors/interfaces.hpp"
#include "executors/function_registry.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

struct function_worker_state {
  function_worker_state() = default;

  std::shared_ptr<const executors::function_registry> functions;
  model::clock clock;

  static inline const char* name = "function_worker";
};

function_worker_actor::behavior_type
function_worker(function_worker_actor::stateful_pointer<function_worker_state> self,
                std::shared_ptr<const executors::function_registry> functions, model::clock clock);

} // namespace sluice::actors

// PROCESS WORKER: see interfaces.hpp.
#pragma once

#include "actors/interfaces.hpp"
#include "actors/options.hpp"

#include <caf/stateful_actor.hpp>

namespace sluice::actors {

struct process_worker_state {
  process_worker_state() = default;

  status_channel_actor status;
  std::shared_ptr<executors::launcher> launcher;
  model::milliseconds grace{0};
  std::shared_ptr<const model::attempt_report> report; ///< from the end to the acknowledgement

  static inline const char* name = "process_worker";
};

process_worker_actor::behavior_type
process_worker(process_worker_actor::stateful_pointer<process_worker_state> self,
               status_channel_actor status, std::shared_ptr<executors::launcher> launcher,
               model::milliseconds grace);

} // namespace sluice::actors

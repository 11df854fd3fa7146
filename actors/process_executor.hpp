// PROCESS EXECUTOR: see interfaces.hpp.
#pragma once

#include "actors/attempt_clocks.hpp"
#include "actors/interfaces.hpp"
#include "actors/options.hpp"

#include <caf/stateful_actor.hpp>

#include <unordered_map>

namespace sluice::actors {

struct process_executor_state {
  process_executor_state() = default;

  executor_options options;
  status_channel_actor status;
  std::shared_ptr<executors::launcher> launcher;
  std::shared_ptr<const executors::launch_listener> listener; ///< sends us `process_news`

  /// What an attempt has said of itself; few say anything.
  struct said {
    std::optional<model::task_progress> progress; ///< held until the pause is over
    bool pauses = false;                          ///< something was told within the last second
    model::value usage;                           ///< all of it
    bool has_used_more = false;                   ///< than was told
  };
  struct attempt {
    process_worker_actor worker; ///< null when it died before its attempt was over
    time_limits limits;
    std::optional<model::stop_reason> overdue; ///< it was told that it has to stop, and why
    std::shared_ptr<const model::attempt_report> report; ///< once the process is over
    std::unique_ptr<said> words = nullptr;
    bool puts_out = false;                  ///< its task declares outputs, and its action runs
    bool prepares = false;                  ///< its action has not begun: it takes a snapshot first
    model::snapshot_ptr snapshot = nullptr; ///< that it has, until that is stored
  };

  std::unordered_map<model::attempt_key, attempt> attempts;   ///< until their reports are durable
  std::unordered_map<caf::actor_id, model::attempt_key> keys; ///< by the worker
  std::vector<process_worker_actor> idle_workers;             ///< a few; ending one is dear
  attempt_clocks clocks;

  static inline const char* name = "process_executor";
};

process_executor_actor::behavior_type
process_executor(process_executor_actor::stateful_pointer<process_executor_state> self,
                 executor_options options, status_channel_actor status,
                 std::shared_ptr<executors::launcher> launcher);

} // namespace sluice::actors

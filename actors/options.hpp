// The options of every actor, with their defaults. Read once at start; mentions no CAF type.
#pragma once

#include "executors/function_registry.hpp"
#include "executors/launcher.hpp"
#include "logic/breaker.hpp"
#include "logic/capacity_ledger.hpp"
#include "model/error.hpp"
#include "model/time.hpp"
#include "storage/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace sluice::actors {

/// SCHEDULER. Bounds of what a node does at once.
struct scheduler_options {
  std::uint32_t slots = 4;                 ///< processes and blocking calls at once
  std::uint32_t most_slots = 0;            ///< while many are ready, when it is more
  std::uint32_t asynchronous_calls = 1024; ///< beside them
  /// Processes told to the launcher beyond the slots while attempts are short; only for a launcher
  /// that holds them back.
  std::uint32_t dispatch_ahead = 0;
  std::uint32_t crash_limit = 5;            ///< lost attempts a task survives
  logic::breaker_options breaker;           ///< of tasks that keep failing
  logic::capacity_ledger::options capacity; ///< what there is beside slots
  std::uint32_t waiting_submissions = 256;  ///< while the store is behind; more are refused
};

/// PROCESS EXECUTOR and its workers, FUNCTION EXECUTOR.
struct executor_options {
  model::milliseconds grace{10'000}; ///< between TERM and KILL
};

/// EVENT HUB and its subscribers.
struct event_hub_options {
  std::uint32_t batches_in_flight = 4; ///< per subscriber; one that is behind reads the table
  std::size_t batch_events = 1000;     ///< at most this many per batch read from the table
};

/// What HOST composes the tree from. The store is used by BATCH WRITER only, a reader by the one
/// actor that asked `open_reader` for it; launcher and functions outlive the host.
struct host_options {
  scheduler_options scheduler;
  executor_options executor;
  event_hub_options event_hub;
  /// Of CAF, for all actors that are not detached. Their messages are short: a second thread mostly
  /// spends its time on waking the first.
  std::size_t scheduler_threads = 1;

  std::shared_ptr<storage::store> store;
  std::function<expected<std::unique_ptr<storage::reader>>()> open_reader;
  std::shared_ptr<executors::launcher> launcher;
  std::shared_ptr<const executors::function_registry> functions;
  std::function<std::string(const std::string&)> digest; ///< of keys of tasks; none: themselves
  /// By how much the machine's own time is ahead of UTC then; none: it is UTC.
  std::function<model::microseconds(model::wall_time)> local_offset;
  model::clock clock;
  /// Unfinished runs of the store that this host takes up; it leaves all others alone.
  std::vector<model::run_no> resume;

  /// Called once, on an actor's thread, when the tree cannot go on (exit code 70).
  std::function<void(error)> on_fatal;
};

} // namespace sluice::actors

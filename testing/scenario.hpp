// Whole runtimes in virtual time, from a seed: a random workflow or a given one, random processes,
// messages in random order, and faults. After every step the promises are checked; the same seed
// does the same again. Knows no test framework.
#pragma once

#include "model/workflow.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::testing {

/// What a scenario does to a runtime.
enum class fault : std::uint8_t {
  batch_writer_crash,
  process_executor_crash,
  function_executor_crash,
  process_worker_crash,
  event_hub_crash,
  readers_crash,
  timer_service_crash,
  scheduler_crash,
  runtime_crash,     ///< between two commits; another runtime opens the store
  commit_fails,      ///< nothing of it is stored
  commit_unanswered, ///< all of it is stored, the answer is an error
  clock_jumps,       ///< wall time, to and fro
  report_doubled,
  report_late, ///< of an attempt that ended long ago
  start_handed_back,
};
inline constexpr std::size_t fault_count = 15;
std::string_view to_string(fault f);

struct scenario_options {
  std::uint64_t seed = 0;
  std::size_t most_faults = 20;
  /// What runs, with the defaults of its parameters; null: random ones. @pre it is valid, its
  /// parameters have defaults, and it calls built-in handlers only
  std::shared_ptr<const model::workflow_spec> workflow;
};

using move_counts =
  std::array<std::array<std::uint64_t, model::task_state_count>, model::task_state_count>;

struct scenario_report {
  /// Which promise was broken, and how; nothing when all held.
  std::optional<std::string> violation;
  std::vector<std::string> story; ///< the faults, a line each
  std::size_t steps = 0;
  std::size_t tasks = 0;
  std::size_t additions = 0; ///< so often a run was given further tasks
  std::array<std::uint64_t, fault_count> faults{};
  /// How often a task moved from one state (row) to another, as the events tell.
  move_counts moves{};
};

/// Runs the scenario of a seed to its end, or to the first broken promise.
scenario_report run_scenario(const scenario_options& options);

/// The same scenario with the fewest faults that still breaks a promise. @pre that of `options`
/// does
scenario_options shortest_failing(scenario_options options);

} // namespace sluice::testing

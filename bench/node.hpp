// A node of its own for a benchmark, and how long its runs take.
#pragma once

#include "bench/measure.hpp"
#include "runtime/orchestrator.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace sluice::bench {

/// Starts a node that commits durably, with its store in `dir`. `functions`: null is the built-in
/// handlers.
std::unique_ptr<runtime::orchestrator>
start_node(const std::filesystem::path& dir, std::uint32_t slots = 2,
           std::shared_ptr<const executors::function_registry> functions = nullptr,
           std::function<expected<void>(const std::filesystem::path&)> open_socket = nullptr);

/// A request for a run of a workflow. Equal `version`s share one stored version of it.
model::submission submission_of(std::shared_ptr<const model::workflow_spec> workflow,
                                const std::string& version);

/// Times whole runs on a node, one after the other.
class run_timer {
public:
  explicit run_timer(runtime::orchestrator& node);

  struct timed_run {
    model::run_no run_no;
    cost acknowledged; ///< from the submission to the commit of the run
    cost ended;        ///< from the submission to the commit of its end
  };
  /// Ends the program unless the run succeeds.
  timed_run time(model::submission what);

private:
  runtime::orchestrator& node_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<model::run_no, model::run_state> ended_;
  runtime::subscription watch_;
};

} // namespace sluice::bench

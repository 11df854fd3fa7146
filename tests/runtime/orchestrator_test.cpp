#include "model/workflow.hpp"
#include "runtime/orchestrator.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>

using namespace sluice;
using namespace sluice::runtime;

namespace {

/// A node with a handler of its own, in a directory of its own.
class small_node {
public:
  explicit small_node(executors::blocking_handler handler) {
    auto name = (std::filesystem::temp_directory_path() / "sluice-node-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    dir_ = name;
    auto functions = executors::function_registry::with_builtins();
    REQUIRE(functions.add("work", std::move(handler)));
    orchestrator_options options;
    options.store_dir = dir_ / "store";
    options.guard_program = SLUICE_BINARY_DIR "/sluice-guard";
    options.functions = std::make_shared<const executors::function_registry>(std::move(functions));
    auto started = orchestrator::start(std::move(options));
    REQUIRE(started);
    node_ = std::move(*started);
    watch_ = node_->watch([this](std::span<const model::event> events) {
      const std::lock_guard hold{mutex_};
      for (const auto& e : events)
        if (e.type == model::event_type::run_finished)
          ended_ = e.to;
      changed_.notify_all();
    });
  }
  ~small_node() {
    watch_ = {};
    node_->stop();
    std::filesystem::remove_all(dir_);
  }

  /// Runs one task that calls the handler; the state its run ended in.
  std::string run() {
    auto workflow = std::make_shared<model::workflow_spec>();
    workflow->name = "test";
    workflow->base_dir = "/";
    workflow->tasks.push_back({.name = "a", .action = model::call_action{"work"}});
    model::submission what;
    what.workflow = std::move(workflow);
    what.content_hash = "hash";
    REQUIRE(node_->submit(std::move(what)));
    std::unique_lock hold{mutex_};
    REQUIRE(changed_.wait_for(hold, std::chrono::minutes(2), [this] { return !ended_.empty(); }));
    return ended_;
  }

private:
  std::filesystem::path dir_;
  std::unique_ptr<orchestrator> node_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string ended_;
  subscription watch_;
};

} // namespace

TEST_CASE("orchestrator: a native handler goes on from what it saved", "[runtime][orchestrator]") {
  std::vector<std::string> seen; // by one attempt after the other
  std::optional<expected<void>> saved;
  small_node node{[&](const executors::call_context& call) -> executors::call_result {
    seen.push_back(call.checkpoint == nullptr ? "" : call.checkpoint->token);
    if (call.checkpoint != nullptr)
      return model::value{};
    saved = call.save_checkpoint({"step-1", "progress"});
    return tl::unexpected(model::failure{model::failure_class::lost, "", "as asked"});
  }};
  CHECK(node.run() == "succeeded");
  REQUIRE(saved);
  CHECK(saved->has_value());
  CHECK(seen == std::vector<std::string>{"", "step-1"});
}

TEST_CASE("orchestrator: a native handler is told that it saves too much",
          "[runtime][orchestrator]") {
  std::optional<expected<void>> saved;
  small_node node{[&](const executors::call_context& call) -> executors::call_result {
    saved = call.save_checkpoint({"large", std::string(model::default_checkpoint_bytes + 1, 'x')});
    return model::value{};
  }};
  CHECK(node.run() == "succeeded");
  REQUIRE(saved);
  REQUIRE_FALSE(saved->has_value());
  CHECK(saved->error().code == errc::invalid_argument);
}

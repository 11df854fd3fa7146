#include "model/workflow.hpp"
#include "runtime/orchestrator.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
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

  /// Asks for a run of one task that calls the handler; `done` is called on another thread.
  void submit(const std::string& key, const std::string& request,
              std::function<void(expected<model::run_no>)> done) {
    auto what = one_call();
    what.key = model::idempotency_key{key, request};
    node_->submit(std::move(what), std::move(done));
  }

  /// Runs one task that calls the handler; the state its run ended in.
  std::string run() {
    REQUIRE(node_->submit(one_call()));
    std::unique_lock hold{mutex_};
    REQUIRE(changed_.wait_for(hold, std::chrono::minutes(2), [this] { return !ended_.empty(); }));
    return ended_;
  }

private:
  static model::submission one_call() {
    auto workflow = std::make_shared<model::workflow_spec>();
    workflow->name = "test";
    workflow->base_dir = "/";
    workflow->tasks.push_back({.name = "a", .action = model::call_action{"work"}});
    model::submission what;
    what.workflow = std::move(workflow);
    what.content_hash = "hash";
    return what;
  }

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

TEST_CASE("orchestrator: requests with one key are one run", "[runtime][orchestrator]") {
  std::atomic<int> calls = 0;
  small_node node{[&](const executors::call_context&) -> executors::call_result {
    ++calls;
    return model::value{};
  }};
  constexpr std::size_t at_once = 8;
  std::array<std::promise<expected<model::run_no>>, at_once + 2> answers;
  const auto ask = [&](std::size_t i, const char* key, const char* request) {
    node.submit(key, request, [&answers, i](expected<model::run_no> run) {
      answers[i].set_value(std::move(run));
    });
  };
  for (std::size_t i = 0; i < at_once; ++i)
    ask(i, "monday", "same");
  ask(at_once, "monday", "other parameters");
  ask(at_once + 1, "tuesday", "same");

  const auto first = answers[0].get_future().get();
  REQUIRE(first);
  for (std::size_t i = 1; i < at_once; ++i)
    CHECK(answers[i].get_future().get() == first);
  const auto other = answers[at_once].get_future().get();
  REQUIRE_FALSE(other);
  CHECK(other.error().code == errc::conflict);
  CHECK_THAT(other.error().message, Catch::Contains("stands for run " + to_string(*first)));
  const auto tuesday = answers[at_once + 1].get_future().get();
  REQUIRE(tuesday);
  CHECK(*tuesday != *first);
  CHECK(node.run() == "succeeded"); // the last of the three runs
  CHECK(calls <= 3);
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

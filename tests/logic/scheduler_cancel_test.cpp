// Of the scheduler core: cancel and timeout.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::cancel_mode;

TEST_CASE("scheduler_core: a cancel ends what is idle and stops what runs",
          "[logic][scheduler_core][cancel]") {
  core_world world{core_world::with_slots(2)};
  world.submit("a; b; queued; below < a; clean < a | all_done");
  world.confirm("b");
  world.cancel();
  CHECK(world.states()
        == "a=cancelling b=cancelling queued=cancelled below=cancelled clean=cancelled");
  CHECK(world.run_state() == "cancelling");
  CHECK(world.recorded().actor == "operator");
  REQUIRE(world.cancel_answers.size() == 1);
  CHECK(world.cancel_answers[0].result == world.last_run);
  REQUIRE(world.stops.size() == 2);
  CHECK(world.stops[0].key == world.current("a"));
  CHECK(world.stops[0].mode == cancel_mode::graceful);
  CHECK(world.stops[0].executor == model::executor_kind::process);

  world.fail("a", 143);
  CHECK(world.states("a b") == "a=cancelled b=cancelling");
  CHECK(world.failure_class("a") == "cancelled");
  CHECK(world.failure("a").code == "143");  // how it ended stays on record
  CHECK(world.run_state() == "cancelling"); // b is not proven gone
  world.fail("b", 143);
  CHECK(world.run_state() == "cancelled");
  CHECK(world.recorded().error.empty());
  CHECK(world.core.live_runs() == 0);
}

TEST_CASE("scheduler_core: a run without anything running is cancelled at once",
          "[logic][scheduler_core][cancel]") {
  core_world world;
  world.mode = scheduler_core::dispatching::held;
  world.submit("a; b < a");
  world.cancel();
  CHECK(world.states() == "a=cancelled b=cancelled");
  CHECK(world.reason("a") == "cancel");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a second cancel is passed on with its mode",
          "[logic][scheduler_core][cancel]") {
  core_world world{"a; b < a"_flow};
  world.cancel();
  world.cancel(cancel_mode::immediate);
  REQUIRE(world.stops.size() == 2);
  CHECK(world.stops[0].mode == cancel_mode::graceful);
  CHECK(world.stops[1].mode == cancel_mode::immediate);
  CHECK(world.stops[1].key == world.current("a"));
  CHECK(world.last.records.empty()); // the state says it already
  CHECK(world.cancel_answers.size() == 2);
  world.fail("a");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: success or a loss after the stop does not undo it",
          "[logic][scheduler_core][cancel]") {
  const auto [reason, how, state, run] =
    GENERATE(table<std::string, std::string, std::string, std::string>({
      {"cancel", "finish", "cancelled", "cancelled"},
      {"cancel", "fail", "cancelled", "cancelled"},
      {"cancel", "lose", "cancelled", "cancelled"},
      {"cancel", "executor", "cancelled", "cancelled"},
      {"timeout", "finish", "failed", "failed"},
      {"timeout", "fail", "failed", "failed"},
      {"timeout", "lose", "failed", "failed"},
      {"timeout", "executor", "failed", "failed"},
    }));
  CAPTURE(reason, how);
  flow f{"a; b < a"};
  f["a"].out("v");
  core_world world{f};
  if (reason == "cancel")
    world.cancel();
  else
    world.time_out("a");
  CHECK(world.state("a") == "cancelling");
  CHECK(world.reason("a") == reason);
  if (how == "finish")
    world.finish("a", {{"v", 1}});
  else if (how == "fail")
    world.fail("a", 9);
  else if (how == "lose")
    world.lose("a");
  else
    world.lose_executor();
  CHECK(world.state("a") == state);
  CHECK(world.attempt("a") == 1);
  CHECK(world.run_state() == run);
  const auto failure = world.failure("a");
  CHECK(to_string(failure.failure_class) == (reason == "cancel" ? "cancelled" : "timeout"));
  CHECK(failure.code == (how == "finish" ? "0" : how == "fail" ? "9" : ""));
}

TEST_CASE("scheduler_core: a report that came before the cancel stands",
          "[logic][scheduler_core][cancel]") {
  core_world world{"a; b < a"_flow};
  world.finish("a");
  world.cancel();
  CHECK(world.states() == "a=succeeded b=cancelling");
  world.finish("b");
  CHECK(world.states() == "a=succeeded b=cancelled");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a timeout stops the attempt and fails the task once it is gone",
          "[logic][scheduler_core][cancel]") {
  core_world world{"a; b; c < a"_flow};
  world.confirm("a");
  world.time_out("a");
  CHECK(world.states() == "a=cancelling b=dispatched c=pending");
  REQUIRE(world.stops.size() == 1);
  CHECK(world.stops[0].key == world.current("a"));
  CHECK(world.stops[0].mode == cancel_mode::graceful);
  world.time_out("a"); // the first reason stands
  CHECK(world.stops.size() == 1);
  CHECK(world.last.records.empty());
  world.fail("a", 15);
  CHECK(world.states() == "a=failed b=dispatched c=skipped");
  CHECK(world.failure_class("a") == "timeout");
  world.finish("b");
  CHECK(world.recorded().error == "task 'a' failed: timed out");
}

TEST_CASE("scheduler_core: a cancel overrides a timeout but not the other way",
          "[logic][scheduler_core][cancel]") {
  const bool cancel_first = GENERATE(true, false);
  CAPTURE(cancel_first);
  core_world world{"a"_flow};
  if (cancel_first) {
    world.cancel();
    world.time_out("a");
    CHECK(world.stops.size() == 1);
  } else {
    world.time_out("a");
    world.cancel();
    CHECK(world.stops.size() == 2);
  }
  CHECK(world.state("a") == "cancelling");
  world.fail("a", 15);
  CHECK(world.state("a") == "cancelled");
  CHECK(world.failure_class("a") == "cancelled");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a timeout of an attempt that is over changes nothing",
          "[logic][scheduler_core][cancel]") {
  core_world world{"a; b < a"_flow};
  const auto first = world.current("a");
  world.lose("a");
  world.step(model::attempt_timed_out{first});
  CHECK(world.state("a") == "dispatched");
  CHECK(world.stops.empty());
  CHECK(world.core.statistics().stale_reports == 1);
}

TEST_CASE("scheduler_core: what is not in progress cannot be cancelled",
          "[logic][scheduler_core][cancel]") {
  core_world world{"a"_flow};
  SECTION("an unknown run") {
    world.last_run = model::run_no{99};
  }
  SECTION("a run that has ended") {
    world.finish("a");
  }
  const auto before = world.runs;
  world.step(model::cancel_requested{7, world.last_run, cancel_mode::graceful, "operator"});
  REQUIRE(world.cancel_answers.size() == 1);
  CHECK(world.cancel_answers[0].request == 7);
  REQUIRE_FALSE(world.cancel_answers[0].result.has_value());
  CHECK(world.cancel_answers[0].result.error().code == errc::not_found);
  CHECK(world.last.records.empty());
}

TEST_CASE("scheduler_core: a cancel concerns its run only", "[logic][scheduler_core][cancel]") {
  core_world world;
  const auto other = world.submit("a; b < a");
  world.submit("a; b < a");
  world.cancel();
  CHECK(world.states() == "a=cancelling b=cancelled");
  world.last_run = other;
  CHECK(world.states() == "a=dispatched b=pending");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a cancel frees the capacity only when the attempt is gone",
          "[logic][scheduler_core][cancel]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a");
  const auto first = world.last_run;
  world.cancel();
  world.submit("b");
  CHECK(world.state("b") == "ready");
  world.last_run = first;
  world.fail("a");
  CHECK(world.run_state() == "cancelled");
  world.last_run = model::run_no{2};
  CHECK(world.state("b") == "dispatched");
}

TEST_CASE("scheduler_core: after a cancel a failure on record keeps the run cancelled",
          "[logic][scheduler_core][cancel]") {
  core_world world{flow{"a; b; c < b"}.carry_on()};
  world.fail("a");
  world.cancel();
  world.finish("b");
  CHECK(world.states() == "a=failed b=cancelled c=cancelled");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: outputs that arrive for a cancelled task are dropped",
          "[logic][scheduler_core][cancel]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 1;
  core_world world{options};
  flow f{"a; busy; reads < a"};
  f["a"].out("v");
  f["reads"].in("v", "${{ tasks.a.out.v }}");
  world.submit(f);
  world.finish("a", {{"v", 1}});
  world.cancel();
  CHECK(world.states() == "a=succeeded busy=cancelling reads=cancelled");
  world.load("a", model::value{{"v", 1}});
  CHECK(world.state("reads") == "cancelled");
  world.fail("busy");
  CHECK(world.run_state() == "cancelled");
  world.step(model::outputs_loaded{world.last_run, 0, model::value{{"v", 1}}});
  CHECK(world.last.records.empty());
}

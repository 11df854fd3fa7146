// Of the scheduler core: what follows an action beside a retry: its validation, its fallback.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::command_role;
using model::failure_class;
using model::milliseconds;

TEST_CASE("scheduler_core: a fallback takes over when no retry is left",
          "[logic][scheduler_core][fallback]") {
  auto f = "a; b < a"_flow;
  f["a"].retry({.max = 1}).fallback().in("x", 1).out("v");
  core_world world{f};
  world.fail("a");
  world.fire("a");
  CHECK(world.started("a").role == command_role::action);
  world.fail("a");
  const auto& ended = std::get<model::attempt_ended>(world.last.records[0]);
  CHECK(ended.outcome.falls_back);
  CHECK(event_of(world.last.records[0]).type == model::event_type::task_fallback);
  CHECK(event_of(world.last.records[1]).data["role"] == "fallback");
  CHECK(world.attempt("a") == 3);
  CHECK(world.started("a").role == command_role::fallback);
  CHECK(world.started("a").inputs == model::value{{"x", 1}});
  SECTION("and what it ends with is the end: success") {
    world.finish("a", {{"v", 2}});
    CHECK(world.states() == "a=succeeded b=dispatched");
  }
  SECTION("failure") {
    world.fail("a", 7);
    CHECK(world.states() == "a=failed b=skipped");
    CHECK(world.failure("a").code == "7");
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: a fallback is not retried, but started again after a loss",
          "[logic][scheduler_core][fallback]") {
  auto f = "a"_flow;
  f["a"].retry({.max = 3}).fallback().crash_limit(1);
  core_world world{f};
  world.fail("a", 1, failure_class::permanent); // never retried
  CHECK(world.started("a").role == command_role::fallback);
  SECTION("lost") {
    const bool restarts = GENERATE(false, true);
    if (restarts)
      world.restart();
    world.lose("a");
    CHECK(world.started("a").role == command_role::fallback);
    CHECK(world.attempt("a") == 3);
    world.finish("a");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("failed, although the retries are not used up") {
    world.fail("a");
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: a task that was lost too often falls back",
          "[logic][scheduler_core][fallback]") {
  auto f = "a"_flow;
  f["a"].fallback();
  SECTION("by the limit") {
    f["a"].crash_limit(0);
  }
  SECTION("at once") {
    f["a"].never_again();
  }
  core_world world{f};
  world.lose("a");
  CHECK(world.started("a").role == command_role::fallback);
  world.lose("a");
  CHECK(world.failure_class("a") == "lost");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what is being ended does not fall back",
          "[logic][scheduler_core][fallback]") {
  auto f = "a; b"_flow;
  f["a"].fallback().deadline(milliseconds{500});
  core_world world{f};
  SECTION("a cancelled run") {
    world.cancel();
    world.fail("a", 143);
    CHECK(world.state("a") == "cancelled");
  }
  SECTION("a run that stops on a failure") {
    world.fail("b");
    world.fail("a");
    CHECK(world.state("a") == "failed");
  }
  SECTION("a task past its deadline") {
    world.fire("a", model::timer_kind::deadline);
    world.fail("a", 143);
    CHECK(world.failure_class("a") == "deadline");
  }
}

TEST_CASE("scheduler_core: what starts again begins with its action",
          "[logic][scheduler_core][fallback]") {
  auto f = "a"_flow;
  f["a"].fallback();
  core_world world{f};
  world.fail("a");
  world.fail("a");
  REQUIRE(world.control(model::retry_run{model::retry_scope::failed, ""}));
  if (GENERATE(false, true))
    world.restart();
  CHECK(world.started("a").role == command_role::action);
  world.fail("a");
  CHECK(world.started("a").role == command_role::fallback);
  world.finish("a");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a timeout falls back, to another kind of executor",
          "[logic][scheduler_core][fallback]") {
  auto options = core_world::with_slots(1);
  options.asynchronous_calls = 1;
  options.is_asynchronous = [](const std::string&) { return true; };
  core_world world{options};
  auto f = "a; b"_flow;
  f["a"].fallback(model::call_action{"echo"});
  world.submit(f);
  world.time_out("a");
  world.fail("a", 143);
  CHECK(world.running() == "a b"); // it holds no slot any more
  CHECK(executor_of(world.started("a").action()) == model::executor_kind::function);
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.core.attempts_under_way() == 0);
}

TEST_CASE("scheduler_core: validating is a state of its own", "[logic][scheduler_core][validate]") {
  auto f = "a; b < a"_flow;
  f["a"].validate().retry({.max = 1});
  core_world world{f};
  const bool is_confirmed = GENERATE(false, true);
  if (is_confirmed)
    world.confirm("a");
  world.validating("a");
  CHECK(world.states() == "a=validating b=pending");
  CHECK(event_of(world.last.records[0]).type == model::event_type::task_validating);
  CHECK(event_of(world.last.records[0]).from == "running");
  SECTION("it passes") {
    world.finish("a");
    CHECK(world.states() == "a=succeeded b=dispatched");
  }
  SECTION("it does not pass, which is retried") {
    world.fail("a", 3, failure_class::validation);
    CHECK(world.state("a") == "retry_wait");
  }
  SECTION("it is lost") {
    world.restart();
    CHECK(world.state("a") == "validating");
    world.lose_executor();
    CHECK(world.attempt("a") == 2);
    CHECK(world.state("a") == "dispatched");
  }
  SECTION("it goes on although the scheduler died") {
    world.restart();
    world.finish("a");
    CHECK(world.state("a") == "succeeded");
  }
  SECTION("its time is over") {
    world.time_out("a");
    CHECK(world.state("a") == "cancelling");
    world.validating("a"); // told late
    CHECK(world.state("a") == "cancelling");
    world.fail("a", 143);
    CHECK(world.state("a") == "retry_wait");
  }
}

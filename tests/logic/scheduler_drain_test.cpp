// Of the scheduler core: the end of a runtime that is told beforehand.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::drain_mode;

TEST_CASE("scheduler_core: a drain starts nothing and is answered when nothing runs",
          "[logic][scheduler_core][drain]") {
  core_world world{"a; b < a; c"_flow};
  world.drain(drain_mode::finish);
  CHECK(world.stops.empty());
  CHECK(world.drain_answers.empty());
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=ready c=dispatched");
  CHECK(world.drain_answers.empty());
  world.finish("c");
  CHECK(world.running() == "");
  CHECK(world.drain_answers.size() == 1);
  CHECK(world.recorded().state == model::run_state::running);
  world.drain(drain_mode::finish);
  CHECK(world.drain_answers.size() == 2);
}

TEST_CASE("scheduler_core: a drain that stops makes tasks ready again and costs them nothing",
          "[logic][scheduler_core][drain]") {
  auto options = core_world::roomy();
  options.crash_limit = 0;
  core_world world{options};
  world.submit("a; b; c < a b");
  world.drain(drain_mode::finish);
  world.drain(drain_mode::stop);
  CHECK(world.states() == "a=cancelling b=cancelling c=pending");
  CHECK(world.reason("a") == "drain");
  REQUIRE(world.stops.size() == 2);
  CHECK(world.stops[0].mode == model::cancel_mode::graceful);
  world.fail("a", 143);
  CHECK(world.state("a") == "ready");
  CHECK(world.failure("a").code == "drained");
  CHECK(world.recorded().losses[world.index("a")] == 0);
  world.finish("b"); // exit 0 in the grace counts
  CHECK(world.state("b") == "succeeded");
  CHECK(world.drain_answers.size() == 2);
  CHECK(world.run_state() == "running");
}

TEST_CASE("scheduler_core: a stop that was asked before a drain stands",
          "[logic][scheduler_core][drain]") {
  core_world world{"a; b"_flow};
  world.time_out("a");
  world.drain(drain_mode::stop);
  world.fail("a", 143);
  CHECK(world.failure_class("a") == "timeout");
  world.cancel();
  world.fail("b", 143);
  CHECK(world.state("b") == "cancelled");
}

TEST_CASE("scheduler_core: a drain that did not come to its end is one after a restart",
          "[logic][scheduler_core][drain]") {
  auto options = core_world::roomy();
  options.crash_limit = 0;
  core_world world{options};
  world.submit("a; b < a");
  world.drain(drain_mode::stop);
  world.restart();
  world.lose_executor();
  CHECK(world.state("a") == "dispatched");
  CHECK(world.attempt("a") == 2);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what is never repeated fails when a drain stops it",
          "[logic][scheduler_core][drain]") {
  flow f{"pay"};
  f["pay"].never_again();
  core_world world{f};
  world.drain(drain_mode::stop);
  SECTION("by its end") {
    world.fail("pay", 143);
  }
  SECTION("after a restart") {
    world.restart();
    world.lose_executor();
  }
  CHECK(world.state("pay") == "failed");
  CHECK(world.failure_class("pay") == "lost");
}

TEST_CASE("scheduler_core: a deadline that comes during a drain is kept",
          "[logic][scheduler_core][drain]") {
  flow f{"a; b; c < a"};
  SECTION("of a task") {
    f["a"].deadline(std::chrono::hours{1});
    core_world world{f.carry_on()};
    world.drain(drain_mode::stop);
    world.fire("a", model::timer_kind::deadline);
    world.fail("a", 143);
    world.fail("b", 143);
    CHECK(world.states() == "a=failed b=ready c=skipped");
    CHECK(world.failure_class("a") == "deadline");
  }
  SECTION("of the run") {
    core_world world{f.deadline(std::chrono::hours{1})};
    world.drain(drain_mode::stop);
    world.fire(world.run_timer());
    world.fail("a", 143);
    world.restart();
    world.fail("b", 143);
    CHECK(world.states() == "a=failed b=failed c=cancelled");
    CHECK(world.run_state() == "failed");
  }
}

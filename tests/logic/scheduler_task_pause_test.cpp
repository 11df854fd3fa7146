// Of the scheduler core: single tasks that are paused.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::task_state;
using model::timer_kind;

namespace {

expected<model::control_result> pause(core_world& world, std::string task) {
  return world.control(model::pause_task{std::move(task)});
}
expected<model::control_result> resume(core_world& world, std::string task) {
  return world.control(model::resume_task{std::move(task)});
}

} // namespace

TEST_CASE("scheduler_core: a paused task does not start until it is resumed",
          "[logic][scheduler_core][pause]") {
  core_world world{"a; b < a; c < b; d"_flow};
  REQUIRE(pause(world, "b"));
  const auto paused = model::event_of(world.last.records.front());
  CHECK(paused.type == model::event_type::task_paused);
  CHECK(paused.actor == "operator");
  world.play();
  CHECK(world.states() == "a=succeeded b=paused c=pending d=succeeded");
  CHECK(world.run_state() == "running");
  SECTION("in the same process") {}
  SECTION("after a restart") {
    world.restart();
  }
  const auto done = resume(world, "b");
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"b"});
  CHECK(model::event_of(world.last.records.front()).type == model::event_type::task_resumed);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what a paused task missed counts when it is resumed",
          "[logic][scheduler_core][pause]") {
  flow f{"a; b < a; x; y < a x | one_success"};
  f["a"].out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}").when("tasks.a.out.v > 1");
  f["b"].allow_failure();
  core_world world{f.carry_on()};
  REQUIRE(pause(world, "b"));
  REQUIRE(pause(world, "y"));
  SECTION("its inputs") {
    world.finish("a", {{"v", 3}});
    REQUIRE(resume(world, "b"));
    CHECK(world.started("b").inputs == model::value{{"v", 3}});
  }
  SECTION("its condition") {
    world.finish("a", {{"v", 1}});
    CHECK(world.state("b") == "paused");
    REQUIRE(resume(world, "b"));
    CHECK(world.state("b") == "skipped");
  }
  SECTION("its join, whatever came last") {
    world.finish("a", {{"v", 1}});
    world.fail("x");
    CHECK(world.state("y") == "paused");
    REQUIRE(resume(world, "y"));
    CHECK(world.state("y") == "dispatched");
  }
  SECTION("that it cannot run any more") {
    world.fail("a");
    CHECK(world.state("b") == "paused");
    REQUIRE(resume(world, "b"));
    CHECK(world.state("b") == "skipped");
  }
}

TEST_CASE("scheduler_core: a task that is ready is paused, and keeps its inputs",
          "[logic][scheduler_core][pause]") {
  core_world world{core_world::with_slots(1)};
  flow f{"a; b < a; c < a"};
  f["a"].out("v");
  f["c"].in("v", "${{ tasks.a.out.v }}");
  world.submit(f);
  world.finish("a", {{"v", 3}});
  REQUIRE(world.states("b c") == "b=dispatched c=ready");
  REQUIRE(pause(world, "c"));
  world.finish("b");
  CHECK(world.running().empty());
  SECTION("in the same process") {
    REQUIRE(resume(world, "c"));
  }
  SECTION("after a restart they are evaluated again") {
    world.restart();
    REQUIRE(resume(world, "c"));
    CHECK(world.state("c") == "pending");
    world.load("a", model::value{{"v", 3}});
  }
  CHECK(world.started("c").inputs == model::value{{"v", 3}});
}

TEST_CASE("scheduler_core: outputs are read back while a task is paused",
          "[logic][scheduler_core][pause]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 1;
  core_world world{options};
  flow f{"a; b < a"};
  f["a"].out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}");
  world.submit(f);
  world.finish("a", {{"v", 3}});
  REQUIRE(pause(world, "b"));
  SECTION("and there when it is resumed") {
    world.load("a", model::value{{"v", 3}});
    CHECK(world.state("b") == "paused");
    REQUIRE(resume(world, "b"));
  }
  SECTION("and there later") {
    REQUIRE(resume(world, "b"));
    CHECK(world.state("b") == "pending");
    world.load("a", model::value{{"v", 3}});
  }
  CHECK(world.started("b").inputs == model::value{{"v", 3}});
}

TEST_CASE("scheduler_core: a task that is paused after a restart waits no longer for its turn",
          "[logic][scheduler_core][pause]") {
  core_world world{core_world::with_slots(1)};
  flow f{"a; b < a; c < a"};
  f["a"].out("v");
  f["c"].in("v", "${{ tasks.a.out.v }}");
  f["c"].queue_timeout(10s);
  world.submit(f);
  world.finish("a", {{"v", 3}});
  REQUIRE(world.states("b c") == "b=dispatched c=ready");
  REQUIRE(world.timers.size() == 1);
  world.restart();
  REQUIRE(world.state("c") == "pending"); // what it reads is not there yet; its time counts on
  REQUIRE(pause(world, "c"));
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: the wait before a retry goes on in a pause",
          "[logic][scheduler_core][pause][retry]") {
  flow f{"a"};
  f["a"].retry({.max = 2, .base = 10s, .jitter = 0});
  core_world world{f};
  world.fail("a", 3);
  REQUIRE(pause(world, "a"));
  SECTION("over when it is resumed") {
    world.fire("a");
    CHECK(world.state("a") == "paused");
    SECTION("in the same process") {}
    SECTION("after a restart") {
      world.restart();
    }
    REQUIRE(resume(world, "a"));
    CHECK(world.attempt("a") == 2);
  }
  SECTION("not over yet") {
    SECTION("in the same process") {}
    SECTION("after a restart") {
      world.restart();
    }
    REQUIRE(resume(world, "a"));
    CHECK(world.state("a") == "retry_wait");
    world.fire("a");
    CHECK(world.attempt("a") == 2);
  }
  SECTION("its run stops: it failed as its last attempt did") {
    REQUIRE(world.mark("a", task_state::failed));
    CHECK(world.timers.empty());
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: a paused task ends as what waits does",
          "[logic][scheduler_core][pause]") {
  flow f{"a; b; c < a"};
  f["b"].retry({.max = 1, .base = 10s, .jitter = 0});
  f["c"].deadline(10s);
  core_world world{f};
  REQUIRE(pause(world, "c"));
  SECTION("cancel") {
    world.cancel();
    CHECK(world.state("c") == "cancelled");
  }
  SECTION("deadline") {
    world.fire("c", timer_kind::deadline);
    CHECK(world.failure_class("c") == "deadline");
  }
  SECTION("the run stops") {
    world.fail("b", 3);
    REQUIRE(pause(world, "b"));
    world.fail("a", 7);
    CHECK(world.states() == "a=failed b=failed c=skipped");
    CHECK(world.failure("b").code == "3");
  }
}

TEST_CASE("scheduler_core: a task that waits for its breaker is paused",
          "[logic][scheduler_core][pause][breaker]") {
  auto options = core_world::roomy();
  options.breaker = {.failures = 1, .pause = 60s};
  core_world world{options};
  world.submit("a");
  world.fail("a");
  const auto paused = world.submit("a");
  const auto other = world.submit("a");
  world.last_run = paused;
  REQUIRE(world.state("a") == "waiting");
  REQUIRE(pause(world, "a"));
  world.last_run = other;
  world.fire("a", timer_kind::breaker);
  CHECK(world.state("a") == "dispatched");
  world.last_run = paused;
  REQUIRE(resume(world, "a"));
  CHECK(world.state("a") == "waiting");
}

TEST_CASE("scheduler_core: only what does not run is paused, and what is paused resumed",
          "[logic][scheduler_core][pause]") {
  flow f{"a; b < a; h"};
  f["h"].hold();
  core_world world{f};
  world.fail("h");
  CHECK_THAT(pause(world, "a").error().message,
             Catch::Contains("task 'a' is dispatched: what runs ends by itself"));
  CHECK_THAT(pause(world, "h").error().message, Catch::Contains("is held"));
  CHECK(resume(world, "b").error().message == "task 'b' is pending, and not paused");
  REQUIRE(pause(world, "b"));
  CHECK(pause(world, "b").error().message == "task 'b' is paused already");
  CHECK_THAT(pause(world, "x").error().message, Catch::Contains("has no task 'x'"));
  REQUIRE(world.mark("h", task_state::skipped));
  CHECK(pause(world, "h").error().message == "task 'h' is skipped");
}

TEST_CASE("scheduler_core: a task of a run that nobody executes is paused all the same",
          "[logic][scheduler_core][pause]") {
  core_world world{core_world::roomy(), core_world::checking::nothing};
  flow f{"a; b"};
  f["b"].retry({.max = 1, .base = 10s, .jitter = 0});
  world.submit(f);
  world.fail("b", 3);
  world.core = scheduler_core{core_world::roomy()};
  REQUIRE(pause(world, "b"));
  CHECK(world.recorded().counts[std::size_t(task_state::paused)] == 1);
  world.restart();
  CHECK(world.state("b") == "paused");
  world.core = scheduler_core{core_world::roomy()};
  REQUIRE(resume(world, "b"));
  world.restart();
  CHECK(world.state("b") == "retry_wait");
}

// Of the scheduler core: taking up what a scheduler before it left behind.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

namespace {

/// The machine went down: what ran is gone, too.
void crash(core_world& world) {
  world.restart();
  for (const auto kind : {model::executor_kind::process, model::executor_kind::function})
    world.lose_executor(kind);
}

} // namespace

TEST_CASE("scheduler_core: a restored run goes on where it was",
          "[logic][scheduler_core][restore]") {
  core_world world{"a; b; c < a; d < b c; e < d"_flow};
  world.finish("a");
  world.confirm("b");
  world.restart();
  CHECK(world.states() == "a=succeeded b=dispatched c=dispatched d=pending e=pending");
  CHECK(world.last.records.empty());
  CHECK(world.starts.size() == 3); // nothing starts twice
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: attempts of a crashed runtime are lost and start again",
          "[logic][scheduler_core][restore]") {
  core_world world{"a; b; c < a"_flow};
  world.finish("a");
  crash(world);
  CHECK(world.states() == "a=succeeded b=dispatched c=dispatched");
  CHECK(world.attempt("b") == 2);
  CHECK(world.attempt("c") == 2);
  CHECK(world.failure_class("b") == "lost");
  CHECK(world.core.statistics().attempts_lost == 2);
}

TEST_CASE("scheduler_core: losses before a restart count", "[logic][scheduler_core][restore]") {
  auto options = core_world::roomy();
  options.crash_limit = 2;
  core_world world{options};
  world.submit("a");
  crash(world);
  crash(world);
  CHECK(world.state("a") == "dispatched");
  crash(world);
  CHECK(world.state("a") == "failed");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: a restored task gets the inputs it had",
          "[logic][scheduler_core][restore]") {
  flow f{"a; b < a"};
  f["a"].out("v");
  f["b"].in("x", "${{ tasks.a.out.v }}").env("Y", "${{ tasks.a.out.v }}");
  core_world world{f};
  world.finish("a", {{"v", 7}});
  crash(world);
  CHECK(world.state("b") == "pending"); // its environment is not stored: a's outputs are read back
  world.load("a", model::value{{"v", 7}});
  CHECK(world.started("b").key.attempt == 2);
  CHECK(world.started("b").inputs == model::value{{"x", 7}});
  CHECK(world.env("b", "Y") == "7");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what was not dispatched is judged again",
          "[logic][scheduler_core][restore]") {
  flow f{"a; b; c < a; d < b"};
  f["c"].when("params.yes");
  f.param("yes", true);
  core_world world{core_world::with_slots(1)};
  world.submit(f);
  world.finish("a");
  REQUIRE(world.running() == "b");
  world.restart();
  CHECK(world.states() == "a=succeeded b=dispatched c=ready d=pending");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a stop goes on after a restart", "[logic][scheduler_core][restore]") {
  core_world world{"a; b; c < b"_flow};
  world.step(model::attempt_timed_out{world.current("a")});
  SECTION("after a timeout") {
    crash(world);
    CHECK(world.failure_class("a") == "timeout");
    CHECK(world.state("c") == "skipped"); // the failure stops the run
  }
  SECTION("after a cancel") {
    world.cancel();
    crash(world);
    CHECK(world.states() == "a=cancelled b=cancelled c=cancelled");
    CHECK(world.run_state() == "cancelled");
  }
}

TEST_CASE("scheduler_core: failures before a restart count", "[logic][scheduler_core][restore]") {
  SECTION("an unhandled one") {
    core_world world{"a; b; c < b"_flow};
    world.fail("a", 3);
    CHECK(world.state("c") == "skipped");
    world.restart();
    CHECK(world.core.find_run(world.last_run)->stopping);
    world.play();
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error == "task 'a' failed: exit code 3");
  }
  SECTION("one that may yet be handled") {
    core_world world{"a; b < a | one_failed"_flow};
    world.fail("a");
    world.restart();
    CHECK(world.core.find_run(world.last_run)->unhandled.empty());
    world.finish("b");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("one that is allowed") {
    core_world world{"a!; b"_flow};
    world.fail("a");
    world.restart();
    world.play();
    CHECK(world.run_state() == "succeeded");
    CHECK(world.recorded().degraded);
  }
}

TEST_CASE("scheduler_core: a task that fired early sees no more after a restart",
          "[logic][scheduler_core][restore]") {
  flow f{"a; b; c < a b | one_success; d < b"};
  f["b"].out("v");
  f["c"].in("x", "${{ default(tasks.b.out.v, 0) }}").env("Y", "${{ default(tasks.b.out.v, 0) }}");
  f["d"].in("x", "${{ tasks.b.out.v }}");
  core_world world{f};
  world.finish("a");
  REQUIRE(world.started("c").inputs == model::value{{"x", 0}});
  world.restart();
  world.finish("b", {{"v", 5}});
  CHECK(world.started("d").inputs == model::value{{"x", 5}});
  world.lose("c");
  CHECK(world.started("c").inputs == model::value{{"x", 0}});
  CHECK(world.env("c", "Y") == "0");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.core.kept_outputs_bytes() == 0);
}

TEST_CASE("scheduler_core: a task that fired early waits for no outputs after a restart",
          "[logic][scheduler_core][restore]") {
  flow f{"a; b; c < a b | one_success; d < b"};
  f["b"].out("v");
  f["c"].in("x", "${{ default(tasks.b.out.v, 0) }}").env("Y", "${{ default(tasks.b.out.v, 0) }}");
  f["d"].in("x", "${{ tasks.b.out.v }}");
  auto options = core_world::roomy();
  options.kept_output_bytes = 8;
  core_world world{options};
  world.submit(f);
  world.finish("a");
  world.restart();
  const model::value large{{"v", std::string(100, 'x')}};
  world.finish("b", large);
  REQUIRE(world.state("d") == "pending"); // b's outputs are read back
  world.lose("c");
  CHECK(world.state("c") == "dispatched");
  CHECK(world.env("c", "Y") == "0");
  world.load("b", large);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a run that cannot go on here is refused",
          "[logic][scheduler_core][restore]") {
  flow f{"a"};
  f["a"].call("theirs");
  core_world world{f};
  const auto stored = world.stored(world.last_run);
  auto options = core_world::roomy();
  options.has_handler = [](std::string_view) { return false; };
  scheduler_core other{options};
  const auto restored = other.restore(stored, world.now);
  REQUIRE_FALSE(restored);
  CHECK(restored.error().code == errc::invalid_argument);
  CHECK(other.live_runs() == 0);
}

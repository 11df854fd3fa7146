// Of the scheduler core: tasks that are held for a person's decision when they have failed for
// good.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::task_state;
using model::timer_kind;

namespace {

flow holding(std::string_view text, std::string_view task) {
  flow f{text};
  f[task].hold();
  return f;
}

expected<model::control_result> try_again(core_world& world, std::string task) {
  return world.control(model::retry_task{std::move(task)});
}

} // namespace

TEST_CASE("scheduler_core: a task that has failed for good is held until a person decides",
          "[logic][scheduler_core][hold]") {
  core_world world{holding("a; b < a; c", "a")};
  world.fail("a", 3);
  const auto event = model::event_of(world.last.records.front());
  CHECK(event.type == model::event_type::task_held);
  CHECK(event.data["code"] == "3");
  world.finish("c");
  CHECK(world.states() == "a=waiting b=pending c=succeeded");
  CHECK(world.reason("a") == "hold");
  CHECK(world.run_state() == "running"); // it has not failed yet
  CHECK(world.core.attempts_under_way() == 0);

  SECTION("it is tried again") {
    const auto done = try_again(world, "a");
    REQUIRE(done);
    CHECK(done->tasks == std::vector<std::string>{"a"});
    const auto released = model::event_of(world.last.records.front());
    CHECK(released.type == model::event_type::task_released);
    CHECK(released.actor == "operator");
    CHECK(world.attempt("a") == 2);
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("it counts as succeeded") {
    REQUIRE(world.mark("a", task_state::succeeded));
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("it counts as skipped") {
    REQUIRE(world.mark("a", task_state::skipped));
    CHECK(world.states() == "a=skipped b=skipped c=succeeded");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("it counts as failed, by what it failed by") {
    REQUIRE(world.mark("a", task_state::failed));
    CHECK(world.states() == "a=failed b=skipped c=succeeded");
    CHECK(world.failure("a").code == "3");
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error == "task 'a' failed: exit code 3");
  }
  SECTION("its run is cancelled") {
    world.cancel();
    CHECK(world.state("a") == "cancelled");
    CHECK(world.run_state() == "cancelled");
  }
}

TEST_CASE("scheduler_core: a task is held after its retries, and gets them anew",
          "[logic][scheduler_core][hold][retry]") {
  flow f = holding("a", "a");
  f["a"].retry({.max = 1, .base = 1s, .jitter = 0});
  core_world world{f};
  const auto use_up = [&] {
    world.fail("a");
    CHECK(world.state("a") == "retry_wait");
    world.fire("a");
    world.fail("a");
    CHECK(world.state("a") == "waiting");
  };
  use_up();
  SECTION("in the same process") {}
  SECTION("after a restart") {
    world.restart();
  }
  REQUIRE(try_again(world, "a"));
  CHECK(world.attempt("a") == 3);
  SECTION("also when it is killed in between") {
    world.restart();
  }
  use_up();
}

TEST_CASE("scheduler_core: a task is held after its fallback, and begins with its action again",
          "[logic][scheduler_core][hold][fallback]") {
  flow f = holding("a", "a");
  f["a"].fallback();
  core_world world{f};
  world.fail("a");
  CHECK(world.started("a").role == model::command_role::fallback);
  world.fail("a");
  CHECK(world.state("a") == "waiting");
  REQUIRE(try_again(world, "a"));
  CHECK(world.started("a").role == model::command_role::action);
}

TEST_CASE("scheduler_core: whatever a task fails by for good it is held",
          "[logic][scheduler_core][hold]") {
  flow f = holding("a", "a");
  SECTION("a timeout") {
    core_world world{f};
    world.time_out("a");
    world.fail("a", 15);
    CHECK(world.state("a") == "waiting");
    CHECK(world.failure_class("a") == "timeout");
  }
  SECTION("a command that cannot start") {
    core_world world{f};
    auto report = world.report_of(world.current("a"));
    report.started_at.reset();
    report.failure = {failure_class::permanent, "program_not_found", "there is no such program"};
    world.report(std::move(report));
    CHECK(world.state("a") == "waiting");
  }
  SECTION("a loss of what is never to be repeated") {
    f["a"].never_again();
    core_world world{f};
    world.lose("a");
    CHECK(world.state("a") == "waiting");
    CHECK(world.failure_class("a") == "lost");
    REQUIRE(try_again(world, "a")); // a person may know that nothing was done
    CHECK(world.attempt("a") == 2);
  }
  SECTION("a validation") {
    f["a"].validate();
    core_world world{f};
    world.validating("a");
    world.fail("a", 1, failure_class::validation);
    CHECK(world.state("a") == "waiting");
  }
  SECTION("too many losses are forgotten when it is tried again") {
    f["a"].crash_limit(1);
    core_world world{f};
    world.lose("a");
    world.lose("a");
    CHECK(world.state("a") == "waiting");
    REQUIRE(try_again(world, "a"));
    world.lose("a");
    CHECK(world.state("a") == "dispatched");
  }
}

TEST_CASE("scheduler_core: only what may go on is held", "[logic][scheduler_core][hold]") {
  flow f = holding("a; b", "a");
  SECTION("not past its deadline") {
    f["a"].deadline(10s);
    core_world world{f};
    world.fire("a", timer_kind::deadline);
    world.fail("a", 15);
    CHECK(world.state("a") == "failed");
    CHECK(world.failure_class("a") == "deadline");
  }
  SECTION("not when its run stops already") {
    core_world world{f};
    world.fail("b");
    world.fail("a", 4);
    CHECK(world.state("a") == "failed");
  }
  SECTION("not when it is being cancelled") {
    core_world world{f};
    world.cancel();
    world.fail("a", 15);
    CHECK(world.state("a") == "cancelled");
  }
  SECTION("not when its run has stopped, though it goes on all the same") {
    flow g = holding("a; b; c < a b | all_done", "c");
    core_world world{g};
    world.fail("b");
    world.finish("a");
    world.fail("c");
    CHECK(world.state("c") == "failed");
    CHECK(world.run_state() == "failed");
  }
  SECTION("not in finally of a run that is cancelled") {
    flow g{"a"};
    g.finally("tidy");
    g["tidy"].hold();
    core_world world{g};
    const bool is_cancelled = GENERATE(true, false);
    if (is_cancelled)
      world.cancel();
    world.finish("a");
    world.fail("tidy");
    CHECK(world.state("tidy") == (is_cancelled ? "failed" : "waiting"));
  }
}

TEST_CASE("scheduler_core: a held task ends as what waits does", "[logic][scheduler_core][hold]") {
  flow f = holding("a; b; c", "a");
  SECTION("at its deadline it fails") {
    f["a"].deadline(10s);
    core_world world{f};
    world.fail("a", 3);
    world.fire("a", timer_kind::deadline);
    CHECK(world.state("a") == "failed");
    CHECK(world.failure_class("a") == "deadline");
  }
  SECTION("when the run stops it has failed by what it was held for") {
    core_world world{f};
    world.fail("a", 3);
    SECTION("in the same process") {}
    SECTION("after a restart") {
      world.restart();
    }
    world.fail("b", 7);
    CHECK(world.state("a") == "failed");
    CHECK(world.failure("a").code == "3");
    CHECK(world.recorded().error.empty());
    world.finish("c");
    CHECK(world.recorded().error == "task 'b' failed: exit code 7");
  }
  SECTION("finally waits for the answer") {
    f.finally("tidy");
    core_world world{f};
    world.finish("b");
    world.finish("c");
    world.fail("a", 3);
    CHECK(world.state("tidy") == "pending");
    REQUIRE(world.mark("a", task_state::failed));
    CHECK(world.state("tidy") == "dispatched");
  }
}

TEST_CASE("scheduler_core: a held task waits for its breaker when it is tried again",
          "[logic][scheduler_core][hold][breaker]") {
  auto options = core_world::roomy();
  options.breaker = {.failures = 1, .pause = 60s};
  core_world world{options};
  world.submit(holding("a", "a"));
  world.fail("a");
  CHECK(world.reason("a") == "hold");
  world.restart();
  CHECK(world.timers.empty()); // a held task does not look at the time
  REQUIRE(try_again(world, "a"));
  CHECK(world.state("a") == "waiting");
  CHECK(world.reason("a") == "breaker");
  CHECK(try_again(world, "a").error().code == errc::conflict);
  world.fire("a", timer_kind::breaker);
  CHECK(world.state("a") == "dispatched");
}

TEST_CASE("scheduler_core: only what is held is tried again alone",
          "[logic][scheduler_core][hold]") {
  core_world world{holding("a; b < a", "a")};
  CHECK(try_again(world, "a").error().message
        == "task 'a' is dispatched, and not held: only a task that is held is tried again alone");
  CHECK(try_again(world, "b").error().code == errc::conflict);
  CHECK_THAT(try_again(world, "c").error().message, Catch::Contains("has no task 'c'"));
  world.play();
  CHECK(try_again(world, "a").error().code == errc::conflict);
}

TEST_CASE("scheduler_core: a held task that is marked failed is rolled back",
          "[logic][scheduler_core][hold][rollback]") {
  flow f = holding("a; b < a | all_done", "a");
  f["a"].rollback();
  core_world world{core_world::roomy(), core_world::checking::nothing};
  world.submit(f);
  world.fail("a", 3);
  CHECK(world.state("a") == "waiting"); // nothing is undone before somebody has decided
  SECTION("in a run that goes on") {
    REQUIRE(world.mark("a", task_state::failed));
  }
  SECTION("in a run that nobody executes") {
    world.core = scheduler_core{core_world::roomy()};
    REQUIRE(world.mark("a", task_state::failed));
    world.restart();
    world.dispatch();
  }
  CHECK(world.state("a") == "rolling_back");
  CHECK(world.state("b") == "pending");
  CHECK(world.started("a").role == model::command_role::rollback);
  world.finish("a");
  CHECK(world.state("a") == "rolled_back");
  CHECK(world.failure("a").code == "3");
}

TEST_CASE("scheduler_core: what is asked of a run that nobody executes counts when it is taken up",
          "[logic][scheduler_core][hold]") {
  core_world world{core_world::roomy(), core_world::checking::nothing};
  world.submit(holding("a; b < a", "a"));
  world.fail("a", 3);
  world.core = scheduler_core{core_world::roomy()}; // of a runtime with other runs
  SECTION("to be tried again") {
    REQUIRE(try_again(world, "a"));
    CHECK(world.recorded().counts[std::size_t(task_state::pending)] == 2);
    world.restart();
    world.dispatch();
    CHECK(world.attempt("a") == 2);
  }
  SECTION("to count as failed") {
    REQUIRE(world.mark("a", task_state::failed));
    CHECK(world.failure("a").code == "3");
    world.restart();
    CHECK(world.run_state() == "failed");
  }
  SECTION("but not what is not held") {
    CHECK_FALSE(try_again(world, "b"));
  }
}

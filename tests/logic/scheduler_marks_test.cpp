// Of the scheduler core: tasks that an operator decides.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::retry_scope;
using model::task_state;

TEST_CASE("scheduler_core: a task that is marked is decided, and its dependents are judged",
          "[logic][scheduler_core][mark]") {
  const auto [as, states] = GENERATE(table<task_state, std::string>({
    {task_state::succeeded, "b=succeeded c=dispatched d=pending"},
    {task_state::skipped, "b=skipped c=skipped d=pending"},
    {task_state::failed, "b=failed c=skipped d=pending"},
  }));
  core_world world{"a; b < a; c < b; d < a c | all_done"_flow};
  const auto done = world.mark("b", as);
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"b"});
  CHECK(world.states("b c d") == states);
  CHECK(world.reason("b") == "mark");
  world.play();
  CHECK(world.state("d") == "succeeded");
  CHECK(world.run_state() == (as == task_state::failed ? "failed" : "succeeded"));
}

TEST_CASE("scheduler_core: a marked task puts nothing out", "[logic][scheduler_core][mark]") {
  flow f{"a; b < a"};
  f["a"].out("v");
  f["b"].in("x", "${{ default(tasks.a.out.v, -1) }}");
  core_world world{core_world::with_slots(0)};
  world.submit(f);
  REQUIRE(world.state("a") == "ready");
  REQUIRE(world.mark("a", task_state::succeeded));
  CHECK(world.state("b") == "ready");
  CHECK(world.attempt("a") == 0);
}

TEST_CASE("scheduler_core: what waits for a retry, or failed, can be marked",
          "[logic][scheduler_core][mark]") {
  flow f{"a; b < a; c"};
  f["a"].retry({.max = 1});
  f.carry_on();
  core_world world{f};
  world.fail("a");
  REQUIRE(world.state("a") == "retry_wait");
  SECTION("while it waits") {
    REQUIRE(world.mark("a", task_state::succeeded));
    CHECK(world.timers.empty());
    CHECK(world.running() == "b c");
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("once it has failed, and its dependents are decided") {
    world.fire("a");
    world.fail("a");
    REQUIRE(world.states("a b") == "a=failed b=skipped");
    REQUIRE(world.mark("a", task_state::succeeded));
    CHECK(world.states("a b") == "a=succeeded b=skipped");
    world.play();
    CHECK(world.run_state() == "succeeded"); // nothing of it failed
    CHECK(world.recorded().error.empty());
  }
}

TEST_CASE("scheduler_core: a failure that is marked away is not what the run fails by",
          "[logic][scheduler_core][mark]") {
  flow f{"a; b; c; d < a c | one_success"};
  f.carry_on();
  core_world world{f};
  world.fail("a");
  world.fail("b");
  SECTION("another one is") {
    REQUIRE(world.mark("a", task_state::skipped));
    world.play();
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error == "task 'b' failed");
  }
  SECTION("an undecided dependent sees it succeed") {
    REQUIRE(world.mark("a", task_state::succeeded));
    CHECK(world.state("d") == "dispatched");
  }
  SECTION("after a restart neither") {
    REQUIRE(world.mark("a", task_state::succeeded));
    REQUIRE(world.mark("b", task_state::succeeded));
    world.restart();
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
}

TEST_CASE("scheduler_core: what cannot be marked is said", "[logic][scheduler_core][mark]") {
  core_world world{"load; b < load"_flow};
  const auto refusal = [&](std::string task, task_state as) {
    const auto refused = world.mark(std::move(task), as);
    REQUIRE_FALSE(refused);
    CHECK(world.last.records.empty());
    return refused.error();
  };
  CHECK(refusal("load", task_state::succeeded).message
        == "task 'load' is dispatched: what runs has to be cancelled first");
  CHECK(refusal("b", task_state::cancelled).code == errc::invalid_argument);
  CHECK_THAT(refusal("laod", task_state::failed).message, Catch::Contains("'load'"));
  world.finish("load");
  CHECK(refusal("load", task_state::failed).message
        == "task 'load' is succeeded, and cannot be marked failed");
}

TEST_CASE("scheduler_core: a failure that something is about to start for is not marked away",
          "[logic][scheduler_core][mark]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b; c < a | one_failed");
  world.fail("a");
  REQUIRE(world.states("b c") == "b=dispatched c=ready");
  CHECK(world.mark("a", task_state::succeeded).error().message
        == "task 'c' is about to start as 'a' failed: decide that one first");
  REQUIRE(world.mark("c", task_state::skipped));
  REQUIRE(world.mark("a", task_state::succeeded));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: nor one that a task of finally is about to start for",
          "[logic][scheduler_core][mark]") {
  flow f{"a"};
  f.finally("tidy; tell");
  f["tell"].when("size(run.failed) > 0");
  core_world world{core_world::with_slots(1)};
  world.submit(f);
  world.fail("a");
  REQUIRE(world.states("tidy tell") == "tidy=dispatched tell=ready");
  CHECK(world.mark("a", task_state::succeeded).error().message
        == "task 'tell' is about to start as 'a' failed: decide that one first");
  REQUIRE(world.mark("tell", task_state::skipped));
  REQUIRE(world.mark("a", task_state::succeeded));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a task of a run that has ended is marked for its retry",
          "[logic][scheduler_core][mark]") {
  core_world world{"a; b < a; c < b"_flow};
  world.play("a");
  REQUIRE(world.run_state() == "failed");
  REQUIRE(world.mark("a", task_state::succeeded));
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().tasks[0] == task_state::succeeded);
  const auto retried = world.retry(retry_scope::downstream, "a");
  REQUIRE(retried);
  CHECK(retried->tasks == std::vector<std::string>{"b", "c"});
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a") == 1);
}

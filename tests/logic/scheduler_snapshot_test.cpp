// Of the scheduler core: what a task found, kept for its rollback before it changes anything.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::command_role;
using model::event_type;
using model::failure_class;

namespace {

flow careful() {
  auto f = "a; b < a | all_done"_flow;
  f["a"].rollback().snapshot().retry({.max = 1});
  return f;
}

constexpr auto nothing_done =
  " (it has no snapshot, so that nothing was done and nothing is rolled back)";

} // namespace

TEST_CASE("scheduler_core: the action begins when its snapshot is stored",
          "[logic][scheduler_core][snapshot]") {
  core_world world{careful()};
  CHECK(world.started("a").takes_snapshot);
  const auto key = world.current("a");
  if (GENERATE(false, true))
    world.confirm("a");
  world.take_snapshot("a");
  REQUIRE(world.last.records.size() == 1);
  const auto told = event_of(world.last.records[0]);
  CHECK(told.type == event_type::task_snapshot);
  CHECK(told.is_note());
  CHECK(told.data["bytes"] == 9);
  CHECK(world.gone_on == std::vector{key});
  CHECK(world.state("a") == "running");
  world.fail("a");
  world.fire("a");
  CHECK_FALSE(world.started("a").takes_snapshot); // the first may have changed things
  SECTION("it is dropped when the task has succeeded") {
    world.finish("a");
    CHECK_FALSE(world.recorded().has_snapshot[0]);
  }
  SECTION("the rollback is given it") {
    world.fail("a");
    CHECK(world.started("a").role == command_role::rollback);
    CHECK(world.started("a").has_snapshot);
    if (GENERATE(false, true))
      world.restart();
    world.lose_executor();
    CHECK(world.started("a").has_snapshot);
    world.finish("a");
    CHECK(world.state("a") == "rolled_back");
    CHECK_FALSE(world.recorded().has_snapshot[0]);
  }
}

TEST_CASE("scheduler_core: without a snapshot nothing is rolled back",
          "[logic][scheduler_core][snapshot]") {
  core_world world{careful()};
  SECTION("which failed again and again") {
    world.fail("a", 3);
    CHECK(world.state("a") == "retry_wait");
    world.fire("a");
    CHECK(world.started("a").takes_snapshot);
    world.fail("a", 4);
    CHECK(world.failure("a")
          == model::failure{failure_class::exit, "4", std::string{"exit code 4"} + nothing_done});
  }
  SECTION("because it was stopped meanwhile") {
    world.time_out("a");
    world.take_snapshot("a"); // too late
    CHECK(world.gone_on.empty());
    world.fail("a", 15);
    world.fire("a");
    world.fail("a", 5, failure_class::permanent);
  }
  SECTION("when it is given up before it is tried again") {
    world.fail("a");
    world.restart();
    CHECK(world.state("a") == "retry_wait");
    world.fire("a");
    world.fail("a");
  }
  CHECK(world.states() == "a=failed b=dispatched");
  world.finish("b");
  CHECK(world.recorded().error == "task 'a' failed: " + world.failure("a").message);
}

TEST_CASE("scheduler_core: a snapshot outlives the scheduler and its attempt",
          "[logic][scheduler_core][snapshot]") {
  core_world world{careful()};
  const auto key = world.current("a");
  SECTION("the scheduler died before it was stored") {
    world.restart();
    world.take_snapshot("a");
    CHECK(world.gone_on == std::vector{key});
  }
  SECTION("the scheduler died before the action was told to begin") {
    world.take_snapshot("a");
    world.restart();
    world.take_snapshot("a"); // the executor says it again
    CHECK(world.last.records.empty());
    CHECK(world.gone_on == std::vector{key, key});
  }
  SECTION("the attempt was lost before its snapshot was stored") {
    world.lose_executor();
    CHECK(world.started("a").takes_snapshot);
    world.take_snapshot("a");
  }
  SECTION("the attempt was lost after that") {
    world.take_snapshot("a");
    if (GENERATE(false, true))
      world.restart();
    world.lose_executor();
    CHECK_FALSE(world.started("a").takes_snapshot);
  }
  world.finish("a");
  CHECK(world.state("a") == "succeeded");
}

TEST_CASE("scheduler_core: a held task that is marked failed is rolled back with its snapshot",
          "[logic][scheduler_core][snapshot][hold]") {
  auto f = "a"_flow;
  f["a"].rollback().snapshot().hold();
  core_world world{f};
  const bool has_one = GENERATE(true, false);
  if (has_one)
    world.take_snapshot("a");
  world.fail("a");
  REQUIRE(world.state("a") == "waiting");
  if (GENERATE(false, true))
    world.restart();
  REQUIRE(world.mark("a", model::task_state::failed));
  if (has_one) {
    CHECK(world.started("a").role == command_role::rollback);
    CHECK(world.started("a").has_snapshot);
  } else {
    CHECK(world.state("a") == "failed");
  }
}

TEST_CASE("scheduler_core: each generation takes its own snapshot",
          "[logic][scheduler_core][snapshot]") {
  core_world world{careful()};
  world.take_snapshot("a");
  world.fail("a", 1, failure_class::permanent);
  world.fail("a"); // its rollback too
  CHECK(world.state("a") == "failed");
  CHECK(world.recorded().has_snapshot[0]); // for a person to look at
  world.finish("b");
  REQUIRE(world.retry());
  CHECK_FALSE(world.recorded().has_snapshot[0]);
  CHECK(world.started("a").takes_snapshot);
}

TEST_CASE("scheduler_core: handlers take no snapshots", "[logic][scheduler_core][snapshot]") {
  auto f = "a; b"_flow;
  f["a"].rollback().snapshot().fallback(model::call_action{"sync"});
  f["b"].call("sync");
  set_command(f.spec.defaults, command_role::rollback, model::run_action{"true"});
  set_command(f.spec.defaults, command_role::snapshot, model::run_action{"true"});
  core_world world{f};
  SECTION("as a fallback, so that it is not rolled back without one") {
    world.fail("a");
    CHECK(world.started("a").role == command_role::fallback);
    CHECK_FALSE(world.started("a").takes_snapshot);
    world.fail("a");
    CHECK(world.state("a") == "failed");
  }
  SECTION("as a task that has it by default, and is rolled back without") {
    CHECK_FALSE(world.started("b").takes_snapshot);
    world.fail("b");
    CHECK(world.started("b").role == command_role::rollback);
    CHECK_FALSE(world.started("b").has_snapshot);
  }
}

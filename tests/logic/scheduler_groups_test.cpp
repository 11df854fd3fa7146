// Of the scheduler core: groups of tasks.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::timer_kind;

namespace {

/// `a` and `b` of a group, and `c` behind it.
flow phased(model::group_spec group, std::string_view text = "a; b; c < b | all_done") {
  flow f{text};
  f["a"].group(group.name);
  f["b"].group(group.name);
  return f.declare(std::move(group));
}

model::group_spec boxed(model::milliseconds length) {
  return {.name = "fetch", .timebox = length, .active_tasks = {}, .budget = {}};
}

model::group_spec limited(std::uint32_t tasks) {
  return {.name = "fetch", .timebox = {}, .active_tasks = tasks, .budget = {}};
}

} // namespace

TEST_CASE("scheduler_core: the timebox of a group begins with its first attempt",
          "[logic][scheduler_core][group]") {
  auto f = phased(boxed(2h), "first; a < first; b < first");
  core_world world{f};
  CHECK_FALSE(world.has_group_timer(timer_kind::timebox));
  world.finish("first");
  CHECK(world.group_timer(timer_kind::timebox).due == world.now + 2h);
  world.finish("a");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: what is not done within the timebox of its group fails",
          "[logic][scheduler_core][group]") {
  auto f = phased(boxed(2h), "a; b < a; c < b | all_done");
  f["a"].retry({.max = 3});
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  core_world world{f.carry_on()};
  if (restarts)
    world.restart();
  const auto timer = world.group_timer(timer_kind::timebox);
  world.fire(timer, 1s);
  CHECK(world.states() == "a=cancelling b=failed c=dispatched");
  CHECK(world.failure("b").code == "timebox");
  CHECK(world.failure_class("b") == "deadline");
  CHECK(world.failure("b").message == "group 'fetch' was not done within its timebox of 2h");
  CHECK(world.stops.back().key == world.current("a"));
  if (restarts)
    world.restart();
  world.fail("a", 15);
  CHECK(world.state("a") == "failed"); // and is not repeated
  CHECK(world.failure("a").code == "timebox");
  world.finish("c");
  CHECK(world.run_state() == "failed");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: what is being stopped to go on later does not when its timebox is over",
          "[logic][scheduler_core][group]") {
  core_world world{phased(boxed(2h)).carry_on()};
  world.control(model::pause_run{model::pause_mode::stop});
  REQUIRE(world.states("a b") == "a=cancelling b=cancelling");
  world.fire(world.group_timer(timer_kind::timebox));
  world.restart();
  world.control(model::resume_run{});
  world.lose_executor();
  CHECK(world.states() == "a=failed b=failed c=dispatched");
  CHECK(world.failure("a").code == "timebox");
}

TEST_CASE("scheduler_core: the timebox of a group does not end what cleans up",
          "[logic][scheduler_core][group]") {
  auto f = phased(boxed(2h), "a; b");
  f["a"].rollback();
  f.spec.defaults.group = "fetch";
  f.finally("tidy");
  core_world world{f};
  world.fail("a");
  REQUIRE(world.state("a") == "rolling_back");
  world.fire(world.group_timer(timer_kind::timebox));
  CHECK(world.states("a b") == "a=rolling_back b=cancelling");
  world.finish("a");
  world.fail("b", 15);
  world.finish("tidy");
  CHECK(world.states() == "a=rolled_back b=failed tidy=succeeded");
}

TEST_CASE("scheduler_core: instances belong to the group of their task",
          "[logic][scheduler_core][group]") {
  auto f = phased(boxed(2h), "a; b");
  f["a"].foreach (3).max_parallel(1).max_failures(3);
  core_world world{f.carry_on()};
  world.finish("a[0]");
  world.fire(world.group_timer(timer_kind::timebox));
  CHECK(world.states("a[0] a[1] a[2]") == "a[0]=succeeded a[1]=cancelling a[2]=failed");
  world.fail("a[1]", 15);
  CHECK(world.failure("a[1]").code == "timebox");
  CHECK(world.state("a") == "succeeded"); // so many failures are borne
}

TEST_CASE("scheduler_core: another generation has another timebox",
          "[logic][scheduler_core][group]") {
  core_world world{phased(boxed(2h), "a; b < a")};
  world.fire(world.group_timer(timer_kind::timebox));
  world.fail("a", 15);
  REQUIRE(world.run_state() == "failed");
  REQUIRE(world.retry());
  CHECK(world.group_timer(timer_kind::timebox).due == world.now + 2h);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: no more of a group run at once than may",
          "[logic][scheduler_core][group]") {
  auto f = phased(limited(2), "a; b; c; d; e");
  for (const char* task : {"c", "d"})
    f[task].group("fetch");
  core_world world{f};
  CHECK(world.running() == "a b e");
  world.finish("a");
  CHECK(world.running() == "b c e");
  SECTION("across a restart") {
    world.restart();
    CHECK(world.running() == "b c e");
    world.finish("b");
    CHECK(world.running() == "c d e");
  }
  SECTION("when one that waits for its turn is decided otherwise") {
    world.mark("d", model::task_state::skipped);
    world.finish("b");
    CHECK(world.running() == "c e");
  }
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a full group takes no turn from others of its run",
          "[logic][scheduler_core][group]") {
  auto f = phased(limited(1), "a; b; c; d");
  core_world world{f.active_tasks(2)};
  CHECK(world.running() == "a c");
  world.finish("c");
  CHECK(world.running() == "a d");
  world.finish("d");
  CHECK(world.running() == "a");
  world.finish("a");
  CHECK(world.running() == "b");
}

TEST_CASE("scheduler_core: a group is cancelled and its run goes on",
          "[logic][scheduler_core][group]") {
  flow f{"a; b < a; c < b | all_done; d"};
  f["a"].group("fetch");
  f["b"].group("fetch");
  core_world world{f};
  const auto done = world.control(model::cancel_group{"fetch", model::cancel_mode::immediate});
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"a", "b"});
  CHECK(done->kept == 2);
  CHECK(world.stops.back().mode == model::cancel_mode::immediate);
  CHECK(world.states() == "a=cancelling b=cancelled c=dispatched d=dispatched");
  world.restart();
  world.finish("a"); // too late
  CHECK(world.state("a") == "cancelled");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a group that is cancelled starts nothing that was to be repeated",
          "[logic][scheduler_core][group]") {
  flow f{"a; b"};
  f["a"].group("fetch").retry({.max = 3});
  core_world world{f};
  world.time_out("a");
  REQUIRE(world.control(model::cancel_group{"fetch"}));
  world.restart();
  world.fail("a", 15);
  CHECK(world.state("a") == "cancelled");
}

TEST_CASE("scheduler_core: only a group that there is can be cancelled",
          "[logic][scheduler_core][group]") {
  flow f{"a; b"};
  f["a"].group("fetch");
  core_world world{f};
  const auto wrong = world.control(model::cancel_group{"fetsh"});
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == errc::not_found);
  CHECK(wrong.error().message == "workflow 'flow' has no group 'fetsh'; did you mean 'fetch'?");
  world.play();
  const auto late = world.control(model::cancel_group{"fetch"});
  REQUIRE_FALSE(late);
  CHECK(late.error().code == errc::conflict);
}

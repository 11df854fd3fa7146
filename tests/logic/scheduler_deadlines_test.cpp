// Of the scheduler core: deadlines of tasks and runs, and time in the queue.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::timer_kind;

namespace {

flow with_deadline(std::string_view text, std::string_view task) {
  flow f{text};
  f[task].deadline(1h);
  return f;
}

} // namespace

TEST_CASE("scheduler_core: a deadline counts from the submission and ends with its task",
          "[logic][scheduler_core][deadline]") {
  core_world world{with_deadline("a; b < a; c < b", "b")};
  const auto due = world.timer("b", timer_kind::deadline).due;
  CHECK(due == world.now + 1h);
  world.finish("a");
  CHECK(world.timer("b", timer_kind::deadline).due == due);
  world.finish("b");
  CHECK(world.timers.empty());
  world.finish("c");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what has not started by its deadline fails and is reported",
          "[logic][scheduler_core][deadline]") {
  core_world world{core_world::with_slots(1)};
  SECTION("its upstream is not decided") {
    world.submit(with_deadline("a; late < a; next < late", "late"));
  }
  SECTION("it is in the queue") {
    auto f = with_deadline("a; late; next < late", "late");
    f["a"].priority(75); // else what has a deadline starts first
    world.submit(f);
  }
  SECTION("it waits for its retry") {
    auto f = with_deadline("late; a; next < late", "late");
    f["late"].retry({.max = 5, .base = 2h});
    world.submit(f);
    world.fail("late");
  }
  world.fire("late", timer_kind::deadline);
  CHECK(world.states("late next a") == "late=failed next=skipped a=dispatched");
  CHECK(world.failure_class("late") == "deadline");
  CHECK(world.failure("late").message == "not done within 1h of the submission");
  CHECK(world.reason("late") == "deadline");
  CHECK(world.timers.empty());
  world.finish("a");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what runs at its deadline is stopped and fails once it is gone",
          "[logic][scheduler_core][deadline]") {
  const auto [how, code] =
    GENERATE(table<std::string, std::string>({{"finish", "0"}, {"fail", "9"}, {"lose", ""}}));
  CAPTURE(how);
  auto f = with_deadline("a; b < a", "a");
  f["a"].retry({.max = 5});
  core_world world{f};
  world.confirm("a");
  world.fire("a", timer_kind::deadline);
  CHECK(world.state("a") == "cancelling");
  CHECK(world.reason("a") == "deadline");
  REQUIRE(world.stops.size() == 1);
  CHECK(world.stops[0].mode == model::cancel_mode::graceful);
  if (how == "finish")
    world.finish("a"); // too late
  else if (how == "fail")
    world.fail("a", 9);
  else
    world.lose("a");
  CHECK(world.states() == "a=failed b=skipped"); // not repeated
  CHECK(world.failure_class("a") == "deadline");
  CHECK(world.failure("a").code == code);
}

TEST_CASE("scheduler_core: the first reason to stop stands but nothing follows a deadline",
          "[logic][scheduler_core][deadline]") {
  auto f = with_deadline("a", "a");
  f["a"].retry({.max = 5});
  core_world world{f};
  world.time_out("a");
  world.fire("a", timer_kind::deadline);
  CHECK(world.stops.size() == 1);
  world.fail("a", 15);
  CHECK(world.state("a") == "failed");
  CHECK(world.failure_class("a") == "timeout");
}

TEST_CASE("scheduler_core: a cancel overrides a deadline", "[logic][scheduler_core][deadline]") {
  core_world world{with_deadline("a", "a")};
  world.fire("a", timer_kind::deadline);
  world.cancel();
  world.fail("a", 15);
  CHECK(world.state("a") == "cancelled");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a default deadline is each task's own",
          "[logic][scheduler_core][deadline]") {
  flow f{"a; b; c < a"};
  f.spec.defaults.deadline = 1h;
  f["b"].deadline(2h);
  core_world world{f.carry_on()};
  CHECK(world.timers.size() == 3);
  world.fire("a", timer_kind::deadline);
  world.fire("c", timer_kind::deadline);
  CHECK(world.states() == "a=cancelling b=dispatched c=failed");
  CHECK(world.run_state() == "running");
}

TEST_CASE("scheduler_core: the deadline of a run ends it, failed",
          "[logic][scheduler_core][deadline]") {
  core_world world;
  flow f{"a; b < a; clean < b | all_done; waits"};
  f["waits"].retry({.max = 1, .base = 5h, .cap = 5h});
  world.submit(f.deadline(3h));
  CHECK(world.run_timer().due == world.now + 3h);
  world.fail("waits");
  world.fire(world.run_timer(), 20ms);
  CHECK(world.states() == "a=cancelling b=cancelled clean=cancelled waits=cancelled");
  CHECK(world.run_state() == "cancelling");
  CHECK(world.reason("b") == "deadline");
  CHECK(world.stops.size() == 1);
  CHECK(model::event_of(world.last.records.front()).data
        == model::value{{"error", "not done within its deadline of 3h"}, {"late_us", 20'000}});
  world.finish("a");
  CHECK(world.state("a") == "failed");
  CHECK(world.failure("a").message == "the deadline of its run has passed");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "not done within its deadline of 3h");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: a run that ends in time has no deadline any more",
          "[logic][scheduler_core][deadline]") {
  core_world world{flow{"a"}.deadline(3h)};
  const auto deadline = world.run_timer();
  SECTION("it succeeded") {
    world.finish("a");
  }
  SECTION("it is being cancelled") {
    world.cancel();
    world.fire(deadline);
    CHECK(world.state("a") == "cancelling");
    world.fail("a");
    CHECK(world.run_state() == "cancelled");
  }
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: what waits too long for a slot fails and leaves the queue",
          "[logic][scheduler_core][deadline]") {
  core_world world{core_world::with_slots(1)};
  flow f{"a; b; c; d < c"};
  f["a"].queue_timeout(5min).priority(75); // it starts at once
  f["c"].queue_timeout(5min);
  world.submit(f.carry_on());
  CHECK(world.timers.size() == 1);
  CHECK(world.timer("c", timer_kind::queue_timeout).due == world.now + 5min);
  world.fire("c", timer_kind::queue_timeout);
  CHECK(world.states() == "a=dispatched b=ready c=failed d=skipped");
  CHECK(world.failure_class("c") == "deadline");
  CHECK(world.failure("c").code == "queue_timeout");
  CHECK(world.failure("c").message == "not started within 5m of being ready");
  world.play();
  CHECK(world.states() == "a=succeeded b=succeeded c=failed d=skipped");
  CHECK(world.attempt("c") == 0);
}

TEST_CASE("scheduler_core: time in the queue counts anew for each stay in it",
          "[logic][scheduler_core][deadline]") {
  core_world world{core_world::with_slots(1)};
  flow f{"a; b"};
  f["a"].queue_timeout(5min).retry({.max = 1});
  world.submit(f);
  CHECK(world.timers.empty());
  SECTION("after a loss") {
    world.lose("a");
  }
  SECTION("after a retry") {
    world.fail("a");
    world.fire("a");
  }
  CHECK(world.states() == "a=ready b=dispatched");
  CHECK(world.timer("a", timer_kind::queue_timeout).due == world.now + 5min);
  world.finish("b");
  CHECK(world.state("a") == "dispatched");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: a failure by a deadline is handled and allowed like any other",
          "[logic][scheduler_core][deadline]") {
  core_world world{with_deadline("a; late! < a; c < a; h < late", "late")};
  world.fire("late", timer_kind::deadline);
  world.play();
  CHECK(world.states() == "a=succeeded late=failed c=succeeded h=succeeded");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: deadlines go on when another scheduler takes the run up",
          "[logic][scheduler_core][deadline][restore]") {
  core_world world{core_world::with_slots(1)};
  flow f{"a; queued; late < a"};
  f["a"].retry({.max = 3}).deadline(1h);
  f["queued"].queue_timeout(5min);
  f["late"].deadline(2h);
  world.submit(f.carry_on().deadline(3h));
  const auto timers = world.timers;
  REQUIRE(timers.size() == 4);
  world.restart();
  world.dispatch();
  CHECK(world.timers == timers); // also the time in the queue
  world.fire("queued", timer_kind::queue_timeout);
  CHECK(world.states() == "a=dispatched queued=failed late=pending");

  SECTION("what is being stopped by its deadline fails by it") {
    world.fire("a", timer_kind::deadline);
    world.restart();
    world.fail("a", 9);
    CHECK(world.failure_class("a") == "deadline");
    CHECK(world.failure("a").message == "not done within 1h of the submission");
  }
  SECTION("a deadline that has passed is not forgotten") {
    world.time_out("a");
    world.fire("a", timer_kind::deadline);
    world.restart();
    world.fail("a", 9);
    CHECK(world.state("a") == "failed"); // not repeated
    CHECK(world.failure_class("a") == "timeout");
  }
  SECTION("a run that is being ended by its deadline fails by it") {
    world.fire(world.run_timer());
    world.restart();
    world.cancel(); // it ends already
    world.restart();
    CHECK(world.run_state() == "cancelling");
    world.finish("a");
    CHECK(world.failure_class("a") == "deadline");
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error == "task 'queued' failed: not started within 5m of being ready");
  }
}

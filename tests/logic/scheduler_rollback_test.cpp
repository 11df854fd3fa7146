// Of the scheduler core: what undoes a task that has failed.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::cancel_mode;
using model::command_role;
using model::event_type;
using model::failure_class;
using model::milliseconds;

namespace {

flow undone() {
  auto f = "a; b < a | all_done; c < a"_flow;
  f["a"].rollback().in("x", 1);
  return f;
}

} // namespace

TEST_CASE("scheduler_core: a task that failed for good is rolled back",
          "[logic][scheduler_core][rollback]") {
  auto f = undone();
  f["a"].retry({.max = 1});
  core_world world{f};
  world.fail("a");
  CHECK(world.state("a") == "retry_wait"); // not yet for good
  world.fire("a");
  world.fail("a");
  REQUIRE(world.last.records.size() == 3);
  CHECK(event_of(world.last.records[0]).to == "failed");
  CHECK(event_of(world.last.records[1]).type == event_type::task_rolling_back);
  CHECK(event_of(world.last.records[2]).data["role"] == "rollback");
  CHECK(world.states() == "a=rolling_back b=pending c=pending");
  CHECK(world.attempt("a") == 3);
  CHECK(world.started("a").role == command_role::rollback);
  CHECK(world.started("a").inputs == model::value{{"x", 1}});
  world.confirm("a");
  world.finish("a");
  CHECK(world.states() == "a=rolled_back b=dispatched c=skipped");
  world.finish("b");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'a' failed: exit code 1");
}

TEST_CASE("scheduler_core: a rollback that fails asks a person",
          "[logic][scheduler_core][rollback]") {
  core_world world{undone()};
  world.fail("a", 3);
  SECTION("by itself") {
    world.fail("a", 4);
    CHECK(world.failure("a").code == "4");
    CHECK(world.failure("a").message
          == "its rollback failed (exit code 4), so that a person has to look at what it left; it "
             "had failed before: exit code 3");
  }
  SECTION("by its time") {
    world.time_out("a");
    CHECK(world.state("a") == "cancelling");
    const auto how = GENERATE(0, 1, 2);
    if (how == 0)
      world.restart();
    if (how == 1)
      world.finish("a");
    else
      world.lose("a");
    CHECK(world.failure_class("a") == "timeout");
  }
  CHECK(world.states("a c") == "a=failed c=skipped");
  world.finish("b");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: a rollback that is lost is tried again",
          "[logic][scheduler_core][rollback]") {
  auto f = undone();
  f["a"].crash_limit(1).never_again();
  core_world world{f};
  world.fail("a");
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();
  CHECK(world.state("a") == "rolling_back");
  world.lose_executor();
  CHECK(event_of(world.last.records[0]).type == event_type::task_lost);
  CHECK(world.state("a") == "rolling_back");
  CHECK(world.attempt("a") == 3);
  CHECK(world.started("a").role == command_role::rollback);
  CHECK(world.started("a").inputs == model::value{{"x", 1}});
  SECTION("and then done") {
    world.finish("a");
    CHECK(world.state("a") == "rolled_back");
  }
  SECTION("not for ever") {
    world.lose("a");
    CHECK(world.state("a") == "failed");
    CHECK(world.failure("a")
          == model::failure{failure_class::lost, "",
                            "its rollback was lost 2 times, so that a person has to look at what "
                            "it left; it had failed before: exit code 1"});
  }
}

TEST_CASE("scheduler_core: a rollback waits for a slot, across a restart",
          "[logic][scheduler_core][rollback]") {
  core_world world{core_world::with_slots(1)};
  auto f = "a; other"_flow;
  f["a"].rollback();
  world.submit(f);
  const auto key = world.current("a");
  world.fail("a");
  CHECK(world.running() == "other"); // it was ready before
  CHECK(world.state("a") == "rolling_back");
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();                 // and why it failed is known all the same
  auto again = world.report_of(key); // what has ended already is not taken for the rollback
  world.step(model::attempt_finished{again, model::executor_kind::process});
  CHECK(world.core.statistics().stale_reports == 1);
  CHECK(world.state("a") == "rolling_back");
  world.finish("other");
  CHECK(world.started("a").role == command_role::rollback);
  world.finish("a");
  CHECK(world.states() == "a=rolled_back other=succeeded");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'a' failed: exit code 1");
}

TEST_CASE("scheduler_core: all that fails after it did something is rolled back",
          "[logic][scheduler_core][rollback]") {
  auto f = "a; bad"_flow;
  f["a"].rollback().retry({.max = 3});
  core_world world{f};
  SECTION("what waited for a retry when the run stops") {
    world.fail("a");
    world.fail("bad");
    CHECK(world.state("a") == "rolling_back");
    world.finish("a");
    CHECK(world.failure("a").code == "1");
  }
  SECTION("what was lost too often") {
    for (int i = 0; i < 6; ++i)
      world.lose("a");
    CHECK(world.started("a").role == command_role::rollback);
    for (int i = 0; i < 5; ++i) // it survives as many
      world.lose("a");
    CHECK(world.started("a").role == command_role::rollback);
    world.finish("a");
    world.finish("bad");
  }
  CHECK(world.states("a") == "a=rolled_back");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what did nothing has nothing to roll back",
          "[logic][scheduler_core][rollback]") {
  auto f = "a"_flow;
  f["a"].rollback().in("x", "${{ 1 / 0 }}");
  core_world world{f};
  CHECK(world.states() == "a=failed");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: a cancel lets a rollback end, unless it is forced",
          "[logic][scheduler_core][rollback]") {
  core_world world{undone()};
  world.fail("a");
  world.cancel();
  CHECK(world.states() == "a=rolling_back b=cancelled c=cancelled");
  CHECK(world.stops.empty());
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();
  SECTION("it ends") {
    world.finish("a");
    CHECK(world.state("a") == "rolled_back");
  }
  SECTION("it is forced") {
    world.cancel(cancel_mode::immediate);
    CHECK(world.state("a") == "cancelling");
    world.fail("a", 137);
    CHECK(world.state("a") == "cancelled");
  }
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a forced cancel ends a rollback that waits for a slot",
          "[logic][scheduler_core][rollback]") {
  core_world world{core_world::with_slots(1)};
  auto f = "a; other"_flow;
  f["a"].rollback();
  world.submit(f);
  world.fail("a");
  world.cancel(cancel_mode::immediate);
  CHECK(world.states() == "a=cancelled other=cancelling");
  world.fail("other", 137);
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a drain gives a rollback back", "[logic][scheduler_core][rollback]") {
  core_world world{undone()};
  world.fail("a");
  world.drain(model::drain_mode::stop);
  CHECK(world.state("a") == "cancelling");
  SECTION("stopped") {
    world.fail("a", 143);
    CHECK(world.state("a") == "rolling_back");
    CHECK(world.drain_answers.size() == 1);
    world.restart();
    world.dispatch();
    CHECK(world.started("a").role == command_role::rollback);
    world.finish("a");
  }
  SECTION("done all the same") {
    world.finish("a");
  }
  CHECK(world.state("a") == "rolled_back");
}

TEST_CASE("scheduler_core: a pause that stops gives a rollback back",
          "[logic][scheduler_core][rollback]") {
  core_world world{undone()};
  world.fail("a");
  REQUIRE(world.control(model::pause_run{model::pause_mode::stop}));
  world.fail("a", 143);
  CHECK(std::get<model::attempt_ended>(world.last.records[0]).outcome.failure->code == "paused");
  CHECK(world.running() == "");
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.started("a").role == command_role::rollback);
  world.finish("a");
  CHECK(world.state("a") == "rolled_back");
}

TEST_CASE("scheduler_core: a rollback takes a slot, though its action was asynchronous",
          "[logic][scheduler_core][rollback]") {
  auto options = core_world::with_slots(1);
  options.asynchronous_calls = 1;
  options.is_asynchronous = [](const std::string& handler) { return handler == "async"; };
  core_world world{options};
  auto f = "first; a; other"_flow;
  f["first"].call("async");
  f["a"].call("async").rollback().retry({.max = 1}).queue_timeout(milliseconds{50});
  world.submit(f);
  CHECK(world.running() == "first other");
  world.finish("first");
  world.fail("a");
  REQUIRE(world.control(model::pause_run{model::pause_mode::let_end}));
  world.fire("a");
  REQUIRE(world.state("a") == "ready");
  world.fire("a", model::timer_kind::queue_timeout);
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.running() == "other"); // the slot is taken
  CHECK(world.state("a") == "rolling_back");
  world.finish("other");
  CHECK(world.started("a").role == command_role::rollback);
}

TEST_CASE("scheduler_core: a failing rollback says nothing about the action",
          "[logic][scheduler_core][rollback]") {
  auto options = core_world::roomy();
  options.breaker.failures = 1;
  core_world world{options};
  auto f = "a"_flow;
  f["a"].rollback();
  world.submit(f);
  world.fail("a");
  CHECK(world.started("a").role == command_role::rollback); // it does not wait for the breaker
  world.fail("a");
  CHECK(world.breakers.begin()->second.failures == 1);
}

TEST_CASE("scheduler_core: a task past its deadline is rolled back, which has none",
          "[logic][scheduler_core][rollback]") {
  auto f = undone().deadline(milliseconds{1'000});
  f["a"].deadline(milliseconds{500});
  core_world world{f};
  world.fire("a", model::timer_kind::deadline);
  world.fail("a", 143);
  CHECK(world.state("a") == "rolling_back");
  world.fire(world.run_timer());
  CHECK(world.states() == "a=rolling_back b=cancelled c=cancelled");
  CHECK(world.stops.size() == 1); // of the action
  world.finish("a");
  CHECK(world.state("a") == "rolled_back");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what was rolled back can start again",
          "[logic][scheduler_core][rollback]") {
  core_world world{undone()};
  world.fail("a");
  world.finish("a");
  world.finish("b");
  REQUIRE(world.control(model::retry_run{model::retry_scope::failed, ""}));
  CHECK(world.states() == "a=dispatched b=succeeded c=pending");
  if (GENERATE(false, true))
    world.restart();
  CHECK(world.started("a").role == command_role::action);
  world.fail("a");
  CHECK(world.started("a").role == command_role::rollback);
  world.finish("a");
  CHECK(world.states() == "a=rolled_back b=succeeded c=skipped");
}

TEST_CASE("scheduler_core: only what this generation did is rolled back",
          "[logic][scheduler_core][rollback]") {
  core_world world{core_world::with_slots(1)};
  auto f = "other; a"_flow;
  f["a"].rollback().queue_timeout(milliseconds{50});
  world.submit(f);
  world.finish("other");
  world.fail("a");
  world.finish("a");
  REQUIRE(world.control(model::retry_run{model::retry_scope::from, "other"}));
  REQUIRE(world.state("a") == "rolled_back");
  world.finish("other");
  world.mode = scheduler_core::dispatching::held;
  REQUIRE(world.control(model::retry_run{model::retry_scope::failed, ""}));
  CHECK(world.state("a") == "ready");
  world.fire("a", model::timer_kind::queue_timeout);
  CHECK(world.state("a") == "failed"); // it has not begun since
}

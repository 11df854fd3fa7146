// Of the scheduler core: tasks with a key, of which one success is enough.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

namespace {

/// `a` has the key `day`, puts out `v`, and `b` reads that.
flow keyed() {
  auto f = "a; b < a"_flow;
  f["a"].idempotency("day").out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}");
  return f;
}

} // namespace

TEST_CASE("scheduler_core: a task with a key starts when nothing has succeeded with it",
          "[logic][scheduler_core][idempotency]") {
  core_world world{keyed()};
  CHECK(world.states() == "a=pending b=pending");
  REQUIRE(world.look_ups.size() == 1);
  CHECK(world.look_ups[0].digest == R"(["task","flow","a","day"])");
  world.look_up();
  CHECK(world.states() == "a=dispatched b=pending");
  world.finish("a", {{"v", 1}});
  REQUIRE(world.keys.size() == 1);
  CHECK(world.started("b").inputs == model::value{{"v", 1}});
}

TEST_CASE("scheduler_core: what has succeeded with a key is not done again",
          "[logic][scheduler_core][idempotency]") {
  core_world world{keyed()};
  world.look_up();
  world.finish("a", {{"v", 1}});
  world.play();
  REQUIRE(world.run_state() == "succeeded");
  const auto first = world.last_run;

  world.submit(keyed());
  world.look_up();
  const auto event = model::event_of(world.last.records.front());
  CHECK(event.type == model::event_type::task_reused);
  CHECK(event.data == model::value{{"of", to_string(model::task_key{first, 0})}});
  CHECK(world.states() == "a=succeeded b=dispatched");
  CHECK(world.started("b").inputs == model::value{{"v", 1}});
  CHECK(world.attempt("a") == 0);
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  SECTION("but it is, when an operator asks for just that") {
    world.last_run = first;
    REQUIRE(world.retry(model::retry_scope::from, "a"));
    world.look_up();
    CHECK(world.states() == "a=dispatched b=pending");
  }
}

TEST_CASE("scheduler_core: tasks with the same key wait for the first of them",
          "[logic][scheduler_core][idempotency]") {
  core_world world{keyed()};
  world.look_up();
  const auto first = world.last_run;
  const auto second = world.submit(keyed());
  CHECK(world.state("a") == "waiting");
  CHECK(world.reason("a") == "idempotency");
  CHECK(world.look_ups.empty());
  const auto third = world.submit(keyed());
  SECTION("and take its result over when it succeeds") {
    world.last_run = first;
    world.finish("a", {{"v", 7}});
    REQUIRE(world.look_ups.size() == 1); // one after the other
    world.look_up();
    world.look_up();
    for (const auto run : {second, third}) {
      world.last_run = run;
      CHECK(world.states() == "a=succeeded b=dispatched");
      CHECK(world.started("b").inputs == model::value{{"v", 7}});
    }
  }
  SECTION("and the next one starts when it fails") {
    world.last_run = first;
    world.fail("a");
    world.look_up();
    world.last_run = second;
    CHECK(world.states() == "a=dispatched b=pending");
    world.last_run = third;
    CHECK(world.states() == "a=waiting b=pending");
    CHECK(world.look_ups.empty());
  }
  SECTION("and a cancel of one that waits concerns nobody else") {
    world.last_run = second;
    world.cancel();
    CHECK(world.run_state() == "cancelled");
    world.last_run = first;
    world.cancel();
    world.lose("a"); // its end is proven
    CHECK(world.run_state() == "cancelled");
    world.look_up();
    world.last_run = third;
    CHECK(world.state("a") == "dispatched");
  }
  SECTION("also after a restart") {
    world.restart();
    CHECK(world.look_ups.empty()); // the first is under way
    world.last_run = first;
    world.finish("a", {{"v", 7}});
    world.look_up();
    world.look_up();
    for (const auto run : {second, third}) {
      world.last_run = run;
      CHECK(world.states() == "a=succeeded b=dispatched");
    }
  }
  SECTION("and the first keeps it over a loss and a restart") {
    world.restart();
    world.last_run = first;
    world.lose("a");
    CHECK(world.state("a") == "dispatched");
    CHECK(world.under_way.size() == 1);
    CHECK(world.look_ups.empty());
  }
}

TEST_CASE("scheduler_core: a key comes from what its task sees",
          "[logic][scheduler_core][idempotency]") {
  auto f = "a; b < a"_flow;
  f.param("day", "monday");
  f["a"].out("v");
  f["b"].idempotency("${{ params.day }}-${{ tasks.a.out.v }}");
  SECTION("its parameters and upstreams") {
    core_world world{f};
    world.finish("a", {{"v", 3}});
    REQUIRE(world.look_ups.size() == 1);
    CHECK(world.look_ups[0].digest == R"(["task","flow","b","monday-3"])");
  }
  SECTION("and a task without one has failed") {
    f.params["day"] = "mon\nday";
    core_world world{f};
    world.finish("a", {{"v", 3}});
    CHECK(world.state("b") == "failed");
    CHECK(world.failure("b").code == "expression");
    CHECK(world.failure("b").message
          == "idempotency: a key is a text of 1 to 200 bytes without control characters");
  }
}

TEST_CASE("scheduler_core: a task fails when its key cannot be looked up",
          "[logic][scheduler_core][idempotency]") {
  core_world world{keyed()};
  const auto asked = world.look_ups.at(0);
  world.look_ups.clear();
  world.step(model::key_looked_up{asked.task, asked.digest,
                                  fail(errc::corrupt, "the database is damaged"), asked.number});
  CHECK(world.states() == "a=failed b=skipped");
  CHECK(world.failure("a").message == "idempotency: the database is damaged");
}

TEST_CASE("scheduler_core: only the answer to the last question about a key counts",
          "[logic][scheduler_core][idempotency]") {
  core_world world{keyed()};
  REQUIRE(world.control(model::pause_task{"a"}));
  REQUIRE(world.control(model::resume_task{"a"}));
  REQUIRE(world.look_ups.size() == 2);
  world.look_up(0); // it may be older than a success since
  CHECK(world.state("a") == "pending");
  world.look_up(0);
  CHECK(world.state("a") == "dispatched");
}

TEST_CASE("scheduler_core: what is being undone is not taken over",
          "[logic][scheduler_core][idempotency]") {
  auto f = keyed();
  f["a"].compensate();
  f.compensate();
  core_world world{f};
  world.look_up();
  world.finish("a", {{"v", 1}});
  const auto first = world.last_run;
  const auto second = world.submit(f);
  REQUIRE(world.look_ups.size() == 1);
  const auto asked = world.look_ups.at(0);
  world.look_ups.clear();
  const model::key_looked_up answer{asked.task, asked.digest, world.keys.at(asked.digest),
                                    asked.number};
  world.last_run = first;
  world.fail("b");
  REQUIRE(world.state("a") == "rolling_back");
  world.step(answer); // from before that
  world.last_run = second;
  CHECK(world.states() == "a=dispatched b=pending");
}

TEST_CASE("scheduler_core: a retry keeps its task's key and a rollback too",
          "[logic][scheduler_core][idempotency]") {
  auto f = keyed();
  f["a"].retry({.max = 1}).rollback();
  core_world world{f};
  world.look_up();
  const auto first = world.last_run;
  world.submit(f);
  world.last_run = first;
  world.fail("a");
  CHECK(world.look_ups.empty());
  world.fire("a");
  CHECK(world.look_ups.empty());
  world.fail("a");
  CHECK(world.state("a") == "rolling_back");
  CHECK(world.look_ups.empty()); // the other one must not begin before it is undone
  world.finish("a");
  CHECK(world.state("a") == "rolled_back");
  CHECK(world.look_ups.size() == 1);
}

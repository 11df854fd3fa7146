// Of the scheduler core: runs that are rolled back.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::cancel_mode;
using model::command_role;
using model::event_type;
using model::failure_class;
using model::milliseconds;
using model::rollback_run;
using model::task_state;

namespace {

/// `a` and `b` can be compensated, `c` fails after them.
flow undone() {
  auto f = "a; b < a; c < b"_flow.compensate();
  f["a"].compensate();
  f["b"].compensate();
  return f;
}

std::string events(const core_world& world) {
  std::string text;
  for (const auto& record : world.last.records) {
    const auto e = event_of(record);
    text += (text.empty() ? "" : " ")
            + (e.task_idx ? world.recorded().spec->tasks[*e.task_idx].name : std::string{"run"})
            + ":" + (e.to.empty() ? std::string{to_string(e.type)} : e.to);
  }
  return text;
}

} // namespace

TEST_CASE("scheduler_core: a run that fails is compensated from its end",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["b"].in("x", 1).out("y").env("E", "e");
  core_world world{f};
  world.finish("a");
  world.finish("b", {{"y", 2}});
  world.fail("c", 3);
  CHECK(events(world) == "c:failed run:rolling_back b:rolling_back b:rolling_back");
  CHECK(world.run_state() == "rolling_back");
  CHECK(world.states() == "a=succeeded b=rolling_back c=failed");
  CHECK(world.attempt("b") == 2);
  const auto& start = world.started("b");
  CHECK(start.role == command_role::compensate);
  CHECK(start.inputs == model::value{{"x", 1}});
  CHECK(world.env("b", "E") == "e");
  CHECK(start.has_result);
  if (GENERATE(false, true))
    world.restart();
  world.finish("b");
  CHECK(events(world) == "b:rolled_back a:rolling_back a:rolling_back");
  CHECK_FALSE(world.started("a").has_result); // it declares nothing
  world.finish("a");
  CHECK(world.states() == "a=rolled_back b=rolled_back c=failed");
  CHECK(world.run_state() == "rolled_back");
  CHECK(world.recorded().error == "task 'c' failed: exit code 3");
}

TEST_CASE("scheduler_core: a run without anything to compensate ends as with stop",
          "[logic][scheduler_core][compensation]") {
  core_world world{"a; b < a; c"_flow.compensate()};
  world.fail("c");
  CHECK(world.states() == "a=dispatched b=skipped c=failed");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=skipped c=failed");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: compensation waits for all that is under way",
          "[logic][scheduler_core][compensation]") {
  auto f = "a; b; c; after < b | all_done"_flow.compensate();
  for (const auto* name : {"a", "b", "after"})
    f[name].compensate();
  core_world world{f};
  world.finish("a");
  world.fail("c");
  CHECK(world.run_state() == "running");
  world.finish("b");
  CHECK(world.running() == "after");
  world.finish("after");
  std::string order;
  for (; !world.running().empty(); world.finish(world.running()))
    order += world.running() + " ";
  CHECK(order == "after b a ");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: the order is that of success, across a restart",
          "[logic][scheduler_core][compensation]") {
  auto f = "a; b; c; d"_flow.compensate();
  for (const auto* name : {"a", "b", "c"})
    f[name].compensate();
  core_world world{f};
  world.finish("c");
  world.now -= std::chrono::hours{1}; // the clock is set
  world.finish("a");
  world.now -= std::chrono::hours{1};
  world.finish("b");
  if (GENERATE(false, true))
    world.restart();
  world.fail("d");
  CHECK(world.running() == "b");
  world.finish("b");
  if (GENERATE(false, true))
    world.restart();
  CHECK(world.running() == "a");
  world.finish("a");
  CHECK(world.running() == "c");
}

TEST_CASE("scheduler_core: a compensation that fails leaves the others no less undone",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.finish("b");
  world.fail("c", 3);
  SECTION("by itself") {
    world.fail("b", 4);
    CHECK(world.failure("b").message
          == "its compensation failed (exit code 4), so that a person has to look at what it left");
  }
  SECTION("by its time") {
    world.time_out("b");
    world.fail("b", 143);
    CHECK(world.failure_class("b") == "timeout");
  }
  CHECK(world.running() == "a");
  world.finish("a");
  CHECK(world.states() == "a=rolled_back b=failed c=failed");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'c' failed: exit code 3; not compensated: 'b'");
}

TEST_CASE("scheduler_core: a compensation that is lost is tried again",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["b"].crash_limit(1).in("x", 1);
  if (GENERATE(false, true))
    f["b"].never_again();
  core_world world{f};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  if (GENERATE(false, true))
    world.restart();
  world.lose_executor();
  CHECK(world.state("b") == "rolling_back");
  CHECK(world.started("b").role == command_role::compensate);
  CHECK(world.started("b").inputs == model::value{{"x", 1}});
  SECTION("and then done") {
    world.finish("b");
    world.finish("a");
    CHECK(world.run_state() == "rolled_back");
  }
  SECTION("not for ever") {
    world.lose("b");
    CHECK(world.failure("b").message
          == "its compensation was lost 2 times, so that a person has to look at what it left");
    world.finish("a");
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: what an action lost is not counted against its compensation",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["b"].crash_limit(1);
  core_world world{f};
  world.finish("a");
  world.lose("b");
  world.finish("b");
  world.fail("c");
  if (GENERATE(false, true))
    world.restart();
  world.lose("b");
  CHECK(world.started("b").role == command_role::compensate);
}

TEST_CASE("scheduler_core: finally comes after the compensation and sees it",
          "[logic][scheduler_core][compensation]") {
  auto f = undone().finally("tidy");
  f["a"].out("x");
  f["tidy"].in("state", "${{ run.state }}").in("failed", "${{ run.failed }}");
  f["tidy"].in("x", "${{ default(tasks.a.out.x, 0) }}");
  core_world world{f};
  world.finish("a", {{"x", 7}});
  world.finish("b");
  world.fail("c");
  const bool fails = GENERATE(false, true);
  if (fails)
    world.fail("b");
  else
    world.finish("b");
  world.finish("a");
  if (GENERATE(false, true)) {
    world.restart();
    while (!world.loads.empty())
      world.load("a", model::value{{"x", 7}});
  }
  CHECK(world.run_state() == "rolling_back");
  CHECK(world.started("tidy").inputs["state"] == (fails ? "failed" : "rolled_back"));
  CHECK(world.started("tidy").inputs["failed"]
        == (fails ? model::value{"b", "c"} : model::value::array({"c"})));
  CHECK(world.started("tidy").inputs["x"] == 7);
  SECTION("it succeeds") {
    world.finish("tidy");
    CHECK(world.run_state() == (fails ? "failed" : "rolled_back"));
  }
  SECTION("it fails") {
    world.fail("tidy");
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: a cancel ends a compensation and says what is left",
          "[logic][scheduler_core][compensation]") {
  core_world world{core_world::with_slots(1)};
  auto f = undone().finally("tidy");
  f["tidy"].in("state", "${{ run.state }}");
  world.submit(f);
  world.finish("a");
  world.finish("b");
  const bool is_waiting = GENERATE(false, true);
  if (is_waiting)
    world.mode = scheduler_core::dispatching::held;
  world.fail("c");
  world.cancel();
  world.mode = scheduler_core::dispatching::allowed;
  CHECK(world.run_state() == "cancelling");
  if (GENERATE(false, true))
    world.restart();
  world.dispatch();
  if (!is_waiting) {
    CHECK(world.state("b") == "cancelling");
    world.finish("b"); // which comes too late
  }
  CHECK(world.states("a b c") == "a=succeeded b=cancelled c=failed");
  CHECK(world.started("tidy").inputs["state"] == "cancelled");
  world.finish("tidy");
  CHECK(world.run_state() == "cancelled");
  CHECK(world.recorded().error
        == "task 'c' failed: exit code 1; cancelled before it was compensated: 'b', 'a'");
}

TEST_CASE("scheduler_core: a drain gives a compensation back",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  world.drain(model::drain_mode::stop);
  world.fail("b", 143);
  CHECK(world.state("b") == "rolling_back");
  CHECK(world.drain_answers.size() == 1);
  world.restart();
  world.dispatch();
  CHECK(world.started("b").role == command_role::compensate);
  world.finish("b");
  world.finish("a");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: a deadline does not end a compensation",
          "[logic][scheduler_core][compensation]") {
  auto f = undone().deadline(milliseconds{1'000});
  f["a"].deadline(milliseconds{500});
  core_world world{f};
  world.finish("a");
  world.finish("b");
  const auto timer = world.run_timer();
  world.fail("c");
  CHECK(world.timers.empty());
  world.fire(timer); // it was on its way
  CHECK(world.states() == "a=succeeded b=rolling_back c=failed");
}

TEST_CASE("scheduler_core: a deadline before it leaves nothing compensated",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone().deadline(milliseconds{1'000})};
  world.finish("a");
  world.fire(world.run_timer());
  world.fail("b", 143);
  CHECK(world.states() == "a=succeeded b=failed c=cancelled");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what a failed task did is rolled back before the others",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["c"].rollback().compensate();
  core_world world{f};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  CHECK(world.run_state() == "running");
  CHECK(world.started("c").role == command_role::rollback);
  world.finish("c");
  CHECK(world.run_state() == "rolling_back");
  CHECK(world.running() == "b");
}

TEST_CASE("scheduler_core: only tasks that succeeded by themselves are compensated",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.fail("b");
  CHECK(world.started("a").role == command_role::compensate);
  CHECK(world.state("c") == "skipped");
  REQUIRE(world.mark("b", task_state::succeeded)); // whoever did it knows how to undo it
  world.finish("a");
  CHECK(world.states() == "a=rolled_back b=succeeded c=skipped");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: values are evaluated again after a restart",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["a"].out("x");
  f["b"].in("x", "${{ tasks.a.out.x }}").env("X", "${{ tasks.a.out.x }}");
  core_world world{f};
  world.finish("a", {{"x", 7}});
  world.finish("b");
  world.restart();
  world.fail("c");
  REQUIRE(world.loads.size() == 1);
  CHECK(world.state("b") == "rolling_back");
  SECTION("they can be read") {
    world.load("a", model::value{{"x", 7}});
    CHECK(world.started("b").inputs == model::value{{"x", 7}});
    CHECK(world.env("b", "X") == "7");
    world.finish("b");
  }
  SECTION("they cannot, and then they can") {
    world.load("a", sluice::fail(errc::corrupt, "unreadable"));
    CHECK(world.state("b") == "failed");
    REQUIRE(world.mark("b", task_state::succeeded));
    world.finish("a");
    world.load("a", model::value{{"x", 7}});
    CHECK(world.env("b", "X") == "7");
    world.finish("b");
    CHECK(world.run_state() == "rolled_back");
    return;
  }
  world.finish("a");
  CHECK(world.states("a c") == "a=rolled_back c=failed");
}

TEST_CASE("scheduler_core: what was under way at a restart is compensated with the same values",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["a"].out("x");
  f["b"].in("x", "${{ tasks.a.out.x }}").env("X", "${{ tasks.a.out.x }}");
  core_world world{f};
  world.finish("a", {{"x", 7}});
  world.restart();
  world.finish("b");
  world.fail("c");
  world.load("a", model::value{{"x", 7}});
  CHECK(world.started("b").inputs == model::value{{"x", 7}});
  CHECK(world.env("b", "X") == "7");
}

TEST_CASE("scheduler_core: a run that has ended is rolled back when an operator asks",
          "[logic][scheduler_core][compensation]") {
  auto f = "a; b < a"_flow;
  f["a"].compensate().in("x", 1);
  f["b"].compensate();
  core_world world{f};
  world.play(GENERATE("", "b"));
  const bool has_failed = world.run_state() == "failed";
  const auto done = world.control(rollback_run{});
  REQUIRE(done);
  CHECK(done->tasks
        == (has_failed ? std::vector<std::string>{"a"} : std::vector<std::string>{"b", "a"}));
  CHECK(done->kept == (has_failed ? 1 : 0));
  CHECK(world.run_state() == "rolling_back");
  CHECK(world.recorded().actor == "operator");
  if (!has_failed) {
    if (GENERATE(false, true))
      world.restart();
    world.finish("b");
  }
  CHECK(world.started("a").inputs == model::value{{"x", 1}});
  world.finish("a");
  CHECK(world.run_state() == "rolled_back");
  CHECK(world.recorded().error == (has_failed ? "task 'b' failed: exit code 1" : ""));
  const auto again = world.control(rollback_run{});
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::conflict);
}

TEST_CASE("scheduler_core: what has nothing to compensate is not rolled back",
          "[logic][scheduler_core][compensation]") {
  core_world world{"a"_flow};
  CHECK(world.control(rollback_run{}).error().message == "run r-1 has not ended: it is running");
  world.finish("a");
  const auto refused = world.control(rollback_run{});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: finally does not run again when an ended run is rolled back",
          "[logic][scheduler_core][compensation]") {
  auto f = "a"_flow.finally("tidy");
  f["a"].compensate();
  core_world world{f};
  world.play();
  REQUIRE(world.control(rollback_run{}));
  CHECK(world.running() == "a");
  world.finish("a");
  CHECK(world.states() == "a=rolled_back tidy=succeeded");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: what failed in finally does not fail a later rollback",
          "[logic][scheduler_core][compensation]") {
  auto f = "a"_flow.finally("tidy");
  f["a"].compensate();
  core_world world{f};
  world.play("tidy");
  REQUIRE(world.run_state() == "failed");
  REQUIRE(world.control(rollback_run{}));
  if (GENERATE(false, true))
    world.restart();
  world.finish("a");
  CHECK(world.states() == "a=rolled_back tidy=failed");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: a compensation that fails is not said to lack a snapshot",
          "[logic][scheduler_core][compensation][snapshot]") {
  auto f = "a; b < a"_flow;
  f["a"].compensate().rollback().snapshot();
  f.spec.on_failure = model::on_failure::compensate;
  core_world world{f};
  world.take_snapshot("a");
  world.finish("a");
  world.fail("b");
  REQUIRE(world.started("a").role == model::command_role::compensate);
  world.fail("a");
  CHECK_THAT(world.failure("a").message, !Catch::Contains("no snapshot"));
}

TEST_CASE("scheduler_core: an operator can have a compensation tried again",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  world.fail("b");
  world.finish("a");
  REQUIRE(world.run_state() == "failed");
  const auto done = world.control(rollback_run{});
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"b"});
  CHECK(world.running() == "b");
  if (GENERATE(false, true))
    world.restart();
  world.finish("b");
  CHECK(world.run_state() == "rolled_back");
  CHECK(world.recorded().error == "task 'c' failed: exit code 1");
}

TEST_CASE("scheduler_core: what was compensated is done again when something needs it",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  world.finish("b");
  world.finish("a");
  REQUIRE(world.run_state() == "rolled_back");
  REQUIRE_FALSE(world.retry());
  const auto done = world.retry(model::retry_scope::from, "c");
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"a", "b", "c"});
  world.finish("a");
  world.finish("b");
  SECTION("and this time succeeds") {
    world.finish("c");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("and is compensated again") {
    world.fail("c");
    CHECK(world.running() == "b");
    CHECK(world.started("b").role == command_role::compensate);
  }
}

TEST_CASE("scheduler_core: what an earlier generation did is compensated too",
          "[logic][scheduler_core][compensation]") {
  auto f = undone();
  f["a"].in("x", 1);
  f.spec.on_failure = model::on_failure::stop;
  core_world world{f};
  world.finish("a");
  world.finish("b");
  world.fail("c");
  REQUIRE(world.retry());
  world.fail("c");
  REQUIRE(world.control(rollback_run{}));
  world.finish("b");
  if (GENERATE(false, true)) {
    world.restart();
    CHECK(world.running() == "a");
  }
  CHECK(world.started("a").inputs == model::value{{"x", 1}});
  world.finish("a");
  CHECK(world.run_state() == "rolled_back");
}

TEST_CASE("scheduler_core: a paused run does not compensate until it is resumed",
          "[logic][scheduler_core][compensation]") {
  core_world world{undone()};
  world.finish("a");
  world.finish("b");
  REQUIRE(world.control(model::pause_run{model::pause_mode::let_end}));
  world.fail("c");
  CHECK(world.state("b") == "rolling_back");
  CHECK(world.running() == "");
  if (GENERATE(false, true))
    world.restart();
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.running() == "b");
}

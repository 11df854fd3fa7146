// Of the scheduler core: a run that has ended goes on as another generation.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::retry_scope;

namespace {

/// The machine went down: what ran is gone, too.
void crash(core_world& world) {
  world.restart();
  for (const auto kind : {model::executor_kind::process, model::executor_kind::function})
    world.lose_executor(kind);
}

std::string names(const expected<model::control_result>& result) {
  REQUIRE(result);
  std::string text;
  for (const auto& name : result->tasks)
    text += (text.empty() ? "" : " ") + name;
  return text;
}

} // namespace

TEST_CASE("scheduler_core: what failed, and what was skipped for it, starts again",
          "[logic][scheduler_core][generation]") {
  core_world world{"a; b < a; c < b; d < a; e"_flow};
  world.play("b");
  REQUIRE(world.states() == "a=succeeded b=failed c=skipped d=succeeded e=succeeded");
  const auto done = world.retry();
  CHECK(names(done) == "b c");
  CHECK(done->generation == 2);
  CHECK(done->kept == 3);
  CHECK(world.run_state() == "running");
  CHECK(world.recorded().error.empty());
  CHECK(world.recorded().actor == "operator");
  CHECK(world.running() == "b");
  CHECK(world.attempt("b") == 2);
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a") == 1);
  CHECK(world.attempt("c") == 1);
}

TEST_CASE("scheduler_core: what a condition skipped is kept skipped",
          "[logic][scheduler_core][generation]") {
  flow f{"a; b; c < b; d"};
  f["b"].when("params.no");
  f.param("no", false).carry_on();
  core_world world{f};
  world.play("d");
  REQUIRE(world.states() == "a=succeeded b=skipped c=skipped d=failed");
  CHECK(names(world.retry()) == "d");
}

TEST_CASE("scheduler_core: a cancelled run starts again with what was cancelled",
          "[logic][scheduler_core][generation]") {
  core_world world{"a; b < a; c < b"_flow};
  world.finish("a");
  world.cancel();
  world.fail("b", 15);
  REQUIRE(world.run_state() == "cancelled");
  CHECK(names(world.retry()) == "b c");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a task and what is downstream of it start again",
          "[logic][scheduler_core][generation]") {
  core_world world{"a; b < a; c < b; d < a"_flow};
  world.play();
  REQUIRE(world.run_state() == "succeeded");
  SECTION("with the task") {
    CHECK(names(world.retry(retry_scope::from, "b")) == "b c");
    CHECK(world.running() == "b");
  }
  SECTION("without it") {
    CHECK(names(world.retry(retry_scope::downstream, "a")) == "b c d");
    CHECK(world.running() == "b d");
  }
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a") == 1);
  CHECK(world.attempt("c") == 2);
}

TEST_CASE("scheduler_core: what cannot be retried is said", "[logic][scheduler_core][generation]") {
  core_world world{"load; b < load"_flow};
  const auto refusal = [&](retry_scope scope, std::string task = "") {
    const auto refused = world.retry(scope, std::move(task));
    REQUIRE_FALSE(refused);
    CHECK(world.last.records.empty());
    return refused.error();
  };
  CHECK(refusal(retry_scope::failed).code == errc::conflict); // in progress
  world.cancel();
  CHECK(refusal(retry_scope::failed).message == "run r-1 has not ended: it is cancelling");
  world.fail("load", 15);
  REQUIRE(names(world.retry()) == "load b");
  world.play();
  CHECK(refusal(retry_scope::failed).message
        == "run r-1 is succeeded: name the task to start again from");
  CHECK(refusal(retry_scope::downstream, "b").code == errc::conflict);
  const auto unknown = refusal(retry_scope::from, "laod");
  CHECK(unknown.code == errc::invalid_argument);
  CHECK_THAT(unknown.message, Catch::Contains("did you mean 'load'?"));
  world.last_run = {7};
  CHECK(refusal(retry_scope::failed).code == errc::not_found);
}

TEST_CASE("scheduler_core: two who ask at once do not both get it",
          "[logic][scheduler_core][generation]") {
  core_world world{"a"_flow};
  world.play("a");
  for (const auto request : {101u, 102u})
    world.step(model::control_requested{request, world.last_run, model::retry_run{}, "operator"});
  REQUIRE(world.run_loads.size() == 1);
  world.load_run();
  REQUIRE(world.control_answers.size() == 2);
  CHECK(world.control_answers[0].result);
  CHECK(world.control_answers[1].result.error().code == errc::conflict);
  CHECK(world.attempt("a") == 2);
}

TEST_CASE("scheduler_core: counters begin anew, attempts count on",
          "[logic][scheduler_core][generation]") {
  auto options = core_world::roomy();
  options.crash_limit = 1;
  core_world world{options};
  flow f{"a"};
  f["a"].retry({.max = 1, .base = model::milliseconds{5}});
  world.submit(f);
  world.lose("a");
  world.fail("a");
  world.fire("a");
  world.fail("a");
  REQUIRE(world.run_state() == "failed");
  REQUIRE(world.retry());
  CHECK(world.attempt("a") == 4);
  world.lose("a"); // one loss is allowed again
  world.fail("a"); // and one retry
  CHECK(world.state("a") == "retry_wait");
  world.fire("a");
  world.finish("a");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a") == 6);
}

TEST_CASE("scheduler_core: deadlines count from the retry", "[logic][scheduler_core][generation]") {
  flow f{"a; b < a"};
  f.deadline(model::milliseconds{60'000});
  f["b"].deadline(model::milliseconds{30'000});
  core_world world{f};
  world.play("a");
  REQUIRE(world.timers.empty());
  world.now += model::milliseconds{3'600'000};
  REQUIRE(world.retry());
  CHECK(world.run_timer().due == world.now + model::milliseconds{60'000});
  CHECK(world.timer("b", model::timer_kind::deadline).due
        == world.now + model::milliseconds{30'000});
  world.fire(world.run_timer());
  world.fail("a", 15);
  CHECK(world.run_state() == "failed");
  CHECK_THAT(world.recorded().error, Catch::Contains("deadline"));
  REQUIRE(world.retry()); // after a deadline too
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: the outputs of what is kept can be read",
          "[logic][scheduler_core][generation]") {
  flow f{"a; b < a"};
  f["a"].out("v");
  f["b"].in("x", "${{ tasks.a.out.v }}").in("g", "${{ run.generation }}");
  core_world world{f};
  world.finish("a", {{"v", 7}});
  REQUIRE(world.started("b").inputs["g"] == 1);
  world.fail("b");
  REQUIRE(world.retry());
  world.load("a", model::value{{"v", 7}});
  CHECK(world.started("b").inputs == model::value{{"g", 2}, {"x", 7}});
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.core.kept_outputs_bytes() == 0);
}

TEST_CASE("scheduler_core: a failure that is kept fails the run again, and stops nothing",
          "[logic][scheduler_core][generation]") {
  core_world world{"a; b; c < b; d < c"_flow};
  world.play("a");
  REQUIRE(world.states() == "a=failed b=succeeded c=skipped d=skipped");
  REQUIRE(names(world.retry(retry_scope::from, "c")) == "c d");
  CHECK(world.running() == "c");
  SECTION("after a crash too") {
    crash(world);
    CHECK(world.running() == "c");
    world.play();
    CHECK(world.states("c d") == "c=succeeded d=succeeded");
    CHECK(world.run_state() == "failed");
    CHECK_THAT(world.recorded().error, Catch::Contains("task 'a' failed"));
    REQUIRE(names(world.retry()) == "a");
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("but one that comes does") {
    world.fail("c");
    CHECK(world.state("d") == "skipped");
    CHECK(world.run_state() == "failed");
  }
}

TEST_CASE("scheduler_core: a task that was reset is judged anew after a crash",
          "[logic][scheduler_core][generation]") {
  core_world world{"a; b < a; c < b"_flow};
  world.play("c");
  REQUIRE(names(world.retry(retry_scope::from, "a")) == "a b c");
  crash(world);
  CHECK(world.states() == "a=dispatched b=pending c=pending"); // though b and c had attempts
  CHECK(world.attempt("a") == 3);
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("b") == 2);
}

TEST_CASE("scheduler_core: checkpoints do not outlive a generation",
          "[logic][scheduler_core][generation]") {
  core_world world{"a"_flow};
  world.step(model::checkpoint_offered{
    1, world.current("a"),
    std::make_shared<const model::checkpoint>(model::checkpoint{"half", "data"})});
  world.fail("a");
  REQUIRE(world.retry());
  CHECK_FALSE(world.started("a").has_checkpoint);
}

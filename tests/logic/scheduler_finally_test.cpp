// Of the scheduler core: the tasks of `finally`.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::cancel_mode;
using model::milliseconds;
using model::timer_kind;

namespace {

/// `tidy` says of what it sees; `a` and `b` have run before.
flow observed() {
  auto f = "a; b < a"_flow;
  f["a"].out("v");
  f.finally("tidy");
  f["tidy"]
    .in("state", "${{ run.state }}")
    .in("failed", "${{ run.failed }}")
    .in("a", "${{ tasks.a.state }}")
    .in("v", "${{ default(tasks.a.out.v, -1) }}");
  return f;
}

} // namespace

TEST_CASE("scheduler_core: finally runs when all others are decided",
          "[logic][scheduler_core][finally]") {
  auto f = "a; b; c < a"_flow;
  f.finally("tidy; last < tidy");
  core_world world{f};
  CHECK(world.running() == "a b");
  world.finish("a");
  world.finish("c");
  CHECK(world.states("tidy last") == "tidy=pending last=pending");
  world.finish("b");
  CHECK(world.running() == "tidy");
  world.finish("tidy");
  CHECK(world.run_state() == "running");
  world.finish("last");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: finally sees how the run comes out",
          "[logic][scheduler_core][finally]") {
  const auto [what, state, failed, a, v, end] =
    GENERATE(table<std::string, std::string, model::value, std::string, int, std::string>({
      {"succeeds", "succeeded", model::value::array(), "succeeded", 7, "succeeded"},
      {"fails", "failed", {"a"}, "failed", -1, "failed"},
      {"is cancelled", "cancelled", model::value::array(), "cancelled", -1, "cancelled"},
    }));
  CAPTURE(what);
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  core_world world{observed()};
  if (what == "succeeds") {
    world.finish("a", {{"v", 7}});
    world.finish("b");
  } else if (what == "fails") {
    world.fail("a");
  } else {
    world.cancel();
    CHECK(world.stops.size() == 1);
    world.fail("a", 143);
  }
  if (restarts) {
    world.restart();
    world.lose_executor(); // and is started again, with the same
    if (!world.loads.empty())
      world.load("a", model::value{{"v", 7}});
  }
  if (world.run_state() != "succeeded")
    CHECK(world.run_state() == (what == "is cancelled" ? "cancelling" : "running"));
  const auto inputs = world.started("tidy").inputs;
  CHECK(inputs["state"] == state);
  CHECK(inputs["failed"] == failed);
  CHECK(inputs["a"] == a);
  CHECK(inputs["v"] == v);
  world.finish("tidy");
  CHECK(world.run_state() == end);
}

TEST_CASE("scheduler_core: finally is judged anew after a restart in the middle",
          "[logic][scheduler_core][finally]") {
  core_world world{observed()};
  world.mode = scheduler_core::dispatching::held;
  world.fail("a");
  CHECK(world.states() == "a=failed b=skipped tidy=ready");
  world.mode = scheduler_core::dispatching::allowed;
  world.restart();
  world.dispatch();
  CHECK(world.started("tidy").inputs["failed"] == model::value{"a"});
  world.finish("tidy");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'a' failed: exit code 1");
}

TEST_CASE("scheduler_core: a failure in finally fails the run, and stops nothing there",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy; other; below < tidy; mend < tidy | one_failed");
  core_world world{f};
  world.finish("a");
  world.fail("tidy");
  CHECK(world.states() == "a=succeeded tidy=failed other=dispatched below=skipped mend=dispatched");
  SECTION("unless it is handled") {
    world.finish("mend");
    world.finish("other");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("as any other one") {
    world.fail("mend");
    CHECK(world.is_under_way("other"));
    world.finish("other");
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error.starts_with("task 'tidy' failed"));
  }
}

TEST_CASE("scheduler_core: a failure that is allowed in finally degrades the run",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy!");
  core_world world{f};
  world.finish("a");
  world.fail("tidy");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: finally is retried, also in a run that was cancelled",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy");
  f["tidy"].retry({.max = 1});
  core_world world{f};
  world.cancel();
  world.fail("a", 143);
  world.fail("tidy");
  CHECK(world.states() == "a=cancelled tidy=retry_wait");
  world.cancel(); // again: there is nothing left that it ends
  CHECK(world.state("tidy") == "retry_wait");
  world.fire("tidy");
  world.time_out("tidy");
  world.restart();
  world.fail("tidy", 143);
  CHECK(world.states() == "a=cancelled tidy=failed");
  CHECK(world.failure_class("tidy") == "timeout");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: only a forced cancel ends finally", "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy; slow; last < tidy");
  f["slow"].retry({.max = 3});
  core_world world{f};
  world.finish("a");
  world.cancel();
  CHECK(world.run_state() == "cancelling");
  CHECK(world.running() == "tidy slow");
  CHECK(world.stops.empty());
  world.time_out("slow");
  world.cancel(cancel_mode::immediate);
  CHECK(world.states() == "a=succeeded tidy=cancelling slow=cancelling last=cancelled");
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  if (restarts)
    world.restart();
  world.fail("tidy", 137);
  world.fail("slow", 137);
  CHECK(world.states() == "a=succeeded tidy=cancelled slow=cancelled last=cancelled");
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: a forced cancel leaves finally out",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy");
  core_world world{f};
  world.cancel(cancel_mode::immediate);
  CHECK(world.states() == "a=cancelling tidy=cancelled");
  world.fail("a", 137);
  CHECK(world.run_state() == "cancelled");
}

TEST_CASE("scheduler_core: the deadline of a run does not end its finally",
          "[logic][scheduler_core][finally]") {
  auto f = "a; b < a"_flow;
  f.finally("tidy").deadline(milliseconds{1'000});
  f["tidy"].in("state", "${{ run.state }}").deadline(milliseconds{500});
  core_world world{f};
  SECTION("when it passed before") {
    world.fire(world.run_timer());
    world.fail("a", 143);
    CHECK(world.states() == "a=failed b=cancelled tidy=dispatched");
    CHECK(world.started("tidy").inputs["state"] == "failed");
    world.finish("tidy");
    CHECK(world.run_state() == "failed");
    CHECK(world.recorded().error == "not done within its deadline of 1s");
  }
  SECTION("when the others were in time") {
    world.finish("a");
    world.finish("b");
    CHECK(world.timers.size() == 1);
    CHECK(world.timer("tidy", timer_kind::deadline).due == world.now + milliseconds{500});
    world.finish("tidy");
    CHECK(world.run_state() == "succeeded");
  }
}

TEST_CASE("scheduler_core: a run whose environment fails has no finally",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy").env("X", "${{ params.n / 0 }}").param("n", 1);
  core_world world{f};
  CHECK(world.states() == "a=failed tidy=failed");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: an output that only finally reads is kept for it",
          "[logic][scheduler_core][finally]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 8;
  core_world world{options};
  world.submit(observed());
  world.finish("a", {{"v", 123456789}});
  world.finish("b");
  CHECK(world.state("tidy") == "pending"); // too large to keep: read back
  world.load("a", model::value{{"v", 123456789}});
  CHECK(world.started("tidy").inputs["v"] == 123456789);
  world.finish("tidy");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: finally has its turn again when other tasks start again",
          "[logic][scheduler_core][finally]") {
  auto f = "a; b < a"_flow;
  f.finally("tidy; last < tidy");
  f["tidy"].in("state", "${{ run.state }}");
  core_world world{f};
  world.finish("a");
  world.fail("b");
  world.finish("tidy");
  world.finish("last");
  CHECK(world.run_state() == "failed");
  REQUIRE(world.control(model::retry_run{model::retry_scope::failed, ""}));
  CHECK(world.states() == "a=succeeded b=dispatched tidy=pending last=pending");
  if (GENERATE(false, true))
    world.restart();
  world.finish("b");
  CHECK(world.started("tidy").inputs["state"] == "succeeded");
  SECTION("and can be repeated alone") {
    world.fail("tidy");
    CHECK(world.run_state() == "failed");
    REQUIRE(world.control(model::retry_run{model::retry_scope::failed, ""}));
    CHECK(world.states() == "a=succeeded b=succeeded tidy=dispatched last=pending");
    CHECK(world.started("tidy").inputs["state"] == "succeeded");
    CHECK(world.timers.empty());
  }
  world.finish("tidy");
  world.finish("last");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what is kept of finally counts when another task of it starts again",
          "[logic][scheduler_core][finally]") {
  auto f = "a"_flow;
  f.finally("tidy; mend < tidy | one_failed; last < mend");
  core_world world{f};
  world.finish("a");
  world.fail("tidy");
  world.finish("mend");
  world.finish("last");
  CHECK(world.run_state() == "succeeded");
  REQUIRE(world.control(model::retry_run{model::retry_scope::from, "mend"}));
  CHECK(world.states() == "a=succeeded tidy=failed mend=dispatched last=pending");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

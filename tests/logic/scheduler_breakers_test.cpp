// Of the scheduler core: kinds of tasks that keep failing.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::timer_kind;

namespace {

const model::retry_policy often{.max = 20, .base = 1s, .factor = 1, .jitter = 0};

flow retried(std::string_view text, std::string_view task) {
  flow f{text};
  f[task].retry(often);
  return f;
}

/// Fails the task's attempts, and repeats them at once, until its breaker has opened.
void open_breaker(core_world& world, std::string_view task) {
  for (int i = 0; i < 5; ++i) {
    if (!world.is_under_way(task))
      world.fire(task);
    world.fail(task);
  }
}

void let_pause_pass(core_world& world) {
  world.now = world.breakers.begin()->second.open_until.value() + 1s;
}

} // namespace

TEST_CASE("scheduler_core: after five failures in a row a task waits for its breaker",
          "[logic][scheduler_core][breaker]") {
  core_world world{retried("a; b", "a")};
  open_breaker(world, "a");
  const auto opened_at = world.now;
  REQUIRE(world.warnings.size() == 1);
  CHECK(world.warnings[0].find("5 attempts in a row failed") != std::string::npos);
  CHECK(world.state("a") == "retry_wait");
  CHECK(world.state("b") == "dispatched");

  world.fire("a");
  CHECK(world.state("a") == "waiting");
  CHECK(world.reason("a") == "breaker");
  CHECK(world.timer("a", timer_kind::breaker).due == opened_at + 60s);
  const auto event = model::event_of(world.last.records.back());
  CHECK(event.type == model::event_type::task_waiting);
  CHECK(event.from == "retry_wait");

  world.fire("a", timer_kind::breaker);
  CHECK(world.current("a").attempt == 6);
  const auto released = model::event_of(world.last.records.front());
  CHECK(released.type == model::event_type::task_released);
  CHECK(released.to == "ready");
  world.finish("a");
  CHECK(world.breakers.empty());
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: failures that no other attempt can mend open no breaker",
          "[logic][scheduler_core][breaker]") {
  core_world world;
  for (int i = 0; i < 8; ++i) {
    world.submit("a");
    world.fail("a", 127, failure_class::permanent);
  }
  CHECK(world.breakers.empty());
}

TEST_CASE("scheduler_core: failures at which the retry policy stops open no breaker",
          "[logic][scheduler_core][breaker]") {
  flow f{"a"};
  model::retry_policy policy;
  policy.stop_on = {{failure_class::exit, "2"}}; // says something about the input of one run
  f["a"].retry(policy);
  core_world world;
  for (int i = 0; i < 8; ++i) {
    world.submit(f);
    world.fail("a", 2);
  }
  CHECK(world.breakers.empty());
  world.submit(f);
  world.fail("a", 1);
  CHECK(world.breakers.begin()->second.failures == 1);
}

TEST_CASE("scheduler_core: a success in between begins the count anew",
          "[logic][scheduler_core][breaker]") {
  core_world world;
  for (int i = 0; i < 12; ++i) {
    world.submit("a");
    if (i % 4 == 3)
      world.finish("a");
    else
      world.fail("a");
  }
  world.submit("a");
  CHECK(world.state("a") == "dispatched");
}

TEST_CASE("scheduler_core: a later run of the workflow waits too, another workflow does not",
          "[logic][scheduler_core][breaker]") {
  core_world world;
  for (int i = 0; i < 5; ++i) {
    world.submit("a");
    world.fail("a");
  }
  world.submit("a; b; c < a");
  CHECK(world.states() == "a=waiting b=dispatched c=pending");
  flow other{"a"};
  other.spec.name = "other";
  world.submit(other);
  CHECK(world.state("a") == "dispatched");
}

TEST_CASE("scheduler_core: what is ready waits when the breaker opens",
          "[logic][scheduler_core][breaker]") {
  core_world world{core_world::with_slots(1)};
  world.submit(retried("a", "a"));
  for (int i = 0; i < 4; ++i) {
    world.fail("a");
    world.fire("a");
  }
  flow queued{"a"};
  queued["a"].queue_timeout(10min);
  const auto second = world.submit(queued);
  CHECK(world.state("a") == "ready");
  world.last_run = {1};
  world.fail("a");
  world.last_run = second;
  CHECK(world.state("a") == "waiting");
  world.fire("a", timer_kind::breaker);
  CHECK(world.state("a") == "dispatched");
}

TEST_CASE("scheduler_core: one task is the probe, and all others wait for what comes of it",
          "[logic][scheduler_core][breaker]") {
  core_world world;
  world.submit(retried("a", "a"));
  open_breaker(world, "a");
  std::vector<model::run_no> runs;
  for (int i = 0; i < 3; ++i)
    runs.push_back(world.submit(retried("a", "a")));
  const auto states = [&] {
    std::string all;
    const auto chosen = world.last_run;
    for (const auto run : runs) {
      world.last_run = run;
      all += (all.empty() ? "" : " ") + world.state("a");
    }
    world.last_run = chosen;
    return all;
  };
  CHECK(states() == "waiting waiting waiting");
  let_pause_pass(world);
  for (const auto run : {runs[1], runs[0], runs[2]}) {
    world.last_run = run;
    world.fire("a", timer_kind::breaker);
  }
  CHECK(states() == "waiting dispatched waiting");
  world.last_run = world.submit("a");
  CHECK(world.state("a") == "waiting"); // who comes later waits as well
  CHECK(world.timers.size() == 1);      // the retry of the first

  world.last_run = runs[1];
  SECTION("its success releases all") {
    world.finish("a");
    CHECK(states() == "dispatched succeeded dispatched");
    CHECK(world.breakers.empty());
  }
  SECTION("its failure begins another pause") {
    world.fail("a");
    CHECK(states() == "waiting retry_wait waiting");
    CHECK(world.warnings.size() == 2);
    world.last_run = runs[0];
    CHECK(world.timer("a", timer_kind::breaker).due == world.now + 60s);
  }
  SECTION("when it is cancelled, another one follows") {
    world.cancel();
    CHECK(states() == "waiting cancelling waiting");
    auto report = world.report_of(world.current("a"));
    report.failure = {failure_class::exit, "SIGTERM", ""};
    world.report(std::move(report));
    CHECK(states() == "dispatched cancelled waiting");
  }
  SECTION("when it is lost, it is tried again") {
    world.lose("a");
    CHECK(states() == "waiting dispatched waiting");
    CHECK(world.current("a").attempt == 2);
  }
  SECTION("a retry that is due waits as well") {
    world.last_run = {1};
    world.fire("a");
    CHECK(world.state("a") == "waiting");
  }
}

TEST_CASE("scheduler_core: no task of a paused run is the probe",
          "[logic][scheduler_core][breaker][pause]") {
  core_world world{core_world::with_slots(2)};
  const auto paused = world.submit(retried("a", "a"));
  open_breaker(world, "a");
  world.fire("a");
  const auto other = world.submit("a");
  const auto state_in = [&](model::run_no run) {
    world.last_run = run;
    return world.state("a");
  };
  const auto pause = [&](model::pause_mode mode) {
    world.last_run = paused;
    REQUIRE(world.control(model::pause_run{mode}));
  };
  SECTION("it is passed over") {
    pause(model::pause_mode::let_end);
    const auto event = model::event_of(world.last.records.back());
    CHECK(event.type == model::event_type::run_paused); // nothing else changes
    world.fire("a", timer_kind::breaker);
    CHECK(state_in(paused) == "waiting");
    world.last_run = other;
    world.fire("a", timer_kind::breaker);
    CHECK(state_in(other) == "dispatched");
  }
  SECTION("it makes room when its run is paused before it starts") {
    world.submit("b; c");
    world.last_run = paused;
    world.fire("a", timer_kind::breaker);
    CHECK(state_in(paused) == "ready");
    pause(model::pause_mode::let_end);
    CHECK(state_in(paused) == "waiting");
    CHECK(state_in(other) == "ready");
  }
  SECTION("it makes room when it is stopped") {
    world.last_run = paused;
    world.fire("a", timer_kind::breaker);
    CHECK(state_in(paused) == "dispatched");
    pause(model::pause_mode::stop);
    CHECK(state_in(other) == "waiting");
    world.last_run = paused;
    world.fail("a", 15);
    CHECK(state_in(paused) == "waiting");
    CHECK(state_in(other) == "dispatched");
  }
  SECTION("when nobody else waits, it is one as soon as its run goes on") {
    world.last_run = other;
    world.cancel();
    pause(model::pause_mode::let_end);
    world.fire("a", timer_kind::breaker);
    CHECK(state_in(paused) == "waiting");
    CHECK(world.timers.empty());
    SECTION("in the same process") {}
    SECTION("after a restart") {
      world.restart();
      CHECK(state_in(paused) == "waiting");
    }
    REQUIRE(world.control(model::resume_run{}));
    CHECK(state_in(paused) == "dispatched");
  }
}

TEST_CASE("scheduler_core: a task that waits for its breaker can be cancelled, and stopped",
          "[logic][scheduler_core][breaker]") {
  core_world world{retried("a; b", "a")};
  open_breaker(world, "a");
  world.fire("a");
  SECTION("cancel") {
    world.cancel();
    CHECK(world.state("a") == "cancelled");
  }
  SECTION("the run stops: it failed as its last attempt did") {
    world.fail("b", 7);
    CHECK(world.states() == "a=failed b=failed");
    CHECK(world.failure("a").code == "1");
  }
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: a deadline passes while a task waits for its breaker",
          "[logic][scheduler_core][breaker]") {
  flow f = retried("a", "a");
  f["a"].deadline(30s);
  core_world world{f};
  open_breaker(world, "a");
  world.fire("a");
  world.fire("a", timer_kind::deadline);
  CHECK(world.failure_class("a") == "deadline");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: breakers survive a restart", "[logic][scheduler_core][breaker]") {
  core_world world{core_world::with_slots(2)};
  flow f = retried("x; a < x", "a");
  f["x"].out("v");
  f["a"].in("v", "${{ tasks.x.out.v }}");
  const auto first = world.submit(f);
  world.finish("x", {{"v", 3}});
  SECTION("while failures are counted") {
    for (int i = 0; i < 4; ++i) {
      world.fail("a");
      world.fire("a");
    }
    world.restart();
    world.fail("a");
    CHECK(world.breakers.begin()->second.open_until.has_value());
  }
  SECTION("while tasks wait") {
    open_breaker(world, "a");
    world.fire("a");
    const auto second = world.submit(f); // whose task waits and has not run yet
    world.finish("x", {{"v", 4}});
    CHECK(world.state("a") == "waiting");
    world.restart();
    CHECK(world.state("a") == "waiting");
    world.submit(f);
    world.finish("x", {{"v", 5}});
    CHECK(world.state("a") == "waiting");
    world.last_run = second;
    world.fire("a", timer_kind::breaker);
    world.load("x", model::value{{"v", 4}});
    CHECK(world.started("a").inputs == model::value{{"v", 4}});
    world.restart();
    CHECK(world.state("a") == "dispatched"); // goes on being the probe
    world.last_run = first;
    world.fire("a", timer_kind::breaker);
    CHECK(world.state("a") == "waiting");
    world.last_run = second;
    world.finish("a");
    world.last_run = first;
    world.load("x", model::value{{"v", 3}});
    CHECK(world.started("a").inputs == model::value{{"v", 3}});
  }
  SECTION("while the probe's run is being cancelled") {
    open_breaker(world, "a");
    world.fire("a");
    let_pause_pass(world);
    flow other{"a"};
    world.submit(other);
    CHECK(world.state("a") == "dispatched"); // the probe
    world.last_run = first;
    world.fire("a", timer_kind::breaker);
    CHECK(world.state("a") == "waiting");
    world.last_run = {2};
    world.cancel(model::cancel_mode::immediate);
    world.restart();
    world.lose_executor();
    world.last_run = first;
    CHECK(world.state("a") == "pending"); // its inputs are being read back
  }
}

TEST_CASE("scheduler_core: a fallback neither waits for the breaker nor counts",
          "[logic][scheduler_core][breaker]") {
  core_world world;
  flow f{"a"};
  f["a"].fallback(model::run_action{"true"});
  for (int i = 0; i < 5; ++i) {
    world.submit(f);
    world.fail("a");
    CHECK(world.state("a") == "dispatched"); // the fallback, behind an open breaker at last
    if (i % 2 == 0)
      world.fail("a");
    else
      world.finish("a");
  }
  CHECK(world.breakers.begin()->second.failures == 5);
  world.submit(f);
  CHECK(world.state("a") == "waiting");
  world.fire("a", timer_kind::breaker);
  const auto probe = world.last_run;
  world.submit(f);
  CHECK(world.state("a") == "waiting");
  world.last_run = probe;
  world.fail("a", 127, failure_class::permanent); // which tells nothing, and its fallback will not
  CHECK(world.state("a") == "dispatched");
  world.last_run = {probe.value + 1};
  CHECK(world.state("a") == "dispatched"); // the next probe
}

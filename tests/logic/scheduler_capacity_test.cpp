// Of the scheduler core: slots, pools and limits; and that its cost follows what happens.
#include "tests/logic/core_world.hpp"

#include <chrono>

using namespace sluice;
using namespace sluice::logic;

namespace {

flow independent(int count) {
  flow f;
  for (int i = 0; i < count; ++i)
    f.add_task("t" + std::to_string(i));
  return f;
}

core_options two_pools(std::uint32_t slots, std::uint32_t asynchronous) {
  auto options = core_world::with_slots(slots);
  options.asynchronous_calls = asynchronous;
  options.is_asynchronous = [](const std::string& handler) { return handler == "async"; };
  return options;
}

/// Ends attempts of all runs, oldest key first; returns in how many steps.
std::size_t drain(core_world& world) {
  std::size_t steps = 0;
  for (std::size_t next = 0; next < world.starts.size(); ++next, ++steps)
    world.report(world.report_of(world.starts[next]));
  return steps;
}

} // namespace

TEST_CASE("scheduler_core: no more run at once than there are slots",
          "[logic][scheduler_core][capacity]") {
  const auto slots = GENERATE(1u, 2u, 3u, 7u);
  core_world world{core_world::with_slots(slots)};
  world.submit(independent(7));
  CHECK(world.under_way.size() == slots);
  world.play();
  CHECK(world.most_at_once == slots);
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a slot that becomes free is filled in the same step",
          "[logic][scheduler_core][capacity]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b; c");
  CHECK(world.states() == "a=dispatched b=ready c=ready");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=dispatched c=ready");
  world.fail("b"); // stops the run: c was ready, and is skipped
  CHECK(world.states() == "a=succeeded b=failed c=skipped");
}

TEST_CASE("scheduler_core: while attempts are short some are dispatched ahead of the slots",
          "[logic][scheduler_core][capacity]") {
  auto options = two_pools(4, 1);
  options.dispatch_ahead = 4;
  core_world world{options};
  const auto busy = [&] { return world.under_way.size(); };

  SECTION("as many as end in a few milliseconds, and none when attempts get longer") {
    world.submit(independent(40));
    CHECK(busy() == 4);
    for (int i = 0; i < 10; ++i) // a step is a millisecond
      world.report(world.report_of(world.starts[std::size_t(i)]));
    CHECK(busy() == 8);
    for (int i = 10; i < 20; ++i) {
      world.now += model::milliseconds{100};
      world.report(world.report_of(world.starts[std::size_t(i)]));
    }
    CHECK(busy() == 4);
  }
  SECTION("not beyond the limit of the run") {
    world.submit(independent(40).active_tasks(5));
    for (int i = 0; i < 10; ++i)
      world.report(world.report_of(world.starts[std::size_t(i)]));
    CHECK(busy() == 5);
  }
  SECTION("not beside a call, which would start at once") {
    flow f = independent(20);
    f.add_task("call").call("sync");
    for (int i = 20; i < 40; ++i)
      f.add_task("t" + std::to_string(i));
    world.submit(f);
    std::size_t next = 0;
    while (!world.is_under_way("call"))
      world.report(world.report_of(world.starts[next++]));
    CHECK(busy() == 4);
    const auto call = world.current("call");
    for (int i = 0; i < 10; ++next)
      if (world.starts[next] != call) {
        world.report(world.report_of(world.starts[next]));
        CHECK(busy() == 4);
        ++i;
      }
    world.finish("call");
    CHECK(busy() > 4);
  }
}

TEST_CASE("scheduler_core: a start that was handed back is no loss and comes first again",
          "[logic][scheduler_core][capacity]") {
  auto options = core_world::with_slots(1);
  options.crash_limit = 0;
  core_world world{options};
  world.submit("a; b; c");
  auto report = world.report_of(world.current("a"));
  report.started_at.reset();
  report.failure = {model::failure_class::lost, "no_slot", "no slot became free for it"};
  report.given_back = true;
  world.report(report);
  CHECK(world.running() == "a");
  CHECK(world.attempt("a") == 2); // a number is never used again
  CHECK(world.core.statistics().attempts_lost == 0);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: asynchronous calls take no slot and have a limit of their own",
          "[logic][scheduler_core][capacity]") {
  core_world world{two_pools(1, 2)};
  flow f{"p1; p2; blocking; a1; a2; a3"};
  f["blocking"].call("sync");
  for (const auto* name : {"a1", "a2", "a3"})
    f[name].call("async");
  world.submit(f);
  CHECK(world.running() == "p1 a1 a2");
  world.finish("a1");
  CHECK(world.running() == "p1 a2 a3");
  world.finish("p1");
  CHECK(world.running() == "p2 a2 a3");
  world.finish("p2");
  CHECK(world.running() == "blocking a2 a3"); // a blocking call takes a slot
  world.lose_executor(model::executor_kind::function);
  CHECK(world.running() == "blocking a2 a3");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a run stays below its own limit in all pools together",
          "[logic][scheduler_core][capacity]") {
  core_world world{two_pools(8, 8)};
  flow f{"p1; p2; p3; a1; a2; a3"};
  for (const auto* name : {"a1", "a2", "a3"})
    f[name].call("async");
  world.submit(f.active_tasks(2));
  CHECK(world.under_way.size() == 2);
  const auto other = world.submit("x; y; z"); // not bound by it
  CHECK(world.running() == "x y z");
  world.last_run = model::run_no{1};
  while (!world.under_way.empty() && world.run_state() == "running") {
    CHECK(words(world.running()).size() <= 2);
    world.finish(words(world.running()).back());
  }
  CHECK(world.run_state() == "succeeded");
  world.last_run = other;
  world.play();
}

TEST_CASE("scheduler_core: a run at its limit leaves the slots to younger ones",
          "[logic][scheduler_core][capacity]") {
  core_world world{core_world::with_slots(3)};
  const auto older = world.submit(independent(4).active_tasks(1));
  const auto younger = world.submit("x; y; z");
  CHECK(world.running() == "x y");
  world.last_run = older;
  CHECK(world.running() == "t0");
  world.finish("t0");
  CHECK(world.running() == "t1"); // the oldest run that may
  world.last_run = younger;
  CHECK(world.running() == "x y");
  world.finish("x");
  CHECK(world.running() == "y z");
}

TEST_CASE("scheduler_core: the older run has the first call on a slot",
          "[logic][scheduler_core][capacity]") {
  core_world world{core_world::with_slots(1)};
  const auto older = world.submit("a; b");
  const auto younger = world.submit("x");
  world.last_run = older;
  world.finish("a");
  CHECK(world.running() == "b");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  world.last_run = younger;
  CHECK(world.running() == "x");
}

TEST_CASE("scheduler_core: an attempt that is stopping keeps its slot until it is gone",
          "[logic][scheduler_core][capacity]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a | all_done; b | all_done");
  world.time_out("a");
  CHECK(world.states() == "a=cancelling b=ready");
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched");
}

TEST_CASE("scheduler_core: many runs share the slots and all end",
          "[logic][scheduler_core][capacity]") {
  core_world world{core_world::with_slots(5)};
  for (int i = 0; i < 40; ++i)
    world.submit(flow{"a; b < a; c < a; d < b c"}.active_tasks(std::uint32_t(1 + i % 3)));
  CHECK(world.core.live_runs() == 40);
  drain(world);
  CHECK(world.core.live_runs() == 0);
  CHECK(world.core.attempts_under_way() == 0);
  CHECK(world.most_at_once == 5);
  for (const auto& [run_no, run] : world.runs)
    CHECK(run.state == model::run_state::succeeded);
}

TEST_CASE("scheduler_core: the cost follows events and not the size of the run",
          "[logic][scheduler_core][capacity]") {
  // A step of a large run records and starts as much as one of a small run.
  const auto tasks = GENERATE(100, 10'000);
  CAPTURE(tasks);
  core_world world{core_world::with_slots(4), core_world::checking::nothing};
  world.submit(independent(tasks));
  CHECK(world.last.effects.size() == 6); // four starts, the answer, and to look for long waits
  const auto first = world.starts.front();
  world.report(world.report_of(first));
  CHECK(world.last.records.size() == 2); // one ends, one is dispatched
  CHECK(world.last.effects.size() == 2); // acknowledged and started
  CHECK(world.last.counts.size() == 1);
}

TEST_CASE("scheduler_core: 100 000 tasks drain one step each",
          "[logic][scheduler_core][capacity]") {
  // What is quadratic here would take hours: the limit tells nothing finer.
  constexpr int tasks = 100'000;
  const auto shape = GENERATE("independent", "chain", "failing handlers");
  CAPTURE(shape);
  flow f = independent(shape == std::string{"independent"} ? tasks : 0);
  if (shape == std::string{"chain"})
    for (int i = 0; i < tasks; ++i)
      f.add_task("t" + std::to_string(i)).after(i == 0 ? "" : "t" + std::to_string(i - 1));
  if (shape == std::string{"failing handlers"})
    for (int i = 0; i < tasks / 2; ++i) {
      f.add_task("t" + std::to_string(i)).allow_failure(i % 2 == 0);
      f.add_task("h" + std::to_string(i)).after("t" + std::to_string(i)).join("one_failed");
    }
  core_world world{core_world::with_slots(64), core_world::checking::nothing};
  const auto begin = std::chrono::steady_clock::now();
  world.submit(f);
  std::size_t steps = 0;
  for (; steps < world.starts.size(); ++steps) {
    auto report = world.report_of(world.starts[steps]);
    if (shape == std::string{"failing handlers"} && report.key.task_idx % 2 == 0)
      report.failure = {model::failure_class::exit, "1", "exit code 1"};
    world.report(std::move(report));
  }
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(120));
  // Of the handlers half are skipped: what is allowed to fail needs none.
  CHECK(steps == (shape == std::string{"failing handlers"} ? tasks * 3 / 4 : tasks));
  CHECK(world.run_state() == "succeeded");
  CHECK(world.core.live_runs() == 0);
}

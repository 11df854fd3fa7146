// Of the scheduler core: tasks that are stopped for others.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

/// The stopped attempt ends, as a process does that is told to.
void end_stopped(core_world& world, std::string_view task) {
  auto report = world.report_of(world.current(task));
  report.failure = model::failure{model::failure_class::exit, "SIGTERM", "signal 15"};
  world.report(std::move(report));
}

} // namespace

TEST_CASE("scheduler_core: a preemptible task is stopped for one with a higher priority",
          "[logic][scheduler_core][preemption]") {
  core_world world{core_world::with_slots(2)};
  flow f;
  f.add_task("low").priority(25).preemptible();
  f.add_task("first").priority(100);
  f.add_task("high").priority(75).after("first");
  world.submit(f);
  CHECK(world.running() == "low first");
  world.finish("first");
  CHECK(world.running() == "low high"); // there was room
  CHECK(world.stops.empty());
  world.submit("other");
  REQUIRE(world.stops.size() == 1);
  CHECK(world.stops[0].key.task_idx == 0);
}

TEST_CASE("scheduler_core: of those that may be stopped the least is and goes on later",
          "[logic][scheduler_core][preemption]") {
  core_world world{core_world::with_slots(2)};
  flow low;
  low.add_task("a").priority(25).preemptible();
  low.add_task("b").priority(30).preemptible();
  world.submit(low);
  const auto first = world.last_run;
  flow high;
  high.add_task("x").priority(75);
  high.add_task("y").priority(75);
  world.submit(high);
  REQUIRE(world.stops.size() == 1); // one at a time
  CHECK(world.stops[0].key == model::attempt_key{first, 0, 1});
  world.last_run = first;
  CHECK(world.reason("a") == "preempt");
  end_stopped(world, "a");
  CHECK(world.state("a") == "ready");
  CHECK(world.failure("a").code == "preempted");
  CHECK(world.recorded().losses[0] == 0);
  REQUIRE(world.stops.size() == 2);
  end_stopped(world, "b");
  world.last_run = {first.value + 1};
  CHECK(world.running() == "x y");
  world.finish("x");
  world.finish("y");
  world.last_run = first;
  CHECK(world.running() == "a b");
  CHECK(world.attempt("a") == 2);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: nobody is stopped for an equal or for one that could not start",
          "[logic][scheduler_core][preemption]") {
  auto options = core_world::with_slots(2);
  options.capacity.resources = {{"gpu", 1'000}};
  core_world world{options};
  flow low;
  low.add_task("a").priority(50).preemptible();
  low.add_task("gpu").priority(60).needs({{{"gpu", 1'000}}});
  world.submit(low);
  CHECK(world.running() == "a gpu");
  world.submit("equal");
  CHECK(world.stops.empty());
  flow high;
  high.add_task("x").priority(75).needs({{{"gpu", 1'000}}});
  world.submit(high);
  CHECK(world.stops.empty()); // a slot would be of no use to it
}

TEST_CASE("scheduler_core: what is stopped for resources is as much as is lacking",
          "[logic][scheduler_core][preemption]") {
  auto options = core_world::roomy();
  options.capacity.resources = {{"cpu", 4'000}};
  core_world world{options};
  flow low;
  low.add_task("a").priority(20).preemptible().needs({{{"cpu", 1'000}}});
  low.add_task("b").priority(25).preemptible().needs({{{"cpu", 2'000}}});
  low.add_task("c").priority(30).needs({{{"cpu", 1'000}}});
  low.add_task("free").priority(10).preemptible(); // has nothing that anybody lacks
  world.submit(low);
  const auto first = world.last_run;
  flow high;
  high.add_task("x").priority(75).needs({{{"cpu", 2'000}}});
  world.submit(high);
  REQUIRE(world.stops.size() == 1); // a's alone would not do, b's alone does
  CHECK(world.stops[0].key.task_idx == 1);
  world.last_run = first;
  end_stopped(world, "b");
  CHECK(world.state("b") == "ready");
  world.last_run = {first.value + 1};
  CHECK(world.running() == "x");
  world.finish("x");
  world.last_run = first;
  CHECK(world.running() == "a b c free");
}

TEST_CASE("scheduler_core: what is stopped for resources is stopped together or not at all",
          "[logic][scheduler_core][preemption]") {
  auto options = core_world::roomy();
  options.capacity.resources = {{"cpu", 4'000}};
  core_world world{options};
  flow low;
  for (const auto* name : {"a", "b", "c"})
    low.add_task(name).priority(25).preemptible().needs({{{"cpu", 1'000}}});
  low.add_task("kept").priority(25).needs({{{"cpu", 1'000}}});
  world.submit(low);
  const auto first = world.last_run;
  flow higher;
  higher.add_task("whole").priority(80).needs({{{"cpu", 4'000}}});
  world.submit(higher);
  CHECK(world.stops.empty()); // all of them would not be enough
  flow high;
  high.add_task("most").priority(75).needs({{{"cpu", 3'000}}});
  high.add_task("small").priority(70).needs({{{"cpu", 1'000}}});
  world.submit(high);
  CHECK(world.stops.size() == 3);
  world.last_run = first;
  end_stopped(world, "a");
  world.last_run = {first.value + 2};
  CHECK(world.running().empty()); // what comes back is kept for who it is for
  world.last_run = first;
  end_stopped(world, "b");
  end_stopped(world, "c");
  world.last_run = {first.value + 2};
  CHECK(world.running() == "most");
}

TEST_CASE("scheduler_core: units are preempted too", "[logic][scheduler_core][preemption]") {
  auto options = core_world::roomy();
  options.capacity.resources = {{"gpu", 2'000}};
  core_world world{options};
  flow low;
  low.add_task("half").priority(20).preemptible().needs({{{"gpu", 500}}});
  low.add_task("one").priority(25).preemptible().needs({{{"gpu", 1'000}}});
  world.submit(low);
  flow high;
  high.add_task("x").priority(75).needs({{{"gpu", 1'000}}});
  world.submit(high);
  REQUIRE(world.stops.size() == 1); // the other half of a unit is of no use
  CHECK(world.stops[0].key.task_idx == 0);
}

TEST_CASE("scheduler_core: nobody is stopped who would be next again",
          "[logic][scheduler_core][preemption]") {
  core_world world{core_world::with_slots(1)};
  flow low;
  low.add_task("a").priority(25).preemptible().deadline(5min); // which counts for 94
  world.submit(low);
  flow high;
  high.add_task("x").priority(75);
  world.submit(high);
  CHECK(world.stops.empty());
}

TEST_CASE("scheduler_core: what must not be repeated is not preempted",
          "[logic][scheduler_core][preemption]") {
  core_world world{core_world::with_slots(1)};
  flow low;
  low.add_task("a").priority(25).preemptible().never_again();
  world.submit(low);
  flow high;
  high.add_task("x").priority(75);
  world.submit(high);
  CHECK(world.stops.empty());
}

TEST_CASE("scheduler_core: a preempted task keeps its progress",
          "[logic][scheduler_core][preemption]") {
  core_world world{core_world::with_slots(1)};
  flow low;
  low.add_task("a").priority(25).preemptible();
  world.submit(low);
  const auto first = world.last_run;
  world.step(model::checkpoint_offered{
    1, world.current("a"),
    std::make_shared<const model::checkpoint>(model::checkpoint{"half", "data"})});
  flow high;
  high.add_task("x").priority(75);
  world.submit(high);
  world.last_run = first;
  end_stopped(world, "a");
  world.restart();
  world.last_run = {first.value + 1};
  world.finish("x");
  world.last_run = first;
  CHECK(world.started("a").has_checkpoint);
}

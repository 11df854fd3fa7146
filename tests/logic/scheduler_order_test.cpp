// Of the scheduler core: which ready task starts first. The order itself is tested in
// ready_order_test.cpp.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

/// Ends attempts until nothing runs; the names of the tasks as they started.
std::string played(core_world& world) {
  std::string names;
  for (std::size_t next = 0; next < world.starts.size(); ++next) {
    const auto& key = world.starts[next];
    names += (next == 0 ? "" : " ") + world.runs.at(key.run_no).spec->tasks[key.task_idx].name;
    if (world.core.is_current(key))
      world.report(world.report_of(key));
  }
  return names;
}

} // namespace

TEST_CASE("scheduler_core: the higher priority starts first", "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  flow f;
  f.add_task("low").priority(25);
  f.add_task("normal");
  f.add_task("high").priority(75);
  f.add_task("critical").priority(100);
  world.submit(f);
  CHECK(played(world) == "critical high normal low");
}

TEST_CASE("scheduler_core: a default priority is that of tasks that say none",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  flow f;
  f.spec.defaults.priority = model::priority{60};
  f.add_task("a").priority(55);
  f.add_task("b");
  world.submit(f);
  CHECK(played(world) == "b a");
}

TEST_CASE("scheduler_core: of one priority the longest way to an end starts first",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b; c < b; d < c; e < a");
  CHECK(played(world) == "b a c e d");
}

TEST_CASE("scheduler_core: of one priority the earliest deadline starts first",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  flow f;
  f.add_task("a");
  f.add_task("b").deadline(20h);
  f.add_task("c").deadline(10h);
  world.submit(f);
  CHECK(played(world) == "c b a");
}

TEST_CASE("scheduler_core: the deadline of a run counts for its tasks",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b");
  flow urgent{"c; d"};
  urgent.spec.name = "urgent";
  urgent.spec.deadline = 10min;
  world.submit(urgent);
  CHECK(played(world) == "a c d b");
}

TEST_CASE("scheduler_core: workflows take turns and runs of one come one after the other",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  flow one{"a; b; c"}, again{"d; e"}, other{"x; y; z"};
  one.spec.name = again.spec.name = "one";
  other.spec.name = "other";
  world.submit(one);
  world.submit(again);
  world.submit(other);
  CHECK(played(world) == "a x b y c z d e");
}

TEST_CASE("scheduler_core: a run at its own limit lets others pass and goes on when it may",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(2)};
  flow limited{"a; b; c"}, other{"x; y"};
  limited.spec.name = "limited";
  limited.active_tasks(1);
  limited.add_task("d").priority(75).after("a");
  world.submit(limited);
  CHECK(world.states() == "a=dispatched b=ready c=ready d=pending");
  world.submit(other);
  CHECK(played(world) == "a x d y b c");
}

TEST_CASE("scheduler_core: what ends while its run is at its limit keeps nobody from starting",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(2)};
  flow limited{"a; b; c"};
  limited.active_tasks(1);
  world.submit(limited);
  REQUIRE(world.control(model::pause_task{"b"}));
  CHECK(world.states() == "a=dispatched b=paused c=ready");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=paused c=dispatched");
  REQUIRE(world.control(model::resume_task{"b"}));
  CHECK(world.states() == "a=succeeded b=ready c=dispatched");
  world.finish("c");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a paused task has its turn anew when it goes on",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b; c");
  REQUIRE(world.control(model::pause_task{"b"}));
  REQUIRE(world.control(model::resume_task{"b"}));
  CHECK(played(world) == "a c b");
}

TEST_CASE("scheduler_core: a new generation has none of the turns of the one before",
          "[logic][scheduler_core][order]") {
  core_world world{core_world::with_slots(1)};
  flow busy, late{"b"}, other;
  busy.add_task("x").priority(100);
  busy.add_task("y").priority(100);
  late.spec.name = "late";
  late.spec.deadline = 10min;
  other.spec.name = "other";
  other.add_task("w").priority(91);
  world.submit(busy);
  world.submit(late); // at least 89 now, 94 in five minutes
  world.cancel();
  CHECK(world.run_state() == "cancelled");
  world.now += 5min;
  REQUIRE(world.retry()); // and 89 again
  CHECK(world.states() == "b=ready");
  world.submit(other);
  CHECK(played(world) == "x y w b");
}

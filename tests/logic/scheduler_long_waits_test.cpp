// Of the scheduler core: that people are told of what has been ready for long.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

TEST_CASE("scheduler_core: people are told once of what is ready for long",
          "[logic][scheduler_core][long_waits]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b");
  CHECK(world.warnings.empty());
  world.wake();
  REQUIRE(world.warnings.size() == 1);
  CHECK(world.warnings[0] == "task 'b' has been ready for 10m and waits for: slot");
  world.wake(); // it is looked for others
  CHECK(world.warnings.size() == 1);
  world.finish("a");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: of many instances that wait people are told once",
          "[logic][scheduler_core][long_waits]") {
  core_world world{core_world::with_slots(1)};
  flow f{"all"};
  f["all"].foreach (model::value{1, 2, 3, 4});
  world.submit(f);
  world.wake();
  CHECK(world.warnings.size() == 1);
}

TEST_CASE("scheduler_core: what began to wait later is told of later",
          "[logic][scheduler_core][long_waits]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b");
  world.now += 5min;
  world.submit("c");
  world.wake();
  CHECK(world.warnings.size() == 1);
  world.wake();
  REQUIRE(world.warnings.size() == 2);
  CHECK(world.warnings[1] == "task 'c' has been ready for 10m and waits for: slot");
}

TEST_CASE("scheduler_core: a run that is paused waits for nothing that people do not know",
          "[logic][scheduler_core][long_waits]") {
  core_world world{core_world::with_slots(1)};
  world.submit("a; b");
  REQUIRE(world.control(model::pause_run{}));
  world.finish("a");
  while (world.wake_up_at)
    world.wake();
  CHECK(world.warnings.empty());
}

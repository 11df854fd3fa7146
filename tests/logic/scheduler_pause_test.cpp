// Of the scheduler core: runs that are paused.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::pause_mode;

TEST_CASE("scheduler_core: nothing of a paused run starts, and what runs ends",
          "[logic][scheduler_core][pause]") {
  core_world world{"a; b < a; c; d < c"_flow};
  REQUIRE(world.control(model::pause_run{}));
  CHECK(world.recorded().paused);
  world.finish("a");
  world.finish("c");
  CHECK(world.states() == "a=succeeded b=ready c=succeeded d=ready");
  CHECK(world.running().empty());
  CHECK(world.run_state() == "running"); // it stays open
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.running() == "b d");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: other runs go on beside a paused one",
          "[logic][scheduler_core][pause]") {
  core_world world{core_world::with_slots(1)};
  const auto first = world.submit("a; b");
  REQUIRE(world.control(model::pause_run{}));
  world.finish("a");
  world.submit("c");
  CHECK(world.running() == "c");
  world.finish("c");
  world.last_run = first;
  CHECK(world.running().empty());
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.running() == "b");
}

TEST_CASE("scheduler_core: a pause survives a restart", "[logic][scheduler_core][pause]") {
  core_world world{"a; b < a"_flow};
  REQUIRE(world.control(model::pause_run{}));
  world.restart();
  world.finish("a");
  CHECK(world.state("b") == "ready");
  REQUIRE(world.control(model::resume_run{}));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a pause can stop what runs, which loses nothing",
          "[logic][scheduler_core][pause]") {
  flow f{"a; b; c"};
  f["c"].never_again();
  core_world world{f};
  const auto done = world.control(model::pause_run{pause_mode::stop});
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"a", "b"}); // the other must not start again
  CHECK(world.states() == "a=cancelling b=cancelling c=dispatched");
  world.fail("a", 15);
  world.finish("b"); // in time
  CHECK(world.states() == "a=ready b=succeeded c=dispatched");
  CHECK(world.failure("a").code == "paused");
  CHECK(world.recorded().losses[world.index("a")] == 0);
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.attempt("a") == 2);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what runs of a paused run can be stopped later",
          "[logic][scheduler_core][pause]") {
  core_world world{"a"_flow};
  REQUIRE(world.control(model::pause_run{}));
  CHECK(world.control(model::pause_run{}).error().code == errc::conflict);
  REQUIRE(world.control(model::pause_run{pause_mode::stop}));
  CHECK(world.state("a") == "cancelling");
}

TEST_CASE("scheduler_core: a paused run is cancelled, and retried without its pause",
          "[logic][scheduler_core][pause]") {
  core_world world{"a; b < a"_flow};
  CHECK(world.control(model::resume_run{}).error().code == errc::conflict);
  REQUIRE(world.control(model::pause_run{}));
  world.cancel();
  world.fail("a", 15);
  CHECK(world.run_state() == "cancelled");
  CHECK(world.control(model::resume_run{}).error().message == "run r-1 has ended: it is cancelled");
  REQUIRE(world.retry());
  CHECK_FALSE(world.recorded().paused);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

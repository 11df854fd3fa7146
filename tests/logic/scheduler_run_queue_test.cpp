// Of the scheduler core: runs that wait for others of their workflow.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

flow limited(std::uint32_t runs, std::string_view text = "a; b < a") {
  flow f{text};
  f.spec.active_runs = runs;
  return f;
}

std::string state_of(const core_world& world, model::run_no run) {
  return std::string{to_string(world.runs.at(run).state)};
}

} // namespace

TEST_CASE("scheduler_core: runs beyond the limit are queued and begin in order",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  const auto first = world.submit(limited(2)), second = world.submit(limited(2)),
             third = world.submit(limited(2)), fourth = world.submit(limited(2));
  CHECK(state_of(world, second) == "running");
  CHECK(state_of(world, third) == "queued");
  CHECK(state_of(world, fourth) == "queued");
  CHECK(world.under_way.size() == 2);
  world.last_run = second;
  world.finish("a");
  world.finish("b");
  CHECK(state_of(world, third) == "running");
  CHECK(state_of(world, fourth) == "queued");
  world.last_run = third;
  CHECK(world.running() == "a");
  world.last_run = first;
  world.fail("a");
  CHECK(state_of(world, fourth) == "running");
}

TEST_CASE("scheduler_core: runs of other workflows do not wait",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  world.submit(limited(1));
  flow other = limited(1);
  other.spec.name = "other";
  CHECK(state_of(world, world.submit(other)) == "running");
}

TEST_CASE("scheduler_core: a queued run is cancelled without having begun",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  const auto first = world.submit(limited(1));
  flow cleaned = limited(1);
  cleaned.finally("tidy");
  const auto second = world.submit(cleaned);
  const auto third = world.submit(limited(1));
  world.last_run = second;
  world.cancel();
  CHECK(world.run_state() == "cancelled");
  CHECK(world.state("tidy") == "cancelled"); // there is nothing to tidy
  CHECK(state_of(world, third) == "queued");
  world.last_run = first;
  world.finish("a");
  world.finish("b");
  CHECK(state_of(world, third) == "running");
}

TEST_CASE("scheduler_core: a run's deadline counts while it is queued",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  world.submit(limited(1));
  auto urgent = limited(1);
  urgent.spec.deadline = 1min;
  world.submit(urgent);
  REQUIRE(world.timers.size() == 1);
  world.fire(*world.timers.begin());
  CHECK(world.run_state() == "cancelled");
  CHECK(world.recorded().error == "not done within its deadline of 1m");
}

TEST_CASE("scheduler_core: the deadline of a task counts from the submission of its queued run",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  const auto first = world.submit(limited(1, "x"));
  auto urgent = limited(1, "a");
  urgent["a"].deadline(1min);
  const auto second = world.submit(urgent);
  const auto submitted = world.now;
  world.now += 2min;
  CHECK(state_of(world, second) == "queued");
  world.last_run = first;
  world.finish("x");
  world.last_run = second;
  REQUIRE(world.timers.size() == 1);
  CHECK(world.timers.begin()->due <= submitted + 1min);
  world.fire("a", model::timer_kind::deadline);
  CHECK(world.reason("a") == "deadline");
}

TEST_CASE("scheduler_core: the queue of runs survives a restart",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  const auto first = world.submit(limited(1)), second = world.submit(limited(1)),
             third = world.submit(limited(1));
  world.restart();
  CHECK(state_of(world, second) == "queued");
  CHECK(state_of(world, third) == "queued");
  world.last_run = first;
  world.finish("a");
  world.finish("b");
  CHECK(state_of(world, second) == "running");
  CHECK(state_of(world, third) == "queued");
  CHECK(state_of(world, world.submit(limited(1))) == "queued");
}

TEST_CASE("scheduler_core: nothing is asked of tasks of a queued run",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  const auto first = world.submit(limited(1));
  const auto second = world.submit(limited(1));
  const auto refused = world.control(model::mark_task{"a", model::task_state::succeeded});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK(refused.error().message == "run r-2 has not begun: it waits for others of its workflow");
  REQUIRE(world.control(model::pause_run{}));
  world.last_run = first;
  world.finish("a");
  world.finish("b");
  world.last_run = second;
  CHECK(world.run_state() == "running");
  CHECK(world.running().empty()); // it is paused
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.running() == "a");
}

TEST_CASE("scheduler_core: runs within runs queue at each level of their own",
          "[logic][scheduler_core][run_queue]") {
  core_world world;
  flow inner = limited(1, "x");
  inner.spec.name = "inner";
  const auto alone = world.submit(inner);
  flow outer;
  outer.add_task("one").child(inner.spec);
  outer.add_task("two").child(inner.spec);
  world.submit(outer);
  std::size_t queued = 0;
  for (const auto& [run_no, run] : world.runs)
    queued += run.state == model::run_state::queued ? 1 : 0;
  CHECK(queued == 1); // the one that stands alone holds up neither
  CHECK(state_of(world, alone) == "running");
  while (!world.under_way.empty())
    world.report(world.report_of(world.under_way.begin()->second.key));
  for (const auto& [run_no, run] : world.runs)
    CHECK(run.state == model::run_state::succeeded);
}

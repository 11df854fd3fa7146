// Of the scheduler core: what tasks need beside slots. How that is shared out is tested in
// capacity_ledger_test.cpp.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

core_options with_resources(model::resource_amounts resources) {
  auto options = core_world::roomy();
  options.capacity.resources = std::move(resources);
  return options;
}

using amounts = std::vector<model::resource_amounts>;

} // namespace

TEST_CASE("scheduler_core: as many run at once as their resources allow",
          "[logic][scheduler_core][needs]") {
  core_world world{with_resources({{"cpu", 2'000}})};
  flow f;
  for (const auto* name : {"a", "b", "c"})
    f.add_task(name).needs(amounts{{{"cpu", 1'000}}});
  f.add_task("half").needs(amounts{{{"cpu", 500}}});
  f.add_task("plain");
  world.submit(f);
  CHECK(world.running() == "a b plain");
  world.finish("a");
  CHECK(world.running() == "b c plain");
  world.finish("c");
  CHECK(world.running() == "b half plain");
  world.finish("b");
  world.finish("half");
  world.finish("plain");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: the first alternative that fits is taken",
          "[logic][scheduler_core][needs]") {
  core_world world{with_resources({{"cpu", 4'000}, {"gpu", 1'000}})};
  flow f;
  for (const auto* name : {"a", "b", "c"})
    f.add_task(name).needs(amounts{{{"gpu", 1'000}}, {{"cpu", 3'000}}});
  world.submit(f);
  CHECK(world.running() == "a b");
  CHECK(world.started("a").holds->alternative == 0);
  CHECK(world.started("a").holds->indices == std::vector<std::uint32_t>{0});
  CHECK(world.started("b").holds->alternative == 1);
  world.finish("b");
  CHECK(world.started("c").holds->alternative == 1);
}

TEST_CASE("scheduler_core: what can never fit fails and says why",
          "[logic][scheduler_core][needs]") {
  core_world world{with_resources({{"cpu", 4'000}})};
  flow f;
  f.add_task("a").needs(amounts{{{"graphics", 1'000}}, {{"cpu", 8'000}}});
  f.add_task("b").needs(amounts{{{"cpus", 1'000}}});
  f.carry_on();
  world.submit(f);
  CHECK(world.failure("a").failure_class == model::failure_class::resource);
  CHECK(world.failure("a").message
        == "needs graphics 1 of none, or cpu 8 of 4; that is all that this node has");
  CHECK(world.failure("b").message
        == "needs cpus 1 of none; that is all that this node has; did you mean 'cpu'?");
}

TEST_CASE("scheduler_core: a key is held by so many at once in all runs",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  f.param("to", "eu");
  f.add_task("a").concurrency(1, "deploy-${{ params.to }}");
  world.submit(f);
  const auto first = world.last_run;
  world.submit(f);
  CHECK(world.running() == "");
  flow other;
  other.param("to", "us");
  other.add_task("a").concurrency(1, "deploy-${{ params.to }}");
  world.submit(other);
  CHECK(world.running() == "a");
  world.report(world.report_of({first, 0, 1}));
  CHECK(world.under_way.contains({{first.value + 1}, 0}));
}

TEST_CASE("scheduler_core: without a key it is the task's own in all runs of its workflow",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  f.add_task("a").concurrency(2);
  f.add_task("b").concurrency(2);
  world.submit(f);
  world.submit(f);
  world.submit(f);
  CHECK(world.under_way.size() == 4);
}

TEST_CASE("scheduler_core: nothing is held while a retry is waited for",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  model::retry_policy twice;
  twice.max = 1;
  f.add_task("a").concurrency(1, "k").retry(twice);
  f.add_task("b").concurrency(1, "k");
  world.submit(f);
  CHECK(world.running() == "a");
  world.fail("a");
  CHECK(world.state("a") == "retry_wait");
  CHECK(world.running() == "b");
  world.fire("a");
  CHECK(world.running() == "b");
  world.finish("b");
  CHECK(world.running() == "a");
}

TEST_CASE("scheduler_core: a rate lets so many start in any stretch of its length",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  f.add_task("a").rate(2, 1min).foreach (5);
  world.submit(f);
  CHECK(world.under_way.size() == 2);
  world.finish("a[0]");
  world.finish("a[1]");
  CHECK(world.under_way.empty()); // that they are over gives nothing back
  const auto began = world.now;
  world.wake();
  CHECK(world.now >= began + 59s);
  CHECK(world.under_way.size() == 2);
  world.restart();
  CHECK(world.under_way.size() == 2); // it remembers
  world.wake();
  CHECK(world.under_way.size() == 3);
}

TEST_CASE("scheduler_core: a restart knows what attempts hold", "[logic][scheduler_core][needs]") {
  core_world world{with_resources({{"gpu", 2'000}})};
  flow f;
  for (const auto* name : {"a", "b", "c"})
    f.add_task(name).needs(amounts{{{"gpu", 1'000}}});
  world.submit(f);
  CHECK(world.running() == "a b");
  world.restart();
  CHECK(world.running() == "a b");
  world.finish("b");
  CHECK(world.running() == "a c");
  CHECK(world.started("c").holds->indices == std::vector<std::uint32_t>{1});
}

TEST_CASE("scheduler_core: a key that cannot be evaluated fails its task",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  f.param("list", model::value::array());
  f.add_task("a").concurrency(1, "${{ params.list[0] }}");
  world.submit(f);
  CHECK(world.failure("a").code == "expression");
  CHECK(world.failure("a").message.starts_with("concurrency.key: "));
}

TEST_CASE("scheduler_core: who waits for a key does not keep others from starting",
          "[logic][scheduler_core][needs]") {
  core_world world{core_world::with_slots(2)};
  flow f;
  for (const auto* name : {"a", "b", "c"})
    f.add_task(name).concurrency(1, "k").priority(90);
  f.add_task("d");
  f.add_task("e");
  world.submit(f);
  CHECK(world.running() == "a d");
  world.finish("d");
  CHECK(world.running() == "a e");
  world.finish("a");
  CHECK(world.running() == "b e");
}

TEST_CASE("scheduler_core: what is cancelled while it waits lets its place go",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow holder;
  holder.add_task("a").concurrency(1, "k");
  world.submit(holder);
  const auto first = world.last_run;
  flow f;
  for (const auto* name : {"x", "y"})
    f.add_task(name).concurrency(1, "k");
  world.submit(f);
  world.cancel();
  CHECK(world.run_state() == "cancelled");
  world.submit(holder);
  CHECK(world.running() == "");
  world.report(world.report_of({first, 0, 1}));
  CHECK(world.running() == "a");
}

TEST_CASE("scheduler_core: what undoes a task waits for its key too",
          "[logic][scheduler_core][needs]") {
  core_world world;
  flow f;
  f.add_task("a").concurrency(1, "k").rollback();
  f.add_task("b").concurrency(1, "k");
  f.carry_on();
  world.submit(f);
  world.fail("a");
  CHECK(world.running() == "b");
  CHECK(world.state("a") == "rolling_back");
  world.finish("b");
  CHECK(world.running() == "a");
}

TEST_CASE("scheduler_core: a task that is a run does not hold the key that its tasks need",
          "[logic][scheduler_core][needs]") {
  flow inner;
  inner.spec.name = "inner";
  inner.add_task("a").concurrency(1, "k");
  flow f;
  f.add_task("child").concurrency(1, "k");
  f.spec.tasks[0].action =
    model::workflow_action{std::make_shared<const model::workflow_spec>(inner.spec), {}};
  core_world world;
  world.submit(f);
  world.submit(f);
  CHECK(world.under_way.size() == 1); // of the first one; the other run waits for the key of runs
  for (int ends = 0; ends < 2; ++ends) {
    REQUIRE(world.under_way.size() == 1);
    world.report(world.report_of(world.under_way.begin()->second.key));
  }
  for (const auto& [run_no, run] : world.runs)
    CHECK(run.state == model::run_state::succeeded);
}

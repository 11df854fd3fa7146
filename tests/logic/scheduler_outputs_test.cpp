// Of the scheduler core: outputs that are kept for tasks to come, and those that are read back.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::value;
using model::value_type;

namespace {

const value large = {{"v", std::string(100, 'x')}};
const value larger = {{"v", std::string(200, 'y')}};

core_options small_memory() {
  auto options = core_world::roomy();
  options.kept_output_bytes = 64;
  return options;
}

/// Every task declares `v`; each of `readers` reads it of all tasks in its second word on.
flow reading(std::string_view text, const std::vector<std::string>& readers) {
  flow f{text};
  for (auto& task : f.spec.tasks)
    task_editor{task}.out("v", value_type::text);
  for (const auto& reader : readers) {
    const auto names = words(reader);
    for (std::size_t i = 1; i < names.size(); ++i)
      f[names[0]].in(names[i], "${{ default(tasks." + names[i] + ".out.v, 'absent') }}");
  }
  return f;
}

const kept_outputs* kept(const core_world& world, std::string_view task) {
  const auto* run = world.core.find_run(world.last_run);
  const auto found = run->outputs.find(world.index(task));
  return found == run->outputs.end() ? nullptr : &found->second;
}

} // namespace

TEST_CASE("scheduler_core: outputs are kept until the last task that reads them is evaluated",
          "[logic][scheduler_core][outputs]") {
  core_world world{
    reading("a; b; r1 < a; r2 < b; r3 < b; last < r1 r2 r3 | all_done", {"r1 a", "r2 a", "r3 a"})};
  const value small = {{"v", "s"}};
  world.finish("a", small);
  CHECK(world.started("r1").inputs == value{{"a", "s"}});
  CHECK(world.core.kept_outputs_bytes() == model::to_text(small).size());
  SECTION("they run") {
    world.finish("b");
    CHECK(world.started("r3").inputs == value{{"a", "s"}});
  }
  SECTION("they are skipped") {
    world.fail("b");
  }
  CHECK(world.core.kept_outputs_bytes() == 0);
  CHECK(kept(world, "a") == nullptr);
  world.play();
}

TEST_CASE("scheduler_core: outputs that nobody reads are not kept",
          "[logic][scheduler_core][outputs]") {
  core_world world{reading("a; b < a; c < a; r < c", {"r c"})};
  world.finish("a", large);
  CHECK(world.core.kept_outputs_bytes() == 0);
  CHECK(world.core.find_run(world.last_run)->outputs.empty());
}

TEST_CASE("scheduler_core: prepared inputs are held until the task is decided",
          "[logic][scheduler_core][outputs]") {
  core_world world{reading("a; r < a; last < r", {"r a"})};
  world.finish("a", {{"v", "s"}});
  const auto* run = world.core.find_run(world.last_run);
  CHECK(run->prepared.size() == 1);
  world.finish("r");
  CHECK(run->prepared.empty());
}

TEST_CASE("scheduler_core: large outputs are read back when they are needed",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; r < a b", {"r a"}));
  world.finish("a", large);
  CHECK(world.core.kept_outputs_bytes() == 0);
  CHECK(world.loads.empty()); // not before b is decided
  world.finish("b");
  CHECK(world.state("r") == "pending");
  REQUIRE(world.loads.size() == 1);
  world.load("a", large);
  CHECK(world.started("r").inputs == value{{"a", large["v"]}});
  CHECK(kept(world, "a") == nullptr);
  world.finish("r");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a condition waits for large outputs too",
          "[logic][scheduler_core][outputs]") {
  const bool holds = GENERATE(true, false);
  core_world world{small_memory()};
  flow f = reading("a; r < a; last < r | all_done", {});
  f["r"].when("size(tasks.a.out.v) == 100");
  world.submit(f);
  world.finish("a", large);
  CHECK(world.state("r") == "pending");
  world.load("a", holds ? large : larger);
  CHECK(world.state("r") == (holds ? "dispatched" : "skipped"));
  world.play();
}

TEST_CASE("scheduler_core: two readers share what is read back once",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; r1 < a; r2 < a; r3 < b", {"r1 a", "r2 a", "r3 a"}));
  world.finish("a", large);
  CHECK(world.loads.size() == 1);
  CHECK(kept(world, "a")->pins == 2);
  world.load("a", large);
  CHECK(world.started("r1").inputs == value{{"a", large["v"]}});
  CHECK(world.started("r2").inputs == value{{"a", large["v"]}});
  REQUIRE(kept(world, "a") != nullptr); // r3 may read it yet, and then it is read back again
  CHECK(kept(world, "a")->values.is_null());
  CHECK(kept(world, "a")->pins == 0);
  world.finish("b");
  CHECK(world.loads.size() == 1);
  world.load("a", large);
  CHECK(world.started("r3").inputs == value{{"a", large["v"]}});
  CHECK(kept(world, "a") == nullptr);
}

TEST_CASE("scheduler_core: a reader of two large outputs waits for both",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; r < a b; late < b", {"r a b", "late a"}));
  world.finish("a", large);
  world.finish("b", larger);
  // `late` shares the question for a.
  CHECK(world.loads.size() == 2);
  const bool a_first = GENERATE(true, false);
  world.load(a_first ? "a" : "b", a_first ? large : larger);
  CHECK(world.state("r") == "pending");
  CHECK(world.state("late") == (a_first ? "dispatched" : "pending"));
  world.load(a_first ? "b" : "a", a_first ? larger : large);
  CHECK(world.started("r").inputs == value{{"a", large["v"]}, {"b", larger["v"]}});
  CHECK(world.started("late").inputs == value{{"a", large["v"]}});
  CHECK(world.core.find_run(world.last_run)->outputs.empty());
}

TEST_CASE("scheduler_core: a reader that comes while another waits uses what is there",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; c; r < a b; second < c", {"r a b", "second a"}));
  world.finish("a", large);
  world.finish("b", larger);
  world.load("a", large); // held for r, which waits for b
  world.finish("c");
  CHECK(world.started("second").inputs == value{{"a", large["v"]}});
  world.load("b", larger);
  CHECK(world.started("r").inputs == value{{"a", large["v"]}, {"b", larger["v"]}});
  CHECK(world.core.find_run(world.last_run)->outputs.empty());
}

TEST_CASE("scheduler_core: outputs that cannot be read back fail those that wait for them",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; r1! < a; r2! < a b; later < b r1", {"r1 a", "r2 a b", "later a"}));
  world.finish("a", large);
  world.finish("b", larger);
  world.load("a", tl::unexpected(error{errc::unavailable, "disk on fire"}));
  CHECK(world.states("r1 r2") == "r1=failed r2=failed");
  CHECK(world.failure("r1").message == "cannot read the outputs of task 'a' back: disk on fire");
  CHECK(world.failure_class("r1") == "permanent");
  world.load("b", larger); // asked for by r2, which has failed
  CHECK(kept(world, "b") == nullptr);
  // The next one asks again.
  CHECK(world.state("later") == "pending");
  world.load("a", large);
  CHECK(world.started("later").inputs == value{{"a", large["v"]}});
  world.finish("later");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: what was read back for nobody is dropped",
          "[logic][scheduler_core][outputs]") {
  core_world world{small_memory()};
  world.submit(reading("a; b; c; r < a; clean < b c | all_done", {"r a", "clean a"}));
  world.finish("a", large);
  world.fail("b"); // r is skipped while it waits
  CHECK(world.states("r clean") == "r=skipped clean=pending");
  world.load("a", large);
  CHECK(kept(world, "a")->values.is_null());
  world.finish("c");
  world.load("a", large);
  CHECK(world.started("clean").inputs == value{{"a", large["v"]}});
}

TEST_CASE("scheduler_core: beyond the total even small outputs are read back",
          "[logic][scheduler_core][outputs]") {
  auto options = core_world::roomy();
  const value one = {{"v", "1"}};
  options.kept_outputs_total_bytes = 2 * model::to_text(one).size();
  core_world world{options};
  world.submit(reading("a; b; c; d; r < d", {"r a b c"}));
  world.finish("a", one);
  world.finish("b", one);
  world.finish("c", one);
  CHECK(world.core.kept_outputs_bytes() == options.kept_outputs_total_bytes);
  CHECK(kept(world, "c")->in_store_only);
  world.finish("d");
  REQUIRE(world.loads.size() == 1);
  world.load("c", one);
  CHECK(world.started("r").inputs == value{{"a", "1"}, {"b", "1"}, {"c", "1"}});
  CHECK(world.core.kept_outputs_bytes() == 0);
}

TEST_CASE("scheduler_core: an early task sees what it saw when it fired",
          "[logic][scheduler_core][outputs]") {
  // `early` fires for a and waits for its outputs; meanwhile b ends.
  core_world world{small_memory()};
  flow f = reading("a; b; early < a b | one_success; other < b; third < other",
                   {"early a b", "other b", "third b"});
  f["early"].in("state", "${{ tasks.b.state }}");
  world.submit(f);
  world.finish("a", large);
  CHECK(world.state("early") == "pending");
  const bool is_large = GENERATE(false, true);
  const value of_b = is_large ? larger : value{{"v", "small"}};
  world.finish("b", of_b);
  world.load("a", large);
  CHECK(world.started("early").inputs
        == value{{"a", large["v"]}, {"b", "absent"}, {"state", "dispatched"}});
  // And it has taken nothing from those that do read b.
  if (is_large)
    world.load("b", of_b);
  CHECK(world.started("other").inputs == value{{"b", of_b["v"]}});
  world.finish("other");
  if (is_large)
    world.load("b", of_b);
  CHECK(world.started("third").inputs == value{{"b", of_b["v"]}});
  CHECK(world.core.kept_outputs_bytes() == 0);
  CHECK(world.core.find_run(world.last_run)->outputs.empty());
  CHECK(world.core.find_run(world.last_run)->frozen.empty());
}

TEST_CASE("scheduler_core: the end of a run gives back what it kept",
          "[logic][scheduler_core][outputs]") {
  core_world world;
  const auto other = world.submit(reading("a; b; r < b", {"r a"}));
  world.finish("a", {{"v", "s"}});
  const auto of_one = world.core.kept_outputs_bytes();
  CHECK(of_one > 0);
  world.submit(reading("a; b; r < b", {"r a"}));
  world.finish("a", {{"v", "s"}});
  CHECK(world.core.kept_outputs_bytes() == 2 * of_one);
  world.cancel();
  world.finish("b");
  CHECK(world.run_state() == "cancelled");
  CHECK(world.core.kept_outputs_bytes() == of_one);
  world.last_run = other;
  world.play();
  CHECK(world.core.kept_outputs_bytes() == 0);
}

TEST_CASE("scheduler_core: outputs nobody asked for are ignored",
          "[logic][scheduler_core][outputs]") {
  core_world world{reading("a; b; r < b", {"r a"})};
  world.finish("a", {{"v", "s"}});
  for (const auto& [run, task] : {std::pair{1, 0u}, std::pair{1, 99u}, std::pair{99, 0u}}) {
    world.step(model::outputs_loaded{model::run_no{run}, task, value{{"v", "forged"}}});
    CHECK(world.last.records.empty());
  }
  world.finish("b");
  CHECK(world.started("r").inputs == value{{"a", "s"}});
}

// Attempts that are runs.
#include "tests/logic/core_world.hpp"

#include <chrono>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

constexpr model::run_no root{1}, child{2};

/// Looks at another run.
core_world& in(core_world& world, model::run_no run) {
  world.last_run = run;
  return world;
}

/// Under another name than what it is part of.
flow inner(std::string_view text) {
  return flow{text}.named("inner");
}

flow with_child(const model::workflow_spec& of, model::named_values params = {}) {
  auto f = "a; c < a; z < c"_flow;
  f["c"].child(of, std::move(params));
  return f;
}

/// Its run is under way.
void begin(core_world& world, const flow& f) {
  world.submit(f);
  world.finish("a");
}

std::string error_of(const core_world& world) {
  return world.recorded().error;
}

} // namespace

TEST_CASE("children: a task's attempt is a run of its workflow", "[logic][children]") {
  auto part = inner("x; y < x");
  part.param("n", 1).result("m", "${{ tasks.y.out.m + params.n }}");
  part["y"].out("m");
  auto f = with_child(part.spec, {{"n", "${{ tasks.a.out.n }}"}});
  f["a"].out("n");
  f["z"].in("m", "${{ tasks.c.out.m }}");
  core_world world;
  world.submit(f);
  world.finish("a", {{"n", 40}});

  CHECK(world.state("c") == "running");
  CHECK(world.recorded().inputs[world.index("c")] == R"({"n":40})");
  REQUIRE(world.runs.size() == 2);
  const auto& begun = world.runs.at(child);
  CHECK(begun.parent == model::attempt_key{root, 1, 1});
  CHECK(begun.params == model::value{{"n", 40}});
  CHECK(begun.spec->name == "inner");

  in(world, child).finish("x");
  world.finish("y", {{"m", 2}});
  CHECK(world.run_state() == "succeeded");
  in(world, root);
  CHECK(world.state("c") == "succeeded");
  CHECK(world.started("z").inputs == model::value{{"m", 42}});
  world.finish("z");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("children: it holds no slot while its run goes on", "[logic][children]") {
  core_world world{core_world::with_slots(1)};
  begin(world, with_child(inner("x").spec));
  CHECK(in(world, child).running() == "x");
  CHECK(world.core.attempts_under_way() == 1);
}

TEST_CASE("children: it counts for the limit of its run", "[logic][children]") {
  auto f = "c; d"_flow.active_tasks(1);
  f["c"].child(inner("x").spec);
  core_world world{f};
  CHECK_FALSE(world.is_under_way("d"));
  in(world, child).finish("x");
  CHECK(in(world, root).is_under_way("d"));
}

TEST_CASE("children: a run that fails is a failure of its attempt", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x").spec));
  in(world, child).fail("x", 3);
  in(world, root);
  CHECK(world.states() == "a=succeeded c=failed z=skipped");
  CHECK(world.failure("c")
        == model::failure{model::failure_class::exit, "failed",
                          "run r-2 failed: task 'x' failed: exit code 3"});
  CHECK(error_of(world) == "task 'c' failed: run r-2 failed: task 'x' failed: exit code 3");
}

TEST_CASE("children: a retry is another run", "[logic][children]") {
  auto f = with_child(inner("x").spec);
  f["c"].retry({.max = 1});
  core_world world;
  begin(world, f);
  in(world, child).fail("x");
  CHECK(in(world, root).state("c") == "retry_wait");
  world.fire("c");
  CHECK(world.attempt("c") == 2);
  in(world, {3}).finish("x");
  CHECK(in(world, root).state("c") == "succeeded");
}

TEST_CASE("children: a fallback is no run", "[logic][children]") {
  auto f = with_child(inner("x").spec);
  f["c"].fallback();
  core_world world;
  begin(world, f);
  in(world, child).fail("x");
  in(world, root).finish("c");
  CHECK(world.state("c") == "succeeded");
  CHECK(world.runs.size() == 2);
}

TEST_CASE("children: one that is cancelled by itself fails its attempt", "[logic][children]") {
  auto f = with_child(inner("x").spec);
  f["c"].retry({.max = 3});
  core_world world;
  begin(world, f);
  in(world, child).cancel();
  world.fail("x", 15);
  CHECK(world.run_state() == "cancelled");
  in(world, root);
  CHECK(world.state("c") == "failed");
  CHECK(world.failure_class("c") == "cancelled");
}

TEST_CASE("children: a cancel goes all the way down", "[logic][children]") {
  auto middle = "m"_flow.named("middle");
  auto part = inner("x; y < x").finally("f");
  middle["m"].child(part.spec);
  core_world world;
  begin(world, with_child(middle.spec));
  REQUIRE(world.runs.size() == 3);
  const auto how = GENERATE(model::cancel_mode::graceful, model::cancel_mode::immediate);
  world.cancel(how);
  CHECK(world.state("c") == "cancelling");
  in(world, {3});
  CHECK(world.state("x") == "cancelling");
  CHECK(world.stops.back().mode == how);
  world.fail("x", 15);
  if (how == model::cancel_mode::graceful) // what cleans up runs all the same
    world.finish("f");
  CHECK(world.run_state() == "cancelled");
  CHECK(in(world, child).run_state() == "cancelled");
  CHECK(in(world, root).run_state() == "cancelled");
  CHECK(world.states() == "a=succeeded c=cancelled z=cancelled");
}

TEST_CASE("children: a timeout of the attempt ends its run", "[logic][children]") {
  auto f = with_child(inner("x").spec);
  f["c"].timeout(10s).retry({.max = 1});
  core_world world;
  begin(world, f);
  SECTION("as it passes") {}
  SECTION("after a restart too") {
    world.restart();
  }
  world.fire("c", model::timer_kind::timeout);
  CHECK(world.state("c") == "cancelling");
  in(world, child).fail("x", 15);
  CHECK(world.run_state() == "cancelled");
  in(world, root);
  CHECK(world.state("c") == "retry_wait");
  CHECK(world.failure_class("c") == "timeout");
}

TEST_CASE("children: deadlines end them", "[logic][children]") {
  auto f = with_child(inner("x").spec);
  const bool is_of_run = GENERATE(false, true);
  if (is_of_run)
    f.deadline(1min);
  else
    f["c"].deadline(1min);
  core_world world;
  begin(world, f);
  world.fire(is_of_run ? world.run_timer() : world.timer("c", model::timer_kind::deadline));
  in(world, child).fail("x", 15);
  CHECK(world.run_state() == "cancelled");
  CHECK(in(world, root).failure_class("c") == "deadline");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("children: a drain stops what they run and no attempt of theirs", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x").spec));
  world.drain(model::drain_mode::stop);
  CHECK(world.state("c") == "running");
  CHECK(world.drain_answers.empty());
  in(world, child).fail("x", 15);
  CHECK(world.drain_answers.size() == 1);
  world.restart();
  world.dispatch();
  world.finish("x");
  in(world, root);
  CHECK(world.attempt("c") == 1);
  CHECK(world.recorded().losses[world.index("c")] == 0);
  CHECK(world.state("c") == "succeeded");
}

TEST_CASE("children: a restart finds both, and nothing is lost", "[logic][children]") {
  auto part = inner("x; y < x");
  part.result("n", "${{ tasks.y.out.n }}");
  part["y"].out("n");
  auto f = with_child(part.spec);
  f["z"].in("n", "${{ tasks.c.out.n }}");
  core_world world;
  begin(world, f);
  world.restart();
  in(world, child).finish("x");
  world.restart();
  world.finish("y", {{"n", 1}});
  in(world, root);
  CHECK(world.attempt("c") == 1);
  CHECK(world.started("z").inputs == model::value{{"n", 1}});
  CHECK(world.core.statistics().attempts_lost == 0);
}

TEST_CASE("children: an attempt whose run is not there is lost", "[logic][children]") {
  core_world world{core_world::roomy(), core_world::checking::nothing};
  begin(world, with_child(inner("x").spec));
  auto stored = world.stored(root);
  scheduler_core other{{.next_run = {3}}};
  REQUIRE(other.restore(stored, world.now));
  const auto lost = other.restore(std::vector<model::stored_breaker>{}, world.now);
  CHECK(other.statistics().attempts_lost == 1);
  CHECK(lost.records.size() == 1);
}

TEST_CASE("children: one alone is not taken up", "[logic][children]") {
  core_world world{core_world::roomy(), core_world::checking::nothing};
  begin(world, with_child(inner("x").spec));
  scheduler_core other{{}};
  const auto refused = other.restore(world.stored(child), world.now);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK_THAT(refused.error().message, Catch::Contains("part of run r-1"));
}

TEST_CASE("children: a pause of the whole holds them back", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x; y < x").spec));
  REQUIRE(world.control(model::pause_run{}));
  in(world, child).finish("x");
  CHECK_FALSE(world.is_under_way("y"));
  SECTION("and a resume lets them go on") {}
  SECTION("also after a restart") {
    world.restart();
  }
  in(world, root);
  REQUIRE(world.control(model::resume_run{}));
  CHECK(in(world, child).is_under_way("y"));
}

TEST_CASE("children: a pause that stops gives their attempts back", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x").spec));
  REQUIRE(world.control(model::pause_run{model::pause_mode::stop}));
  CHECK(world.state("c") == "running");
  in(world, child).fail("x", 15);
  CHECK_FALSE(world.is_under_way("x"));
  REQUIRE(in(world, root).control(model::resume_run{}));
  CHECK(in(world, child).is_under_way("x"));
}

TEST_CASE("children: one may be paused by itself", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x; y < x").spec));
  in(world, child);
  REQUIRE(world.control(model::pause_run{}));
  world.finish("x");
  in(world, root);
  REQUIRE(world.control(model::pause_run{}));
  REQUIRE(world.control(model::resume_run{}));
  in(world, child);
  CHECK_FALSE(world.is_under_way("y"));
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.is_under_way("y"));
}

TEST_CASE("children: their tasks take the priority of the attempt", "[logic][children]") {
  core_world world{core_world::with_slots(1)};
  auto f = "a; c; b"_flow;
  auto part = inner("x; y");
  part["y"].priority(10);
  f["c"].child(part.spec).priority(75);
  world.submit(f);
  CHECK(in(world, child).running() == "x");
  world.finish("x");
  in(world, root).finish("a");
  world.finish("b");
  CHECK(in(world, child).running() == "y");
}

TEST_CASE("children: evaluated parameters have to fit", "[logic][children]") {
  auto part = inner("x");
  part.param("n", 1);
  auto f = with_child(part.spec, {{"n", "${{ tasks.a.out.text }}"}});
  f["a"].out("text", model::value_type::text);
  core_world world;
  world.submit(f);
  world.finish("a", {{"text", "seven"}});
  CHECK(world.state("c") == "failed");
  CHECK(world.failure("c")
        == model::failure{model::failure_class::permanent, "params",
                          R"(parameter 'n': "seven" is not of type int)"});
  CHECK(world.attempt("c") == 0);
  CHECK(world.runs.size() == 1);
}

TEST_CASE("children: each instance of a task is a run", "[logic][children]") {
  auto part = inner("x");
  part.param("n", "").result("n", "${{ params.n }}");
  auto f = "c; z < c"_flow;
  f["c"].child(part.spec, {{"n", "${{ item }}"}}).foreach (model::value::array({"p", "q"}));
  f["z"].in("all", "${{ tasks.c.out.n }}");
  core_world world{f};
  REQUIRE(world.runs.size() == 3);
  CHECK(world.runs.at({3}).params == model::value{{"n", "q"}});
  in(world, {2}).finish("x");
  in(world, {3}).finish("x");
  in(world, root);
  CHECK(world.states("c[p] c[q] c") == "c[p]=succeeded c[q]=succeeded c=succeeded");
}

TEST_CASE("children: so many are begun at once at each level", "[logic][children]") {
  auto options = core_world::roomy();
  options.child_runs = 2;
  auto middle = "m"_flow.named("middle");
  middle["m"].child(inner("x").spec);
  auto f = "c"_flow;
  f["c"].child(middle.spec).foreach (3);
  core_world world{options};
  world.submit(f);
  REQUIRE(world.runs.size() == 5); // two in the middle, and one within each
  in(world, {4}).finish("x");
  CHECK(world.runs.size() == 7);
  in(world, {5}).finish("x");
  in(world, {7}).finish("x");
  CHECK(in(world, root).run_state() == "succeeded");
}

TEST_CASE("children: no more tasks are begun in a step than fit into a commit",
          "[logic][children]") {
  auto part = inner("");
  for (int i = 0; i < 4'000; ++i)
    part.add_task("x" + std::to_string(i));
  auto f = "c"_flow;
  f["c"].child(part.spec).foreach (5);
  auto options = core_world::with_slots(1);
  core_world world{options, core_world::checking::nothing};
  world.submit(f);
  CHECK(world.runs.size() == 4);
  world.dispatch();
  CHECK(world.runs.size() == 6);
}

TEST_CASE("children: one that is over at once ends its attempt at once", "[logic][children]") {
  auto part = inner("x");
  part["x"].when("false");
  auto f = "c; d < c; z < d"_flow;
  f["c"].child(part.spec);
  f["d"].child(part.spec);
  core_world world{f};
  CHECK(world.states() == "c=succeeded d=succeeded z=dispatched");
  CHECK(world.runs.size() == 3);
}

TEST_CASE("children: another generation of the whole begins them anew", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x").spec));
  in(world, child).fail("x");
  in(world, root);
  REQUIRE(world.retry());
  CHECK(world.runs.size() == 3);
  in(world, {3}).finish("x");
  in(world, root).finish("z");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("children: one that has ended does not begin anew alone", "[logic][children]") {
  core_world world;
  begin(world, with_child(inner("x").spec));
  in(world, child).fail("x");
  const auto refused = GENERATE(0, 1) == 0 ? world.retry() : world.control(model::rollback_run{});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::conflict);
  CHECK_THAT(refused.error().message, Catch::Contains("part of run r-1"));
}

TEST_CASE("children: what a task that is a run does is undone by its own command",
          "[logic][children]") {
  auto part = inner("x");
  part.result("n", 7);
  auto f = with_child(part.spec).compensate();
  f["c"].compensate();
  core_world world;
  begin(world, f);
  in(world, child).finish("x");
  in(world, root).fail("z");
  CHECK(world.started("c").role == model::command_role::compensate);
  CHECK(world.started("c").has_result);
  world.finish("c");
  CHECK(world.run_state() == "rolled_back");
  CHECK(world.runs.at(child).state == model::run_state::succeeded);
}

TEST_CASE("children: one that rolls itself back has failed", "[logic][children]") {
  auto part = inner("x; y < x").compensate();
  part["x"].compensate();
  core_world world;
  begin(world, with_child(part.spec));
  in(world, child).finish("x");
  world.fail("y");
  world.finish("x");
  CHECK(world.run_state() == "rolled_back");
  in(world, root);
  CHECK(world.failure("c").code == "rolled_back");
  CHECK_THAT(world.failure("c").message, Catch::StartsWith("run r-2 failed and was rolled back"));
}

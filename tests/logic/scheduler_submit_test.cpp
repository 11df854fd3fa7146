// Of the scheduler core: how a run begins, and what its tasks are given.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::value;

TEST_CASE("scheduler_core: a submitted run starts its roots in the same step",
          "[logic][scheduler_core]") {
  core_world world;
  const auto run = world.submit("a; b; c < a b");
  CHECK(run == model::run_no{1});
  CHECK(world.run_state() == "running");
  CHECK(world.states() == "a=dispatched b=dispatched c=pending");
  REQUIRE(world.last.records.size() == 3);
  const auto* created = std::get_if<model::run_created>(&world.last.records[0]);
  REQUIRE(created != nullptr);
  CHECK(created->run_no == run);
  CHECK(created->at == world.now);
  CHECK(world.starts == std::vector<model::attempt_key>{{run, 0, 1}, {run, 1, 1}});
  CHECK(world.started("b").spec().name == "b");
  CHECK(world.started("b").inputs.is_null());
}

TEST_CASE("scheduler_core: the run ends with its last task", "[logic][scheduler_core]") {
  core_world world;
  world.submit("a; b; c < a b");
  world.finish("b");
  CHECK(world.states() == "a=dispatched b=succeeded c=pending");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=succeeded c=dispatched"); // the same step
  CHECK(world.run_state() == "running");
  world.finish("c");
  CHECK(world.run_state() == "succeeded");
  CHECK_FALSE(world.recorded().degraded);
  CHECK(world.recorded().error.empty());
  CHECK(world.recorded().actor == "scheduler");
  CHECK(world.core.live_runs() == 0);
  CHECK(world.steps == 4);
}

TEST_CASE("scheduler_core: runs are numbered on from the first number it is given",
          "[logic][scheduler_core]") {
  auto options = core_world::roomy();
  options.next_run = model::run_no{12};
  core_world world{options};
  CHECK(world.submit("a") == model::run_no{12});
  CHECK(world.submit("a") == model::run_no{13});
}

TEST_CASE("scheduler_core: a workflow that does not compile is refused without a trace",
          "[logic][scheduler_core]") {
  core_world world;
  world.submit("a < b; b < a; c < nowhere");
  CHECK(world.last.records.empty());
  CHECK(world.last.counts.empty());
  REQUIRE(world.submit_answers.size() == 1);
  const auto& answer = world.submit_answers[0].result;
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == errc::invalid_argument);
  CHECK(answer.error().message.find("nowhere") != std::string::npos);
  CHECK(answer.error().message.find("; ") != std::string::npos); // all problems
  CHECK(world.core.live_runs() == 0);
  CHECK(world.submit("a") == model::run_no{1});
}

TEST_CASE("scheduler_core: a handler that does not exist is refused", "[logic][scheduler_core]") {
  auto options = core_world::roomy();
  options.has_handler = [](std::string_view name) { return name == "noop"; };
  core_world world{options};
  flow f{"a"};
  f["a"].call("nop");
  world.submit(f);
  CHECK_FALSE(world.submit_answers.back().result.has_value());
  flow g{"a"};
  g["a"].call("noop");
  world.submit(g);
  CHECK(world.submit_answers.back().result.has_value());
}

TEST_CASE("scheduler_core: constant inputs and environments reach the attempt",
          "[logic][scheduler_core]") {
  flow f{"both; input; variable; none"};
  f["both"].in("n", 3).env("LEVEL", "debug");
  f["input"].in("list", {1, "two", 3.5}).in("on", true).in("nothing", nullptr);
  f["variable"].env("N", 7);
  f.env("ZONE", "UTC");
  core_world world{f};
  using environment = std::vector<std::pair<std::string, std::string>>;
  CHECK(world.started("both").inputs == value{{"n", 3}});
  CHECK(world.started("both").env == environment{{"ZONE", "UTC"}, {"LEVEL", "debug"}});
  CHECK(world.started("input").inputs
        == value{{"list", {1, "two", 3.5}}, {"on", true}, {"nothing", nullptr}});
  CHECK(world.started("variable").inputs.is_null());
  CHECK(world.started("variable").env == environment{{"ZONE", "UTC"}, {"N", "7"}});
  CHECK(world.started("none").inputs.is_null());
  CHECK(world.started("none").env == environment{{"ZONE", "UTC"}});
  CHECK(value::parse(world.recorded().inputs[world.index("both")]) == value{{"n", 3}});
  CHECK(world.recorded().inputs[world.index("none")].empty());
}

TEST_CASE("scheduler_core: expressions see the parameters and the facts of the run",
          "[logic][scheduler_core]") {
  flow f{"a"};
  f.param("day", "2026-03-01").param("n", 4);
  f["a"]
    .in("day", "${{ params.day }}")
    .in("twice", "${{ params.n * 2 }}")
    .in("id", "${{ run.id }}")
    .in("workflow", "${{ run.workflow }}")
    .in("generation", "${{ run.generation }}")
    .in("submitted", "${{ run.submitted }}");
  core_world world{f};
  CHECK(world.started("a").inputs
        == value{{"day", "2026-03-01"},
                 {"twice", 8},
                 {"id", "r-1"},
                 {"workflow", "flow"},
                 {"generation", 1},
                 {"submitted", model::to_rfc3339(world.now)}});
}

TEST_CASE("scheduler_core: while dispatching is held nothing starts and nothing is lost",
          "[logic][scheduler_core]") {
  core_world world;
  world.mode = scheduler_core::dispatching::held;
  world.submit("a; b < a");
  CHECK(world.submit_answers.back().result.has_value());
  CHECK(world.states() == "a=ready b=pending");
  world.dispatch();
  CHECK(world.states() == "a=dispatched b=pending");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=ready");
  world.dispatch();
  world.dispatch();
  CHECK(world.starts.size() == 2);
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a run of which nothing starts ends as it is submitted",
          "[logic][scheduler_core]") {
  flow f{"a; b < a"};
  f["a"].when("false");
  core_world world{f};
  CHECK(world.states() == "a=skipped b=skipped");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.steps == 1);
}

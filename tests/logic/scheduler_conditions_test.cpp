// Of the scheduler core: `when`, inputs and environments.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::value;
using model::value_type;

TEST_CASE("scheduler_core: a condition lets a task run, skips it or fails it",
          "[logic][scheduler_core][conditions]") {
  const auto [when, expected, message] = GENERATE(table<std::string, std::string, std::string>({
    {"params.yes", "dispatched", ""},
    {"!params.yes", "skipped", ""},
    {"tasks.a.out.n > 3", "dispatched", ""},
    {"tasks.a.out.n > 30", "skipped", ""},
    {"tasks.a.out.missing > 3", "failed", "when: "},
    {"tasks.a.out.n", "failed", "when is not true or false but 4"},
    {"tasks.a.out.n + 0.5 > 1.0", "failed", "when: "}, // int and double do not mix
  }));
  CAPTURE(when);
  flow f{"a; b < a; c < b; last < c | all_done"};
  f.param("yes", true);
  f["a"].out("n").out("missing");
  f["b"].when(when);
  core_world world{f.carry_on()};
  world.finish("a", {{"n", 4}});
  CHECK(world.state("b") == expected);
  if (expected == "dispatched")
    return;
  CHECK(world.state("c") == "skipped"); // skip spreads, and so does failure
  CHECK(world.reason("c") == "upstream");
  CHECK(world.attempt("b") == 0);
  CHECK(world.reason("b") == (expected == "skipped" ? "when" : "expression"));
  world.finish("last");
  CHECK(world.run_state() == (expected == "skipped" ? "succeeded" : "failed"));
  if (expected == "failed") {
    CHECK(world.failure_class("b") == "permanent");
    CHECK(world.failure("b").code == "expression");
    CHECK(world.failure("b").message.starts_with(message));
    CHECK(world.recorded().error == "task 'b' failed: " + world.failure("b").message);
  }
}

TEST_CASE("scheduler_core: the join comes before the condition and that before the inputs",
          "[logic][scheduler_core][conditions]") {
  flow f{"a; b < a; c; last < c | all_done"};
  f.param("no", false).param("n", 1);
  f["b"].when("params.n"); // would fail
  f["c"].when("params.no").in("x", "${{ params.n / 0 }}");
  core_world world{f.carry_on()};
  world.fail("a");
  CHECK(world.states() == "a=failed b=skipped c=skipped last=dispatched");
}

TEST_CASE("scheduler_core: inputs keep the types of outputs",
          "[logic][scheduler_core][conditions]") {
  flow f{"a; b"};
  f["a"]
    .out("i")
    .out("d", value_type::real)
    .out("s", value_type::text)
    .out("b", value_type::boolean)
    .out("l", value_type::list)
    .out("m", value_type::map);
  f["b"]
    .in("i", "${{ tasks.a.out.i }}")
    .in("d", "${{ tasks.a.out.d }}")
    .in("s", "${{ tasks.a.out.s }}")
    .in("b", "${{ tasks.a.out.b }}")
    .in("l", "${{ tasks.a.out.l }}")
    .in("m", "${{ tasks.a.out.m }}")
    .in("all", "${{ tasks.a.out }}")
    .in("text", "i=${{ tasks.a.out.i }} b=${{ tasks.a.out.b }}")
    .in("nested", {{"k", {"${{ tasks.a.out.i + 1 }}", 2}}});
  core_world world{f};
  const value outputs = {{"i", 42},   {"d", 1.0},        {"s", "42"},
                         {"b", true}, {"l", {1, "two"}}, {"m", {{"x", nullptr}}}};
  world.finish("a", outputs);
  auto expected = outputs;
  expected["all"] = outputs;
  expected["text"] = "i=42 b=true";
  expected["nested"] = {{"k", {43, 2}}};
  const auto& inputs = world.started("b").inputs;
  CHECK(inputs == expected);
  CHECK(inputs["d"].is_number_float());
  CHECK(inputs["i"].is_number_integer());
  CHECK(value::parse(world.recorded().inputs[world.index("b")]) == expected);
}

TEST_CASE("scheduler_core: outputs are absent of a task that did not succeed",
          "[logic][scheduler_core][conditions]") {
  const auto how = GENERATE("skipped", "failed", "no output");
  CAPTURE(how);
  flow f{"a!; strict < a | all_done; lenient < a | all_done; last < lenient"};
  f.param("skip", how == std::string{"skipped"});
  f["a"].out("v").when("!params.skip");
  f["strict"].in("v", "${{ tasks.a.out.v }}");
  f["lenient"].in("v", "${{ default(tasks.a.out.v, 'none') }}");
  core_world world{f.carry_on()};
  if (how == std::string{"failed"})
    world.fail("a");
  else if (how == std::string{"no output"})
    world.finish("a");
  CHECK(world.state("strict") == "failed");
  CHECK(world.failure("strict").message.starts_with("in.v: "));
  CHECK(world.started("lenient").inputs == value{{"v", "none"}});
  CHECK(world.attempt("strict") == 0);
}

TEST_CASE("scheduler_core: the outputs of a failed attempt are not seen",
          "[logic][scheduler_core][conditions]") {
  flow f{"a!; b < a"};
  f["a"].out("v");
  f["b"].in("v", "${{ default(tasks.a.out.v, 'none') }}");
  core_world world{f};
  auto report = world.report_of(world.current("a"));
  report.outputs = {{"v", 1}};
  report.failure = {model::failure_class::exit, "1", "exit code 1"};
  world.report(report);
  CHECK(world.started("b").inputs == value{{"v", "none"}});
}

TEST_CASE("scheduler_core: a NUL character in an input or environment fails the task",
          "[logic][scheduler_core][conditions]") {
  const std::string nul{"a\0b", 3};
  flow f{"a"};
  f.param("bad", nul);
  std::string where;
  SECTION("an input") {
    f["a"].in("x", "${{ params.bad }}");
    where = "in.x";
  }
  SECTION("within a text") {
    f["a"].in("x", "so: ${{ params.bad }}");
    where = "in.x";
  }
  SECTION("deep inside an input") {
    f["a"].in("x", {{"list", {1, "${{ params.bad }}"}}});
    where = "in.x";
  }
  SECTION("its environment") {
    f["a"].env("X", "${{ params.bad }}");
    where = "env.X";
  }
  SECTION("the environment of the workflow") {
    f.env("X", "${{ params.bad }}");
    where = "env.X";
  }
  core_world world{f};
  CHECK(world.states() == "a=failed");
  CHECK(world.failure_class("a") == "permanent");
  CHECK(world.failure("a").message == where + ": holds a NUL character");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: a task's environment goes over the workflow's",
          "[logic][scheduler_core][conditions]") {
  flow f{"a; b < a"};
  f.param("level", "info").param("n", 3);
  f["a"].out("dir", value_type::text);
  f["b"].env("LEVEL", "debug").env("DIR", "${{ tasks.a.out.dir }}/x").env("ON", true);
  f.env("LEVEL", "${{ params.level }}").env("N", "${{ params.n }}").env("RUN", "${{ run.id }}");
  core_world world{f};
  using environment = std::vector<std::pair<std::string, std::string>>;
  CHECK(world.started("a").env == environment{{"LEVEL", "info"}, {"N", "3"}, {"RUN", "r-1"}});
  world.finish("a", {{"dir", "/tmp"}});
  CHECK(world.started("b").env
        == environment{
          {"LEVEL", "debug"}, {"N", "3"}, {"RUN", "r-1"}, {"DIR", "/tmp/x"}, {"ON", "true"}});
}

TEST_CASE("scheduler_core: an environment that cannot be evaluated fails its task",
          "[logic][scheduler_core][conditions]") {
  flow f{"a; b"};
  f.param("n", 1);
  f["a"].env("X", "${{ params.n / 0 }}");
  core_world world{f.carry_on()};
  CHECK(world.states() == "a=failed b=dispatched");
  CHECK(world.failure("a").message.starts_with("env.X: "));
}

TEST_CASE("scheduler_core: a workflow's environment that cannot be evaluated fails every task",
          "[logic][scheduler_core][conditions]") {
  flow f{"a; b < a; c < b | all_done"};
  f.param("n", 1).env("X", "${{ params.n / 0 }}");
  core_world world{f};
  CHECK(world.states() == "a=failed b=failed c=failed");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error.starts_with("task 'a' failed: env.X: "));
}

TEST_CASE("scheduler_core: an expression error that is allowed degrades the run",
          "[logic][scheduler_core][conditions]") {
  flow f{"a!; b < a"};
  f.param("n", 1);
  f["a"].in("x", "${{ params.n / 0 }}");
  core_world world{f};
  CHECK(world.states() == "a=failed b=dispatched");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

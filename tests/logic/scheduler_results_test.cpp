// What a run comes to.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

TEST_CASE("results: a run that succeeds comes to what its expressions say", "[logic][results]") {
  auto f = "a; b < a"_flow;
  f["a"].out("n");
  f.param("day", "monday")
    .result("n", "${{ tasks.a.out.n + 1 }}")
    .result("text", "on ${{ params.day }}")
    .result("b", "${{ tasks.b.state }}");
  core_world world{f};
  world.finish("a", {{"n", 41}});
  CHECK(world.run_state() == "running");
  world.finish("b");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().results
        == model::value{{"n", 42}, {"text", "on monday"}, {"b", "succeeded"}});
}

TEST_CASE("results: one that cannot be evaluated fails the run", "[logic][results]") {
  auto f = "a!"_flow;
  f["a"].out("n");
  f.result("n", "${{ tasks.a.out.n }}");
  core_world world{f};
  world.fail("a");
  CHECK(world.run_state() == "failed");
  CHECK_THAT(world.recorded().error, Catch::StartsWith("out.n: "));
  CHECK(world.recorded().results.is_null());
}

TEST_CASE("results: a run that fails has none", "[logic][results]") {
  auto f = "a; b"_flow;
  f["a"].out("n");
  f.result("n", "${{ tasks.a.out.n }}");
  core_world world{f};
  world.finish("a", {{"n", 1}});
  world.fail("b");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'b' failed: exit code 1");
  CHECK(world.recorded().results.is_null());
}

TEST_CASE("results: what is too large to keep is read back before the end", "[logic][results]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 4;
  core_world world{options};
  auto f = "a; b < a"_flow;
  f["a"].out("text", model::value_type::text);
  f.result("text", "${{ tasks.a.out.text }}");
  world.submit(f);
  world.finish("a", {{"text", "long enough"}});
  world.finish("b");
  CHECK(world.run_state() == "running");

  SECTION("and is there") {
    world.load("a", model::value{{"text", "long enough"}});
    CHECK(world.run_state() == "succeeded");
    CHECK(world.recorded().results == model::value{{"text", "long enough"}});
  }
  SECTION("and cannot be read") {
    world.load("a", fail(errc::corrupt, "no JSON"));
    CHECK(world.run_state() == "failed");
    CHECK_THAT(world.recorded().error, Catch::Contains("no JSON"));
  }
  SECTION("and the run is cancelled meanwhile") {
    world.cancel();
    CHECK(world.run_state() == "cancelled");
  }
  SECTION("and the scheduler dies meanwhile") {
    world.restart();
    CHECK(world.run_state() == "running");
    world.load("a", model::value{{"text", "long enough"}});
    CHECK(world.run_state() == "succeeded");
  }
}

TEST_CASE("results: those of instances are lists", "[logic][results]") {
  auto f = "a"_flow;
  f["a"].out("n").foreach (model::value::array({"x", "y"}));
  f.result("n", "${{ tasks.a.out.n }}");
  core_world world{f};
  world.finish("a[x]", {{"n", 1}});
  world.finish("a[y]", {{"n", 2}});
  world.load("a", model::value{{"index", {0, 1}}, {"out", {{{"n", 1}}, {{"n", 2}}}}});
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().results == model::value{{"n", {1, 2}}});
}

TEST_CASE("results: another generation comes to its own", "[logic][results]") {
  auto f = "a; b < a"_flow;
  f["a"].out("n");
  f["b"].out("m");
  f.result("sum", "${{ tasks.a.out.n + tasks.b.out.m }}");
  core_world world{f};
  world.finish("a", {{"n", 1}});
  world.fail("b");
  REQUIRE(world.retry());
  world.finish("b", {{"m", 2}});
  world.load("a", model::value{{"n", 1}});
  CHECK(world.recorded().results == model::value{{"sum", 3}});
}

TEST_CASE("results: they are at most 1 MiB", "[logic][results]") {
  auto f = "a"_flow;
  f.param("text", std::string((1u << 20) + 1, 'x')).result("text", "${{ params.text }}");
  core_world world{f};
  world.finish("a");
  CHECK(world.run_state() == "failed");
  CHECK_THAT(world.recorded().error, Catch::Contains("larger than 1 MiB"));
}

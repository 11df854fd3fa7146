// Of the scheduler core: what a failure does to the run.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

TEST_CASE("scheduler_core: an unhandled failure stops the run but not what runs",
          "[logic][scheduler_core][failures]") {
  core_world world{core_world::with_slots(2)};
  world.submit("a; b; queued; after_b < b; mild < b | none_failed; one < b | one_success;"
               "clean < a b queued | all_done");
  world.fail("a", 3);
  CHECK(world.states()
        == "a=failed b=dispatched queued=skipped after_b=skipped mild=skipped one=skipped "
           "clean=pending");
  for (const auto* task : {"queued", "after_b", "mild", "one"})
    CHECK(world.reason(task) == "run_failed");
  CHECK(world.run_state() == "running");
  world.finish("b");
  CHECK(world.states("b clean") == "b=succeeded clean=dispatched");
  world.finish("clean");
  CHECK(world.run_state() == "failed"); // all_done does not handle
  CHECK(world.recorded().error == "task 'a' failed: exit code 3");
  CHECK_FALSE(world.recorded().degraded);
}

TEST_CASE("scheduler_core: after a stop the other rules decide and count the skips",
          "[logic][scheduler_core][failures]") {
  flow f{"a; b; s < b; one_bad < b s | one_failed; all_bad < s | all_failed; expr < s;"
         "bad_after_all < b | one_failed"};
  f["expr"].join("tasks.s.state == 'skipped'");
  core_world world{f};
  world.fail("a");
  CHECK(world.states("s one_bad all_bad expr bad_after_all")
        == "s=skipped one_bad=pending all_bad=skipped expr=dispatched bad_after_all=pending");
  world.fail("b");
  CHECK(world.states("one_bad bad_after_all") == "one_bad=dispatched bad_after_all=dispatched");
  world.play();
  CHECK(world.run_state() == "failed"); // a is not handled, b is
  CHECK(world.recorded().error == "task 'a' failed: exit code 1");
}

TEST_CASE("scheduler_core: with on_failure continue only joins skip",
          "[logic][scheduler_core][failures]") {
  core_world world{flow{"a; b; below_a < a; below_b < b; deep < below_b"}.carry_on()};
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched below_a=skipped below_b=pending deep=pending");
  world.play();
  CHECK(world.states("b below_b deep") == "b=succeeded below_b=succeeded deep=succeeded");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'a' failed: exit code 1");
}

TEST_CASE("scheduler_core: a failure is handled by a dependent that waits for failures",
          "[logic][scheduler_core][failures]") {
  const auto kind = GENERATE("one_failed", "all_failed", "expression", "when");
  const auto [handler_ends, run_ends] = GENERATE(table<std::string, std::string>({
    {"finish", "succeeded"},
    {"fail", "failed"},
    {"cancelled by the expression", "failed"},
  }));
  CAPTURE(kind, handler_ends);
  flow f{"a; other; next < other; h < a"};
  f.param("handle", handler_ends != "cancelled by the expression");
  if (kind == std::string{"expression"})
    f["h"].join("tasks.a.state == 'failed' && params.handle");
  else if (kind == std::string{"when"})
    f["h"].join("all_done").when("tasks.a.state == 'failed' && params.handle");
  else
    f["h"].join(kind).when("params.handle");
  core_world world{f};
  world.fail("a");
  if (run_ends == "failed" && handler_ends != "fail") {
    CHECK(world.states("h next") == "h=skipped next=skipped"); // at once: nobody can handle it
    world.play();
  } else {
    CHECK(world.states("h next") == "h=dispatched next=pending"); // open: the stop waits
    if (handler_ends == "fail") {
      world.fail("h");
      CHECK(world.state("next") == "skipped");
    } else {
      world.finish("h");
      CHECK(world.state("next") == "pending");
    }
    world.play();
  }
  CHECK(world.run_state() == run_ends);
  if (run_ends == "failed")
    CHECK(world.recorded().error == "task 'a' failed: exit code 1");
  else
    CHECK(world.recorded().error.empty());
  CHECK_FALSE(world.recorded().degraded);
}

TEST_CASE("scheduler_core: a failure stays open until the last that could handle it is decided",
          "[logic][scheduler_core][failures]") {
  core_world world{flow{"a; next; h1 < a | one_failed; h2 < a | one_failed; below < next"}};
  world.fail("a");
  world.fail("h1"); // itself unhandled: stops the run, by its own name
  CHECK(world.states("h2 below") == "h2=dispatched below=skipped");
  world.finish("h2");
  world.play();
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'h1' failed: exit code 1");
}

TEST_CASE("scheduler_core: the error names the unhandled failure and not a handled one",
          "[logic][scheduler_core][failures]") {
  core_world world{flow{"handled; b; h < handled | one_failed; last < b | all_done"}};
  world.fail("handled", 7);
  world.finish("h");
  world.fail("b", 9);
  world.play();
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'b' failed: exit code 9");
}

TEST_CASE("scheduler_core: the error names the first of several unhandled failures",
          "[logic][scheduler_core][failures]") {
  core_world world{"a; b; c"_flow};
  world.fail("b", 2);
  world.fail("a", 1);
  world.finish("c");
  CHECK(world.recorded().error == "task 'b' failed: exit code 2");
}

TEST_CASE("scheduler_core: a task that fired early and succeeded handles later failures too",
          "[logic][scheduler_core][failures]") {
  core_world world{"a; b; h < a b | one_failed; below < b"_flow};
  world.fail("a");
  SECTION("it succeeded before the second failure") {
    world.finish("h");
    world.fail("b");
  }
  SECTION("it succeeds after the second failure") {
    world.fail("b");
    CHECK(world.run_state() == "running");
    world.finish("h");
  }
  CHECK(world.states() == "a=failed b=failed h=succeeded below=skipped");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a failure with a handler that was skipped before it is unhandled",
          "[logic][scheduler_core][failures]") {
  core_world world{"a; b; h < a b | all_failed; below < b"_flow};
  world.finish("a");
  CHECK(world.state("h") == "skipped");
  world.fail("b");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'b' failed: exit code 1");
}

TEST_CASE("scheduler_core: all_done does not handle and neither does an input that names it",
          "[logic][scheduler_core][failures]") {
  flow f{"a; clean < a | all_done"};
  f["clean"].in("how", "${{ tasks.a.state }}");
  core_world world{f};
  world.fail("a");
  CHECK(world.started("clean").inputs == model::value{{"how", "failed"}});
  world.finish("clean");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: an allowed failure degrades the run and stops nothing",
          "[logic][scheduler_core][failures]") {
  core_world world{"a!; b; c < a b; h < a | one_failed"_flow};
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched c=pending h=skipped");
  world.play();
  CHECK(world.states("b c") == "b=succeeded c=succeeded");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
  CHECK(world.recorded().error.empty());
}

TEST_CASE("scheduler_core: a workflow can allow failures and a task can refuse that",
          "[logic][scheduler_core][failures]") {
  flow f{"a; b; c < a"};
  f.spec.defaults.allow_failure = true;
  f["b"].allow_failure(false);
  core_world world{f};
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched c=dispatched");
  world.fail("b");
  world.finish("c");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().degraded); // both are true
  CHECK(world.recorded().error == "task 'b' failed: exit code 1");
}

TEST_CASE("scheduler_core: a stop skips what waits for outputs to be read back",
          "[logic][scheduler_core][failures]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 8;
  core_world world{options};
  flow f{"a; b; reads < a; cleans < a | all_done"};
  f["a"].out("v", model::value_type::text);
  f["reads"].in("v", "${{ tasks.a.out.v }}");
  f["cleans"].in("v", "${{ tasks.a.out.v }}");
  world.submit(f);
  const model::value outputs = {{"v", "much too long to keep"}};
  world.finish("a", outputs);
  CHECK(world.states("reads cleans") == "reads=pending cleans=pending");
  world.fail("b");
  CHECK(world.states("reads cleans") == "reads=skipped cleans=pending");
  world.load("a", outputs);
  CHECK(world.started("cleans").inputs == outputs);
  CHECK(world.core.find_run(world.last_run)->outputs.empty());
}

TEST_CASE("scheduler_core: a failure at submission stops what has not started",
          "[logic][scheduler_core][failures]") {
  flow f{"a; b; c | all_done"};
  f.param("n", 1);
  f["a"].in("x", "${{ params.n / 0 }}");
  core_world world{f};
  CHECK(world.states() == "a=failed b=skipped c=dispatched");
  world.finish("c");
  CHECK(world.run_state() == "failed");
}

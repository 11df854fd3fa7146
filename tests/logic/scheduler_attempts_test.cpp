// Of the scheduler core: reports, losses and faults.
#include "tests/logic/core_world.hpp"

#include <stdexcept>

using namespace sluice;
using namespace sluice::logic;
using model::attempt_key;
using model::executor_kind;
using model::failure_class;

TEST_CASE("scheduler_core: a report that is not of the current attempt changes nothing",
          "[logic][scheduler_core][attempts]") {
  core_world world{"a; b; c < a"_flow};
  const auto run = world.last_run;
  const auto lost = world.current("a");
  world.lose("a");
  world.finish("b");
  const auto stale =
    GENERATE_COPY(attempt_key{run, 0, 1},                         // an older attempt
                  attempt_key{run, 0, 3},                         // one that never was
                  attempt_key{run, 1, 1},                         // doubled: b has ended
                  attempt_key{run, 2, 1}, attempt_key{run, 2, 0}, // of a task that has not started
                  attempt_key{run, 99, 1},                        // an unknown task
                  attempt_key{model::run_no{99}, 0, 1});          // an unknown run
  CAPTURE(to_string(stale));
  CHECK_FALSE(world.core.is_current(stale));
  CHECK(world.core.is_current({lost.run_no, lost.task_idx, 2}));
  const auto before = world.states();
  world.step(model::attempt_finished{world.report_of(stale), executor_kind::process});
  CHECK(world.last.records.empty());
  REQUIRE(world.last.effects.size() == 1); // its sender may forget it
  CHECK(world.acknowledged.back().key == stale);
  world.step(model::attempt_started{stale});
  world.step(model::attempt_timed_out{stale});
  CHECK(world.last.records.empty());
  CHECK(world.states() == before);
  CHECK(world.core.statistics().stale_reports == 3);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a report is acknowledged to the executor that sent it",
          "[logic][scheduler_core][attempts]") {
  flow f{"a; b"};
  f["b"].call("noop");
  core_world world{f};
  const auto a = world.current("a");
  const auto b = world.current("b");
  world.finish("a");
  world.finish("b");
  REQUIRE(world.acknowledged.size() == 2);
  CHECK(world.acknowledged[0].key == a);
  CHECK(world.acknowledged[0].executor == executor_kind::process);
  CHECK(world.acknowledged[1].key == b);
  CHECK(world.acknowledged[1].executor == executor_kind::function);
}

TEST_CASE("scheduler_core: an ended attempt is recorded with all that was reported",
          "[logic][scheduler_core][attempts]") {
  core_world world{"a; b"_flow};
  world.confirm("a");
  CHECK(world.state("a") == "running");
  CHECK(world.last.records.empty()); // `running` is never stored
  auto report = world.report_of(world.current("a"));
  report.outputs = {{"n", 1}};
  report.warnings = {"undeclared output 'n'"};
  report.usage = {model::microseconds{1500}, 4096};
  report.started_at = model::from_us(5);
  report.finished_at = model::from_us(9);
  world.report(report);
  CHECK(world.warnings == report.warnings);
  REQUIRE(world.last.records.size() == 2);
  const auto& outcome = std::get<model::attempt_ended>(world.last.records[1]).outcome;
  CHECK(outcome.key == report.key);
  CHECK(outcome.from == model::task_state::running);
  CHECK(outcome.state == model::task_state::succeeded);
  CHECK(outcome.outputs == report.outputs);
  CHECK(outcome.usage == report.usage);
  CHECK(outcome.started_at == report.started_at);
  CHECK(outcome.finished_at == report.finished_at);
  CHECK(outcome.losses == 0);
}

TEST_CASE("scheduler_core: a report may overtake the confirmation of its start",
          "[logic][scheduler_core][attempts]") {
  core_world world{"a; b < a"_flow};
  const auto a = world.current("a");
  world.finish("a");
  CHECK(world.states() == "a=succeeded b=dispatched");
  world.step(model::attempt_started{a}); // late
  CHECK(world.states() == "a=succeeded b=dispatched");
}

TEST_CASE("scheduler_core: an attempt that cannot start fails its task",
          "[logic][scheduler_core][attempts]") {
  core_world world{"a"_flow};
  auto report = world.report_of(world.current("a"));
  report.started_at.reset();
  report.failure = {failure_class::permanent, "ENOENT", "cannot start './x': no such file"};
  world.report(report);
  CHECK(world.state("a") == "failed");
  CHECK(world.recorded().error == "task 'a' failed: cannot start './x': no such file");
}

TEST_CASE("scheduler_core: a lost attempt starts again with a new number and the same inputs",
          "[logic][scheduler_core][attempts]") {
  flow f{"a; b < a; c < b"};
  f["a"].out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}").env("V", "${{ tasks.a.out.v }}").out("w");
  core_world world{f};
  world.finish("a", {{"v", 7}});
  CHECK(world.core.kept_outputs_bytes() == 0);
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    CHECK(world.current("b").attempt == attempt);
    CHECK(world.started("b").inputs == model::value{{"v", 7}});
    CHECK(world.env("b", "V") == "7");
    world.lose("b");
  }
  CHECK(world.core.statistics().attempts_lost == 3);
  const auto& outcome = std::get<model::attempt_ended>(world.last.records[0]).outcome;
  CHECK(outcome.state == model::task_state::ready);
  CHECK(outcome.losses == 3);
  CHECK(outcome.failure->failure_class == failure_class::lost);
  world.finish("b");
  world.finish("c");
  CHECK(world.run_state() == "succeeded");
  CHECK_FALSE(world.recorded().degraded);
}

TEST_CASE("scheduler_core: a task lost more often than the limit has failed",
          "[logic][scheduler_core][attempts]") {
  const auto limit = GENERATE(0u, 1u, 5u);
  CAPTURE(limit);
  auto options = core_world::roomy();
  options.crash_limit = limit;
  core_world world{options};
  world.submit("a; b < a");
  for (std::uint32_t i = 0; i < limit; ++i) {
    world.lose("a");
    REQUIRE(world.state("a") == "dispatched");
  }
  world.lose("a");
  CHECK(world.states() == "a=failed b=skipped");
  CHECK(world.failure_class("a") == "lost");
  CHECK(world.recorded().error
        == "task 'a' failed: lost " + std::to_string(limit + 1) + " times: its worker died");
}

TEST_CASE("scheduler_core: the largest limit of losses still ends", "[logic][scheduler_core]") {
  auto options = core_world::roomy();
  options.crash_limit = 1'000'000;
  core_world world{options};
  world.submit("a");
  for (int i = 0; i < 254; ++i)
    world.lose("a");
  CHECK(world.state("a") == "dispatched");
  world.lose("a");
  CHECK(world.state("a") == "failed");
}

TEST_CASE("scheduler_core: a lost executor loses its attempts and no other",
          "[logic][scheduler_core][attempts]") {
  core_world world{core_world::with_slots(3)};
  flow f{"e; d; c; b; a; z"};
  f["d"].call("noop");
  world.submit(f);
  CHECK(world.running() == "e d c");
  world.starts.clear();
  world.lose_executor(executor_kind::process);
  // They queue again behind what waited, in order of their keys, and take the two free slots.
  CHECK(world.starts == std::vector<attempt_key>{world.current("b"), world.current("a")});
  CHECK(world.states() == "e=ready d=dispatched c=ready b=dispatched a=dispatched z=ready");
  CHECK(world.core.statistics().attempts_lost == 2);
  REQUIRE(world.last.records.size() == 4);
  CHECK(std::get<model::attempt_ended>(world.last.records[0]).outcome.key
        == attempt_key{world.last_run, 0, 1});
  CHECK(std::get<model::attempt_ended>(world.last.records[1]).outcome.key
        == attempt_key{world.last_run, 2, 1});
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("e") == 2);
  CHECK(world.attempt("d") == 1);
  world.lose_executor(executor_kind::process); // nothing is under way
  CHECK(world.last.records.empty());
}

TEST_CASE("scheduler_core: a lost executor concerns all runs",
          "[logic][scheduler_core][attempts]") {
  core_world world;
  world.submit("a");
  world.submit("a; b");
  world.lose_executor();
  CHECK(world.starts.size() == 6);
  CHECK(world.states() == "a=dispatched b=dispatched");
  CHECK(world.attempt("b") == 2);
  world.play();
  world.last_run = model::run_no{1};
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a task lost while its run stops is skipped unless its rule runs then",
          "[logic][scheduler_core][attempts]") {
  core_world world{"a; b; c | all_done; below < b"_flow};
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched c=dispatched below=skipped");
  SECTION("one by one") {
    world.lose("b");
    world.lose("c");
  }
  SECTION("all at once") {
    world.lose_executor();
  }
  CHECK(world.states() == "a=failed b=skipped c=dispatched below=skipped");
  CHECK(world.reason("b") == "run_failed");
  CHECK(world.attempt("c") == 2);
  world.finish("c");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: the last loss of one task stops the others of a lost executor",
          "[logic][scheduler_core][attempts]") {
  auto options = core_world::roomy();
  options.crash_limit = 1;
  core_world world{options};
  world.submit("a; b");
  world.lose("a");
  world.lose_executor(); // a for the second time, b for the first
  CHECK(world.states() == "a=failed b=skipped");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: a fault in one run ends that run and no other",
          "[logic][scheduler_core][attempts]") {
  bool broken = false;
  auto options = core_world::roomy();
  options.is_asynchronous = [&](const std::string& handler) {
    if (broken && handler == "boom")
      throw std::runtime_error("it broke");
    return false;
  };
  core_world world{options};
  const auto healthy = world.submit("a; b < a");
  flow f{"first; slow; next < first; clean < next | all_done"};
  SECTION("while nothing of it runs") {
    broken = true;
    f["slow"].call("boom");
    world.submit(f);
    CHECK(world.states() == "first=cancelled slow=cancelled next=cancelled clean=cancelled");
  }
  SECTION("while something runs") {
    f["next"].call("boom");
    world.submit(f);
    broken = true;
    world.finish("first");
    CHECK(world.states() == "first=succeeded slow=cancelling next=cancelled clean=cancelled");
    REQUIRE(world.stops.size() == 1);
    CHECK(world.stops[0].mode == model::cancel_mode::immediate);
    CHECK(world.run_state() == "cancelling");
    world.fail("slow", 9);
  }
  SECTION("while an attempt of it ends") {
    f["first"].call("boom");
    world.submit(f);
    broken = true;
    auto report = world.report_of(world.current("first"));
    world.report(report);
    CHECK(world.state("first") == "cancelled"); // no report will follow
    world.fail("slow", 9);
  }
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "internal error: it broke");
  world.last_run = healthy;
  world.play();
  CHECK(world.run_state() == "succeeded");
}

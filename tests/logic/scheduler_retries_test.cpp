// Of the scheduler core: what follows a failed attempt.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::timer_kind;

namespace {

const model::retry_policy twice{.max = 2, .base = 10s, .jitter = 0};

flow retried(std::string_view text, std::string_view task, model::retry_policy policy = twice) {
  flow f{text};
  f[task].retry(std::move(policy));
  return f;
}

} // namespace

TEST_CASE("scheduler_core: a failed attempt is repeated after its delay",
          "[logic][scheduler_core][retry]") {
  flow f = retried("a; b < a; c < b", "b");
  f["a"].out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}");
  core_world world{f};
  world.finish("a", {{"v", 7}});
  world.fail("b", 3);
  CHECK(world.states() == "a=succeeded b=retry_wait c=pending");
  CHECK(world.timer("b").due == world.now + 10s);
  REQUIRE(world.last.records.size() == 1);
  const auto outcome = std::get<model::attempt_ended>(world.last.records[0]).outcome;
  CHECK(outcome.state == model::task_state::retry_wait);
  CHECK(outcome.failure->code == "3");
  CHECK(outcome.retries == 1);
  CHECK(outcome.retry_at == world.timer("b").due);
  CHECK(outcome.losses == 0);

  world.fire("b");
  CHECK(world.state("b") == "dispatched"); // in the step in which the timer fired
  CHECK(world.current("b").attempt == 2);
  CHECK(world.started("b").inputs == model::value{{"v", 7}});
  world.fail("b", 4);
  CHECK(world.timer("b").due == world.now + 20s);
  world.fire("b");
  world.finish("b");
  world.finish("c");
  CHECK(world.run_state() == "succeeded");
  CHECK_FALSE(world.recorded().degraded);
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: when the retries are used up the last failure stands",
          "[logic][scheduler_core][retry]") {
  core_world world{retried("a; b < a", "a")};
  for (int code = 1; code <= 2; ++code) {
    world.fail("a", code);
    world.fire("a");
  }
  world.fail("a", 3);
  CHECK(world.states() == "a=failed b=skipped");
  CHECK(world.failure("a").code == "3");
  CHECK(world.attempt("a") == 3);
  CHECK(world.recorded().error == "task 'a' failed: exit code 3");
}

TEST_CASE("scheduler_core: the delay of an attempt is the same in every replay",
          "[logic][scheduler_core][retry]") {
  const auto due = [](int tasks) {
    flow f;
    for (int i = 0; i < tasks; ++i)
      f.add_task("t" + std::to_string(i)).retry({.max = 1, .base = 100s, .jitter = 1});
    core_world world{f};
    world.fail("t1");
    return world.timer("t1").due - world.now;
  };
  CHECK(due(2) == due(2));
  CHECK(due(2) == due(5)); // it does not depend on what else there is
  CHECK(due(2) < 100s);
}

TEST_CASE("scheduler_core: what is not to be repeated fails at once",
          "[logic][scheduler_core][retry]") {
  const auto [as, code, state] = GENERATE(table<failure_class, int, std::string>({
    {failure_class::exit, 1, "retry_wait"},
    {failure_class::exit, 2, "failed"}, // stop_on
    {failure_class::transient, 75, "retry_wait"},
    {failure_class::permanent, 1, "failed"},
    {failure_class::validation, 0, "retry_wait"},
    {failure_class::internal, 0, "failed"},
  }));
  CAPTURE(to_string(as), code);
  auto policy = twice;
  policy.stop_on = {{failure_class::exit, "2"}};
  core_world world{retried("a", "a", policy)};
  world.fail("a", code, as);
  CHECK(world.state("a") == state);
}

TEST_CASE("scheduler_core: a timeout is repeated once its attempt is gone",
          "[logic][scheduler_core][retry]") {
  core_world world{retried("a; b < a", "a")};
  world.time_out("a");
  CHECK(world.state("a") == "cancelling");
  CHECK(world.timers.empty());
  SECTION("it is told that it is gone") {
    world.fail("a", 15);
  }
  SECTION("its executor died: then it is gone too") {
    world.lose_executor();
  }
  CHECK(world.state("a") == "retry_wait");
  CHECK(world.failure_class("a") == "timeout");
  world.fire("a");
  CHECK(world.state("a") == "dispatched");
  world.fail("a", 15); // of its own: the stop is over
  CHECK(world.failure_class("a") == "exit");
}

TEST_CASE("scheduler_core: losses and retries have budgets of their own",
          "[logic][scheduler_core][retry]") {
  flow f = retried("a", "a", {.max = 1});
  f["a"].crash_limit(2);
  core_world world{f};
  world.lose("a");
  world.fail("a");
  world.fire("a");
  world.lose("a");
  CHECK(world.state("a") == "dispatched");
  CHECK(world.attempt("a") == 4);
  SECTION("a third loss is one too many") {
    world.lose("a");
    CHECK(world.failure_class("a") == "lost");
  }
  SECTION("a second failure is one too many") {
    world.fail("a");
    CHECK(world.failure_class("a") == "exit");
  }
  CHECK(world.state("a") == "failed");
}

TEST_CASE("scheduler_core: a task says how many losses it survives",
          "[logic][scheduler_core][retry]") {
  flow f{"a; b; c"};
  f.spec.defaults.crash_limit = 1;
  f["b"].crash_limit(0);
  core_world world{f.carry_on()};
  world.lose_executor();
  CHECK(world.states() == "a=dispatched b=failed c=dispatched");
  world.lose_executor();
  CHECK(world.states() == "a=failed b=failed c=failed");
}

TEST_CASE("scheduler_core: a task that is never repeated fails when it is lost",
          "[logic][scheduler_core][retry]") {
  flow f{"a; b < a"};
  f["a"].never_again();
  core_world world{f};
  SECTION("by its worker") {
    world.lose("a");
  }
  SECTION("with its executor") {
    world.lose_executor();
  }
  CHECK(world.states() == "a=failed b=skipped");
  CHECK(world.failure_class("a") == "lost");
  CHECK(world.attempt("a") == 1);
}

TEST_CASE("scheduler_core: a start that is handed back is no attempt that was made",
          "[logic][scheduler_core][retry]") {
  flow f{"a"};
  f["a"].never_again();
  core_world world{f};
  auto report = world.report_of(world.current("a"));
  report.started_at.reset();
  report.given_back = true;
  report.failure = {failure_class::lost, "no_slot", "no slot became free"};
  world.report(report);
  CHECK(world.state("a") == "dispatched");
  CHECK(world.attempt("a") == 2);
}

TEST_CASE("scheduler_core: what is never repeated does not wait for a slot with its executor",
          "[logic][scheduler_core][retry]") {
  auto options = core_world::with_slots(2);
  options.dispatch_ahead = 2;
  core_world world{options};
  flow f;
  for (int i = 0; i < 20; ++i) {
    auto t = f.add_task("t" + std::to_string(i));
    if (i >= 10)
      t.never_again();
  }
  world.submit(f);
  for (std::size_t i = 0; !world.under_way.empty(); ++i) { // a step is a millisecond
    const auto before = world.starts.size();
    world.report(world.report_of(world.starts[i]));
    if (world.starts.size() > before && world.starts.back().task_idx >= 10)
      CHECK(world.under_way.size() <= 2);
  }
  CHECK(world.most_at_once == 4); // the others do
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a task that waits for its retry holds no slot",
          "[logic][scheduler_core][retry]") {
  core_world world{core_world::with_slots(1)};
  world.submit(retried("a; b", "a"));
  world.fail("a");
  CHECK(world.states() == "a=retry_wait b=dispatched");
  world.fire("a");
  CHECK(world.states() == "a=ready b=dispatched");
  world.finish("b");
  CHECK(world.states() == "a=dispatched b=succeeded");
}

TEST_CASE("scheduler_core: a cancel ends the wait for a retry", "[logic][scheduler_core][retry]") {
  core_world world{retried("a; b < a", "a")};
  world.fail("a");
  const auto timer = world.timer("a");
  world.cancel();
  CHECK(world.states() == "a=cancelled b=cancelled");
  CHECK(world.run_state() == "cancelled");
  CHECK(world.timers.empty());
  world.fire(timer); // it was on its way
  CHECK(world.last.records.empty());
}

TEST_CASE("scheduler_core: a cancelled attempt is not repeated", "[logic][scheduler_core][retry]") {
  core_world world{retried("a", "a")};
  world.time_out("a");
  world.cancel();
  world.fail("a", 15);
  CHECK(world.state("a") == "cancelled");
}

TEST_CASE("scheduler_core: a run that stops waits for no retry", "[logic][scheduler_core][retry]") {
  flow f{"a; b; c; d | all_done; next < b"};
  for (const auto* task : {"b", "c", "d"})
    f[task].retry(twice);
  core_world world{f};
  world.fail("b", 4);
  world.fail("d", 5);
  world.fail("a", 6);
  // Its rule lets it run although the run stops, so it is tried again too.
  CHECK(world.states() == "a=failed b=failed c=dispatched d=retry_wait next=skipped");
  CHECK(world.reason("b") == "run_failed");
  CHECK(world.failure("b").code == "4");
  CHECK(world.recorded().error.empty());
  world.fail("c", 7);
  CHECK(world.state("c") == "failed");
  world.fire("d");
  world.finish("d");
  CHECK(world.run_state() == "failed");
  CHECK(world.recorded().error == "task 'a' failed: exit code 6");
}

TEST_CASE("scheduler_core: a timer that was set anew is another one",
          "[logic][scheduler_core][retry]") {
  core_world world{retried("a", "a")};
  world.fail("a");
  const auto first = world.timer("a");
  world.fire("a");
  world.fail("a");
  REQUIRE(world.timer("a") != first);
  world.fire(first);
  CHECK(world.last.records.empty());
  CHECK(world.state("a") == "retry_wait");
  world.step(model::timer_fired{{{99}, 0, timer_kind::retry, first.due}}); // of an unknown run
  CHECK(world.last.records.empty());
}

TEST_CASE("scheduler_core: how late a retry was is on record", "[logic][scheduler_core][retry]") {
  core_world world{retried("a", "a")};
  world.fail("a");
  world.fire(world.timer("a"), 250ms);
  const auto due = model::event_of(world.last.records.front());
  CHECK(due.type == model::event_type::task_due);
  CHECK(due.from == "retry_wait");
  CHECK(due.to == "ready");
  CHECK(due.data == model::value{{"late_us", 250'000}});
}

TEST_CASE("scheduler_core: a timer service that starts anew is told all timers",
          "[logic][scheduler_core][retry]") {
  core_world world{retried("a; b; c", "a")};
  CHECK(world.core.timers().empty());
  world.fail("a");
  CHECK(world.core.timers() == std::vector<model::timer>{world.timer("a")});
  world.fire("a");
  CHECK(world.core.timers().empty());
}

TEST_CASE("scheduler_core: a wait for a retry goes on when another scheduler takes the run up",
          "[logic][scheduler_core][retry][restore]") {
  auto options = core_world::roomy();
  options.kept_output_bytes = 1'000;
  core_world world{options};
  flow f = retried("a; b < a; c < b", "b");
  f["a"].out("v");
  f["b"].in("v", "${{ tasks.a.out.v }}");
  world.submit(f);
  world.finish("a", {{"v", 7}});
  world.fail("b", 3);
  const auto timer = world.timer("b");
  world.restart();
  CHECK(world.states() == "a=succeeded b=retry_wait c=pending");
  CHECK(world.timer("b") == timer);
  SECTION("it is repeated, and counted on") {
    world.fire("b", timer_kind::retry);
    world.load("a", model::value{{"v", 7}});
    CHECK(world.started("b").inputs == model::value{{"v", 7}});
    world.fail("b", 4);
    world.fire("b");
    world.fail("b", 5);
    CHECK(world.states() == "a=succeeded b=failed c=skipped");
    CHECK(world.attempt("b") == 3);
  }
  SECTION("it is cancelled") {
    world.cancel();
    CHECK(world.states() == "a=succeeded b=cancelled c=cancelled");
  }
}

TEST_CASE("scheduler_core: the last failure is known after a restart",
          "[logic][scheduler_core][retry][restore]") {
  core_world world{retried("a; b; c < a", "a")};
  world.fail("a", 4);
  world.restart();
  world.fail("b", 6); // the run stops
  CHECK(world.states() == "a=failed b=failed c=skipped");
  CHECK(world.failure("a").code == "4");
  CHECK(world.reason("a") == "run_failed");
}

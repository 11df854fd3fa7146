// Of the scheduler core: what the tasks of a run, or of a group, may use together.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::budget_kind;
using model::timer_kind;

namespace {

model::budget_spec budget_of(budget_kind kind, double most,
                             model::on_exceeded rule = model::on_exceeded::stop) {
  model::budget_spec budget;
  budget.limits[std::size_t(kind)] = model::to_amount(most);
  budget.on_exceeded = rule;
  return budget;
}

model::budget_spec split(model::budget_spec budget,
                         std::vector<std::pair<std::string, model::amount>> weights = {}) {
  budget.is_split = true;
  budget.weights = std::move(weights);
  return budget;
}

void finish_using(core_world& world, std::string_view task, model::value usage) {
  auto report = world.report_of(world.current(task));
  report.own_usage = std::move(usage);
  world.report(std::move(report));
}

} // namespace

TEST_CASE("scheduler_core: when the budget of a run is used up nothing more starts",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b < a; c < b | all_done"};
  f.finally("tidy");
  core_world world{f.budget(budget_of(budget_kind::cost, 1))};
  CHECK(world.env("a", "SLUICE_BUDGET_COST") == "1.00");
  finish_using(world, "a", {{"cost", 1}});
  CHECK(world.states() == "a=succeeded b=failed c=failed tidy=dispatched");
  CHECK(world.failure_class("b") == "budget");
  CHECK(world.failure("b").code == "cost");
  CHECK(world.failure("b").message == "the budget of the run is used up: cost 1.00 of 1.00");
  CHECK(world.reason("b") == "budget");
  world.finish("tidy");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: what runs is stopped when more was used than there is",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b; c < b"};
  f["b"].retry({.max = 3});
  core_world world{f.budget(budget_of(budget_kind::tokens, 100)).carry_on()};
  world.use("a", {{"tokens", 60}});
  world.use("b", {{"tokens", 40}});
  CHECK(world.states() == "a=dispatched b=dispatched c=failed"); // all is used and no more
  world.use("b", {{"tokens", 41}});
  CHECK(world.states() == "a=cancelling b=cancelling c=failed");
  const bool restarts = GENERATE(false, true);
  CAPTURE(restarts);
  if (restarts)
    world.restart();
  finish_using(world, "a", {{"tokens", 60}}); // too late
  world.fail("b", 15);
  CHECK(world.states() == "a=failed b=failed c=failed");
  CHECK(world.failure_class("a") == "budget");
  CHECK(world.failure("b").code == "tokens");
  CHECK(world.failure("b").message == "the budget of the run is used up: tokens 101 of 100");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: an attempt of an empty budget is not repeated",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b"};
  f["b"].retry({.max = 3});
  core_world world{f.budget(budget_of(budget_kind::cost, 1)).carry_on()};
  finish_using(world, "a", {{"cost", 1}});
  REQUIRE(world.state("b") == "dispatched");
  SECTION("when it fails") {
    world.fail("b");
  }
  SECTION("when it is lost") {
    world.lose("b");
  }
  SECTION("when its runtime is") {
    world.restart();
    world.lose_executor();
  }
  CHECK(world.state("b") == "failed");
  CHECK(world.failure_class("b") == "budget");
}

TEST_CASE("scheduler_core: money stays spent across restarts and generations",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b < a"};
  core_world world{f.budget(budget_of(budget_kind::cost, 2))};
  world.use("a", {{"cost", 1.25}});
  world.restart();
  world.lose_executor(); // which has told so much, and will not tell more
  CHECK(world.env("a", "SLUICE_BUDGET_COST") == "0.75");
  world.fail("a");
  REQUIRE(world.retry());
  CHECK(world.env("a", "SLUICE_BUDGET_COST") == "0.75");
  finish_using(world, "a", {{"cost", 0.75}});
  CHECK(world.states() == "a=succeeded b=failed");
  REQUIRE(world.retry());
  CHECK(world.run_state() == "failed"); // at once: nothing is left
  CHECK(world.attempt("b") == 0);
}

TEST_CASE("scheduler_core: what is told while an attempt runs counts once",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b < a"};
  core_world world{f.budget(budget_of(budget_kind::cost, 2))};
  world.use("a", {{"cost", 1}});
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();
  world.use("a", {{"cost", 1.2}});
  finish_using(world, "a", {{"cost", 1.2}});
  CHECK(world.env("b", "SLUICE_BUDGET_COST") == "0.80");
}

TEST_CASE("scheduler_core: a budget that warns lets all go on", "[logic][scheduler_core][budget]") {
  flow f{"a; b < a"};
  core_world world{f.budget(budget_of(budget_kind::cost, 1, model::on_exceeded::warn))};
  world.use("a", {{"cost", 1.5}});
  world.use("a", {{"cost", 1.6}});
  world.restart();
  finish_using(world, "a", {{"cost", 1.6}});
  finish_using(world, "b", {{"cost", 1}});
  CHECK(world.warnings
        == std::vector<std::string>{"the budget of the run is used up: cost 1.50 of 1.00"});
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a budget of time is over while attempts run",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b; c < a b"};
  core_world world{f.budget(budget_of(budget_kind::time, 3600)).carry_on()};
  CHECK(world.env("a", "SLUICE_BUDGET_SECONDS") == "3600");
  CHECK_FALSE(world.has_group_timer(timer_kind::budget, {}));
  world.confirm("a");
  const auto began = world.now;
  CHECK(world.group_timer(timer_kind::budget, {}).due == began + 1h + 1us);
  world.confirm("b");
  CHECK(world.group_timer(timer_kind::budget, {}).due < began + 31min);
  const bool restarts = GENERATE(false, true);
  if (restarts)
    world.restart();
  world.fire(world.group_timer(timer_kind::budget, {}), 1s);
  CHECK(world.states() == "a=cancelling b=cancelling c=failed");
  CHECK(world.failure("c").code == "time");
  world.fail("a", 15);
  world.fail("b", 15);
  CHECK(world.failure("a").code == "time");
  CHECK(world.timers.empty());
}

TEST_CASE("scheduler_core: a split budget gives each task a share",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b; c < a"};
  f["b"].foreach (2);
  const auto weights =
    GENERATE(std::vector<std::pair<std::string, model::amount>>{},
             std::vector<std::pair<std::string, model::amount>>{{"a", model::to_amount(3)}});
  core_world world{f.budget(split(budget_of(budget_kind::cost, 12), weights)).carry_on()};
  const bool even = weights.empty();
  CHECK(world.env("b[0]", "SLUICE_BUDGET_COST") == world.env("b[1]", "SLUICE_BUDGET_COST"));
  CHECK(world.env("a", "SLUICE_BUDGET_COST") == (even ? "3.00" : "6.00"));
  CHECK(world.env("b[0]", "SLUICE_BUDGET_COST") == (even ? "3.00" : "2.00"));
  finish_using(world, "a", {{"cost", 1}});
  CHECK(world.env("c", "SLUICE_BUDGET_COST") == (even ? "5.00" : "7.00"));
  finish_using(world, "b[0]", {{"cost", 3.5}});
  CHECK(world.states("b[0] b[1] c") == "b[0]=succeeded b[1]=cancelling c=cancelling");
  world.fail("c", 15);
  CHECK(world.failure("c").message
        == std::string{"task 'b[0]' has used more than its share of the budget of the run: "}
             + (even ? "cost 3.50 of 3.00" : "cost 3.50 of 2.00"));
}

TEST_CASE("scheduler_core: the budget of a group binds the group alone",
          "[logic][scheduler_core][budget]") {
  flow f{"a; b < a | all_done; c < b | all_done"};
  f["a"].group("llm");
  f["b"].group("llm");
  f.declare(
    {.name = "llm", .timebox = {}, .active_tasks = {}, .budget = budget_of(budget_kind::cost, 1)});
  core_world world{f.budget(budget_of(budget_kind::cost, 10)).carry_on()};
  CHECK(world.env("a", "SLUICE_BUDGET_COST") == "1.00");
  finish_using(world, "a", {{"cost", 2}});
  CHECK(world.states() == "a=succeeded b=failed c=dispatched");
  CHECK(world.failure("b").message == "the budget of group 'llm' is used up: cost 2.00 of 1.00");
  CHECK(world.env("c", "SLUICE_BUDGET_COST") == "8.00");
  world.finish("c");
  CHECK(world.run_state() == "failed");
}

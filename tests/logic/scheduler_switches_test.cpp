// Of the scheduler core: switches of the store, hours, and quotas.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::gate_kind;
using model::task_state;
using model::timer_kind;

namespace {

expected<model::control_result> set(core_world& world, std::string name,
                                    model::switch_position to) {
  return world.control(model::set_switch{std::move(name), to, {"ana", "nightly work"}});
}
expected<model::control_result> open(core_world& world, std::string name) {
  return set(world, std::move(name), model::switch_position::open);
}
expected<model::control_result> close(core_world& world, std::string name) {
  return set(world, std::move(name), model::switch_position::closed);
}

flow at_switch(std::optional<model::on_closed> rule = std::nullopt) {
  flow f{"a; s < a; b < s"};
  f["s"].gate({.which = gate_kind::named_switch, .name = "db", .on_closed = rule});
  return f;
}

flow with_quota(std::uint32_t max, model::milliseconds per, int instances) {
  flow f{"q"};
  f["q"]
    .gate({.which = gate_kind::quota, .name = "mail", .quota = model::quota_limit{max, per}})
    .foreach (instances);
  return f;
}

std::size_t waiting(const core_world& world) {
  return world.recorded().counts[std::size_t(task_state::waiting)];
}

} // namespace

// --- switches ----------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a switch that nobody closed is open", "[logic][scheduler_core][gates]") {
  core_world world{at_switch()};
  world.play();
  CHECK(world.states() == "a=succeeded s=succeeded b=succeeded");
}

TEST_CASE("scheduler_core: a gate waits until its switch is opened",
          "[logic][scheduler_core][gates]") {
  core_world world{at_switch()};
  REQUIRE(close(world, "db"));
  CHECK(world.switches.at("db").by == "ana");
  world.finish("a");
  CHECK(world.reason("s") == "gate");
  CHECK(world.recorded().awaited.at(1).name == "db");
  if (GENERATE(false, true))
    world.restart();
  const auto opened = open(world, "db");
  REQUIRE(opened);
  CHECK(opened->tasks == std::vector<std::string>{"r-1/s"});
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a switch is opened while nobody has the run",
          "[logic][scheduler_core][gates]") {
  flow f{"a; s < a; c < a"};
  f["s"].gate({.which = gate_kind::named_switch, .name = "db"});
  f["c"].gates("db");
  core_world world{f};
  REQUIRE(close(world, "db"));
  world.finish("a");
  CHECK(world.states("s c") == "s=waiting c=waiting");
  world.switches.at("db").is_open = true; // by another scheduler
  world.restart();
  CHECK(world.state("s") == "succeeded");
  world.dispatch();
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a closed switch fails or skips a gate that does not wait",
          "[logic][scheduler_core][gates]") {
  const auto [rule, states] = GENERATE(table<model::on_closed, std::string>({
    {model::on_closed::fail, "a=succeeded s=failed b=skipped"},
    {model::on_closed::skip, "a=succeeded s=skipped b=skipped"},
  }));
  core_world world{at_switch(rule)};
  REQUIRE(close(world, "db"));
  world.finish("a");
  CHECK(world.states() == states);
  if (rule == model::on_closed::fail)
    CHECK(
      world.failure("s")
      == model::failure{failure_class::gate, "closed", "gate 'db' is closed by ana: nightly work"});
}

TEST_CASE("scheduler_core: a switch is set once", "[logic][scheduler_core][gates]") {
  core_world world{at_switch()};
  CHECK(open(world, "db").error().message == "gate 'db' is open already");
  REQUIRE(close(world, "db"));
  CHECK(close(world, "db").error().message == "gate 'db' is closed by ana: nightly work already");
  CHECK(close(world, "").error().code == errc::invalid_argument);
  world.restart();
  CHECK(close(world, "db").error().code == errc::conflict);
}

TEST_CASE("scheduler_core: instances that wait for a switch keep others from being worked out",
          "[logic][scheduler_core][gates]") {
  flow f{"a; b < a"};
  f["b"].foreach (200).gates("db");
  core_world world{f};
  REQUIRE(close(world, "db"));
  world.finish("a");
  CHECK(waiting(world) == 64);
  world.restart();
  CHECK(waiting(world) == 64);
  REQUIRE(open(world, "db"));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a task starts while all switches that it needs are open",
          "[logic][scheduler_core][gates]") {
  flow f{"a; b < a"};
  f["b"].gates("db net");
  core_world world{f};
  REQUIRE(close(world, "net"));
  REQUIRE(close(world, "db"));
  world.finish("a");
  CHECK(world.state("b") == "waiting");
  CHECK(world.recorded().awaited.at(1).name == "db");
  REQUIRE(open(world, "db"));
  CHECK(world.state("b") == "waiting");
  CHECK(world.recorded().awaited.at(1).name == "net");
  REQUIRE(open(world, "net"));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a switch that closes takes what is ready back",
          "[logic][scheduler_core][gates]") {
  flow f{"a; b; c"};
  f["b"].gates("db");
  f["c"].gates("db", model::on_closed::skip);
  core_world world{core_world::with_slots(1)};
  world.submit(f);
  CHECK(world.running() == "a");
  const auto closed = close(world, "db");
  REQUIRE(closed);
  CHECK(closed->tasks == std::vector<std::string>{"r-1/b", "r-1/c"});
  CHECK(world.states("b c") == "b=waiting c=skipped");
  world.finish("a");
  CHECK(world.running().empty());
  REQUIRE(open(world, "db"));
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: a retry that is due waits for the switch of its task",
          "[logic][scheduler_core][gates]") {
  flow f{"a"};
  f["a"].gates("db").retry({.max = 1});
  core_world world{f};
  world.fail("a");
  REQUIRE(close(world, "db"));
  CHECK(world.state("a") == "retry_wait");
  world.fire("a");
  CHECK(world.reason("a") == "gate");
  if (GENERATE(false, true))
    world.restart();
  REQUIRE(open(world, "db"));
  CHECK(world.attempt("a") == 2);
  world.play();
  CHECK(world.run_state() == "succeeded");
}

// --- hours -------------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a gate opens at its hours", "[logic][scheduler_core][gates]") {
  flow f{"t; b < t"}; // the world begins at 22:13:20 UTC on a Tuesday
  model::opening_hours hours{.from = 23 * 60, .to = 6 * 60};
  model::gate_spec gate{.which = gate_kind::time};
  SECTION("it waits for them") {
    gate.hours = hours;
    f["t"].gate(gate);
    core_world world{f};
    CHECK(world.reason("t") == "time");
    CHECK(model::to_rfc3339(world.timer("t", timer_kind::gate).due) == "2023-11-14T23:00:00Z");
    world.restart();
    world.fire("t", timer_kind::gate);
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("within them it passes") {
    hours.from = 22 * 60;
    gate.hours = hours;
    f["t"].gate(gate);
    core_world world{f};
    CHECK(world.state("t") == "succeeded");
  }
  SECTION("or fails outside of them") {
    gate.hours = hours;
    gate.on_closed = model::on_closed::fail;
    f["t"].gate(gate);
    core_world world{f};
    CHECK(world.failure("t").code == "closed");
  }
}

// --- quotas ------------------------------------------------------------------------------------

TEST_CASE("scheduler_core: a quota lets only so many pass in a time",
          "[logic][scheduler_core][gates]") {
  core_world world{with_quota(2, 1min, 5)};
  CHECK(waiting(world) == 3);
  CHECK(world.timers.size() == 1); // of the first of them
  CHECK(world.passes.size() == 2);
  world.fire("q[2]", timer_kind::gate);
  CHECK(world.states()
        == "q[0]=succeeded q[1]=succeeded q[2]=succeeded q[3]=succeeded q[4]=waiting");
  world.restart();
  CHECK(waiting(world) == 1);
  world.fire("q[4]", timer_kind::gate);
  CHECK(world.run_state() == "succeeded");
  CHECK(world.passes.size() == 5);
}

TEST_CASE("scheduler_core: a quota is of all runs, in order of arrival",
          "[logic][scheduler_core][gates]") {
  core_world world{with_quota(1, 1min, 1)};
  const auto second = world.submit(with_quota(1, 1min, 1));
  const auto third = world.submit(with_quota(1, 1min, 1));
  CHECK(world.runs.at(second).tasks[1] == task_state::waiting);
  CHECK(world.runs.at(third).tasks[1] == task_state::waiting);
  if (GENERATE(false, true))
    world.restart();
  world.last_run = second;
  world.fire("q[0]", timer_kind::gate);
  CHECK(world.run_state() == "succeeded");
  world.last_run = third;
  CHECK(world.run_state() == "running");
  world.fire("q[0]", timer_kind::gate);
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: the next one has the timer when the first goes away",
          "[logic][scheduler_core][gates]") {
  core_world world{with_quota(1, 1min, 3)};
  REQUIRE(world.mark("q[1]", task_state::skipped));
  world.fire("q[2]", timer_kind::gate);
  CHECK(world.state("q[2]") == "succeeded");
  CHECK(world.timers.empty());
}

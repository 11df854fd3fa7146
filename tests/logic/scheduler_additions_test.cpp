// Of the scheduler core: tasks that a run is given while it is in progress.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::retry_scope;
using model::task_state;
using model::value;

namespace {

/// What an addition is refused with; nothing has changed.
error refusal(core_world& world, const flow& f) {
  const auto done = world.add(f);
  REQUIRE_FALSE(done);
  CHECK(world.last.records.empty());
  return done.error();
}

} // namespace

TEST_CASE("scheduler_core: a run is given tasks that wait for those it has and for each other",
          "[logic][scheduler_core][additions]") {
  flow f{"a; b < a"};
  f.finally("tidy");
  core_world world{f};
  const auto done = world.add("d < c b; c < a; e"_flow);
  REQUIRE(done);
  CHECK(done->tasks == std::vector<std::string>{"d", "c", "e"});
  CHECK(done->kept == 3);
  CHECK(world.states() == "a=dispatched b=pending tidy=pending d=pending c=pending e=dispatched");
  CHECK(world.index("d") == 3); // behind all others
  CHECK(world.recorded().counts[std::size_t(task_state::pending)] == 4);
  world.finish("a");
  CHECK(world.running() == "b c e");
  world.finish("b");
  world.finish("c");
  CHECK(world.state("d") == "dispatched");
  CHECK(world.state("tidy") == "pending");
  world.finish("e");
  world.finish("d");
  CHECK(world.running() == "tidy");
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what an added task waits for may be decided",
          "[logic][scheduler_core][additions]") {
  flow f{"a; b; c; busy"};
  f["b"].allow_failure();
  f.carry_on();
  core_world world{f};
  world.finish("a");
  world.fail("b");
  world.fail("c");
  REQUIRE(
    world.add("g < a b; h < a c; i < busy a | one_success; j < c busy | one_failed; k < h"_flow));
  CHECK(world.states("g h i j k") == "g=dispatched h=skipped i=dispatched j=dispatched k=skipped");
  world.restart();
  CHECK(world.states("g h i j k") == "g=dispatched h=skipped i=dispatched j=dispatched k=skipped");
  world.play();
  CHECK(world.run_state() == "succeeded"); // j has handled what c failed by
}

TEST_CASE("scheduler_core: added tasks come behind instances",
          "[logic][scheduler_core][additions]") {
  flow f{"a; x < a; y < a; z < x y"};
  f["x"].foreach (value::array({"p", "q"}));
  f["y"].foreach (value::array({"r"}));
  flow more{"m < x; n"};
  more["n"].foreach (value::array({1, 2}));
  core_world world{core_world::with_slots(1)};
  world.submit(f);
  world.finish("a");
  REQUIRE(world.index("y[r]") == 6);
  REQUIRE(world.add(more));
  CHECK(world.index("m") == 7);
  CHECK(world.index("n") == 8);
  CHECK(world.index("n[2]") == 10);
  REQUIRE(world.add("last < n m"_flow));
  CHECK(world.index("last") == 11);
  CHECK(world.recorded().names().size() == 12);
  world.restart();
  for (const auto* next : {"x[p]", "x[q]", "y[r]", "n[1]"})
    world.finish(next);
  CHECK(world.states("m z n last") == "m=ready z=ready n=pending last=pending");
  world.restart();
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.states("m z n last") == "m=succeeded z=succeeded n=succeeded last=succeeded");
}

TEST_CASE("scheduler_core: an added task reads what others have put out",
          "[logic][scheduler_core][additions]") {
  flow f{"a; r < a; busy"};
  f["a"].out("v");
  f["busy"].out("v");
  f["r"].in("v", "${{ tasks.a.out.v }}");
  core_world world{f};
  flow more{"s; t"};
  more["s"].in("v", "${{ tasks.a.out.v }}");
  more["t"].in("v", "${{ tasks.busy.out.v }}");
  SECTION("before it is there") {
    REQUIRE(world.add(more));
    world.finish("a", {{"v", 7}});
    CHECK(world.started("s").inputs == value{{"v", 7}});
  }
  SECTION("when nobody reads it any more") {
    world.finish("a", {{"v", 7}});
    REQUIRE(world.core.kept_outputs_bytes() == 0);
    REQUIRE(world.add(more));
    CHECK(world.state("s") == "pending");
    world.load("a", value{{"v", 7}});
    CHECK(world.started("s").inputs == value{{"v", 7}});
  }
  SECTION("while it is read back after a restart") {
    world.finish("a", {{"v", 7}});
    REQUIRE(world.add(more));
    world.restart();
    world.load("a", value{{"v", 7}});
    CHECK(world.started("s").inputs == value{{"v", 7}});
  }
  world.finish("busy", {{"v", 8}});
  CHECK(world.started("t").inputs == value{{"v", 8}});
  world.play();
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: what an added task reads may be kept for others",
          "[logic][scheduler_core][additions]") {
  flow f{"a; busy; r < a busy"};
  f["a"].out("v");
  f["r"].in("v", "${{ tasks.a.out.v }}");
  core_world world{f};
  world.finish("a", {{"v", 7}});
  flow more{"s"};
  more["s"].in("v", "${{ tasks.a.out.v }}");
  REQUIRE(world.add(more));
  CHECK(world.started("s").inputs == value{{"v", 7}});
  CHECK(world.core.kept_outputs_bytes() > 0);
  world.finish("busy");
  CHECK(world.started("r").inputs == value{{"v", 7}});
  CHECK(world.core.kept_outputs_bytes() == 0);
}

TEST_CASE("scheduler_core: an added task takes nothing from those that read the same",
          "[logic][scheduler_core][additions]") {
  const auto how = GENERATE("finished", "marked", "finished before a restart");
  CAPTURE(how);
  flow f{"p; b; x; a < p; r < b"};
  f["a"].out("v");
  f["r"].in("v", "${{ default(tasks.a.out.v, 3) }}");
  f.carry_on();
  core_world world{f};
  if (how == std::string{"marked"}) {
    REQUIRE(world.mark("a", task_state::succeeded));
    world.finish("p");
  } else {
    world.finish("p");
    world.finish("a"); // and puts nothing out
  }
  if (how == std::string{"finished before a restart"})
    world.restart();
  flow more{"s < x"};
  more["s"].in("v", "${{ default(tasks.a.out.v, 3) }}");
  REQUIRE(world.add(more));
  world.finish("b");
  CHECK(world.started("r").inputs == value{{"v", 3}}); // nothing has to be read back for it
  world.fail("x");
  CHECK(world.state("s") == "skipped");
  world.play();
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: an addition that is wrong is refused as a whole",
          "[logic][scheduler_core][additions]") {
  core_world world{"load; b < load"_flow};
  CHECK(refusal(world, "c; load"_flow).message == "tasks.load: the run has a task 'load' already");
  CHECK(refusal(world, "c < laod"_flow).message
        == "tasks.c.after[0]: no task 'laod'; did you mean 'load'?");
  CHECK(refusal(world, "c < d load; d < e; e < c"_flow).message
        == "tasks.c: these tasks wait for each other: c -> e -> d -> c");
  CHECK(refusal(world, ""_flow).message == "tasks: there is no task to add");
  flow with_param{"c"};
  with_param.param("day", 1);
  CHECK_THAT(refusal(world, with_param).message, Catch::StartsWith("params: is of the run"));
  flow with_finally{"c"};
  with_finally.finally("d");
  CHECK(refusal(world, with_finally).code == errc::invalid_argument);
  world.play();
  CHECK(world.states() == "load=succeeded b=succeeded");
}

TEST_CASE("scheduler_core: a run that is ending takes no tasks",
          "[logic][scheduler_core][additions]") {
  flow f{"a; b; c < a"};
  f.finally("tidy");
  core_world world{f};
  SECTION("it stops for a failure") {
    world.fail("a");
    CHECK_THAT(refusal(world, "d"_flow).message, Catch::Contains("it is ending, as task 'a'"));
  }
  SECTION("it is being cancelled") {
    world.cancel();
    CHECK_THAT(refusal(world, "d"_flow).message, Catch::EndsWith("it is cancelling"));
  }
  SECTION("its clean-up has begun") {
    for (const auto* task : {"a", "b", "c"})
      world.finish(task);
    REQUIRE(world.running() == "tidy");
    CHECK_THAT(refusal(world, "d"_flow).message, Catch::EndsWith("and it is ending"));
  }
  SECTION("it has ended") {
    world.play();
    CHECK_THAT(refusal(world, "d"_flow).message, Catch::EndsWith("has ended: it is succeeded"));
  }
  SECTION("there is none") {
    world.last_run = {99};
    CHECK(refusal(world, "d"_flow).code == errc::not_found);
    return;
  }
  CHECK(refusal(world, "d"_flow).code == errc::conflict);
}

TEST_CASE("scheduler_core: a run that is part of another one takes no tasks",
          "[logic][scheduler_core][additions]") {
  flow f{"whole"};
  f["whole"].child(flow{"part"}.named("inner").spec);
  core_world world{f};
  ++world.last_run.value;
  REQUIRE(world.running() == "part");
  CHECK(refusal(world, "d"_flow).message
        == "run r-2 is part of run r-1: add the tasks to the whole");
}

TEST_CASE("scheduler_core: a run that nobody has is given tasks",
          "[logic][scheduler_core][additions]") {
  flow f{"a; b < a"};
  f.finally("tidy");
  core_world world{core_world::roomy(), core_world::checking::nothing};
  world.submit(f);
  world.finish("a");
  const auto without_run = [&] { world.core = scheduler_core{core_world::roomy()}; };
  SECTION("which whoever goes on with it finds") {
    without_run();
    flow more{"c < a; d < c"};
    more["d"].deadline(1h);
    const auto done = world.add(more);
    REQUIRE(done);
    CHECK(done->tasks == std::vector<std::string>{"c", "d"});
    CHECK(world.last.records.size() == 1);
    CHECK(world.recorded().counts[std::size_t(task_state::pending)] == 3);
    CHECK(world.timers.size() == 1);
    world.restart();
    world.dispatch();
    CHECK(world.states("b c d tidy") == "b=dispatched c=dispatched d=pending tidy=pending");
    world.play();
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("unless it is ending") {
    world.fail("b");
    without_run();
    CHECK(refusal(world, "c"_flow).code == errc::conflict);
  }
  SECTION("unless they are wrong") {
    without_run();
    CHECK(refusal(world, "c < x"_flow).code == errc::invalid_argument);
  }
}

TEST_CASE("scheduler_core: an added task has the settings of its file before those of its run",
          "[logic][scheduler_core][additions]") {
  flow f{"a"};
  f.env("OF", "run").env("LEFT", "run");
  f.spec.defaults.priority = 10;
  f.spec.defaults.timeout = 5s;
  core_world world{f};
  flow more{"b; c"};
  more.env("OF", "file").env("OWN", "file");
  more.spec.defaults.timeout = 7s;
  more.spec.base_dir = "/elsewhere";
  more["c"].env("OWN", "task");
  more.spec.tasks[1].settings->workdir = "sub";
  REQUIRE(world.add(more));
  CHECK(world.env("b", "OF") == "file");
  CHECK(world.env("b", "LEFT") == "run");
  CHECK(world.env("b", "OWN") == "file");
  CHECK(world.env("c", "OWN") == "task");
  CHECK(world.env("a", "OF") == "run");
  CHECK(world.env("a", "OWN") == "(unset)");
  const auto& spec = *world.recorded().spec;
  const auto setting = [&](const char* task, auto which) {
    return setting_of(spec, spec.task(world.index(task)), which);
  };
  CHECK(setting("b", &model::task_settings::timeout) == 7s);
  CHECK(setting("b", &model::task_settings::priority) == 10);
  CHECK(setting("a", &model::task_settings::timeout) == 5s);
  CHECK(setting("b", &model::task_settings::workdir) == "/elsewhere");
  CHECK(setting("c", &model::task_settings::workdir) == "/elsewhere/sub");
  CHECK_FALSE(setting("a", &model::task_settings::workdir));
}

TEST_CASE("scheduler_core: the deadline of an added task counts from when it was added",
          "[logic][scheduler_core][additions]") {
  core_world world{"a"_flow};
  world.now += 10h;
  flow more{"b < a"};
  more["b"].deadline(1h);
  REQUIRE(world.add(more));
  world.restart();
  world.fire("b", model::timer_kind::deadline);
  CHECK(world.state("b") == "failed");
  CHECK(world.failure("b").message == "not done within 1h of being added");
}

TEST_CASE("scheduler_core: added tasks use the budget of their run",
          "[logic][scheduler_core][additions]") {
  model::budget_spec budget;
  budget.limits[std::size_t(model::budget_kind::tokens)] = model::to_amount(100);
  budget.is_split = true;
  core_world world{flow{"a; b"}.budget(budget).carry_on()};
  CHECK(world.env("a", "SLUICE_BUDGET_TOKENS") == "50");
  REQUIRE(world.add("c < a; d < c"_flow));
  world.use("a", {{"tokens", 20}});
  auto report = world.report_of(world.current("a"));
  report.own_usage = value{{"tokens", 20}};
  world.report(std::move(report));
  CHECK(world.env("c", "SLUICE_BUDGET_TOKENS") == "15"); // of 30 that nobody has, for c and d
  world.use("b", {{"tokens", 90}});
  CHECK(world.states("b c d") == "b=cancelling c=cancelling d=failed");
  REQUIRE(world.add("e"_flow));
  CHECK(world.states("e") == "e=failed"); // there is nothing left for it
  CHECK(world.failure("e").failure_class == model::failure_class::budget);
}

TEST_CASE("scheduler_core: added tasks belong to the groups of their run",
          "[logic][scheduler_core][additions]") {
  flow f{"a"};
  f["a"].group("g");
  f.declare({.name = "g", .active_tasks = 1});
  core_world world{f};
  flow more{"b; c"};
  more["b"].group("g");
  REQUIRE(world.add(more));
  CHECK(world.states("b c") == "b=ready c=dispatched");
  REQUIRE(world.control(model::cancel_group{"g"}));
  CHECK(world.states("a b c") == "a=cancelling b=cancelled c=dispatched");
}

TEST_CASE("scheduler_core: added tasks are done again with the others",
          "[logic][scheduler_core][additions]") {
  flow f{"a; x"};
  f["x"].foreach (value::array({"p"}));
  f.finally("tidy").carry_on();
  core_world world{f};
  REQUIRE(world.add("b < a; c < b; d"_flow));
  world.play("b");
  REQUIRE(world.run_state() == "failed");
  REQUIRE(world.states("b c d tidy") == "b=failed c=skipped d=succeeded tidy=succeeded");
  const auto again = world.retry();
  REQUIRE(again);
  CHECK(again->tasks == std::vector<std::string>{"tidy", "b", "c"});
  REQUIRE(world.add("e < c"_flow)); // of the second generation
  world.restart();
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("b") == 2);
  CHECK(world.attempt("d") == 1);
  CHECK(world.state("e") == "succeeded");
  REQUIRE(world.retry(retry_scope::downstream, "b"));
  CHECK(world.states("b c e d") == "b=succeeded c=dispatched e=pending d=succeeded");
}

TEST_CASE("scheduler_core: a gate is added and waits", "[logic][scheduler_core][additions]") {
  core_world world{"a"_flow};
  flow more{"ok < a; b < ok"};
  more["ok"].gate({.which = model::gate_kind::approval, .prompt = "Go on?"});
  REQUIRE(world.add(more));
  world.finish("a");
  CHECK(world.state("ok") == "waiting");
  world.restart();
  REQUIRE(world.control(model::decide_gate{"ok", model::verdict::approved, value::object(), {}}));
  CHECK(world.state("b") == "dispatched");
}

TEST_CASE("scheduler_core: a paused run is given tasks that start when it goes on",
          "[logic][scheduler_core][additions]") {
  core_world world{"a"_flow};
  REQUIRE(world.control(model::pause_run{}));
  REQUIRE(world.add("b"_flow));
  CHECK(world.state("b") == "ready");
  REQUIRE(world.control(model::resume_run{}));
  CHECK(world.state("b") == "dispatched");
}

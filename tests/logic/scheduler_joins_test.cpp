// Of the scheduler core: join rules, with upstreams that really end in these ways.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;

namespace {

/// A run of `j` behind one upstream per letter, which succeeds, fails, is allowed to fail and does,
/// or is skipped. They end in this order.
flow upstreams_of(const std::string& letters, const std::string& rule) {
  flow f;
  std::string names;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const auto name = "u" + std::to_string(i);
    f.add_task(name).allow_failure(letters[i] == 'a');
    if (letters[i] == 'k')
      f[name].when("false");
    names += name + " ";
  }
  f.add_task("j").after(names).join(rule);
  return f.carry_on();
}

void end_upstreams(core_world& world, const std::string& letters) {
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const auto name = "u" + std::to_string(i);
    if (letters[i] == 's')
      world.finish(name);
    else if (letters[i] != 'k')
      world.fail(name);
  }
}

} // namespace

TEST_CASE("scheduler_core: a join rule decides by how all upstreams ended",
          "[logic][scheduler_core][joins]") {
  const auto [rule, runs, skipped] = GENERATE(table<std::string, std::string, std::string>({
    // s success, f failure, a allowed failure, k skipped
    {"all_success", "s ss a sa aa sas", "f k sf fs sk ks ak fk ssf kk"},
    {"none_failed", "s k a sk ks ka kk ssk", "f sf fs kf fk af ssf"},
    {"all_failed", "f ff fff", "s k a sf fs fk kf fa af kk"},
    {"all_done", "s f a k sf fk ka ff kk sfak", ""},
    {"one_success", "s a sf fs ks sk fa kka", "f k ff kk fk"},
    {"one_failed", "f sf fs kf fk af fa ssf", "s k a ss sa kk ak"},
  }));
  for (const auto& [letters_of_all, expected] :
       {std::pair{runs, "dispatched"}, std::pair{skipped, "skipped"}})
    for (const auto& letters : words(letters_of_all)) {
      CAPTURE(rule, letters);
      core_world world;
      auto f = upstreams_of(letters, rule);
      f.add_task("last").after("j").join("all_done"); // keeps the run alive
      world.submit(f);
      end_upstreams(world, letters);
      REQUIRE(world.state("j") == expected);
      if (world.state("j") == "skipped")
        REQUIRE(world.reason("j") == "upstream");
      world.play();
      CHECK(world.core.live_runs() == 0);
    }
}

TEST_CASE("scheduler_core: all_success is decided by the first upstream without success",
          "[logic][scheduler_core][joins]") {
  core_world world{flow{"a; b; j < a b; k < j"}.carry_on()};
  world.fail("a");
  CHECK(world.states() == "a=failed b=dispatched j=skipped k=skipped");
  world.finish("b");
  CHECK(world.states() == "a=failed b=succeeded j=skipped k=skipped");
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: after an early fire later outcomes change nothing",
          "[logic][scheduler_core][joins]") {
  const auto late_end = GENERATE("finish", "fail");
  CAPTURE(late_end);
  const auto end_late = [&](core_world& world) {
    if (late_end == std::string{"fail"})
      world.fail("late");
    else
      world.finish("late");
  };
  SECTION("one_success, and the task is running when the other upstream ends") {
    core_world world{flow{"first; late!; j < first late | one_success"}};
    world.finish("first");
    CHECK(world.state("j") == "dispatched");
    end_late(world);
    CHECK(world.state("j") == "dispatched");
    world.finish("j");
    CHECK(world.run_state() == "succeeded");
  }
  SECTION("one_failed, and the task has succeeded when the other upstream ends") {
    core_world world{flow{"first; late; j < first late | one_failed"}};
    world.fail("first");
    CHECK(world.state("j") == "dispatched");
    world.finish("j");
    CHECK(world.run_state() == "running");
    end_late(world);
    CHECK(world.state("j") == "succeeded");
    CHECK(world.attempt("j") == 1);
    CHECK(world.run_state() == "succeeded"); // both failures are handled by it
  }
  SECTION("one_success, and the task is still queued") {
    core_world world{core_world::with_slots(2)};
    world.submit("first; late!; busy < first; j < first late | one_success");
    world.finish("first");
    CHECK(world.states("busy j") == "busy=dispatched j=ready");
    end_late(world);
    CHECK(world.state("j") == "dispatched");
    world.play();
    CHECK(world.attempt("j") == 1);
  }
}

TEST_CASE("scheduler_core: an undecided upstream has no outputs after an early fire",
          "[logic][scheduler_core][joins]") {
  flow f{"first; late; j < first late | one_success"};
  f["first"].out("v");
  f["late"].out("v");
  f["j"]
    .in("first", "${{ default(tasks.first.out.v, -1) }}")
    .in("late", "${{ default(tasks.late.out.v, -1) }}");
  core_world world{f};
  world.finish("late", {{"v", 2}});
  CHECK(world.started("j").inputs == model::value{{"first", -1}, {"late", 2}});
  world.finish("first", {{"v", 1}});
  CHECK(world.core.kept_outputs_bytes() == 0); // nobody reads them any more
}

TEST_CASE("scheduler_core: an expression joins once all its upstreams are decided",
          "[logic][scheduler_core][joins]") {
  const auto [text, letters, expected] = GENERATE(table<std::string, std::string, std::string>({
    {"tasks.u0.state == 'succeeded'", "ss", "dispatched"},
    {"tasks.u0.state == 'succeeded'", "fs", "skipped"},
    {"tasks.u0.state == 'failed' && tasks.u1.state == 'skipped'", "fk", "dispatched"},
    {"tasks.u0.state == 'failed'", "as", "dispatched"}, // it sees what an allowed failure is
    {"tasks.u0.state + 1 == 2", "ss", "failed"},
    {"tasks.u0.state", "ss", "failed"},
  }));
  CAPTURE(text, letters);
  auto f = upstreams_of(letters, text);
  f.add_task("last").after("j").join("all_done");
  core_world world{f};
  if (letters[1] != 'k') {
    end_upstreams(world, letters.substr(0, 1));
    CHECK(world.state("j") == "pending"); // u1 is not decided
    world.finish("u1");
  } else {
    end_upstreams(world, letters);
  }
  CHECK(world.state("j") == expected);
  if (expected == "skipped")
    CHECK(world.reason("j") == "join");
  if (expected == "failed") {
    CHECK(world.failure_class("j") == "permanent");
    CHECK(world.failure("j").code == "expression");
    CHECK(world.failure("j").message.starts_with("join"));
  }
}

TEST_CASE("scheduler_core: what an expression mentions is an upstream",
          "[logic][scheduler_core][joins]") {
  flow f{"a; b; c; j"};
  f["a"].out("n");
  f["j"]
    .in("n", "${{ tasks.a.out.n }}")
    .when("tasks.b.state == 'succeeded'")
    .env("C", "${{ tasks.c.state }}");
  core_world world{f};
  CHECK(world.state("j") == "pending");
  world.finish("a", {{"n", 5}});
  world.finish("b");
  CHECK(world.state("j") == "pending");
  world.finish("c");
  CHECK(world.started("j").inputs == model::value{{"n", 5}});
  CHECK(world.env("j", "C") == "succeeded");
}

TEST_CASE("scheduler_core: an upstream that is named twice counts once",
          "[logic][scheduler_core][joins]") {
  flow f{"a; j < a a"};
  f["j"].when("tasks.a.state == 'succeeded'");
  core_world world{f};
  world.finish("a");
  CHECK(world.state("j") == "dispatched");
}

TEST_CASE("scheduler_core: a skip runs down a chain of 100 000 tasks",
          "[logic][scheduler_core][joins]") {
  constexpr int length = 100'000;
  flow f;
  f.add_task("t0").when("false");
  for (int i = 1; i < length; ++i)
    f.add_task("t" + std::to_string(i)).after("t" + std::to_string(i - 1));
  core_world world{f};
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().counts[std::size_t(model::task_state::skipped)] == length);
  CHECK(world.steps == 1);
}

TEST_CASE("scheduler_core: a fan-in of 10 000 tasks waits for the last",
          "[logic][scheduler_core][joins]") {
  constexpr int width = 10'000;
  flow f;
  auto join = f.add_task("join");
  std::string names;
  for (int i = 0; i < width; ++i)
    names += "u" + std::to_string(i) + " ";
  join.after(names);
  for (int i = 0; i < width; ++i)
    f.add_task("u" + std::to_string(i));
  core_world world{core_world::roomy(), core_world::checking::nothing};
  world.submit(f);
  const auto all = world.under_way;
  REQUIRE(all.size() == width);
  for (const auto& [task, start] : all) {
    REQUIRE(world.state("join") == "pending");
    world.report(world.report_of(start.key));
  }
  CHECK(world.state("join") == "dispatched");
  world.finish("join");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.steps == width + 2);
}

// Of the scheduler core: tasks that are done once for each of some items.
#include "tests/logic/core_world.hpp"

using namespace sluice;
using namespace sluice::logic;
using model::retry_scope;
using model::value;

namespace {

model::retry_policy twice() {
  model::retry_policy policy;
  policy.max = 1;
  policy.jitter = 0;
  return policy;
}

std::string changed(const expected<model::control_result>& result) {
  REQUIRE(result);
  std::string text;
  for (const auto& name : result->tasks)
    text += (text.empty() ? "" : " ") + name;
  return text;
}

std::string refusal(const expected<model::control_result>& result) {
  REQUIRE_FALSE(result);
  return result.error().message;
}

} // namespace

TEST_CASE("scheduler_core: a task is done for each of its items", "[logic][fan_out]") {
  flow f{"a; b < a; c < b"};
  f["b"].foreach ({"x", "y"}).in("what", "${{ item }}").env("WHO", "${{ item }}-${{ run.id }}");
  core_world world{f};
  CHECK(world.running() == "a");
  world.finish("a");
  CHECK(world.running() == "b[x] b[y]");
  CHECK(world.started("b[y]").inputs == value{{"what", "y"}});
  CHECK(world.env("b[y]", "WHO") == "y-r-1");
  CHECK(world.started("b[y]").instance->index == 1);
  CHECK(world.started("b[y]").instance->count == 2);
  CHECK(world.state("b") == "pending");
  world.finish("b[y]");
  CHECK(world.running() == "b[x]");
  world.finish("b[x]");
  CHECK(world.state("b") == "succeeded");
  CHECK(world.running() == "c");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.states() == "a=succeeded c=succeeded b[x]=succeeded b[y]=succeeded");
  CHECK_FALSE(world.recorded().degraded);
}

TEST_CASE("scheduler_core: without items the task has succeeded", "[logic][fan_out]") {
  flow f{"a; b < a"};
  f["a"].foreach (value::array()).out("n");
  f["b"].in("all", "${{ tasks.a.out.n }}");
  core_world world{f};
  world.load("a", value{{"index", value::array()}, {"out", value::array()}});
  CHECK(world.state("a") == "succeeded");
  CHECK(world.started("b").inputs == value{{"all", value::array()}});
  world.play();
  CHECK(world.states() == "a=succeeded b=succeeded");
}

TEST_CASE("scheduler_core: what it is fanned out over is known at run time", "[logic][fan_out]") {
  flow f{"a; b"};
  f["a"].out("files", model::value_type::list);
  f["b"].foreach ("${{ tasks.a.out.files }}").as("file").in("f", "${{ file.name }}");
  f["b"].key("${{ item.id }}");
  core_world world{f};
  world.finish("a", {{"files", {{{"id", "one"}, {"name", "1.csv"}}, {{"id", 2}, {"name", "2"}}}}});
  CHECK(world.running() == "b[one] b[2]");
  CHECK(world.started("b[one]").inputs == value{{"f", "1.csv"}});
}

TEST_CASE("scheduler_core: items that are none fail the task", "[logic][fan_out]") {
  flow f{"a; b"};
  f["a"].out("v", model::value_type::list);
  f["b"].foreach ("${{ tasks.a.out.v }}");
  const auto [items, why] = GENERATE(table<const char*, const char*>({
    {R"("x")", R"(items: "x" is no range such as "1-100")"},
    {R"(["x", "y", "x"])", "items 0 and 2 would both be named 'x'; tell them apart with `key`"},
    {"1000001", "items: 1000001 items are more than the limit of 1000000"},
  }));
  core_world world{f};
  world.finish("a", {{"v", *model::parse_json(items)}});
  CHECK(world.state("b") == "failed");
  CHECK(world.failure("b").code == "expression");
  CHECK(world.failure("b").message == why);
  CHECK(world.run_state() == "failed");
}

TEST_CASE("scheduler_core: no more instances run than max_parallel", "[logic][fan_out]") {
  flow f{"a; b"};
  f["a"].foreach (5).max_parallel(2).retry(twice());
  core_world world{f};
  CHECK(world.running() == "b a[0] a[1]");
  world.fail("a[0]"); // its wait takes no place
  CHECK(world.running() == "b a[1] a[2]");
  world.fire("a[0]");
  CHECK(world.running() == "b a[1] a[2]");
  CHECK(world.state("a[0]") == "ready");
  world.finish("a[2]"); // what waits already comes before what has not begun
  CHECK(world.running() == "b a[0] a[1]");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a[0]") == 2);
}

TEST_CASE("scheduler_core: few instances are worked out before they can start",
          "[logic][fan_out]") {
  flow f{"a"};
  f["a"].foreach (10'000).in("i", "${{ item }}");
  core_world world{core_world::with_slots(2), core_world::checking::nothing};
  world.submit(f);
  CHECK(world.core.find_run(world.last_run)->prepared.size() < 100);
  for (int i = 0; i < 500; ++i)
    world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.starts.size() == 10'000);
  CHECK(world.most_at_once == 2);
}

TEST_CASE("scheduler_core: a when that names item is asked of each instance", "[logic][fan_out]") {
  flow f{"a; b; c < b"};
  f["a"].foreach (4).when("item % 2 == 0").join("all_success");
  f["b"].foreach (3).when("item > 5");
  core_world world{f};
  CHECK(world.running() == "a[0] a[2]");
  CHECK(world.states("a[1] b b[0] c") == "a[1]=skipped b=skipped b[0]=skipped c=skipped");
  CHECK(world.reason("a[1]") == "when");
  world.play();
  CHECK(world.state("a") == "succeeded");
  CHECK(world.run_state() == "succeeded");
}

TEST_CASE("scheduler_core: outputs of instances are a list in order of the items",
          "[logic][fan_out]") {
  flow f{"a; b; c"};
  f["a"].foreach ({"x", "y", "z"}).out("n").max_failures(1);
  f["b"]
    .in("all", "${{ tasks.a.out.n }}")
    .in("sum", "${{ sum(tasks.a.out.n) }}")
    .in("y", "${{ tasks.a['y'].out.n }}")
    .in("states", "${{ tasks.a.states }}")
    .in("x", "${{ tasks.a['x'].state + default(tasks.a['x'].out.n, '-') }}")
    .in("first", "${{ tasks.a.out[0].n }}");
  f["c"].foreach ("${{ tasks.a.out.n }}");
  core_world world{f};
  world.finish("a[z]", {{"n", 3}});
  world.fail("a[x]");
  world.finish("a[y]", {{"n", 2}});
  CHECK(world.state("a") == "succeeded");
  REQUIRE(world.loads.size() == 1); // for both, from the store
  world.load("a", value{{"index", {1, 2}}, {"out", {{{"n", 2}}, {{"n", 3}}}}});
  CHECK(world.started("b").inputs
        == value{{"all", {2, 3}},
                 {"sum", 5},
                 {"y", 2},
                 {"states", {"failed", "succeeded", "succeeded"}},
                 {"x", "failed-"},
                 {"first", 2}});
  CHECK(world.running() == "b c[2] c[3]");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: one failure more than may be fails the task", "[logic][fan_out]") {
  flow f{"a; b < a; c < a | one_failed"};
  f["a"].foreach (5).max_failures(1).max_parallel(2);
  SECTION("what has not started is left out") {
    core_world world{f};
    world.fail("a[0]");
    CHECK(world.running() == "a[1] a[2]");
    world.fail("a[1]", 7);
    CHECK(world.running() == "a[2]"); // goes on to its end
    CHECK(world.states("a a[3] a[4]") == "a=pending a[3]=skipped a[4]=skipped");
    CHECK(world.reason("a[4]") == "siblings_failed");
    world.finish("a[2]");
    CHECK(world.states("a b c") == "a=failed b=skipped c=dispatched");
    CHECK(world.failure("a").message
          == "2 of 5 instances failed, the first one 'a[0]': exit code 1");
  }
  SECTION("but not when the run goes on all the same") {
    f.carry_on();
    core_world world{f};
    world.fail("a[0]");
    world.fail("a[1]");
    world.play();
    CHECK(world.states("a a[4]") == "a=failed a[4]=succeeded");
  }
}

TEST_CASE("scheduler_core: so many instances have to succeed", "[logic][fan_out]") {
  flow f{"a; b < a | all_done"};
  f["a"].foreach (4).max_failures(4).min_success(2).when("item != 3").max_parallel(1);
  core_world world{f};
  SECTION("enough do") {
    world.fail("a[0]");
    world.finish("a[1]");
    world.finish("a[2]");
    CHECK(world.state("a") == "succeeded");
  }
  SECTION("too few can, and what is left is not tried") {
    f["a"].min_success(4).max_parallel(2);
    core_world few{f};
    few.fail("a[0]");
    CHECK(few.states("a[1] a[2] a[3]") == "a[1]=dispatched a[2]=skipped a[3]=skipped");
    few.restart();
    few.finish("a[1]");
    CHECK(few.state("a") == "failed");
    CHECK(
      few.failure("a").message
      == "only 1 of 4 instances succeeded, fewer than the 4 of min_success; of those that failed "
         "the first one 'a[0]': exit code 1");
  }
  SECTION("too few can") {
    world.fail("a[0]");
    world.fail("a[1]");
    world.finish("a[2]");
    CHECK(world.state("a") == "failed");
    CHECK(
      world.failure("a").message
      == "only 1 of 4 instances succeeded, fewer than the 2 of min_success; of those that failed "
         "the first one 'a[0]': exit code 1");
  }
}

TEST_CASE("scheduler_core: an allowed failure leaves nothing out", "[logic][fan_out]") {
  flow f{"a!; b < a"};
  f["a"].foreach (3).max_parallel(1);
  core_world world{f};
  world.fail("a[0]");
  world.play();
  CHECK(world.states("a a[2] b") == "a=failed a[2]=succeeded b=succeeded");
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: a run that stops or is cancelled takes its instances along",
          "[logic][fan_out]") {
  flow f{"a; b"};
  f["a"].foreach (3).max_parallel(1).retry(twice());
  core_world world{f};
  SECTION("stop") {
    world.fail("a[0]");
    world.fail("b");
    CHECK(world.states("a a[0] a[2]") == "a=pending a[0]=failed a[2]=skipped");
    CHECK(world.state("a[1]") == "dispatched"); // goes on to its end
    world.finish("a[1]");
    CHECK(world.state("a") == "failed");
    CHECK(world.run_state() == "failed");
  }
  SECTION("cancel") {
    world.cancel();
    CHECK(world.states("a[0] a[1] a[2]") == "a[0]=cancelling a[1]=cancelled a[2]=cancelled");
    world.play();
    CHECK(world.state("a") == "cancelled");
    CHECK(world.run_state() == "cancelled");
  }
}

TEST_CASE("scheduler_core: the deadline of a task is that of all its instances",
          "[logic][fan_out]") {
  flow f{"a"};
  f["a"].foreach (3).max_parallel(1).deadline(model::milliseconds{5'000});
  core_world world{f};
  world.finish("a[0]");
  world.fire("a", model::timer_kind::deadline);
  CHECK(world.states("a[1] a[2]") == "a[1]=cancelling a[2]=failed");
  CHECK(world.failure("a[2]").message == "not done within 5s of the submission");
  world.fail("a[1]");
  CHECK(world.state("a") == "failed");
}

TEST_CASE("scheduler_core: instances go on after a restart", "[logic][fan_out]") {
  flow f{"a; b; c < b"};
  f["a"].out("v", model::value_type::list);
  f["b"].foreach ("${{ tasks.a.out.v }}").max_parallel(1).retry(twice()).max_failures(1);
  f["b"].in("also", "${{ tasks.a.out.v[0] + item }}");
  core_world world{f};
  world.finish("a", {{"v", {"x", "y", "z"}}});
  world.fail("b[x]");
  REQUIRE(world.running() == "b[y]");
  world.restart();
  world.lose_executor();
  // What their inputs need is read back once.
  REQUIRE(world.loads.size() == 1);
  world.load("a", value{{"v", {"x", "y", "z"}}});
  CHECK(world.running() == "b[y]");
  CHECK(world.attempt("b[y]") == 2);
  world.finish("b[y]");
  CHECK(world.started("b[z]").inputs == value{{"also", "xz"}});
  world.fire("b[x]");
  world.finish("b[z]");
  world.fail("b[x]");
  CHECK(world.states("b c") == "b=succeeded c=dispatched");
  world.restart();
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: a retry does again those instances that failed", "[logic][fan_out]") {
  flow f{"a; b; c < b"};
  f["b"].foreach (4).max_parallel(2);
  core_world world{f};
  world.finish("b[0]");
  world.finish("b[1]");
  world.fail("b[2]");
  world.play();
  REQUIRE(world.states("b b[3] c") == "b=failed b[3]=succeeded c=skipped");
  const auto done = world.retry();
  CHECK(changed(done) == "c b[2]");
  CHECK(done->kept == 4);
  CHECK(world.running() == "b[2]");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("b[0]") == 1);
}

TEST_CASE("scheduler_core: a retry from before it is fanned out fans it out anew",
          "[logic][fan_out]") {
  flow f{"a; b; c < b"};
  f["a"].out("n");
  f["b"].foreach ("${{ tasks.a.out.n }}");
  core_world world{f};
  world.finish("a", {{"n", 3}});
  world.play();
  REQUIRE(world.run_state() == "succeeded");
  CHECK(changed(world.retry(retry_scope::from, "a")) == "a b c");
  world.finish("a", {{"n", 1}});
  CHECK(world.running() == "b[0]");
  CHECK(world.recorded().names().find("b[0]") == 6);
  CHECK_FALSE(world.recorded().names().find("b[1]"));
  world.restart();
  world.loads.clear(); // it has its items
  world.play();
  CHECK(world.states() == "a=succeeded c=succeeded b[0]=succeeded");

  SECTION("and an instance can be named") {
    const auto done = world.retry(retry_scope::from, "b[0]");
    CHECK(changed(done) == "c b[0]");
    world.load("a", value{{"n", 1}});
    CHECK(world.running() == "b[0]");
    CHECK(world.attempt("b[0]") == 2);
  }
  SECTION("or its task") {
    CHECK(changed(world.retry(retry_scope::from, "b")) == "b c");
    REQUIRE(world.loads.size() == 1);
    world.load("a", value{{"n", 2}});
    CHECK(world.running() == "b[0] b[1]");
  }
}

TEST_CASE("scheduler_core: an instance is done again with those that were left out for it",
          "[logic][fan_out]") {
  flow f{"a; b < a"};
  f["a"].foreach (4).max_parallel(2);
  core_world world{f};
  world.fail("a[0]");
  world.finish("a[1]");
  REQUIRE(world.states("a a[2] a[3]") == "a=failed a[2]=skipped a[3]=skipped");
  CHECK(changed(world.retry(retry_scope::from, "a[0]")) == "b a[0] a[2] a[3]");
  world.play();
  CHECK(world.run_state() == "succeeded");
  CHECK(world.attempt("a[1]") == 1);
}

TEST_CASE("scheduler_core: operators decide about instances", "[logic][fan_out]") {
  flow f{"a; b < a"};
  f["a"].foreach (3).max_parallel(1).max_failures(1);
  core_world world{f};
  CHECK(refusal(world.mark("a", model::task_state::succeeded))
        == "task 'a' is fanned out: mark its instances, such as 'a[...]'");
  CHECK(refusal(world.control(model::pause_task{"a"}))
        == "task 'a' is fanned out: pause its instances, such as 'a[...]'");
  CHECK(world.mark("a[2]", model::task_state::skipped));
  CHECK(world.control(model::pause_task{"a[1]"}));
  world.fail("a[0]");
  CHECK(world.running().empty());
  CHECK(world.mark("a[0]", model::task_state::succeeded));
  CHECK(world.control(model::resume_task{"a[1]"}));
  CHECK(world.running() == "a[1]");
  world.fail("a[1]");
  CHECK(world.state("a") == "succeeded");
  CHECK(refusal(world.mark("a[1]", model::task_state::succeeded))
        == "task 'a' is decided already: it is succeeded; mark that one");
  world.play();
  CHECK(world.recorded().degraded);
}

TEST_CASE("scheduler_core: a mark makes up for a failure when nothing was left out",
          "[logic][fan_out]") {
  flow f{"a; b < a"};
  f["a"].foreach (3);
  core_world world{f};
  world.fail("a[0]"); // one more than may be, but all others run
  CHECK(world.mark("a[0]", model::task_state::succeeded));
  world.finish("a[1]");
  world.finish("a[2]");
  CHECK(world.states("a b") == "a=succeeded b=dispatched");
}

TEST_CASE("scheduler_core: instances that succeeded are compensated one by one",
          "[logic][fan_out]") {
  flow f{"a; b < a"};
  f.compensate();
  f["a"].foreach (2).compensate().in("i", "${{ item }}").max_parallel(1);
  core_world world{f};
  world.finish("a[0]");
  world.finish("a[1]");
  world.fail("b");
  CHECK(world.running() == "a[1]");
  CHECK(world.started("a[1]").role == model::command_role::compensate);
  CHECK(world.started("a[1]").inputs == value{{"i", 1}});
  world.restart();
  world.finish("a[1]");
  CHECK(world.running() == "a[0]");
  world.play();
  CHECK(world.run_state() == "rolled_back");
  CHECK(world.states("a[0] a[1]") == "a[0]=rolled_back a[1]=rolled_back");
  // What it needs has to be done again.
  CHECK(changed(world.retry(retry_scope::from, "b")) == "b a[0] a[1]");
  CHECK(world.running() == "a[0]");
}

TEST_CASE("scheduler_core: a breaker of the task holds all its instances back",
          "[logic][fan_out]") {
  flow f{"a"};
  f["a"].foreach (10).max_failures(10).max_parallel(1);
  core_world world{f};
  for (const auto* task : {"a[0]", "a[1]", "a[2]", "a[3]", "a[4]"})
    world.fail(task);
  CHECK(world.running().empty());
  CHECK(world.state("a[5]") == "waiting");
  world.fire("a[5]", model::timer_kind::breaker);
  CHECK(world.running() == "a[5]");
  world.finish("a[5]");
  world.play();
  CHECK(world.state("a") == "succeeded");
}

TEST_CASE("scheduler_core: instances with the same key are done once", "[logic][fan_out]") {
  flow f{"a"};
  f["a"].foreach (6).idempotency("${{ item % 2 }}").max_parallel(2);
  core_world world{f};
  for (int i = 0; i < 40 && world.run_state() == "running"; ++i) {
    while (!world.look_ups.empty())
      world.look_up();
    world.play();
  }
  CHECK(world.run_state() == "succeeded");
  CHECK(world.starts.size() == 2);
}

TEST_CASE("scheduler_core: a task ends whose last instances were decided while nobody had its run",
          "[logic][scheduler_core][fan_out]") {
  flow f;
  model::retry_policy once_more;
  once_more.max = 1;
  f.add_task("a").foreach (2).retry(once_more);
  f.add_task("b").after("a");
  core_world world{f};
  world.fail("a[0]");
  world.fail("a[1]");
  auto stored = world.stored(world.last_run);
  for (const std::uint32_t instance : {2, 3}) {
    REQUIRE(stored.tasks[instance].state == model::task_state::retry_wait);
    stored.tasks[instance].state = model::task_state::succeeded; // as a mark does
    stored.tasks[instance].finished_us = 1;
  }
  stored.timers.clear();
  stored.retries.clear();
  scheduler_core next{core_world::roomy()};
  REQUIRE(next.restore(stored, world.now));
  CHECK(next.find_run(world.last_run)->tasks[0].state == model::task_state::succeeded);
}

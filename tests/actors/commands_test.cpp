// Tasks with commands beside their action, in the whole tree.
#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using actors::child;
using model::command_role;
using model::run_state;
using model::task_state;

namespace {

model::failure exit_3() {
  return {model::failure_class::exit, "3", "exit 3"};
}

} // namespace

TEST_CASE_METHOD(runtime_world, "commands: that a task validates is stored", "[actors][commands]") {
  start();
  auto a = task("a");
  set_command(*a.settings, command_role::validate, model::run_action{"true"});
  const auto run_no = submit({a});
  const auto key = launcher->key_of("a");
  launcher->confirm(key, clock().wall());
  launcher->validate(key);
  run();
  CHECK(task_state(run_no, "a") == task_state::validating);

  SECTION("and outlives the scheduler") {
    crash(child::scheduler);
    advance(model::seconds{1});
    CHECK(task_state(run_no, "a") == task_state::validating);
  }
  SECTION("and the executor, whose attempts are lost") {
    crash(child::process_executor);
    advance(model::seconds{1});
    CHECK(task_state(run_no, "a") == task_state::dispatched);
    CHECK(launcher->key_of("a").attempt == 2);
  }
  launcher->end(launcher->key_of("a"), clock().wall());
  run();
  CHECK(run_state(run_no) == run_state::succeeded);
}

TEST_CASE_METHOD(runtime_world, "commands: the time of an attempt counts on while it validates",
                 "[actors][commands]") {
  start();
  auto a = task("a");
  a.settings->timeout = model::seconds{10};
  set_command(*a.settings, command_role::validate, model::run_action{"true"});
  const auto run_no = submit({a});
  const auto key = launcher->key_of("a");
  launcher->confirm(key, clock().wall());
  run();
  advance(model::seconds{9});
  launcher->validate(key);
  run();
  advance(model::seconds{2});
  CHECK(task_state(run_no, "a") == task_state::cancelling);
  CHECK(launcher->signals.size() == 1);
  launcher->end(key, clock().wall(), exit_3());
  run();
  CHECK(reader().task(run_no, "a")->failure->failure_class == model::failure_class::timeout);
}

TEST_CASE_METHOD(runtime_world, "commands: only the action is asked for heartbeats",
                 "[actors][commands]") {
  start();
  auto a = task("a");
  a.settings->heartbeat = model::seconds{10};
  set_command(*a.settings, command_role::validate, model::run_action{"true"});
  set_command(*a.settings, command_role::rollback, model::run_action{"true"});
  submit({a});
  auto key = launcher->key_of("a");
  launcher->confirm(key, clock().wall());
  launcher->validate(key);
  run();
  advance(model::seconds{60});
  CHECK(launcher->signals.empty());
  launcher->end(key, clock().wall(), exit_3());
  run();
  key = launcher->key_of("a");
  REQUIRE(key.attempt == 2);
  launcher->confirm(key, clock().wall());
  run();
  advance(model::seconds{60});
  CHECK(launcher->signals.empty());
}

TEST_CASE_METHOD(runtime_world, "commands: a rollback outlives the scheduler and its executor",
                 "[actors][commands]") {
  start();
  auto a = call("a", "fail"); // its action runs elsewhere than its rollback
  set_command(*a.settings, command_role::rollback, model::exec_action{{"/bin/true"}});
  const auto run_no = submit({a});
  CHECK(task_state(run_no, "a") == task_state::rolling_back);
  CHECK(launcher->starts.back()->role == command_role::rollback);
  crash(child::scheduler);
  advance(model::seconds{1});
  CHECK(launcher->starts.size() == 1); // it runs on
  crash(child::process_executor);
  advance(model::seconds{1});
  CHECK(launcher->starts.size() == 2);
  CHECK(launcher->key_of("a").attempt == 3);
  finish("a");
  CHECK(task_state(run_no, "a") == task_state::rolled_back);
  CHECK(run_state(run_no) == run_state::failed);
}

TEST_CASE_METHOD(runtime_world, "commands: a run is compensated with what its tasks put out",
                 "[actors][commands]") {
  start();
  auto a = task("a");
  a.out = {{"text", model::value_type::text}};
  a.in = {{"x", 1}};
  set_command(*a.settings, command_role::compensate, model::exec_action{{"/bin/true"}});
  auto b = task("b");
  b.after = {"a"};
  const model::value put_out{{"text", std::string(100'000, 'x')}}; // more than is kept
  const auto run_no = submit({a, b}, model::on_failure::compensate);
  finish("a", std::nullopt, put_out);
  const bool restarts = GENERATE(false, true);
  if (restarts) {
    crash(child::scheduler);
    advance(model::seconds{1});
  }
  finish("b", exit_3());
  CHECK(run_state(run_no) == run_state::rolling_back);
  const auto order = launcher->starts.back();
  CHECK(order->role == command_role::compensate);
  CHECK(order->kept->result == put_out);
  CHECK(order->inputs == model::value{{"x", 1}});
  if (restarts) {
    crash(child::scheduler);
    crash(child::process_executor);
    advance(model::seconds{1});
    CHECK(launcher->starts.back()->key.attempt == 3);
    CHECK(launcher->starts.back()->kept->result == put_out);
  }
  finish("a");
  CHECK(task_state(run_no, "a") == task_state::rolled_back);
  CHECK(run_state(run_no) == run_state::rolled_back);
  CHECK(reader().outputs({run_no, 0}).value() == put_out);
}

TEST_CASE_METHOD(runtime_world, "commands: an ended run that is rolled back is its runtime's own",
                 "[actors][commands]") {
  start();
  auto a = task("a");
  set_command(*a.settings, command_role::compensate, model::exec_action{{"/bin/true"}});
  const auto run_no = submit({a});
  finish("a");
  std::optional<expected<model::control_result>> done;
  const auto roll_back = [&] {
    self->send(host, actors::host_control{{run_no, model::rollback_run{}, "operator"},
                                          [&](const auto& result) { done = result; }});
    run();
  };
  roll_back();
  REQUIRE((done && *done));
  CHECK((*done)->tasks == std::vector<std::string>{"a"});
  CHECK(run_state(run_no) == run_state::rolling_back);
  crash(child::scheduler); // and the next one takes it up
  advance(model::seconds{1});
  finish("a");
  CHECK(run_state(run_no) == run_state::rolled_back);
  roll_back();
  CHECK(done->error().code == errc::conflict);
}

TEST_CASE_METHOD(runtime_world, "commands: a fallback may be another kind of action",
                 "[actors][commands]") {
  start();
  SECTION("a native handler after a process") {
    auto a = task("a");
    set_command(*a.settings, command_role::fallback, model::call_action{"noop"});
    const auto run_no = submit({a});
    finish("a", exit_3());
    CHECK(run_state(run_no) == run_state::succeeded);
  }
  SECTION("a process after a native handler") {
    auto a = call("a", "fail");
    set_command(*a.settings, command_role::fallback, model::exec_action{{"/bin/true"}});
    const auto run_no = submit({a});
    CHECK(launcher->starts.back()->role == command_role::fallback);
    crash(child::scheduler);
    advance(model::seconds{1});
    CHECK(launcher->starts.size() == 1); // it runs on
    finish("a");
    CHECK(run_state(run_no) == run_state::succeeded);
    const auto attempts = *reader().attempts({run_no, 0});
    REQUIRE(attempts.size() == 2);
    CHECK(attempts[0].executor == model::executor_kind::function);
    CHECK(attempts[1].executor == model::executor_kind::process);
    CHECK(attempts[1].role == command_role::fallback);
  }
}

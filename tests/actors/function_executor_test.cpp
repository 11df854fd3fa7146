#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using model::run_state;
using model::task_state;

TEST_CASE_METHOD(runtime_world, "function_executor: built-in handlers end as they say",
                 "[actors][function_executor]") {
  start();
  auto echo = call("echo", "echo", {{"n", 7}});
  echo.out = {{"n", model::value_type::integer}};
  auto failing = call("fail", "fail", {{"message", "as asked"}, {"class", "validation"}});
  failing.settings->allow_failure = true;
  const auto run_no = submit({call("noop", "noop"), echo, failing});
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK(reader().run(run_no)->degraded);
  CHECK(*reader().outputs({run_no, 1}) == model::value{{"n", 7}});
  const auto failure = reader().task(run_no, "fail")->failure;
  REQUIRE(failure);
  CHECK(failure->failure_class == model::failure_class::validation);
  CHECK(failure->message == "as asked");
}

TEST_CASE_METHOD(runtime_world, "function_executor: a sleep takes its time and no slot",
                 "[actors][function_executor]") {
  start(1);
  const auto run_no =
    submit({call("s1", "sleep", {{"seconds", 60}}), call("s2", "sleep", {{"seconds", 60}})});
  advance(model::seconds{59});
  CHECK(task_state(run_no, "s1") == task_state::dispatched);
  advance(model::seconds{2});
  CHECK(run_state(run_no) == run_state::succeeded);
}

TEST_CASE_METHOD(runtime_world, "function_executor: cancel and timeout end a sleep early",
                 "[actors][function_executor]") {
  start();
  auto sleep = call("s", "sleep", {{"seconds", 3600}});
  sleep.settings->timeout = model::seconds{5};
  const auto run_no = submit({sleep});
  SECTION("cancel") {
    cancel(run_no);
    CHECK(run_state(run_no) == run_state::cancelled);
  }
  SECTION("timeout") {
    advance(model::seconds{6});
    CHECK(run_state(run_no) == run_state::failed);
    CHECK(reader().task(run_no, "s")->failure->failure_class == model::failure_class::timeout);
  }
}

TEST_CASE_METHOD(runtime_world, "function_executor: outputs are checked against the declared",
                 "[actors][function_executor]") {
  start();
  auto echo = call("echo", "echo", {{"n", "seven"}});
  echo.out = {{"n", model::value_type::integer}};
  const auto run_no = submit({echo});
  CHECK(run_state(run_no) == run_state::failed);
  CHECK(reader().task(run_no, "echo")->failure->failure_class == model::failure_class::validation);
}

TEST_CASE_METHOD(runtime_world, "function_executor: blocking handlers run on workers",
                 "[actors][function_executor]") {
  int calls = 0;
  REQUIRE(functions->add("count", executors::blocking_handler{[&](const auto& c) {
                           ++calls;
                           return executors::call_result{model::value{{"task", c.task}}};
                         }}));
  REQUIRE(
    functions->add("throw", executors::blocking_handler{[](const auto&) -> executors::call_result {
                     throw std::runtime_error("oops");
                   }}));
  start(2);
  const auto run_no =
    submit({call("c1", "count"), call("c2", "count"), call("c3", "count"), call("t", "throw")});
  CHECK(calls == 3);
  CHECK(run_state(run_no) == run_state::failed);
  CHECK(*reader().outputs({run_no, 0}) == model::value{{"task", "c1"}});
  const auto failure = reader().task(run_no, "t")->failure;
  REQUIRE(failure);
  CHECK(failure->failure_class == model::failure_class::internal);
  CHECK_THAT(failure->message, Catch::Contains("oops"));
}

TEST_CASE_METHOD(runtime_world, "function_executor: calls of a dead one are lost and made again",
                 "[actors][function_executor]") {
  start();
  const auto run_no = submit({call("s", "sleep", {{"seconds", 60}})});
  crash(actors::child::function_executor);
  advance(model::seconds{1});
  const auto row = reader().task(run_no, "s");
  CHECK(row->attempt == 2);
  CHECK(row->losses == 1);
  advance(model::seconds{61});
  CHECK(run_state(run_no) == run_state::succeeded);
}

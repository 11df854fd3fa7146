// Of the process thread: attempts whose result is validated.
#include "executors/process_thread.hpp"
#include "tests/executors/process_world.hpp"

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;

namespace fs = std::filesystem;

namespace {

/// A task that puts out a number of rows, and the command that looks at it.
one_task validated(std::string action, std::string validation) {
  auto task = shell_task(std::move(action));
  set_command(*task.task().settings, model::command_role::validate,
              model::run_action{std::move(validation)});
  return task;
}

} // namespace

TEST_CASE("validation: it sees what the action saw, and what it put out",
          "[executors][validation]") {
  process_world world;
  auto task = validated("echo action $n; echo rows=3 >$SLUICE_OUT",
                        "echo validation $n $X; cat \"$SLUICE_OUT\"; cat \"$SLUICE_IN\"");
  task.inputs = {{"n", 7}};
  task.env = {{"X", "x"}};
  task.task().out = {{"rows", model::value_type::integer}};
  const auto report = world.run(task);
  INFO(world.log(report.key));
  REQUIRE_FALSE(report.failure.has_value());
  CHECK(report.outputs == model::value{{"rows", 3}});
  CHECK(world.has_started(report.key));
  CHECK(world.log(report.key) == "action 7\nvalidation 7 x\nrows=3\n{\"n\":7}");
}

TEST_CASE("validation: what was put out by a call is in the file it reads",
          "[executors][validation]") {
  process_world world;
  auto task = validated("echo rows=3 >$SLUICE_OUT; until test -e go; do sleep 0.01; done",
                        "cat \"$SLUICE_OUT\"");
  task.task().out = {{"rows", model::value_type::integer}, {"table", model::value_type::text}};
  const auto key = world.start(task);
  world.wait_started(key);
  world.thread().put_out(key, {{"table", "daily"}});
  world.thread().put_out(key, {{"rows", 4}});
  write_file(world.base() / "go", "");
  const auto report = world.wait_ended(key);
  INFO(world.log(key));
  CHECK_FALSE(report.failure);
  CHECK(report.outputs == model::value{{"rows", 4}, {"table", "daily"}});
  CHECK(world.log(key) == R"({"rows":4,"table":"daily"})");
}

TEST_CASE("validation: its failure is one of class validation", "[executors][validation]") {
  process_world world;
  const auto [action, validation, as, code, message] =
    GENERATE(table<std::string, std::string, failure_class, std::string, std::string>({
      {"true", "exit 3", failure_class::validation, "3", "its validation failed: exit 3"},
      {"true", "exit 75", failure_class::validation, "75", "its validation failed: exit 75"},
      {"true", "kill -KILL $$", failure_class::validation, "SIGKILL",
       "its validation failed: killed by SIGKILL"},
      {"exit 4", "true", failure_class::exit, "4", "exit 4"},
    }));
  CAPTURE(validation);
  auto task = validated(action, validation);
  const auto report = world.run(task);
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == as);
  CHECK(report.failure->code == code);
  CHECK(report.failure->message == message);
  CHECK(report.outputs.is_null());
}

TEST_CASE("validation: a rollback is not validated, and puts nothing out",
          "[executors][validation]") {
  process_world world;
  auto task = validated("false", "touch validated");
  task.task().out = {{"rows", model::value_type::integer}};
  set_command(*task.task().settings, model::command_role::rollback,
              model::run_action{"echo undone ${SLUICE_OUT-nowhere}"});
  task.role = model::command_role::rollback;
  const auto report = world.run(task);
  CHECK_FALSE(report.failure.has_value());
  CHECK(report.outputs.is_null());
  CHECK(world.log(report.key) == "undone nowhere\n");
  CHECK_FALSE(fs::exists(world.base() / "validated"));
}

TEST_CASE("validation: a compensation finds what its task put out", "[executors][validation]") {
  process_world world;
  auto task = validated("false", "touch validated");
  task.task().out = {{"rows", model::value_type::integer}};
  set_command(*task.task().settings, model::command_role::compensate,
              model::run_action{"cat $SLUICE_RESULT; echo; echo ${SLUICE_OUT-nowhere} $x"});
  task.role = model::command_role::compensate;
  task.inputs = {{"x", 1}};
  task.has_result = true;
  SECTION("something") {
    task.result = {{"rows", 7}};
    CHECK(world.output_of(task) == "{\"rows\":7}\nnowhere 1\n");
  }
  SECTION("nothing") {
    CHECK(world.output_of(task) == "{}\nnowhere 1\n");
  }
  CHECK_FALSE(fs::exists(world.base() / "validated"));
}

TEST_CASE("validation: a program that is missing is named", "[executors][validation]") {
  process_world world;
  const auto report = world.run(validated("true", "no-such-program-at-all"));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::permanent);
  CHECK_THAT(world.log(report.key), Catch::Contains("no-such-program-at-all"));
}

TEST_CASE("validation: nothing is validated that failed or put out what is wrong",
          "[executors][validation]") {
  process_world world;
  auto task = validated("echo rows=x >$SLUICE_OUT", "touch validated");
  task.task().out = {{"rows", model::value_type::integer}};
  CHECK(world.run(task).failure->failure_class == failure_class::validation);
  task.task().action = model::run_action{"false"};
  CHECK(world.run(task).failure->code == "1");
  CHECK_FALSE(fs::exists(world.base() / "validated"));
}

TEST_CASE("validation: it can be stopped, and what was stopped before is not validated",
          "[executors][validation]") {
  process_world world;
  SECTION("while it runs") {
    const auto key = world.start(validated("true", "exec sleep 1000"));
    world.wait_validating(key);
    world.thread().signal(key, stop_signal::terminate);
    const auto report = world.wait_ended(key);
    REQUIRE(report.failure.has_value());
    CHECK(report.failure->code == "SIGTERM");
  }
  SECTION("while the action runs, which ends well all the same") {
    meeting_point ready{(world.base() / "ready").string()};
    const auto key = world.start(
      validated("trap 'exit 0' TERM; echo here >ready; sleep 1000 & wait", "touch validated"));
    CHECK(ready.next_line() == "here");
    world.thread().signal(key, stop_signal::terminate);
    const auto report = world.wait_ended(key);
    REQUIRE(report.failure.has_value());
    CHECK(report.failure->code == "not_validated");
    CHECK_FALSE(fs::exists(world.base() / "validated"));
  }
}

TEST_CASE("validation: both commands count as one attempt in one slot", "[executors][validation]") {
  process_world world{[](process_options& o) {
    o.slots = 1;
    o.give_back_after = model::milliseconds{60'000}; // also on a busy machine
  }};
  std::vector<model::attempt_key> keys;
  for (int i = 0; i < 5; ++i)
    keys.push_back(world.start(validated("test ! -e busy; touch busy", "rm busy")));
  for (const auto& key : keys) {
    const auto report = world.wait_ended(key);
    INFO(world.log(key));
    CHECK_FALSE(report.failure.has_value());
  }
}

// Of the process thread: attempts that take a snapshot before their action, and rollbacks that are
// given it.
#include "executors/process_thread.hpp"
#include "tests/executors/process_world.hpp"

#include <future>

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;

namespace fs = std::filesystem;

namespace {

/// A task with the command that takes its snapshot.
one_task careful(std::string snapshot, std::string action = "echo action") {
  auto task = shell_task(std::move(action));
  set_command(*task.task().settings, model::command_role::snapshot,
              model::run_action{std::move(snapshot)});
  set_command(*task.task().settings, model::command_role::rollback,
              model::run_action{"echo to put back: \"$(cat \"$SLUICE_SNAPSHOT\")\""});
  task.takes_snapshot = true;
  return task;
}

} // namespace

TEST_CASE("snapshot: the action waits until it is stored", "[executors][snapshot]") {
  process_world world;
  auto task = careful("echo snapshot $n ${SLUICE_OUT-nowhere}; printf old > $SLUICE_SNAPSHOT",
                      "echo action $n ${SLUICE_SNAPSHOT-none}; echo rows=3 > $SLUICE_OUT");
  task.inputs = {{"n", 7}};
  task.task().out = {{"rows", model::value_type::integer}};
  set_command(*task.task().settings, model::command_role::validate,
              model::run_action{"echo validation"});
  const auto key = world.start(task);
  CHECK(world.wait_snapshot(key) == "old");
  CHECK(world.has_started(key));
  CHECK(world.log(key) == "snapshot 7 nowhere\n");
  world.thread().go_on(key);
  const auto report = world.wait_ended(key);
  REQUIRE_FALSE(report.failure.has_value());
  CHECK(report.outputs == model::value{{"rows", 3}});
  CHECK(world.log(key) == "snapshot 7 nowhere\naction 7 none\nvalidation\n");
}

TEST_CASE("snapshot: nothing written is an empty one", "[executors][snapshot]") {
  process_world world;
  const auto key = world.start(careful(GENERATE("true", ": > $SLUICE_SNAPSHOT")));
  CHECK(world.wait_snapshot(key).empty());
  world.thread().go_on(key);
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
}

TEST_CASE("snapshot: one that fails fails the attempt, and nothing is done",
          "[executors][snapshot]") {
  process_world world;
  const auto [snapshot, as, code,
              message] = GENERATE(table<std::string, failure_class, std::string, std::string>({
    {"exit 3", failure_class::exit, "3", "its snapshot failed: exit 3"},
    {"exit 75", failure_class::transient, "75", "its snapshot failed: exit 75"},
    {"head -c 1048577 /dev/zero > $SLUICE_SNAPSHOT", failure_class::permanent, "snapshot_too_large",
     "its snapshot is larger than 1048576 bytes: write large data to a file, and its name to "
     "$SLUICE_SNAPSHOT"},
    {"mkfifo $SLUICE_SNAPSHOT", failure_class::permanent, "snapshot_invalid",
     "$SLUICE_SNAPSHOT is not a regular file"},
  }));
  CAPTURE(snapshot);
  const auto report = world.run(careful(snapshot, "touch done"));
  REQUIRE(report.failure.has_value());
  CHECK(*report.failure == model::failure{as, code, message});
  CHECK_FALSE(fs::exists(world.base() / "done"));
}

TEST_CASE("snapshot: the largest one is taken", "[executors][snapshot]") {
  process_world world;
  const auto key = world.start(careful("head -c 1048576 /dev/zero > $SLUICE_SNAPSHOT"));
  CHECK(world.wait_snapshot(key).size() == model::most_snapshot_bytes);
}

TEST_CASE("snapshot: what waits to go on can be stopped, and holds its slot",
          "[executors][snapshot]") {
  process_world world{[](process_options& options) {
    options.slots = 1;
    options.give_back_after = model::milliseconds{60'000};
  }};
  const auto key = world.start(careful("true", "touch done"));
  world.wait_snapshot(key);
  const auto next = world.start(shell_task("true"));
  SECTION("by a signal") {
    world.thread().signal(key, GENERATE(stop_signal::terminate, stop_signal::kill));
    CHECK(world.wait_ended(key).failure->failure_class == failure_class::cancelled);
    world.thread().go_on(key); // too late
    CHECK_FALSE(world.wait_ended(next).failure.has_value());
  }
  SECTION("with all others") {
    std::promise<void> gone;
    world.thread().abandon_all([&] { gone.set_value(); });
    REQUIRE(gone.get_future().wait_for(std::chrono::seconds{60}) == std::future_status::ready);
    CHECK_FALSE(world.run(shell_task("true")).failure.has_value()); // the slot is free
  }
  CHECK_FALSE(fs::exists(world.base() / "done"));
}

TEST_CASE("snapshot: a program that is missing is named", "[executors][snapshot]") {
  process_world world;
  const auto key = world.start(careful("true", "no-such-program-at-all"));
  world.wait_snapshot(key);
  world.thread().go_on(key);
  const auto report = world.wait_ended(key);
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::permanent);
  CHECK(report.started_at.has_value());
}

TEST_CASE("snapshot: the rollback finds it", "[executors][snapshot]") {
  process_world world;
  auto task = careful("exit 9");
  task.takes_snapshot = false;
  task.role = model::command_role::rollback;
  task.snapshot = std::make_shared<const std::string>("old");
  CHECK(world.output_of(task) == "to put back: old\n");
}

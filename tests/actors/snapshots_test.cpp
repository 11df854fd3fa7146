// Tasks that take a snapshot before their action, in the whole tree.
#include "tests/actors/runtime_world.hpp"

#include <algorithm>

using namespace sluice;
using actors::child;
using model::command_role;
using model::run_state;
using model::task_state;

namespace {

const error disk_full{errc::unavailable, "disk full"};

class snapshot_world : public runtime_world {
public:
  snapshot_world() {
    start();
    auto a = task("a");
    a.settings->heartbeat = model::seconds{10};
    set_command(*a.settings, command_role::snapshot, model::run_action{"true"});
    set_command(*a.settings, command_role::rollback, model::run_action{"true"});
    run_no = submit({a});
    key = launcher->key_of("a");
    launcher->confirm(key, clock().wall());
    run();
  }
  void hold() {
    launcher->hold(key, "as it was");
    run();
  }
  std::optional<storage::snapshot_row> stored() { return reader().snapshot({run_no, 0}).value(); }
  std::size_t events_of(model::event_type type) {
    const auto all = stored_events();
    return std::size_t(
      std::count_if(all.begin(), all.end(), [&](const auto& e) { return e.type == type; }));
  }

  model::run_no run_no;
  model::attempt_key key;
};

} // namespace

TEST_CASE_METHOD(snapshot_world, "snapshots: the action begins when it is stored",
                 "[actors][snapshots]") {
  CHECK(launcher->starts.back()->takes_snapshot);
  store->fail_next(1, disk_full);
  hold();
  CHECK(launcher->gone_on.empty());
  CHECK_FALSE(stored());
  advance(model::seconds{1});
  CHECK(launcher->gone_on == std::vector{key});
  REQUIRE(stored());
  CHECK(stored()->what == "as it was");
  launcher->end(key, clock().wall());
  run();
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK_FALSE(stored());
}

TEST_CASE_METHOD(snapshot_world, "snapshots: a scheduler that dies before the commit loses none",
                 "[actors][snapshots]") {
  store->fail_next(1, disk_full);
  hold();
  crash(child::scheduler); // it has taken the report, and stored nothing
  advance(model::seconds{5});
  CHECK(launcher->gone_on == std::vector{key});
  CHECK(stored());
  CHECK(events_of(model::event_type::task_snapshot) == 1);
}

TEST_CASE_METHOD(snapshot_world, "snapshots: a scheduler that dies after the commit goes on",
                 "[actors][snapshots]") {
  store->fail_next(1, disk_full, testing::fault_moment::after_commit);
  hold();
  CHECK(stored());
  CHECK(launcher->gone_on.empty());
  crash(child::scheduler);
  advance(model::seconds{5});
  CHECK(launcher->gone_on == std::vector{key});
  CHECK(events_of(model::event_type::task_snapshot) == 1);
}

TEST_CASE_METHOD(snapshot_world, "snapshots: an executor that dies before the commit takes another",
                 "[actors][snapshots]") {
  store->fail_next(1, disk_full);
  hold();
  crash(child::process_executor);
  advance(model::seconds{5});
  // What it had taken may have been on its way to the store.
  CHECK(launcher->starts.back()->key.attempt == 2);
  CHECK(launcher->starts.back()->takes_snapshot != stored().has_value());
  CHECK(launcher->gone_on.empty());
}

TEST_CASE_METHOD(snapshot_world, "snapshots: an executor that dies after the commit takes no other",
                 "[actors][snapshots]") {
  hold();
  crash(child::process_executor);
  advance(model::seconds{5});
  REQUIRE(launcher->starts.back()->key.attempt == 2);
  CHECK_FALSE(launcher->starts.back()->takes_snapshot);
  finish("a", model::failure{model::failure_class::exit, "3", "exit 3"});
  REQUIRE(launcher->starts.back()->role == command_role::rollback);
  REQUIRE(launcher->starts.back()->kept->snapshot != nullptr);
  CHECK(*launcher->starts.back()->kept->snapshot == "as it was");
  finish("a");
  CHECK(task_state(run_no, "a") == task_state::rolled_back);
  CHECK_FALSE(stored());
}

TEST_CASE_METHOD(snapshot_world, "snapshots: only the action is asked for heartbeats",
                 "[actors][snapshots]") {
  advance(model::seconds{60});
  CHECK(launcher->signals.empty());
  hold();
  advance(model::seconds{31});
  CHECK(launcher->signals.size() == 1);
}

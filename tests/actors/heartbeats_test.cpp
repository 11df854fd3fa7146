#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using actors::child;
using model::run_state;
using model::task_state;

namespace {

class heartbeat_world : public runtime_world {
public:
  /// A task that has to say every 10 s that it lives, and runs.
  model::run_no start_task() {
    start();
    auto a = task("a");
    a.settings.heartbeat = model::seconds{10};
    const auto run_no = submit({a});
    key = launcher->key_of("a");
    launcher->confirm(key, clock().wall());
    run();
    return run_no;
  }
  expected<void> beat(model::attempt_key who) {
    expected<void> answer = fail(errc::timeout, "no answer");
    self->send(host, actors::host_beat{{who}, [&](expected<void> r) { answer = std::move(r); }});
    run();
    return answer;
  }
  bool is_stopped() const { return !launcher->signals.empty(); }

  model::attempt_key key;
};

} // namespace

TEST_CASE_METHOD(heartbeat_world, "heartbeats: a task that gives them is left alone",
                 "[actors][heartbeats]") {
  start_task();
  for (int i = 0; i < 10; ++i) {
    advance(model::seconds{29});
    CHECK(beat(key));
  }
  CHECK_FALSE(is_stopped());
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: three intervals of silence stop the task",
                 "[actors][heartbeats]") {
  const auto run_no = start_task();
  advance(model::seconds{20});
  CHECK(beat(key));
  advance(model::milliseconds{29'900});
  CHECK_FALSE(is_stopped());
  advance(model::milliseconds{200});
  REQUIRE(launcher->signals.size() == 1);
  CHECK(launcher->signals[0].what == executors::stop_signal::terminate);
  CHECK(task_state(run_no, "a") == task_state::cancelling);
  advance(model::seconds{10}); // the grace
  CHECK(launcher->signals.back().what == executors::stop_signal::kill);
  launcher->end(key, clock().wall(), model::failure{model::failure_class::exit, "SIGKILL", "gone"});
  run();
  const auto failure = reader().task(run_no, "a")->failure;
  REQUIRE(failure);
  CHECK(failure->failure_class == model::failure_class::heartbeat);
  CHECK(failure->code == "SIGKILL");
  CHECK(run_state(run_no) == run_state::failed);
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: the clock starts with the process",
                 "[actors][heartbeats]") {
  start();
  auto a = task("a");
  a.settings.heartbeat = model::seconds{10};
  submit({a});
  advance(model::seconds{100}); // it waits for its start
  CHECK_FALSE(is_stopped());
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: one of an attempt that is over is refused",
                 "[actors][heartbeats]") {
  start_task();
  CHECK(beat({key.run_no, 7, 1}).error().code == errc::conflict);
  crash(child::process_executor);
  advance(model::seconds{1});
  CHECK(beat(key).error().code == errc::conflict);
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: a task that was asked for none may be silent",
                 "[actors][heartbeats]") {
  start();
  submit({task("a")});
  launcher->confirm(launcher->key_of("a"), clock().wall());
  run();
  CHECK(beat(launcher->key_of("a"))); // but may give them
  advance(model::seconds{100'000});
  CHECK_FALSE(is_stopped());
}

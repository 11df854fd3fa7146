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
    a.settings->heartbeat = model::seconds{10};
    const auto run_no = submit({a});
    key = launcher->key_of("a");
    launcher->confirm(key, clock().wall());
    run();
    return run_no;
  }
  expected<void> say(model::sign_of_life what) {
    expected<void> answer = fail(errc::timeout, "no answer");
    self->send(
      host, actors::host_sign{std::move(what), [&](expected<void> r) { answer = std::move(r); }});
    run();
    return answer;
  }
  expected<void> beat(model::attempt_key who) { return say({.key = who}); }

  /// What was stored of the progress that the task told, in order.
  std::vector<std::string> told_progress() {
    std::vector<std::string> all;
    for (const auto& e : stored_events())
      if (e.type == model::event_type::task_progress)
        all.push_back(model::to_text(e.data));
    return all;
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
  a.settings->heartbeat = model::seconds{10};
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

TEST_CASE_METHOD(heartbeat_world, "heartbeats: progress is told once a second, the latest counts",
                 "[actors][heartbeats]") {
  start_task();
  const auto tell = [&](double fraction, std::string text = "") {
    CHECK(say({.key = key, .progress = model::task_progress{fraction, std::move(text)}}));
  };
  tell(0.25, "row 1");
  tell(0.5);
  tell(0.75, "row 3");
  using texts = std::vector<std::string>;
  CHECK(told_progress() == texts{R"({"fraction":0.25,"text":"row 1"})"});
  advance(model::milliseconds{1'100});
  CHECK(told_progress()
        == texts{R"({"fraction":0.25,"text":"row 1"})", R"({"fraction":0.75,"text":"row 3"})"});
  advance(model::seconds{5});
  tell(1);
  CHECK(told_progress().size() == 3); // at once again
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: what an attempt says it used adds up",
                 "[actors][heartbeats]") {
  const auto run_no = start_task();
  CHECK(say({.key = key, .usage = {{"tokens", 100}, {"cost", 0.25}}}));
  CHECK(say({.key = key, .usage = {{"tokens", 20}, {"cost", 0.5}, {"calls", 1}}}));
  const auto told = [this] {
    std::vector<model::value> usages;
    for (const auto& e : stored_events())
      if (e.type == model::event_type::task_usage)
        usages.push_back(e.data.at("usage"));
    return usages;
  };
  const model::value first{{"tokens", 100}, {"cost", 0.25}};
  const model::value both{{"tokens", 120}, {"cost", 0.75}, {"calls", 1}};
  CHECK(told() == std::vector{first});
  advance(model::milliseconds{1'100});
  CHECK(told() == std::vector{first, both}); // at most once a second
  launcher->end(key, clock().wall());
  run();
  CHECK(run_state(run_no) == run_state::succeeded);
  const auto events = stored_events();
  const auto ended = std::find_if(events.begin(), events.end(), [](const auto& e) {
    return e.type == model::event_type::task_finished;
  });
  REQUIRE(ended != events.end());
  CHECK(ended->data["usage"] == model::value{{"tokens", 120}, {"cost", 0.75}, {"calls", 1}});
}

TEST_CASE_METHOD(heartbeat_world, "heartbeats: only an action with outputs may put out values",
                 "[actors][heartbeats]") {
  start_task();
  CHECK(say({.key = key, .outputs = {{"rows", 7}}}).error().code == errc::conflict);
  auto puts_out = task("b");
  puts_out.out = {{"rows", model::value_type::integer}};
  submit({puts_out});
  const auto other = launcher->key_of("b");
  launcher->confirm(other, clock().wall());
  run();
  CHECK(say({.key = other, .outputs = {{"rows", 7}}}));
  CHECK(launcher->put_outs.at(other) == model::value{{"rows", 7}});
  launcher->validate(other);
  run();
  CHECK(say({.key = other, .outputs = {{"rows", 8}}}).error().code == errc::conflict);
}

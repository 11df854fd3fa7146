#include "actors/timer_service.hpp"
#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using namespace std::chrono_literals;
using model::run_state;
using model::task_state;
using model::timer_kind;

namespace {

/// A service whose listener is the test, with a wall clock that can be set.
struct timer_world : testing::actor_world {
  model::microseconds offset{};
  actors::timer_service_actor service =
    spawn(actors::timer_service,
          model::clock{[this] { return clock().wall() + offset; }, clock().steady});

  timer_world() { watch({}); }

  model::wall_time in(model::milliseconds wait) { return clock().wall() + offset + wait; }
  static model::timer timer(std::uint32_t task, model::wall_time due) {
    return {{1}, task, timer_kind::retry, due};
  }
  void watch(std::vector<model::timer> all) {
    self->send(service, actors::watch_timers{caf::actor_cast<actors::timer_listener_actor>(self),
                                             std::move(all)});
    run();
  }
  void change(std::vector<model::timer> set, std::vector<model::timer> removed = {}) {
    self->send(service, model::change_timers{{std::move(removed), std::move(set)}});
    run();
  }
  /// Tasks whose timers have fired since the last question.
  std::vector<std::uint32_t> fired() {
    std::vector<std::uint32_t> tasks;
    for (bool more = true; more;)
      self->receive([&](const model::timer_fired& e) { tasks.push_back(*e.what.task_idx); },
                    caf::after(0s) >> [&] { more = false; });
    return tasks;
  }
};
using tasks = std::vector<std::uint32_t>;

model::task_spec retried(std::string name, model::milliseconds delay) {
  auto t = task(std::move(name));
  t.settings->retry = model::retry_policy{.max = 3, .base = delay, .factor = 1, .jitter = 0};
  return t;
}

const model::failure exit_3{model::failure_class::exit, "3", "exit 3"};

} // namespace

TEST_CASE_METHOD(timer_world, "timer_service: timers fire when they are due, in order",
                 "[actors][timer_service]") {
  change({timer(1, in(30s)), timer(2, in(10s)), timer(3, in(20s))});
  skip(9'999ms);
  run();
  CHECK(fired().empty());
  skip(1ms);
  run();
  CHECK(fired() == tasks{2});
  skip(1h);
  run();
  CHECK(fired() == tasks{3, 1});
}

TEST_CASE_METHOD(timer_world, "timer_service: what is overdue fires at once",
                 "[actors][timer_service]") {
  change({timer(1, in(-5s)), timer(2, in(-24h)), timer(3, in(1h))});
  CHECK(fired() == tasks{2, 1});
}

TEST_CASE_METHOD(timer_world, "timer_service: what is removed does not fire",
                 "[actors][timer_service]") {
  const auto first = timer(1, in(10s)), second = timer(2, in(10s));
  change({first, second});
  change({timer(1, in(20s))}, {first, second});
  skip(15s);
  run();
  CHECK(fired().empty());
  skip(5s);
  run();
  CHECK(fired() == tasks{1});
}

TEST_CASE_METHOD(timer_world, "timer_service: told twice, a timer fires once",
                 "[actors][timer_service]") {
  const auto one = timer(1, in(10s));
  change({one});
  change({one});
  skip(10s);
  run();
  CHECK(fired() == tasks{1});
}

TEST_CASE_METHOD(timer_world, "timer_service: who watches anew is told only of what it names",
                 "[actors][timer_service]") {
  const auto early = timer(1, in(10s)), kept = timer(2, in(20s)), fresh = timer(3, in(15s));
  change({early, kept});
  watch({kept, fresh});
  skip(1h);
  run();
  CHECK(fired() == tasks{3, 2});
}

TEST_CASE_METHOD(timer_world, "timer_service: a wall clock that is set changes no wait",
                 "[actors][timer_service]") {
  change({timer(1, in(10s))});
  offset = GENERATE(-24h, 24h);
  change({timer(2, in(20s))});
  skip(9s);
  run();
  CHECK(fired().empty());
  skip(1s);
  run();
  CHECK(fired() == tasks{1});
  skip(10s);
  run();
  CHECK(fired() == tasks{2});
}

TEST_CASE_METHOD(timer_world,
                 "timer_service: a hundred thousand timers wake nobody until one is due",
                 "[actors][timer_service]") {
  std::vector<model::timer> many;
  for (std::uint32_t i = 0; i < 100'000; ++i)
    many.push_back(timer(i, in(1h + model::milliseconds{i})));
  change(std::move(many));
  skip(59min);
  CHECK(waiting() == 0);
  skip(1min);
  CHECK(waiting() == 1);
  run();
  CHECK(fired() == tasks{0});
  CHECK(waiting() == 0);
  skip(100s);
  run();
  CHECK(fired().size() == 99'999);
}

TEST_CASE_METHOD(runtime_world, "timer_service: a failed task starts again after its delay",
                 "[actors][timer_service]") {
  start();
  const auto run_no = submit({retried("a", 500ms), task("b", {"a"})});
  finish("a", exit_3);
  CHECK(task_state(run_no, "a") == task_state::retry_wait);
  const auto row = *reader().task(run_no, "a");
  CHECK(row.failure == exit_3);
  CHECK(row.retry_at == clock().wall() + 500ms);
  advance(499ms);
  CHECK(launcher->starts.size() == 1);
  advance(1ms);
  REQUIRE(launcher->starts.size() == 2);
  CHECK(launcher->starts.back()->key.attempt == 2);
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK(reader().timers(run_no)->empty());
  const auto attempts = *reader().attempts({run_no, 0});
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].failure == exit_3);
  CHECK(attempts[1].state == task_state::succeeded);
}

TEST_CASE_METHOD(runtime_world, "timer_service: a deadline stops what runs and fails what waits",
                 "[actors][timer_service]") {
  start(1);
  auto slow = task("slow"), late = task("late"), patient = task("patient");
  slow.settings->deadline = 5s;
  late.settings->queue_timeout = 2s;
  const auto run_no = submit({slow, late, patient});
  launcher->confirm(launcher->key_of("slow"), clock().wall());
  advance(1'900ms);
  CHECK(reader().timers(run_no)->size() == 2);
  advance(200ms);
  CHECK(task_state(run_no, "late") == task_state::failed);
  CHECK(reader().task(run_no, "late")->failure->code == "queue_timeout");
  CHECK(launcher->signals.empty());
  advance(3s);
  REQUIRE(launcher->signals.size() == 1);
  CHECK(task_state(run_no, "slow") == task_state::cancelling);
  launcher->end(launcher->key_of("slow"), clock().wall());
  run();
  const auto row = *reader().task(run_no, "slow");
  CHECK(row.state == task_state::failed);
  CHECK(row.failure->failure_class == model::failure_class::deadline);
  CHECK(run_state(run_no) == run_state::failed);
  CHECK(reader().timers(run_no)->empty());
}

TEST_CASE_METHOD(runtime_world, "timer_service: its death loses no timer",
                 "[actors][timer_service]") {
  start();
  const auto run_no = submit({retried("soon", 50ms), retried("later", 700ms), retried("new", 1ms)});
  finish("soon", exit_3);
  finish("later", exit_3);
  crash(actors::child::timer_service);
  finish("new", exit_3); // nobody is there to wait for it
  advance(90ms);
  CHECK(launcher->starts.size() == 3);
  advance(20ms); // it is back after a tenth of a second, and what is overdue fires at once
  CHECK(launcher->starts.size() == 5);
  CHECK(task_state(run_no, "later") == task_state::retry_wait);
  advance(590ms);
  CHECK(launcher->starts.size() == 6);
  CHECK_FALSE(fatal);
}

TEST_CASE_METHOD(runtime_world,
                 "timer_service: a scheduler that is replaced waits for the same timers",
                 "[actors][timer_service]") {
  start();
  const auto run_no = submit({retried("soon", 50ms), retried("later", 700ms)});
  finish("soon", exit_3);
  finish("later", exit_3);
  SECTION("alone") {
    crash(actors::child::scheduler);
  }
  SECTION("with the service") {
    caf::anon_send_exit(child(actors::child::timer_service), caf::exit_reason::kill);
    crash(actors::child::scheduler);
  }
  advance(300ms);
  CHECK(launcher->starts.size() == 3);
  CHECK(task_state(run_no, "later") == task_state::retry_wait);
  advance(400ms);
  CHECK(launcher->starts.size() == 4);
  finish("soon", exit_3);
  CHECK(reader().task(run_no, "soon")->retries == 2); // counted on
  CHECK_FALSE(fatal);
}

TEST_CASE_METHOD(runtime_world, "timer_service: how late a retry was is in its event",
                 "[actors][timer_service]") {
  start();
  submit({retried("a", 10ms)});
  finish("a", exit_3);
  crash(actors::child::timer_service);
  advance(200ms);
  const auto events = stored_events();
  const auto due = std::find_if(events.begin(), events.end(), [](const auto& e) {
    return e.type == model::event_type::task_due;
  });
  REQUIRE(due != events.end());
  CHECK(due->data["late_us"] == 90'000);
}

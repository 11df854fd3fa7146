#include "tests/actors/runtime_world.hpp"

using namespace sluice;
using model::run_state;
using model::task_state;
using namespace std::chrono_literals;

namespace {

const model::failure exit_3{model::failure_class::exit, "3", "exit 3"};

/// The processes that were asked for, by task and attempt.
std::vector<std::string> starts(const testing::scripted_launcher& launcher) {
  std::vector<std::string> names;
  for (const auto& start : launcher.starts)
    names.push_back(start->spec().name + "#" + std::to_string(start->key.attempt));
  return names;
}

} // namespace

TEST_CASE_METHOD(runtime_world, "host: a chain runs to its end and is stored", "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  CHECK(run_no == model::run_no{1});
  CHECK(launcher->under_way() == std::vector<std::string>{"a"});
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK(task_state(run_no, "b") == task_state::succeeded);
  CHECK(launcher->forgotten.size() == 2); // after the commit of each outcome
  CHECK_FALSE(fatal);
}

TEST_CASE_METHOD(runtime_world, "host: a failure skips what depends on it", "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  finish("a", exit_3);
  CHECK(run_state(run_no) == run_state::failed);
  CHECK(task_state(run_no, "b") == task_state::skipped);
  CHECK(reader().run(run_no)->error == "task 'a' failed: exit 3");
}

TEST_CASE_METHOD(runtime_world, "host: nothing starts before its dispatch is committed",
                 "[actors][host]") {
  start();
  store->fail_next(3, {errc::unavailable, "disk full"});
  submit({task("a")});
  CHECK_FALSE(last_answer->has_value()); // not acknowledged
  CHECK(launcher->starts.empty());
  advance(model::seconds{10}); // the writer comes again after pauses, and the store has room
  REQUIRE(last_answer->has_value());
  CHECK(starts(*launcher) == std::vector<std::string>{"a#1"});
  CHECK(reader().run(**last_answer)->state == run_state::running);
  CHECK_FALSE(fatal);
}

TEST_CASE_METHOD(runtime_world, "host: a lost answer of the store counts nothing twice",
                 "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  store->fail_next(1, {errc::unavailable, "answer lost"}, testing::fault_moment::after_commit);
  finish("a");
  advance(model::seconds{1});
  finish("b");
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK(starts(*launcher) == std::vector<std::string>{"a#1", "b#1"});
  const auto events = stored_events();
  for (std::size_t i = 0; i < events.size(); ++i)
    CHECK(events[i].seq == static_cast<std::int64_t>(i + 1));
}

TEST_CASE_METHOD(runtime_world, "host: a corrupt store is the end", "[actors][host]") {
  start();
  store->fail_next(1, {errc::corrupt, "malformed page"});
  submit({task("a")});
  REQUIRE(fatal);
  CHECK(fatal->code == errc::corrupt);
  CHECK_THAT(fatal->message, Catch::Contains("malformed page"));
}

TEST_CASE_METHOD(runtime_world, "host: a writer that keeps dying of itself is given up",
                 "[actors][host]") {
  start();
  store->fail_next(100, {errc::internal, "constraint"});
  submit({task("a")});
  advance(model::seconds{30});
  REQUIRE(fatal);
  CHECK_THAT(fatal->message, Catch::Contains("batch_writer") && Catch::Contains("too often"));
}

TEST_CASE_METHOD(runtime_world, "host: attempts of a dead executor are lost and start again",
                 "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b")});
  launcher->confirm(launcher->key_of("a"), clock().wall());
  run();
  crash(actors::child::process_executor);
  CHECK(launcher->abandoned.size() == 2); // killed before anything starts again
  CHECK(launcher->starts.size() == 2);
  advance(model::seconds{1});
  CHECK(starts(*launcher) == std::vector<std::string>{"a#1", "b#1", "a#2", "b#2"});
  CHECK(reader().task(run_no, "a")->losses == 1);
  finish("a");
  finish("b");
  CHECK(run_state(run_no) == run_state::succeeded);
}

TEST_CASE_METHOD(runtime_world, "host: a scheduler that died is replaced and what runs goes on",
                 "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  const auto a = launcher->key_of("a");
  launcher->confirm(a, clock().wall());
  run();
  crash(actors::child::scheduler);
  SECTION("what ends afterwards") {
    advance(200ms);
    launcher->end(a, clock().wall());
  }
  SECTION("what ended while there was none") {
    launcher->end(a, clock().wall());
    run();
    advance(200ms);
  }
  SECTION("what ended before, and was not committed") {
    store->fail_next(1, {errc::unavailable, "the disk is full"});
    launcher->end(a, clock().wall());
    run();
    advance(1s);
  }
  run();
  CHECK(task_state(run_no, "a") == task_state::succeeded);
  const auto b = launcher->key_of("b");
  CHECK(b.attempt == 1);
  launcher->end(b, clock().wall());
  run();
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK_FALSE(fatal);
}

TEST_CASE_METHOD(runtime_world, "host: a start that died with the scheduler is made up for",
                 "[actors][host]") {
  start();
  store->fail_next(1, {errc::unavailable, "the disk is full"}, testing::fault_moment::after_commit);
  const auto run_no = submit({task("a")}); // dispatched in the store; the scheduler does not know
  crash(actors::child::scheduler);
  advance(1s);
  const auto a = launcher->key_of("a");
  CHECK(a.attempt == 2);
  launcher->end(a, clock().wall());
  run();
  CHECK(run_state({run_no.value == 0 ? 1 : run_no.value}) == run_state::succeeded);
}

TEST_CASE_METHOD(runtime_world, "host: who asked a scheduler that died is told", "[actors][host]") {
  start();
  store->fail_next(1000, {errc::unavailable, "the disk is full"});
  submit({task("a")});
  CHECK(last_answer->error().code == errc::timeout); // there is none yet
  crash(actors::child::scheduler);
  CHECK(last_answer->error().code == errc::unavailable);
}

TEST_CASE_METHOD(runtime_world, "host: a drain outlives the scheduler", "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  const auto a = launcher->key_of("a");
  auto drained = std::make_shared<bool>(false);
  self->send(host, actors::host_drain{{model::drain_mode::finish}, [drained] { *drained = true; }});
  run();
  crash(actors::child::scheduler);
  advance(200ms);
  CHECK_FALSE(*drained);
  launcher->end(a, clock().wall());
  run();
  CHECK(*drained);
  CHECK(task_state(run_no, "a") == task_state::succeeded);
  CHECK(launcher->keys().empty()); // b does not start
}

TEST_CASE_METHOD(runtime_world, "host: a scheduler that dies again and again is the end",
                 "[actors][host]") {
  start();
  for (int i = 0; i < 6 && !fatal; ++i) {
    crash(actors::child::scheduler);
    advance(5s);
  }
  REQUIRE(fatal);
  CHECK_THAT(fatal->message, Catch::Contains("scheduler") && Catch::Contains("too often"));
}

TEST_CASE_METHOD(runtime_world, "host: cancel stops what runs and ends the run when it is gone",
                 "[actors][host]") {
  start();
  const auto run_no = submit({task("a"), task("b", {"a"})});
  const auto key = launcher->key_of("a");
  launcher->confirm(key, clock().wall());
  run();
  cancel(run_no);
  using signals = std::vector<testing::scripted_launcher::sent_signal>;
  CHECK(launcher->signals == signals{{key, executors::stop_signal::terminate}});
  CHECK(task_state(run_no, "a") == task_state::cancelling);
  CHECK(task_state(run_no, "b") == task_state::cancelled);
  CHECK(run_state(run_no) == run_state::cancelling);

  SECTION("it goes on the first signal") {}
  SECTION("it ignores the signal: KILL after the grace") {
    advance(model::seconds{9});
    CHECK(launcher->signals.size() == 1);
    advance(model::seconds{1});
    CHECK(launcher->signals.back()
          == testing::scripted_launcher::sent_signal{key, executors::stop_signal::kill});
  }
  SECTION("a second cancel does not wait for the grace") {
    cancel(run_no, model::cancel_mode::immediate);
    CHECK(launcher->signals.back()
          == testing::scripted_launcher::sent_signal{key, executors::stop_signal::kill});
  }
  CHECK(run_state(run_no) == run_state::cancelling); // not before it is proven gone
  launcher->end(key, clock().wall(), model::failure{model::failure_class::exit, "SIGTERM", ""});
  run();
  CHECK(task_state(run_no, "a") == task_state::cancelled);
  CHECK(run_state(run_no) == run_state::cancelled);
}

TEST_CASE_METHOD(runtime_world, "host: a timeout counts from the start of the process",
                 "[actors][host]") {
  start();
  auto slow = task("slow");
  slow.settings->timeout = model::seconds{30};
  const auto run_no = submit({slow});
  const auto key = launcher->key_of("slow");
  advance(model::seconds{60}); // not started yet
  CHECK(launcher->signals.empty());
  launcher->confirm(key, clock().wall());
  advance(model::milliseconds{29'000});
  CHECK(launcher->signals.empty());
  advance(model::milliseconds{1'100});
  REQUIRE(launcher->signals.size() == 1);
  CHECK(task_state(run_no, "slow") == task_state::cancelling);
  launcher->end(key, clock().wall(), std::nullopt); // exit 0 in the grace does not undo it
  run();
  const auto row = reader().task(run_no, "slow");
  CHECK(row->state == task_state::failed);
  REQUIRE(row->failure);
  CHECK(row->failure->failure_class == model::failure_class::timeout);
}

TEST_CASE_METHOD(runtime_world, "host: outputs too large to keep are read back when needed",
                 "[actors][host]") {
  start();
  auto make = task("make");
  make.out = {{"text", model::value_type::text}};
  auto use = task("use");
  use.in = {{"size", "${{ size(tasks.make.out.text) }}"}};
  submit({make, use});
  finish("make", std::nullopt, {{"text", std::string(100'000, 'x')}});
  REQUIRE(launcher->starts.size() == 2);
  CHECK(launcher->starts.back()->inputs == model::value{{"size", 100'000}});
}

TEST_CASE_METHOD(runtime_world, "host: ten thousand tasks pass through four slots",
                 "[actors][host]") {
  start();
  std::vector<model::task_spec> tasks;
  for (int i = 0; i < 10'000; ++i)
    tasks.push_back(call("t" + std::to_string(i), "noop"));
  const auto run_no = submit(std::move(tasks));
  CHECK(run_state(run_no) == run_state::succeeded);
  CHECK(reader().run(run_no)->counts[std::size_t(task_state::succeeded)] == 10'000);
}

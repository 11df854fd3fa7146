// The event log as states, and what cannot be one.
#include "logic/event_fold.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using logic::event_fold;
using model::event_type;
using model::task_state;

namespace {

struct event_log {
  event_fold fold;
  std::int64_t seq = 0;

  expected<void> add(model::event e) {
    e.seq = ++seq;
    e.run_no = {1};
    auto done = fold.apply(e);
    if (!done)
      --seq;
    return done;
  }
  expected<void> submit(int tasks) {
    model::event e;
    e.type = event_type::run_submitted;
    e.to = "running";
    e.data = {{"tasks", tasks}};
    return add(e);
  }
  expected<void> run(event_type type, std::string from, std::string to) {
    model::event e;
    e.type = type;
    e.from = std::move(from);
    e.to = std::move(to);
    return add(e);
  }
  expected<void> task(event_type type, std::uint32_t idx, std::uint32_t attempt, std::string from,
                      std::string to) {
    model::event e;
    e.type = type;
    e.task_idx = idx;
    if (attempt != 0)
      e.attempt = attempt;
    e.from = std::move(from);
    e.to = std::move(to);
    return add(e);
  }
  expected<void> dispatch(std::uint32_t idx, std::uint32_t attempt) {
    return task(event_type::task_dispatched, idx, attempt, "ready", "dispatched");
  }
  task_state state(std::size_t idx) { return fold.find({1})->tasks[idx].state; }
};

} // namespace

TEST_CASE("event_fold: a run from its start to its end", "[logic][event_fold]") {
  event_log l;
  REQUIRE(l.submit(2));
  CHECK(l.fold.find({1})->counts[std::size_t(task_state::pending)] == 2);
  REQUIRE(l.dispatch(0, 1));
  CHECK(l.state(0) == task_state::dispatched);
  REQUIRE(l.task(event_type::task_lost, 0, 1, "running", "ready"));
  CHECK(l.state(0) == task_state::pending); // as stored
  REQUIRE(l.dispatch(0, 2));
  REQUIRE(l.task(event_type::task_finished, 0, 2, "running", "succeeded"));
  REQUIRE(l.task(event_type::task_skipped, 1, 0, "pending", "skipped"));
  REQUIRE(l.run(event_type::run_finished, "running", "succeeded"));
  CHECK(l.fold.find({1})->state == model::run_state::succeeded);
  CHECK(l.fold.find({1})->counts[std::size_t(task_state::skipped)] == 1);
  CHECK(l.fold.last_seq() == 7);
}

TEST_CASE("event_fold: what cannot follow is refused and changes nothing", "[logic][event_fold]") {
  event_log l;
  CHECK_FALSE(l.dispatch(0, 1)); // no such run
  model::event odd;
  odd.type = event_type::run_submitted;
  odd.to = "running";
  odd.task_idx = 0;
  odd.data = {{"tasks", "two"}};
  CHECK_FALSE(l.add(odd)); // no number, and of a task of a run that is not there
  REQUIRE(l.submit(2));
  CHECK_FALSE(l.submit(2));                                                     // twice
  CHECK_FALSE(l.dispatch(2, 1));                                                // no such task
  CHECK_FALSE(l.dispatch(0, 2));                                                // a hole
  CHECK_FALSE(l.task(event_type::task_finished, 0, 1, "running", "succeeded")); // not running
  CHECK_FALSE(l.run(event_type::run_finished, "running", "succeeded"));         // undecided
  CHECK_FALSE(l.run(event_type::run_cancelling, "cancelling", "cancelling"));   // not so
  REQUIRE(l.dispatch(0, 1));
  CHECK_FALSE(l.dispatch(0, 2));                                                // two at once
  CHECK_FALSE(l.task(event_type::task_finished, 0, 2, "running", "succeeded")); // not current
  CHECK_FALSE(l.task(event_type::task_finished, 0, 1, "running", "skipped"));   // not legal
  CHECK_FALSE(l.task(event_type::task_finished, 0, 1, "running", "well"));      // no state
  CHECK(l.state(0) == task_state::dispatched);
  l.seq = 5;
  CHECK_FALSE(l.task(event_type::task_finished, 0, 1, "running", "succeeded")); // a gap
}

TEST_CASE("event_fold: a run that has ended goes on as another generation", "[logic][event_fold]") {
  event_log l;
  REQUIRE(l.submit(2));
  REQUIRE(l.dispatch(0, 1));
  REQUIRE(l.task(event_type::task_finished, 0, 1, "running", "failed"));
  REQUIRE(l.task(event_type::task_skipped, 1, 0, "pending", "skipped"));
  const auto retry = [&](int generation) {
    model::event e;
    e.type = event_type::run_retried;
    e.from = "failed";
    e.to = "running";
    e.data = {{"generation", generation}};
    return l.add(e);
  };
  CHECK_FALSE(retry(2)); // it has not ended
  REQUIRE(l.run(event_type::run_finished, "running", "failed"));
  CHECK_FALSE(retry(3));                                             // a hole
  CHECK_FALSE(l.run(event_type::run_finished, "failed", "running")); // not so
  REQUIRE(retry(2));
  CHECK(l.fold.find({1})->generation == 2);
  CHECK_FALSE(l.task(event_type::task_due, 0, 1, "failed", "pending")); // not so
  REQUIRE(l.task(event_type::task_reset, 0, 1, "failed", "pending"));
  CHECK(l.state(0) == task_state::pending);
  REQUIRE(l.dispatch(0, 2));
}

TEST_CASE("event_fold: nothing of a paused run starts", "[logic][event_fold]") {
  event_log l;
  REQUIRE(l.submit(2));
  CHECK_FALSE(l.run(event_type::run_resumed, "", "")); // it is not paused
  REQUIRE(l.run(event_type::run_paused, "", ""));
  CHECK(l.fold.find({1})->paused);
  CHECK_FALSE(l.run(event_type::run_paused, "", "")); // twice
  CHECK_FALSE(l.dispatch(0, 1));
  REQUIRE(l.task(event_type::task_skipped, 1, 0, "pending", "skipped"));
  REQUIRE(l.run(event_type::run_resumed, "", ""));
  REQUIRE(l.dispatch(0, 1));
}

TEST_CASE("event_fold: instances count in the place of the task they are of",
          "[logic][event_fold]") {
  event_log l;
  const auto expand = [&](std::uint32_t first, int count) {
    model::event e;
    e.type = event_type::task_expanded;
    e.task_idx = 1;
    e.data = {{"first", first}, {"instances", count}};
    return l.add(e);
  };
  REQUIRE(l.submit(2));
  CHECK_FALSE(expand(3, 2)); // they do not come after all others
  CHECK_FALSE(expand(2, -1));
  REQUIRE(expand(2, 2));
  CHECK_FALSE(expand(4, 2)); // it is fanned out already
  const auto& run = *l.fold.find({1});
  const auto count = [&](task_state state) { return run.counts[std::size_t(state)]; };
  CHECK(run.tasks.size() == 4);
  CHECK(count(task_state::pending) == 3);
  CHECK(run.node(3) == 1);
  REQUIRE(l.dispatch(2, 1));
  REQUIRE(l.task(event_type::task_finished, 2, 1, "running", "succeeded"));
  REQUIRE(l.task(event_type::task_skipped, 3, 0, "pending", "skipped"));
  REQUIRE(l.task(event_type::task_finished, 1, 0, "pending", "succeeded"));
  CHECK(count(task_state::succeeded) == 1);
  CHECK(count(task_state::skipped) == 1);
  CHECK(count(task_state::pending) == 1);

  model::event reset; // fanned out anew
  reset.type = event_type::task_reset;
  reset.task_idx = 1;
  reset.from = "succeeded";
  reset.to = "pending";
  reset.data = {{"generation", 2}, {"folds", {{"succeeded", 1}, {"skipped", 1}}}};
  REQUIRE(l.add(reset));
  CHECK(count(task_state::succeeded) == 0);
  CHECK(count(task_state::skipped) == 0);
  CHECK(count(task_state::pending) == 2);
  CHECK(run.is_superseded(3));
  REQUIRE(expand(4, 0)); // it counts itself when there is none
  CHECK(count(task_state::pending) == 2);
}

#include "cli/run_tracker.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::cli;

namespace {

model::event task_event(std::uint32_t task, model::event_type type, std::string to,
                        std::int64_t at_us = 0) {
  model::event e;
  e.at = model::from_us(at_us);
  e.task_idx = task;
  e.attempt = 1;
  e.type = type;
  e.to = std::move(to);
  return e;
}

run_tracker tracker_of(std::size_t tasks) {
  auto spec = std::make_shared<model::workflow_spec>();
  spec->tasks.resize(tasks);
  return run_tracker{std::move(spec)};
}

} // namespace

TEST_CASE("run_tracker: events add up to counts", "[cli][run_tracker]") {
  using model::event_type;
  auto tracker = tracker_of(5);
  tracker.apply(task_event(0, event_type::task_dispatched, "dispatched", 5));
  tracker.apply(task_event(1, event_type::task_dispatched, "dispatched", 6));
  CHECK(tracker.running().size() == 2);
  CHECK(tracker.began_at(task_event(0, event_type::task_finished, "succeeded"))
        == model::from_us(5));
  tracker.apply(task_event(0, event_type::task_finished, "succeeded"));
  tracker.apply(task_event(1, event_type::task_warning, ""));
  tracker.apply(task_event(1, event_type::task_cancelling, "cancelling"));
  CHECK(tracker.running().at(1).doing == "cancelling");
  tracker.apply(task_event(1, event_type::task_cancelled, "cancelled"));
  tracker.apply(task_event(2, event_type::task_skipped, "skipped"));
  tracker.apply(task_event(3, event_type::task_failed, "failed"));
  CHECK(tracker.running().empty());
  CHECK(tracker.done() == 4);
  CHECK(tracker.total() == 5);
  CHECK(tracker.failed() == 1);
  CHECK(tracker.skipped() == 1);
  CHECK(tracker.cancelled() == 1);
}

TEST_CASE("run_tracker: tasks that are added count", "[cli][run_tracker]") {
  auto tracker = tracker_of(2);
  model::event added;
  added.type = model::event_type::tasks_added;
  added.data = {{"first", 2}, {"tasks", 3}};
  tracker.apply(added);
  CHECK(tracker.total() == 5);
  CHECK(tracker.state() == model::run_state::queued);
}

TEST_CASE("run_tracker: what an earlier runtime began runs since it was heard of",
          "[cli][run_tracker]") {
  auto tracker = tracker_of(1);
  tracker.apply(task_event(0, model::event_type::task_cancelling, "cancelling", 7));
  CHECK(tracker.running().at(0).since == model::from_us(7));
  CHECK(tracker.running().at(0).doing == "cancelling");
}

TEST_CASE("run_tracker: an attempt that another one follows runs no more and is not done",
          "[cli][run_tracker]") {
  const auto [how, to] = GENERATE(table<model::event_type, std::string>({
    {model::event_type::task_lost, "ready"},
    {model::event_type::task_retrying, "retry_wait"},
  }));
  auto tracker = tracker_of(1);
  tracker.apply(task_event(0, model::event_type::task_dispatched, "dispatched"));
  tracker.apply(task_event(0, how, to));
  tracker.apply(task_event(0, model::event_type::task_due, "ready"));
  CHECK(tracker.running().empty());
  CHECK(tracker.done() == 0);
}

TEST_CASE("run_tracker: a task that its breaker holds back waits until it goes on",
          "[cli][run_tracker]") {
  auto tracker = tracker_of(1);
  auto waits = task_event(0, model::event_type::task_waiting, "waiting");
  waits.data = {{"breaker", {{"failures", 5}, {"open_until_us", 60}}}};
  tracker.apply(waits);
  REQUIRE(tracker.waiting().size() == 1);
  CHECK(tracker.waiting().at(0).what == hindrance{model::breaker_state{5, model::from_us(60)}});
  CHECK(tracker.done() == 0);
  tracker.apply(task_event(0, model::event_type::task_released, "ready"));
  CHECK(tracker.waiting().empty());
}

TEST_CASE("run_tracker: the run starts and ends", "[cli][run_tracker]") {
  auto tracker = tracker_of(1);
  model::event e;
  e.type = model::event_type::run_submitted;
  e.to = "running";
  e.at = model::from_us(7);
  tracker.apply(e);
  CHECK(tracker.since() == model::from_us(7));
  CHECK_FALSE(tracker.ended_at());
  e.type = model::event_type::run_finished;
  e.to = "failed";
  e.at = model::from_us(9);
  tracker.apply(e);
  CHECK(tracker.state() == model::run_state::failed);
  CHECK(tracker.ended_at() == model::from_us(9));
}

TEST_CASE("run_tracker: a task that starts anew is not done", "[cli][run_tracker]") {
  using model::event_type;
  auto tracker = tracker_of(2);
  tracker.apply(task_event(0, event_type::task_finished, "failed"));
  tracker.apply(task_event(1, event_type::task_skipped, "skipped"));
  model::event retried;
  retried.at = model::from_us(70);
  retried.type = event_type::run_retried;
  retried.to = "running";
  tracker.apply(retried);
  auto reset = task_event(0, event_type::task_reset, "pending");
  reset.from = "failed";
  tracker.apply(reset);
  CHECK(tracker.since() == model::from_us(70));
  CHECK(tracker.done() == 1);
  CHECK(tracker.failed() == 0);
  CHECK(tracker.skipped() == 1);
}

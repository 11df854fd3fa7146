#include "model/record.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace sluice::model;

namespace {

submission a_submission(std::size_t tasks) {
  auto spec = std::make_shared<workflow_spec>();
  spec->name = "etl";
  spec->tasks.resize(tasks);
  submission s;
  s.workflow = spec;
  s.content_hash = "abc";
  return s;
}

attempt_outcome an_outcome(task_state to) {
  attempt_outcome outcome;
  outcome.key = {{12}, 7, 2};
  outcome.from = task_state::dispatched;
  outcome.state = to;
  outcome.finished_at = from_us(90);
  return outcome;
}

} // namespace

TEST_CASE("record: a new run says what it runs", "[model][record]") {
  auto request = a_submission(3);
  request.params = {{"day", "2026-03-01"}};
  const auto e =
    event_of(run_created{{12}, std::make_shared<const submission>(request), from_us(5)});
  CHECK(e.type == event_type::run_submitted);
  CHECK(e.run_no == run_no{12});
  CHECK_FALSE(e.task_idx);
  CHECK(e.at == from_us(5));
  CHECK(e.to == "running");
  CHECK(e.data["workflow"] == "etl");
  CHECK(e.data["hash"] == "abc");
  CHECK(e.data["tasks"] == 3);
  CHECK(e.data["params"]["day"] == "2026-03-01");
}

TEST_CASE("record: the end of a run tells how", "[model][record]") {
  const auto e = event_of(run_moved{.run_no = {12},
                                    .from = run_state::running,
                                    .to = run_state::failed,
                                    .degraded = true,
                                    .error = "task load failed",
                                    .actor = "scheduler",
                                    .at = from_us(5)});
  CHECK(e.type == event_type::run_finished);
  CHECK(e.from == "running");
  CHECK(e.to == "failed");
  CHECK(e.data["degraded"] == true);
  CHECK(e.data["error"] == "task load failed");
  const auto cancelling = event_of(run_moved{.to = run_state::cancelling, .actor = "ctrl-c"});
  CHECK(cancelling.type == event_type::run_cancelling);
  CHECK(cancelling.actor == "ctrl-c");
  CHECK(cancelling.data.is_null());
}

TEST_CASE("record: a dispatch names attempt and executor", "[model][record]") {
  const auto e =
    event_of(attempt_dispatched{.key = {{12}, 7, 2}, .executor = executor_kind::function});
  CHECK(e.type == event_type::task_dispatched);
  CHECK(e.task_idx == 7);
  CHECK(e.attempt == 2);
  CHECK(e.to == "dispatched");
  CHECK(e.data["executor"] == "function");
}

TEST_CASE("record: the end of an attempt carries failure and usage", "[model][record]") {
  auto outcome = an_outcome(task_state::failed);
  outcome.failure = failure{failure_class::exit, "3", "exited with 3"};
  outcome.losses = 1;
  outcome.started_at = from_us(20);
  outcome.usage = {microseconds{400}, 4096};
  const auto e = event_of(attempt_ended{outcome});
  CHECK(e.type == event_type::task_finished);
  CHECK(e.at == from_us(90));
  CHECK(e.from == "dispatched");
  CHECK(e.to == "failed");
  CHECK(e.data
        == value{{"class", "exit"},
                 {"code", "3"},
                 {"message", "exited with 3"},
                 {"losses", 1},
                 {"started_us", 20},
                 {"cpu_us", 400},
                 {"peak_rss_bytes", 4096}});
}

TEST_CASE("record: the type of an event follows the state", "[model][record]") {
  const auto [to, want] = GENERATE(table<task_state, event_type>({
    {task_state::succeeded, event_type::task_finished},
    {task_state::failed, event_type::task_finished},
    {task_state::ready, event_type::task_lost},
    {task_state::retry_wait, event_type::task_retrying},
    {task_state::cancelled, event_type::task_cancelled},
  }));
  const auto e = event_of(attempt_ended{an_outcome(to)});
  CHECK(e.type == want);
  CHECK(e.data.is_null());
}

TEST_CASE("record: a task that moves without an attempt", "[model][record]") {
  const auto [to, want] = GENERATE(table<task_state, event_type>({
    {task_state::skipped, event_type::task_skipped},
    {task_state::cancelled, event_type::task_cancelled},
    {task_state::cancelling, event_type::task_cancelling},
    {task_state::failed, event_type::task_failed},
  }));
  task_moved moved{.key = {{12}, 7}, .from = task_state::pending, .to = to, .reason = "upstream"};
  if (to == task_state::failed)
    moved.failure = failure{failure_class::permanent, "expression", "no such param"};
  const auto e = event_of(moved);
  CHECK(e.type == want);
  CHECK_FALSE(e.attempt);
  CHECK(e.data["reason"] == "upstream");
  CHECK(e.data.contains("class") == (to == task_state::failed));
}

TEST_CASE("record: an attempt that is repeated says when", "[model][record]") {
  auto outcome = an_outcome(task_state::retry_wait);
  outcome.failure = failure{failure_class::exit, "3", ""};
  outcome.retries = 2;
  outcome.retry_at = from_us(1'000'090);
  CHECK(event_of(attempt_ended{outcome}).data
        == value{{"class", "exit"}, {"code", "3"}, {"retry", 2}, {"due_us", 1'000'090}});
}

TEST_CASE("record: a timer that moved a task says how late it was", "[model][record]") {
  task_moved moved{.key = {{12}, 7},
                   .attempt = 1,
                   .from = task_state::retry_wait,
                   .to = task_state::ready,
                   .at = from_us(90),
                   .due = from_us(90)};
  CHECK(event_of(moved).type == event_type::task_due);
  CHECK(event_of(moved).data.is_null());
  moved.due = from_us(40);
  CHECK(event_of(moved).data == value{{"late_us", 50}});
}

TEST_CASE("record: what an attempt says about its kind of task", "[model][record]") {
  auto outcome = an_outcome(task_state::failed);
  outcome.failure = failure{};
  outcome.breaker = {4, std::nullopt};
  CHECK(event_of(attempt_ended{outcome}).data["breaker"] == value{{"failures", 4}});
  outcome.breaker = {5, from_us(150)};
  CHECK(event_of(attempt_ended{outcome}).data["breaker"]
        == value{{"failures", 5}, {"open_until_us", 150}});
  outcome = an_outcome(task_state::succeeded);
  CHECK(event_of(attempt_ended{outcome}).data.is_null());
  outcome.breaker = breaker_state{};
  CHECK(event_of(attempt_ended{outcome}).data["breaker"] == value{{"failures", 0}});
}

TEST_CASE("record: a task is held back by its breaker, and let go", "[model][record]") {
  task_moved waits{.key = {{12}, 7},
                   .from = task_state::retry_wait,
                   .to = task_state::waiting,
                   .reason = "breaker",
                   .actor = "scheduler"};
  waits.breaker = {5, from_us(150)};
  auto e = event_of(waits);
  CHECK(e.type == event_type::task_waiting);
  CHECK(e.data["reason"] == "breaker");
  CHECK(e.data["breaker"]["open_until_us"] == 150);
  e = event_of(task_moved{.key = {{12}, 7},
                          .from = task_state::waiting,
                          .to = task_state::ready,
                          .reason = "breaker",
                          .actor = "scheduler"});
  CHECK(e.type == event_type::task_released);
  CHECK(e.data == value{{"reason", "breaker"}});
}

TEST_CASE("record: a task is held for a person's decision, and tried again", "[model][record]") {
  auto outcome = an_outcome(task_state::waiting);
  outcome.failure = failure{failure_class::exit, "3", "exit 3"};
  auto e = event_of(attempt_ended{outcome});
  CHECK(e.type == event_type::task_held);
  CHECK(e.to == "waiting");
  CHECK(e.data["code"] == "3");
  e = event_of(held_retried{{{12}, 7}, 2, "operator", from_us(4)});
  CHECK(e.type == event_type::task_released);
  CHECK(e.from == "waiting");
  CHECK(e.to == "ready");
  CHECK(e.attempt == 2);
  CHECK(e.actor == "operator");
}

TEST_CASE("record: a warning is an event of its attempt", "[model][record]") {
  const auto e = event_of(warning_raised{{{12}, 7, 1}, "output 'x' is not declared", from_us(4)});
  CHECK(e.type == event_type::task_warning);
  CHECK(e.attempt == 1);
  CHECK(e.data["message"] == "output 'x' is not declared");
}

TEST_CASE("record: what an attempt has used is an event", "[model][record]") {
  const auto e = event_of(usage_noted{{{12}, 7, 1}, {{"cost", 0.5}}, from_us(4)});
  CHECK(e.type == event_type::task_usage);
  CHECK(e.attempt == 1);
  CHECK(e.is_note());
  CHECK(e.data == value{{"usage", {{"cost", 0.5}}}});
}

TEST_CASE("record: a save is an event without the data", "[model][record]") {
  const auto e = event_of(checkpoint_saved{
    {{12}, 7, 1}, std::make_shared<const checkpoint>(checkpoint{"step-3", "12345"}), from_us(4)});
  CHECK(e.type == event_type::task_checkpoint);
  CHECK(e.attempt == 1);
  CHECK(e.is_note());
  CHECK(e.data == value{{"token", "step-3"}, {"bytes", 5}});
}

TEST_CASE("record: the weight of a step counts its rows", "[model][record]") {
  step s;
  CHECK(weight(s) == 0);
  s.records.emplace_back(
    run_created{{1}, std::make_shared<const submission>(a_submission(1000)), {}});
  CHECK(weight(s) == 1002);
  s.records.emplace_back(attempt_dispatched{});
  s.records.emplace_back(attempt_ended{an_outcome(task_state::succeeded)});
  s.counts.push_back({{1}, {}});
  CHECK(weight(s) == 1009);
  s.timers.set.push_back({});
  s.timers.removed.push_back({});
  CHECK(weight(s) == 1011);
}

TEST_CASE("record: a retry says which generation begins, and what starts anew", "[model][record]") {
  const auto run = event_of(run_retried{{12}, run_state::failed, 2, 7, "operator", from_us(5)});
  CHECK(run.type == event_type::run_retried);
  CHECK(run.from == "failed");
  CHECK(run.to == "running");
  CHECK(run.actor == "operator");
  CHECK(run.data == value{{"generation", 2}, {"reset", 7}});
  const auto task =
    event_of(task_reset{{{12}, 7}, 3, task_state::skipped, 2, "operator", from_us(5)});
  CHECK(task.type == event_type::task_reset);
  CHECK(task.attempt == 3);
  CHECK(task.from == "skipped");
  CHECK(task.to == "pending");
  CHECK(task.data["generation"] == 2);
}

TEST_CASE("record: a mark says who decided, and as what", "[model][record]") {
  const auto e = event_of(task_marked{{{12}, 7},
                                      2,
                                      task_state::retry_wait,
                                      task_state::failed,
                                      failure{failure_class::permanent, "marked", "by hand"},
                                      "operator",
                                      from_us(5)});
  CHECK(e.type == event_type::task_marked);
  CHECK(e.attempt == 2);
  CHECK(e.from == "retry_wait");
  CHECK(e.to == "failed");
  CHECK(e.actor == "operator");
  CHECK(e.data["code"] == "marked");
}

TEST_CASE("record: a pause moves nothing", "[model][record]") {
  const auto paused = event_of(run_paused{{12}, true, "operator", from_us(5)});
  CHECK(paused.type == event_type::run_paused);
  CHECK(paused.actor == "operator");
  CHECK(paused.is_note());
  CHECK(event_of(run_paused{{12}, false, "operator", from_us(5)}).type == event_type::run_resumed);
}

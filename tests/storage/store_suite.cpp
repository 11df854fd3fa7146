// What every backend of the store does: each test runs on disk and in memory.
#include "tests/storage/store_fixture.hpp"

#include <map>

using namespace sluice;
using namespace sluice::storage;
using model::failure_class;
using model::run_state;

#define STORE_TEST(name) TEMPLATE_TEST_CASE("store: " name, "[storage][store]", on_disk, in_memory)

STORE_TEST("an empty one has nothing and says so") {
  TestType db;
  CHECK(must(db.store->last_commit()) == commit_mark{});
  CHECK(must(db.reader->next_run_no()) == model::run_no{1});
  CHECK(must(db.store->last_seq()) == 0);
  CHECK(must(db.reader->last_seq()) == 0);
  CHECK(must(db.reader->runs({})).empty());
  CHECK(must(db.reader->events({})).empty());
  CHECK(must(db.reader->tasks({.run_no = {1}})).empty());
  CHECK(must(db.reader->attempts({{1}, 0})).empty());
  CHECK(db.reader->run({1}).error().code == errc::not_found);
  CHECK(db.reader->workflow({1}).error().code == errc::not_found);
  CHECK(db.reader->source({1}).error().code == errc::not_found);
  CHECK(db.reader->task({1}, "a").error().code == errc::not_found);
  CHECK(db.reader->outputs({{1}, 0}).error().code == errc::not_found);
}

STORE_TEST("a new run comes with its tasks and its workflow") {
  TestType db;
  const auto workflow = workflow_of({"extract", "load"});
  workflow->description = "it's a \"test\" with \xC3\xA9";
  auto request = request_for(workflow);
  request.params = {{"day", "2026-03-01"}, {"rows", 7}};
  request.trigger = "api";
  CHECK(commit(*db.store, {created(1, request)}) == 1);

  const auto run = must(db.reader->run({1}));
  CHECK(run.run_no == model::run_no{1});
  CHECK(run.workflow == "etl");
  CHECK(run.version == 1);
  CHECK(run.state == run_state::running);
  CHECK(run.trigger == "api");
  CHECK(run.params == request.params);
  CHECK(run.counts[std::size_t(task_state::pending)] == 2);
  CHECK_FALSE(run.degraded);
  CHECK(run.error.empty());
  CHECK(run.submitted_at == at(0));
  CHECK_FALSE(run.started_at);
  CHECK_FALSE(run.finished_at);

  const auto tasks = must(db.reader->tasks({.run_no = {1}}));
  REQUIRE(tasks.size() == 2);
  CHECK(tasks[1].key == model::task_key{{1}, 1});
  CHECK(tasks[1].name == "load");
  CHECK(tasks[1].state == task_state::pending);
  CHECK(tasks[1].attempt == 0);
  CHECK_FALSE(tasks[1].dispatched_at);
  CHECK_FALSE(tasks[1].finished_at);

  CHECK(*must(db.reader->workflow({1})) == *workflow);
  CHECK(must(db.reader->source({1})) == "tasks: ...");
  CHECK(must(db.reader->outputs({{1}, 0})).is_null());
  CHECK(must(db.reader->next_run_no()) == model::run_no{2});
}

STORE_TEST("a run that has ended goes on as another generation") {
  TestType db;
  const auto workflow = workflow_of({"a", "b", "c"});
  auto first = ended(1, 0);
  first.outcome.outputs = {{"v", 7}};
  auto second = ended(1, 1, 1, task_state::failed);
  second.outcome.losses = 2;
  const auto saved = model::checkpoint_saved{
    {{1}, 1, 1}, std::make_shared<const model::checkpoint>(model::checkpoint{"half", "x"}), at(2)};
  auto end = run_moved(1, run_state::running, run_state::failed);
  end.error = "task 'b' failed";
  commit(*db.store, {created(1, workflow), dispatched(1, 0), first, dispatched(1, 1), saved, second,
                     moved(1, 2, task_state::skipped), end});
  const auto ended_with = must(db.store->last_seq());
  CHECK(must(db.reader->run({1})).began_seq == 1);

  const model::run_retried retried{{1}, run_state::failed, 2, 2, "operator", at(60)};
  commit(*db.store,
         {retried, model::task_reset{{{1}, 1}, 1, task_state::failed, 2, "operator", at(60)},
          model::task_reset{{{1}, 2}, 0, task_state::skipped, 2, "operator", at(60)}});
  CHECK(db.store->refused() == 0);
  auto run = must(db.reader->run({1}));
  CHECK(run.state == run_state::running);
  CHECK(run.generation == 2);
  CHECK(run.submitted_at == at(0));
  CHECK(run.began_at == at(60));
  CHECK(run.began_seq == ended_with + 1);
  CHECK(run.error.empty());
  CHECK_FALSE(run.finished_at);
  const auto reset = task_at(*db.reader, 1, 1);
  CHECK(reset.state == task_state::pending);
  CHECK(reset.attempt == 1);
  CHECK(reset.losses == 0);
  CHECK(reset.generation == 2);
  CHECK_FALSE(reset.failure);
  CHECK_FALSE(reset.dispatched_at);
  CHECK(task_at(*db.reader, 1, 0).generation == 1);
  CHECK_FALSE(must(db.reader->checkpoint({{1}, 1})));
  CHECK(must(db.reader->outputs({{1}, 0})) == model::value{{"v", 7}});

  auto again = dispatched(1, 1, 2, 61);
  again.generation = 2;
  commit(*db.store, {again});
  const auto stored = must(db.reader->stored_run({1}));
  CHECK(stored.generation == 2);
  CHECK(stored.tasks[0].kept);
  CHECK(stored.tasks[0].has_outputs);
  CHECK_FALSE(stored.tasks[1].kept);
  CHECK(stored.tasks[1].started);
  CHECK(stored.tasks[2].state == task_state::pending);
  CHECK_FALSE(stored.tasks[2].started);
  const auto attempts = must(db.reader->attempts({{1}, 1}));
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].generation == 1);
  CHECK(attempts[1].generation == 2);
  CHECK(must(db.reader->events({.after_seq = 0, .run_no = model::run_no{1}})).back().to
        == "dispatched");
}

STORE_TEST("a pause is a flag of a run that has not ended") {
  TestType db;
  const model::run_paused pause{{1}, true, "operator", at(2)};
  const model::run_paused resume{{1}, false, "operator", at(3)};
  commit(*db.store, {created(1, workflow_of({"a"})), pause});
  CHECK(must(db.reader->run({1})).paused);
  CHECK(must(db.reader->stored_run({1})).paused);
  CHECK(must(db.reader->run({1})).state == run_state::running);
  commit(*db.store, {pause}); // it is already
  CHECK(db.store->refused() == 1);
  commit(*db.store, {resume});
  CHECK_FALSE(must(db.reader->run({1})).paused);
  commit(*db.store, {run_moved(1, run_state::running, run_state::succeeded), pause});
  CHECK(db.store->refused() == 1);
}

STORE_TEST("a marked task keeps nothing of what it was") {
  TestType db;
  const auto saved = model::checkpoint_saved{
    {{1}, 0, 1}, std::make_shared<const model::checkpoint>(model::checkpoint{"half", "x"}), at(2)};
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), saved,
                     ended(1, 0, 1, task_state::failed)});
  const model::task_marked succeeded{
    {{1}, 0}, 1, task_state::failed, task_state::succeeded, {}, "operator", at(9)};
  const model::task_marked failed{{{1}, 1},
                                  0,
                                  task_state::ready,
                                  task_state::failed,
                                  model::failure{failure_class::permanent, "marked", "by hand"},
                                  "operator",
                                  at(9)};
  commit(*db.store, {succeeded, failed});
  CHECK(db.store->refused() == 0);
  const auto one = task_at(*db.reader, 1, 0);
  CHECK(one.state == task_state::succeeded);
  CHECK(one.reason == "mark");
  CHECK(one.finished_at == at(9));
  CHECK_FALSE(one.failure);
  CHECK(must(db.reader->outputs({{1}, 0})).is_null());
  CHECK_FALSE(must(db.reader->checkpoint({{1}, 0})));
  CHECK(task_at(*db.reader, 1, 1).failure == failed.failure);
  commit(*db.store, {succeeded}); // from another state by now
  CHECK(db.store->refused() == 1);
}

STORE_TEST("a retry of what has not ended, or was reset before, is refused") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  const model::run_retried retried{{1}, run_state::failed, 2, 1, "operator", at(60)};
  const model::task_reset reset{{{1}, 0}, 1, task_state::failed, 2, "operator", at(60)};
  commit(*db.store, {retried, reset});
  CHECK(db.store->refused() == 2);
  commit(*db.store, {ended(1, 0, 1, task_state::failed),
                     run_moved(1, run_state::running, run_state::failed), retried, reset});
  CHECK(db.store->refused() == 0);
  commit(*db.store, {retried, reset});
  CHECK(db.store->refused() == 2);
}

STORE_TEST("equal specifications share a version within their workflow") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"}), "one")});
  commit(*db.store,
         {created(2, workflow_of({"a", "b"}), "two"), created(3, workflow_of({"a"}), "one"),
          created(4, workflow_of({"a"}, "other"), "one")});
  const auto runs = must(db.reader->runs({}));
  REQUIRE(runs.size() == 4);
  CHECK(runs[3].version == 1);
  CHECK(runs[2].version == 2);
  CHECK(runs[1].version == 1);
  CHECK(runs[0].version == 1);
  CHECK(runs[0].workflow == "other");
  CHECK(must(db.reader->workflow({3}))->tasks.size() == 1);
}

STORE_TEST("an attempt is dispatched and succeeds with outputs") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"}))});
  auto start = dispatched(1, 1);
  start.executor = model::executor_kind::function;
  start.inputs = R"({"n":1})";
  commit(*db.store, {start});

  auto task = task_at(*db.reader, 1, 1);
  CHECK(task.state == task_state::dispatched);
  CHECK(task.attempt == 1);
  CHECK(task.dispatched_at == at(1));
  CHECK_FALSE(task.started_at);
  CHECK(must(db.reader->run({1})).started_at == at(1));

  auto end = ended(1, 1);
  end.outcome.outputs = {{"rows", 42}, {"text", "a\nb"}};
  end.outcome.usage = {model::microseconds{1500}, 3'000'000};
  commit(*db.store, {end});

  task = task_at(*db.reader, 1, 1);
  CHECK(task.state == task_state::succeeded);
  CHECK(task.started_at == at(2));
  CHECK(task.finished_at == at(3));
  CHECK(task.usage == end.outcome.usage);
  CHECK_FALSE(task.failure);
  CHECK(must(db.reader->outputs({{1}, 1})) == end.outcome.outputs);

  const auto attempts = must(db.reader->attempts({{1}, 1}));
  REQUIRE(attempts.size() == 1);
  const auto& attempt = attempts.front();
  CHECK(attempt.key == model::attempt_key{{1}, 1, 1});
  CHECK(attempt.executor == model::executor_kind::function);
  CHECK(attempt.state == task_state::succeeded);
  CHECK(attempt.inputs == model::value{{"n", 1}});
  CHECK(attempt.usage == end.outcome.usage);
  CHECK(attempt.dispatched_at == at(1));
  CHECK(attempt.started_at == at(2));
  CHECK(attempt.finished_at == at(3));
}

STORE_TEST("a failed attempt leaves its failure with task and attempt") {
  TestType db;
  const auto end = ended(1, 0, 1, task_state::failed);
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0), end});
  const auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::failed);
  CHECK(task.failure == end.outcome.failure);
  CHECK(must(db.reader->outputs({{1}, 0})).is_null());
  const auto attempts = must(db.reader->attempts({{1}, 0}));
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].state == task_state::failed);
  CHECK(attempts[0].failure == end.outcome.failure);
}

STORE_TEST("a lost attempt is kept and its task starts again") {
  TestType db;
  commit(*db.store,
         {created(1, workflow_of({"a"})), dispatched(1, 0), ended(1, 0, 1, task_state::ready)});
  auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::pending); // `ready` is never stored
  CHECK(task.losses == 1);
  CHECK_FALSE(task.failure);
  CHECK_FALSE(task.finished_at);

  commit(*db.store, {dispatched(1, 0, 2, 10)});
  task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::dispatched);
  CHECK(task.attempt == 2);
  CHECK(task.dispatched_at == at(10));
  CHECK_FALSE(task.started_at);
  const auto attempts = must(db.reader->attempts({{1}, 0}));
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].state == task_state::failed);
  CHECK(attempts[0].failure->failure_class == failure_class::lost);
  CHECK(attempts[1].state == task_state::dispatched);
  CHECK(must(db.reader->run({1})).started_at == at(1)); // of the first dispatch
}

STORE_TEST("an attempt that failed is repeated when its timer is due") {
  TestType db;
  auto retrying = ended(1, 0, 1, task_state::retry_wait);
  retrying.outcome.retries = 1;
  const model::timer timer{{1}, 0, model::timer_kind::retry, at(8)};
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0), retrying}, {},
         {.removed = {}, .set = {timer}});
  auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::retry_wait);
  CHECK(task.retries == 1);
  CHECK(task.failure == retrying.outcome.failure); // of the attempt that is to be repeated
  CHECK(task.retry_at == at(8));
  CHECK_FALSE(task.finished_at);
  const auto attempts = must(db.reader->attempts({{1}, 0}));
  REQUIRE(attempts.size() == 1);
  CHECK(attempts[0].state == task_state::failed);
  CHECK(attempts[0].failure == retrying.outcome.failure);

  auto due = moved(1, 0, task_state::ready, "", 1);
  due.from = task_state::retry_wait;
  commit(*db.store, {due}, {}, {.removed = {timer}, .set = {}});
  task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::pending); // `ready` is never stored
  CHECK_FALSE(task.failure);
  CHECK_FALSE(task.retry_at);
  CHECK(task.retries == 1);
  CHECK(must(db.reader->timers({1})).empty());
  auto end = ended(1, 0, 2);
  end.outcome.retries = 1;
  commit(*db.store, {dispatched(1, 0, 2), end});
  task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::succeeded);
  CHECK(task.retries == 1);
}

STORE_TEST("a wait for a retry that is given up leaves the last failure") {
  TestType db;
  const auto retrying = ended(1, 0, 1, task_state::retry_wait);
  const model::timer timer{{1}, 0, model::timer_kind::retry, at(8)};
  auto given_up = moved(1, 0, task_state::failed, "run_failed", 1);
  given_up.from = task_state::retry_wait;
  given_up.failure = retrying.outcome.failure;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0), retrying}, {},
         {.removed = {}, .set = {timer}});
  commit(*db.store, {given_up}, {}, {.removed = {timer}, .set = {}});
  const auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::failed);
  CHECK(task.failure == retrying.outcome.failure);
  CHECK_FALSE(task.retry_at);
}

STORE_TEST("what is known against a kind of task is kept for all runs of its workflow") {
  TestType db;
  const auto breakers = [&] {
    std::map<std::string, model::breaker_state> found;
    for (const auto& row : must(db.reader->breakers()))
      found[row.workflow + "/" + row.task] = row.state;
    return found;
  };
  const model::breaker_state once{1, std::nullopt}, open{5, at(70)};
  const auto failed = [](std::int64_t run, std::uint32_t task, model::breaker_state breaker) {
    auto end = ended(run, task, 1, task_state::failed);
    end.outcome.breaker = breaker;
    return end;
  };
  commit(*db.store, {created(1, workflow_of({"a", "b"})), created(2, workflow_of({"a", "b"})),
                     created(3, workflow_of({"a"}, "other"), "hash-2"), dispatched(1, 0),
                     dispatched(1, 1), dispatched(2, 0), dispatched(3, 0)});
  CHECK(breakers().empty());
  commit(*db.store, {failed(1, 0, once), failed(1, 1, once), failed(3, 0, once)});
  CHECK(breakers()
        == std::map<std::string, model::breaker_state>{
          {"etl/a", once}, {"etl/b", once}, {"other/a", once}});
  commit(*db.store, {failed(2, 0, open)});
  CHECK(breakers().at("etl/a") == open);
  commit(*db.store, {failed(2, 0, {6, at(90)})}); // a late report is refused, with all it says
  CHECK(breakers().at("etl/a") == open);

  auto waits = moved(2, 1, task_state::waiting, "breaker");
  waits.breaker = once;
  const model::timer pause{{2}, 1, model::timer_kind::breaker, at(70)};
  commit(*db.store, {waits}, {}, {.removed = {}, .set = {pause}});
  CHECK(task_at(*db.reader, 2, 1).state == task_state::waiting);
  CHECK(task_at(*db.reader, 2, 1).breaker == once);
  CHECK(must(db.reader->task({2}, "b")).breaker == once);
  CHECK_FALSE(task_at(*db.reader, 2, 0).breaker);
  CHECK(must(db.reader->timers({2})) == std::vector{pause});
  CHECK(must(db.reader->stored_run({2})).reasons.at(1) == "breaker");

  auto ready = moved(2, 1, task_state::ready, "breaker");
  ready.from = task_state::waiting;
  auto closes = ended(2, 1);
  closes.outcome.breaker = model::breaker_state{};
  commit(*db.store, {ready, dispatched(2, 1), closes}, {}, {.removed = {pause}, .set = {}});
  CHECK(breakers().count("etl/b") == 0);
  CHECK(breakers().size() == 2);
}

STORE_TEST("a task is held with its last failure until it is tried again") {
  TestType db;
  auto held = ended(1, 0, 1, task_state::waiting);
  held.outcome.failure = model::failure{failure_class::exit, "3", "exit 3"};
  held.outcome.losses = 1;
  held.outcome.retries = 2;
  auto first = held;
  first.outcome.key.task_idx = 1;
  first.outcome.retries = 0;
  commit(*db.store,
         {created(1, workflow_of({"a", "b"})), dispatched(1, 0), dispatched(1, 1), held, first});
  const auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::waiting);
  CHECK(task.reason == "hold");
  CHECK(task.failure == held.outcome.failure);
  CHECK_FALSE(task.finished_at);
  CHECK(must(db.reader->task({1}, "b")).failure == held.outcome.failure);
  auto stored = must(db.reader->stored_run({1}));
  CHECK(stored.reasons.at(0) == "hold");
  CHECK(stored.retries.at(0).done == 2);
  CHECK(stored.retries.at(0).last == *held.outcome.failure);
  CHECK(stored.retries.at(1).done == 0);
  CHECK(stored.retries.at(1).last == *held.outcome.failure);

  const model::held_retried again{{{1}, 0}, 1, "operator", at(9)};
  commit(*db.store, {again});
  CHECK(task_at(*db.reader, 1, 0).state == task_state::pending);
  CHECK(task_at(*db.reader, 1, 0).reason.empty());
  CHECK_FALSE(task_at(*db.reader, 1, 0).failure);
  stored = must(db.reader->stored_run({1}));
  CHECK(stored.tasks[0].losses == 0);
  CHECK(stored.retries.count(0) == 0);
  commit(*db.store, {again}); // it is held no more
  CHECK(db.store->refused() == 1);
}

STORE_TEST("timers are set, moved and removed with their step") {
  TestType db;
  using model::timer_kind;
  const model::timer retry{{1}, 3, timer_kind::retry, at(10)};
  const model::timer deadline{{1}, 3, timer_kind::deadline, at(20)};
  const model::timer of_run{{1}, std::nullopt, timer_kind::deadline, at(30)};
  const model::timer of_another{{2}, 3, timer_kind::retry, at(40)};
  auto later = retry;
  later.due = at(50);
  using list = std::vector<model::timer>;
  commit(*db.store, {}, {}, {.removed = {}, .set = {retry, deadline, of_run, of_another}});
  CHECK(must(db.reader->timers({1})) == list{of_run, deadline, retry});
  CHECK(must(db.reader->timers({2})) == list{of_another});
  commit(*db.store, {}, {}, {.removed = {retry, deadline}, .set = {later}});
  CHECK(must(db.reader->timers({1})) == list{of_run, later});
  commit(*db.store, {}, {}, {.removed = {of_run, later}, .set = {}});
  CHECK(must(db.reader->timers({1})).empty());
  CHECK(must(db.reader->timers({2})) == list{of_another});

  const std::vector<step_ptr> broken{
    step_of(9, {}, {}, {.removed = {of_another}, .set = {}}),
    step_of(10, {created(1, workflow_of({"a"})), created(1, workflow_of({"a"}))})};
  REQUIRE_FALSE(db.store->commit(1, broken));
  CHECK(must(db.reader->timers({2})) == list{of_another});
}

STORE_TEST("a task moves without an attempt") {
  TestType db;
  auto broken = moved(1, 1, task_state::failed, "expression");
  broken.failure = model::failure{failure_class::permanent, "expression", "no such name"};
  commit(*db.store,
         {created(1, workflow_of({"a", "b"})), moved(1, 0, task_state::skipped, "when"), broken});
  const auto skipped = task_at(*db.reader, 1, 0);
  CHECK(skipped.state == task_state::skipped);
  CHECK(skipped.reason == "when");
  CHECK(skipped.finished_at == at(4));
  CHECK_FALSE(skipped.failure);
  const auto failed = task_at(*db.reader, 1, 1);
  CHECK(failed.state == task_state::failed);
  CHECK(failed.failure == broken.failure);
}

STORE_TEST("the reason of a stop stays with a cancelled task only") {
  TestType db;
  const auto [reason, end, want] = GENERATE(table<std::string, task_state, std::string>({
    {"cancel", task_state::cancelled, "cancel"},
    {"timeout", task_state::failed, ""},
  }));
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0),
                     moved(1, 0, task_state::cancelling, reason, 1)});
  auto task = task_at(*db.reader, 1, 0);
  CHECK(task.state == task_state::cancelling);
  CHECK(task.reason == reason);
  CHECK_FALSE(task.finished_at);
  commit(*db.store, {ended(1, 0, 1, end)});
  task = task_at(*db.reader, 1, 0);
  CHECK(task.state == end);
  CHECK(task.reason == want);
}

STORE_TEST("a run moves to its end") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  commit(*db.store, {run_moved(1, run_state::running, run_state::cancelling)});
  CHECK(must(db.reader->run({1})).state == run_state::cancelling);
  CHECK_FALSE(must(db.reader->run({1})).finished_at);
  auto end = run_moved(1, run_state::cancelling, run_state::failed);
  end.degraded = true;
  end.error = "task 'a' failed";
  commit(*db.store, {end});
  const auto run = must(db.reader->run({1}));
  CHECK(run.state == run_state::failed);
  CHECK(run.degraded);
  CHECK(run.error == "task 'a' failed");
  CHECK(run.finished_at == at(5));
}

STORE_TEST("of the counts of a group the last are kept") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), created(2, workflow_of({"a", "b"}))});
  model::state_counts half{}, full{};
  half[std::size_t(task_state::pending)] = 1;
  half[std::size_t(task_state::succeeded)] = 1;
  full[std::size_t(task_state::succeeded)] = 2;
  const std::vector<step_ptr> group{step_of(2, {}, {{{1}, half}, {{2}, half}}),
                                    step_of(3, {}, {{{1}, full}})};
  must(db.store->commit(1, group));
  CHECK(must(db.reader->run({1})).counts == full);
  CHECK(must(db.reader->run({2})).counts == half);
  commit(*db.store, {run_moved(2, run_state::running, run_state::succeeded)});
  CHECK(must(db.reader->run({2})).counts == half);
}

STORE_TEST("events are those of the records in their order") {
  TestType db;
  auto skip = moved(1, 1, task_state::skipped);
  const std::vector<model::record> records{
    created(1, workflow_of({"a", "b"})),
    dispatched(1, 0),
    model::warning_raised{{{1}, 0, 1}, "output 'x' was not declared", at(3)},
    ended(1, 0, 1, task_state::failed),
    skip,
    run_moved(1, run_state::running, run_state::failed),
  };
  const std::vector<step_ptr> group{
    step_of(1, {records[0], records[1]}),
    step_of(2, {records[2], records[3], records[4], records[5]}),
  };
  CHECK(must(db.store->commit(1, group)) == 1);
  const auto events = must(db.reader->events({}));
  REQUIRE(events.size() == records.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    CAPTURE(i);
    const auto want = model::event_of(records[i]);
    const auto& got = events[i];
    CHECK(got.seq == std::int64_t(i) + 1);
    CHECK(got.at == want.at);
    CHECK(got.run_no == want.run_no);
    CHECK(got.task_idx == want.task_idx);
    CHECK(got.attempt == want.attempt);
    CHECK(got.type == want.type);
    CHECK(got.from == want.from);
    CHECK(got.to == want.to);
    CHECK(got.actor == want.actor);
    CHECK(got.data == want.data);
  }
  CHECK(events[0].task.empty());
  CHECK(events[1].task == "a");
  CHECK(events[4].task == "b");
  CHECK(must(db.reader->last_seq()) == 6);
  CHECK(must(db.store->last_seq()) == 6);
}

STORE_TEST("events are read from a cursor and of one run") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), created(2, workflow_of({"a"}))});
  commit(*db.store, {dispatched(2, 0), dispatched(1, 0), ended(2, 0)});
  commit(*db.store, {run_moved(2, run_state::running, run_state::succeeded), ended(1, 0)});
  const auto seqs = [&](const event_query& query) {
    std::vector<std::int64_t> found;
    for (const auto& e : must(db.reader->events(query)))
      found.push_back(e.seq);
    return found;
  };
  using list = std::vector<std::int64_t>;
  CHECK(seqs({}) == list{1, 2, 3, 4, 5, 6, 7});
  CHECK(seqs({.after_seq = 5}) == list{6, 7});
  CHECK(seqs({.after_seq = 1, .limit = 2}) == list{2, 3});
  CHECK(seqs({.run_no = model::run_no{1}}) == list{1, 4, 7});
  CHECK(seqs({.run_no = model::run_no{2}}) == list{2, 3, 5, 6});
  CHECK(seqs({.after_seq = 3, .run_no = model::run_no{2}, .limit = 1}) == list{5});
  CHECK(seqs({.run_no = model::run_no{3}}).empty());
  CHECK(seqs({.after_seq = 99}).empty());
}

STORE_TEST("an event that follows the end of its run is found") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0), ended(1, 0),
                     run_moved(1, run_state::running, run_state::succeeded)});
  commit(*db.store, {model::warning_raised{{{1}, 0, 1}, "late", at(9)}});
  CHECK(must(db.reader->events({.run_no = model::run_no{1}})).size() == 5);
}

STORE_TEST("rows can be made to say something else, which is on record") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), ended(1, 0, 1)});
  const auto before = must(db.store->last_seq());
  mended_run mended;
  mended.run_no = {1};
  mended.counts[std::size_t(task_state::pending)] = 1;
  mended.counts[std::size_t(task_state::failed)] = 1;
  mended.tasks = {{0, task_state::failed, 1, at(7), "it failed"}};
  REQUIRE(db.store->mend(mended, at(9)));

  const auto tasks = must(db.reader->tasks({.run_no = {1}}));
  CHECK(tasks[0].state == task_state::failed);
  CHECK(tasks[0].finished_at == at(7));
  CHECK(tasks[1].state == task_state::pending);
  CHECK(must(db.reader->run({1})).counts == mended.counts);
  const auto events = must(db.reader->events({.after_seq = before, .run_no = model::run_no{1}}));
  REQUIRE(events.size() == 1);
  CHECK(events[0].seq == before + 1);
  CHECK(events[0].actor == "operator");
  CHECK(events[0].data["message"] == "it failed");
  CHECK(must(db.store->last_seq()) == before + 1);
}

STORE_TEST("a task whose row forgot that it rolls back can be made to") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  mended_run mended;
  mended.run_no = {1};
  mended.tasks = {{0, task_state::rolling_back, 1, std::nullopt, "it rolls back"}};
  REQUIRE(db.store->mend(mended, at(9)));
  CHECK(must(db.reader->stored_run({1})).tasks[0].rolls_back);
  mended.tasks[0].state = task_state::cancelling;
  REQUIRE(db.store->mend(mended, at(9)));
  CHECK(must(db.reader->stored_run({1})).tasks[0].rolls_back);
  mended.tasks[0].state = task_state::pending;
  REQUIRE(db.store->mend(mended, at(9)));
  CHECK_FALSE(must(db.reader->stored_run({1})).tasks[0].rolls_back);
}

STORE_TEST("a key stands for the run it was given for, for a day") {
  TestType db;
  auto request = request_for(workflow_of({"a"}));
  request.key = model::idempotency_key{"monday", "with these parameters"};
  const auto first = created(1, request);
  commit(*db.store, {first});
  const auto given = first.at;
  const auto almost_a_day = model::key_lifetime - model::milliseconds{1};
  CHECK_FALSE(must(db.reader->run_of_key("tuesday", given)));
  const auto found = must(db.reader->run_of_key("monday", given + almost_a_day));
  REQUIRE(found);
  CHECK(found->run_no == model::run_no{1});
  CHECK(found->request == "with these parameters");
  CHECK_FALSE(must(db.reader->run_of_key("monday", given + model::key_lifetime)));

  request.key = model::idempotency_key{"monday", "again"};
  auto next_day = created(2, request);
  next_day.at = given + model::key_lifetime;
  commit(*db.store, {next_day});
  CHECK(must(db.reader->run_of_key("monday", next_day.at))->run_no == model::run_no{2});
}

STORE_TEST("a key stands for the task that starts with it, with a result once that succeeded") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), created(2, workflow_of({"a", "b"}))});
  auto start = dispatched(1, 1);
  start.key_digest = std::string{"key"};
  commit(*db.store, {start});
  const auto result = [&](model::wall_time now = at(9)) {
    return must(db.reader->result_of_key("key", now));
  };
  CHECK_FALSE(result());
  CHECK(must(db.reader->stored_run({1})).keys
        == std::unordered_map<std::uint32_t, std::string>{{1, "key"}});
  CHECK(must(db.reader->stored_run({2})).keys.empty());

  auto end = ended(1, 1);
  end.outcome.outputs = {{"v", 1}};
  end.outcome.key_digest = std::string{"key"};
  commit(*db.store, {end});
  REQUIRE(result());
  CHECK(result()->task == model::task_key{{1}, 1});
  CHECK(result()->outputs == model::value{{"v", 1}});
  CHECK(result(at(3) + model::key_lifetime - model::milliseconds{1}));
  CHECK_FALSE(result(at(3) + model::key_lifetime));

  const model::task_reused reused{{{2}, 1}, 0, task_state::pending, {{1}, 1}, {{"v", 1}}, at(4)};
  commit(*db.store, {reused});
  CHECK(task_at(*db.reader, 2, 1).state == task_state::succeeded);
  CHECK(must(db.reader->outputs({{2}, 1})) == model::value{{"v", 1}});
  CHECK(result()->task == model::task_key{{1}, 1});

  commit(*db.store, {model::task_reset{{{1}, 1}, 1, task_state::succeeded, 2, "operator", at(5)}});
  CHECK_FALSE(result()); // it is to be done again
}

namespace {

model::checkpoint_saved saved(std::uint32_t attempt, std::string token, std::string data) {
  return {
    {{1}, 0, attempt},
    std::make_shared<const model::checkpoint>(model::checkpoint{std::move(token), std::move(data)}),
    at(3)};
}

} // namespace

STORE_TEST("a task's last checkpoint is kept until it succeeds") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  CHECK_FALSE(must(db.reader->checkpoint({{1}, 0})));
  commit(*db.store, {saved(1, "one", "1"), saved(1, "two", std::string("\0\xff two", 6))});
  const auto first = must(db.reader->checkpoint({{1}, 0}));
  REQUIRE(first);
  CHECK(first->what == model::checkpoint{"two", std::string("\0\xff two", 6)});
  CHECK(first->attempt == 1);
  CHECK(first->saved_at == at(3));
  commit(*db.store,
         {ended(1, 0, 1, task_state::ready), dispatched(1, 0, 2), saved(2, "three", "")});
  CHECK(must(db.reader->checkpoint({{1}, 0}))->what == model::checkpoint{"three", ""});
  auto done = ended(1, 0, 2);
  done.outcome.drops_checkpoint = true;
  commit(*db.store, {done});
  CHECK_FALSE(must(db.reader->checkpoint({{1}, 0})));
}

STORE_TEST("a checkpoint comes back as it was, whatever its size") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  std::string noise; // does not compress
  std::uint32_t x = 1;
  for (std::size_t i = 0; i < model::most_checkpoint_bytes; ++i)
    noise += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  for (const auto size : {std::size_t{0}, std::size_t{1}, std::size_t{10} << 10,
                          (std::size_t{10} << 10) + 1, model::most_checkpoint_bytes})
    for (const auto& data : {std::string(size, 'x'), noise.substr(0, size)}) {
      commit(*db.store, {saved(1, "t", data)});
      CHECK(must(db.reader->checkpoint({{1}, 0}))->what.data == data);
    }
}

namespace {

/// A run of one task that has ended, with a row in every table that can have one.
void commit_ended_run(store& store, std::int64_t run, int second) {
  const model::attempt_key key{{run}, 0, 1};
  const auto what = std::make_shared<const model::checkpoint>(model::checkpoint{"t", "x"});
  auto end = run_moved(run, model::run_state::running, model::run_state::failed);
  end.at = at(second);
  commit(store, {created(run, workflow_of({"a"})), dispatched(run, 0),
                 model::checkpoint_saved{key, what, at(1)},
                 model::snapshot_saved{key, std::make_shared<const std::string>("old"), at(1)},
                 ended(run, 0, 1, task_state::failed), end});
}

} // namespace

STORE_TEST("runs that ended long ago are pruned with all that is stored of them") {
  TestType db;
  for (std::int64_t run = 1; run <= 4; ++run)
    commit_ended_run(*db.store, run, int(run) * 10);
  commit(*db.store, {created(5, workflow_of({"a"}))}); // goes on
  commit_ended_run(*db.store, 6, 1);                   // the newest
  const auto last = must(db.reader->last_seq());
  CHECK(must(db.store->prune(at(30), at(100))) == std::vector<model::run_no>{{1}, {2}});
  CHECK(db.reader->run({2}).error().code == errc::not_found);
  CHECK(must(db.reader->tasks({.run_no = {2}, .from_idx = 0, .state = {}})).empty());
  CHECK(must(db.reader->attempts({{2}, 0})).empty());
  CHECK_FALSE(must(db.reader->checkpoint({{2}, 0})));
  CHECK_FALSE(must(db.reader->snapshot({{2}, 0})));
  CHECK(must(db.reader->checkpoint({{3}, 0}))->what.token == "t");
  CHECK(must(db.reader->snapshot({{3}, 0}))->what == "old");
  for (const auto& event : must(db.reader->events({})))
    CHECK(event.run_no.value > 2);
  CHECK(must(db.reader->runs({})).size() == 4);
  CHECK(must(db.reader->last_seq()) == last);
  CHECK(must(db.store->prune(at(30), at(100))).empty());
  commit(*db.store, {created(must(db.reader->next_run_no()).value, workflow_of({"a"}))});
  CHECK(must(db.reader->run({7})).version == 1); // neither numbers nor workflows start again
}

STORE_TEST("what is part of a run is pruned with it") {
  TestType db;
  auto whole = created(1, workflow_of({"a"})), part = created(2, workflow_of({"b"}, "part"));
  part.parent = model::attempt_key{{1}, 0, 1};
  commit(*db.store,
         {whole, dispatched(1, 0), part, run_moved(2, run_state::running, run_state::failed),
          run_moved(1, run_state::running, run_state::failed)});
  CHECK(must(db.store->prune(at(90'000), at(90'000))).empty()); // the newest is part of it
  commit(*db.store, {created(3, workflow_of({"a"}))});
  CHECK(must(db.store->prune(at(90'000), at(90'000))) == std::vector<model::run_no>{{1}, {2}});
  CHECK(must(db.reader->runs({})).size() == 1);
}

STORE_TEST("a run that is an attempt knows it") {
  TestType db;
  auto part = created(2, workflow_of({"b"}, "part"));
  part.parent = model::attempt_key{{1}, 0, 1};
  commit(*db.store, {created(1, workflow_of({"load"})), dispatched(1, 0), part});
  const auto row = must(db.reader->run({2}));
  CHECK(row.parent == part.parent);
  CHECK(row.parent_task == "load");
  CHECK_FALSE(must(db.reader->run({1})).parent);
  CHECK(must(db.reader->stored_run({2})).parent == part.parent);
  CHECK(must(db.reader->children({{1}, 0})) == std::vector<model::child_run>{{*part.parent, {2}}});
  CHECK(must(db.reader->children({{1}, 1})).empty());
  const auto whole = must(db.reader->runs({.whole_only = true}));
  REQUIRE(whole.size() == 1);
  CHECK(whole[0].run_no == model::run_no{1});
  CHECK(must(db.reader->runs({.unfinished_only = true, .whole_only = true})).size() == 1);
}

STORE_TEST("what a run comes to is kept while it has succeeded") {
  TestType db;
  auto end = run_moved(1, run_state::running, run_state::succeeded);
  end.results = {{"n", 1}};
  commit(*db.store, {created(1, workflow_of({"a"})), end});
  CHECK(must(db.reader->results({1})) == model::value{{"n", 1}});
  commit(*db.store, {model::run_retried{{1}, run_state::succeeded, 2, 0, "operator", at(5)}});
  CHECK(must(db.reader->results({1})).is_null());
  CHECK(db.reader->results({7}).error().code == errc::not_found);
}

STORE_TEST("a run whose key still stands is not pruned") {
  TestType db;
  auto request = request_for(workflow_of({"a"}));
  request.key = model::idempotency_key{"digest", "request"};
  const auto keyed = created(1, request);
  commit(*db.store, {keyed, dispatched(1, 0), ended(1, 0),
                     run_moved(1, model::run_state::running, model::run_state::succeeded),
                     created(2, workflow_of({"a"}))});
  const auto expiry = keyed.at + model::key_lifetime;
  CHECK(must(db.store->prune(at(50), expiry - model::seconds{1})).empty());
  CHECK(must(db.store->prune(at(50), expiry)) == std::vector<model::run_no>{{1}});
  CHECK_FALSE(must(db.reader->run_of_key("digest", at(6))));
}

STORE_TEST("an attempt keeps what its task said it used") {
  TestType db;
  auto end = ended(1, 0);
  end.outcome.own_usage = model::value{{"cost", 0.5}, {"tokens", 12}};
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), dispatched(1, 1), end,
                     ended(1, 1)});
  CHECK(must(db.reader->attempts({{1}, 0})).at(0).own_usage == *end.outcome.own_usage);
  CHECK(must(db.reader->attempts({{1}, 1})).at(0).own_usage.is_null());
}

STORE_TEST("checkpoints that are kept are counted with their sizes") {
  TestType db;
  const auto totals = [&] {
    const auto now = must(db.reader->checkpoint_totals());
    return std::tuple{now.count, now.bytes, now.stored_bytes};
  };
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), dispatched(1, 1)});
  CHECK(totals() == std::tuple{0, 0, 0});
  auto of_other = saved(1, "t", std::string(9, 'x'));
  of_other.key.task_idx = 1;
  commit(*db.store, {saved(1, "t", std::string(50'000, 'x')), of_other});
  const auto [count, bytes, stored] = totals();
  CHECK(count == 2);
  CHECK(bytes == 50'009);
  CHECK(stored > 9);
  CHECK(stored < 5'000); // the large one is compressed
  auto done = ended(1, 0, 1);
  done.outcome.drops_checkpoint = true;
  commit(*db.store, {done});
  CHECK(totals() == std::tuple{1, 9, 9});
}

STORE_TEST("a task's snapshot is kept until nothing is to be put back any more") {
  TestType db;
  const auto data = GENERATE(std::string{}, std::string("\0\xff", 2), std::string(1'000'000, 'x'));
  const model::snapshot_saved saved{{{1}, 0, 1}, std::make_shared<const std::string>(data), at(3)};
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0)});
  CHECK_FALSE(must(db.reader->snapshot({{1}, 0})));
  commit(*db.store, {saved});
  const auto found = must(db.reader->snapshot({{1}, 0}));
  REQUIRE(found);
  CHECK(found->what == data);
  CHECK(found->saved_at == at(3));
  CHECK(must(db.reader->stored_run({1})).snapshots == std::unordered_set<std::uint32_t>{0});
  const auto events = must(db.reader->events({.run_no = model::run_no{1}}));
  CHECK(events.back().type == model::event_type::task_snapshot);
  CHECK(events.back().data["bytes"] == data.size());

  auto done = ended(1, 0, 1, task_state::failed);
  SECTION("when the task fails") {
    commit(*db.store, {done});
    CHECK(must(db.reader->snapshot({{1}, 0})));
    commit(*db.store,
           {model::task_marked{
             {{1}, 0}, 1, task_state::failed, task_state::failed, {}, "operator", at(9)}});
    CHECK(must(db.reader->snapshot({{1}, 0}))); // a rollback may follow
    model::task_reset reset{{{1}, 0}, 1, task_state::failed, 2, "operator", at(9)};
    commit(*db.store, {reset});
  }
  SECTION("when the task succeeds") {
    done = ended(1, 0, 1);
    done.outcome.drops_snapshot = true;
    commit(*db.store, {done});
  }
  CHECK(db.store->refused() == 0);
  CHECK_FALSE(must(db.reader->snapshot({{1}, 0})));
  CHECK(must(db.reader->stored_run({1})).snapshots.empty());
  commit(*db.store, {saved});
  CHECK(db.store->refused() == 1); // its attempt is over
}

STORE_TEST("a record that does not fit is refused and the rest is kept") {
  TestType db;
  commit(*db.store,
         {created(1, workflow_of({"a", "b", "c"})), dispatched(1, 0),
          ended(1, 0, 1, task_state::ready), dispatched(1, 0, 2), dispatched(1, 1), ended(1, 1)});
  const auto wrong = GENERATE(values<std::pair<const char*, model::record>>({
    {"late report", ended(1, 0, 1)},
    {"report of a decided attempt", ended(1, 1, 1, task_state::failed)},
    {"report of an attempt to come", ended(1, 0, 3)},
    {"attempt that was given before", dispatched(1, 0, 2)},
    {"move of an earlier attempt", moved(1, 0, task_state::cancelling, "cancel", 1)},
    {"move of a decided task", moved(1, 1, task_state::skipped, "when", 1)},
    {"warning of an attempt to come", model::warning_raised{{{1}, 2, 1}, "w", at(6)}},
    {"save of an earlier attempt", saved(1, "late", "")},
    {"save of an attempt to come", saved(3, "early", "")},
    {"task that does not exist", moved(1, 7, task_state::skipped)},
    {"run in another state", run_moved(1, run_state::cancelling, run_state::cancelled)},
    {"run that does not exist", run_moved(9, run_state::running, run_state::failed)},
  }));
  CAPTURE(wrong.first);
  const auto before = must(db.reader->last_seq());
  const auto tasks = [&] {
    std::string all;
    for (const auto& t : must(db.reader->tasks({.run_no = {1}})))
      all += std::string{to_string(t.state)} + "#" + std::to_string(t.attempt) + t.reason + " ";
    return all;
  };
  REQUIRE(tasks() == "dispatched#2 succeeded#1 pending#0 ");
  CHECK(commit(*db.store, {wrong.second, moved(1, 2, task_state::skipped, "when")}) == before + 1);
  CHECK(db.store->refused() == 1);
  CHECK(tasks() == "dispatched#2 succeeded#1 skipped#0when ");
  const auto events = must(db.reader->events({.after_seq = before}));
  REQUIRE(events.size() == 1);
  CHECK(events[0].seq == before + 1);
  CHECK(events[0].type == model::event_type::task_skipped);
  CHECK(must(db.reader->run({1})).state == run_state::running);
  CHECK(must(db.reader->attempts({{1}, 0})).size() == 2);

  commit(*db.store, {ended(1, 0, 2)});
  CHECK(db.store->refused() == 0);
}

STORE_TEST("a group that fails leaves nothing behind") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  // The number of the second run is taken, which no caller may ask for.
  const std::vector<step_ptr> group{step_of(2, {dispatched(1, 0)}),
                                    step_of(3, {created(1, workflow_of({"b"}), "other")})};
  const auto failed = db.store->commit(1, group);
  REQUIRE_FALSE(failed);
  CHECK(failed.error().code == errc::internal);
  CHECK_THAT(failed.error().message, Catch::Contains("cannot commit steps 2 to 3"));
  CHECK(must(db.store->last_commit()) == commit_mark{1, 1});
  CHECK(task_at(*db.reader, 1, 0).state == task_state::pending);
  CHECK(must(db.reader->attempts({{1}, 0})).empty());
  CHECK(must(db.reader->last_seq()) == 1);
  CHECK(must(db.store->last_seq()) == 1);
  CHECK(commit(*db.store, {dispatched(1, 0)}) == 2);
}

STORE_TEST("the mark is that of the last step") {
  TestType db;
  const std::uint64_t incarnation = 18'000'000'000'000'000'000ull; // any 64 bits
  const std::vector<step_ptr> group{step_of(1, {created(1, workflow_of({"a"}))}), step_of(2, {})};
  must(db.store->commit(incarnation, group));
  CHECK(must(db.store->last_commit()) == commit_mark{incarnation, 2});
  CHECK(must(db.store->commit(incarnation, {})) == 2); // nothing to do: the seq that comes next
  CHECK(must(db.store->last_commit()) == commit_mark{incarnation, 2});
}

STORE_TEST("runs are listed newest first and filtered") {
  TestType db;
  std::vector<model::record> records;
  for (int run = 1; run <= 5; ++run)
    records.push_back(created(run, workflow_of({"a"}, run % 2 == 0 ? "even" : "odd")));
  records.push_back(run_moved(1, run_state::running, run_state::succeeded));
  records.push_back(run_moved(2, run_state::running, run_state::failed));
  records.push_back(run_moved(5, run_state::running, run_state::cancelling));
  commit(*db.store, std::move(records));
  using list = std::vector<std::int64_t>;
  const auto [query, want] = GENERATE(table<run_query, list>({
    {{}, {5, 4, 3, 2, 1}},
    {{.limit = 2}, {5, 4}},
    {{.state = run_state::failed}, {2}},
    {{.state = run_state::running}, {4, 3}},
    {{.workflow = "even"}, {4, 2}},
    {{.unfinished_only = true}, {5, 4, 3}},
    {{.workflow = "odd", .unfinished_only = true}, {5, 3}},
    {{.state = run_state::succeeded, .unfinished_only = true}, {}},
    {{.workflow = "none"}, {}},
  }));
  list found;
  for (const auto& run : must(db.reader->runs(query)))
    found.push_back(run.run_no.value);
  CHECK(found == want);
}

STORE_TEST("tasks are listed from an index and by state") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"a", "b", "c", "d"})), dispatched(1, 0),
                     dispatched(1, 2), ended(1, 2)});
  using list = std::vector<std::uint32_t>;
  const auto [query, want] = GENERATE(table<task_query, list>({
    {{.run_no = {1}}, {0, 1, 2, 3}},
    {{.run_no = {1}, .from_idx = 2}, {2, 3}},
    {{.run_no = {1}, .from_idx = 1, .limit = 2}, {1, 2}},
    {{.run_no = {1}, .state = task_state::pending}, {1, 3}},
    {{.run_no = {1}, .state = task_state::succeeded}, {2}},
    {{.run_no = {1}, .state = task_state::running}, {0}},
    {{.run_no = {2}}, {}},
  }));
  list found;
  for (const auto& task : must(db.reader->tasks(query)))
    found.push_back(task.key.task_idx);
  CHECK(found == want);
}

STORE_TEST("a task is found by name and the nearest one is named") {
  TestType db;
  commit(*db.store, {created(1, workflow_of({"extract", "transform", "load"}))});
  CHECK(must(db.reader->task({1}, "load")).key.task_idx == 2);
  const auto missing = db.reader->task({1}, "extrat");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == errc::not_found);
  CHECK_THAT(missing.error().message,
             Catch::Contains("run r-1 has no task 'extrat'") && Catch::Contains("'extract'"));
  CHECK_THAT(db.reader->task({2}, "load").error().message, Catch::Contains("no run r-2"));
}

STORE_TEST("an unfinished run is read with all that goes on with it") {
  TestType db;
  const auto workflow = workflow_of({"a", "b", "c", "d", "e", "f"});
  auto request = request_for(workflow);
  request.params = {{"day", "2026-03-01"}};
  const auto record = created(1, request);
  auto with_inputs = dispatched(1, 1);
  with_inputs.inputs = R"({"x":1})";
  auto good = ended(1, 0);
  good.outcome.outputs = {{"v", 7}};
  commit(*db.store, {record, dispatched(1, 0), with_inputs, dispatched(1, 2), dispatched(1, 3),
                     good, moved(1, 1, task_state::cancelling, "timeout", 1),
                     ended(1, 2, 1, task_state::failed), ended(1, 3, 1, task_state::ready)});
  auto retrying = ended(1, 5, 1, task_state::retry_wait);
  retrying.outcome.retries = 2;
  const model::timer timer{{1}, 5, model::timer_kind::retry, at(60)};
  commit(*db.store, {dispatched(1, 5), retrying}, {}, {.removed = {}, .set = {timer}});

  const auto run = must(db.reader->stored_run({1}));
  CHECK(run.run_no == model::run_no{1});
  CHECK(*run.workflow == *workflow);
  CHECK(run.params == request.params);
  CHECK(run.state == run_state::running);
  CHECK(run.submitted_at == at(0));
  REQUIRE(run.tasks.size() == 6);
  CHECK(run.tasks[0].state == task_state::succeeded);
  CHECK(run.tasks[0].has_outputs);
  CHECK(run.tasks[1].state == task_state::cancelling);
  CHECK(run.tasks[1].attempt == 1);
  CHECK(run.reasons.at(1) == "timeout");
  CHECK(run.inputs.at(1) == model::value{{"x", 1}});
  CHECK(run.tasks[2].state == task_state::failed);
  CHECK_FALSE(run.tasks[2].has_outputs);
  CHECK(run.tasks[2].finished_us == model::to_us(at(3)));
  CHECK(run.messages.at(2) == "exited with 3");
  CHECK(run.tasks[3].state == task_state::pending);
  CHECK(run.tasks[3].losses == 1);
  CHECK(run.tasks[4].attempt == 0);
  CHECK(run.inputs.size() == 1);
  CHECK(run.tasks[5].state == task_state::retry_wait);
  REQUIRE(run.retries.size() == 1);
  CHECK(run.retries.at(5).done == 2);
  CHECK(run.retries.at(5).last == retrying.outcome.failure);
  CHECK(run.timers == std::vector<model::timer>{timer});
  CHECK(db.reader->stored_run({2}).error().code == errc::not_found);
}

STORE_TEST("timers of a run and of its groups are told apart") {
  TestType db;
  const std::vector<model::timer> timers{{{1}, std::nullopt, model::timer_kind::timebox, at(9), 1},
                                         {{1}, std::nullopt, model::timer_kind::timebox, at(8), 0},
                                         {{1}, std::nullopt, model::timer_kind::budget, at(7)},
                                         {{1}, 0, model::timer_kind::retry, at(6)}};
  commit(*db.store, {created(1, workflow_of({"a"}))}, {}, {.removed = {}, .set = timers});
  CHECK(must(db.reader->timers({1})) == timers);
  commit(*db.store, {}, {}, {.removed = {timers[0], timers[2]}, .set = {}});
  CHECK(must(db.reader->timers({1})) == std::vector{timers[1], timers[3]});
}

STORE_TEST("what attempts have used is known while they run and afterwards") {
  TestType db;
  auto workflow = workflow_of({"a", "b", "c"});
  workflow->budget.emplace().limits[0] = model::to_amount(9);
  auto over = ended(1, 0);
  over.outcome.own_usage = model::value{{"cost", 2.5}, {"pages", 1}};
  auto lost = ended(1, 1, 1, task_state::ready);
  lost.outcome.started_at.reset();
  commit(*db.store,
         {created(1, workflow), dispatched(1, 0), dispatched(1, 1), over,
          model::usage_noted{{{1}, 1, 1}, {{"tokens", 3}}, at(2)},
          model::usage_noted{{{1}, 1, 1}, {{"tokens", 7}}, at(2)}, lost, dispatched(1, 1, 2, 4),
          model::usage_noted{{{1}, 1, 1}, {{"tokens", 70}}, at(5)}}); // of one that is over
  const auto used = must(db.reader->used({1}));
  REQUIRE(used.size() == 3);
  CHECK(used[0].used == model::amounts{2'500'000, 0, 1'000'000});
  CHECK(used[1].used == model::amounts{0, 7'000'000, 0});
  CHECK_FALSE(used[1].under_way_since);
  CHECK(used[2].task_idx == 1);
  CHECK(used[2].under_way_since == at(4));
  CHECK(must(db.reader->stored_run({1})).used.size() == 3);
}

STORE_TEST("why a task fails that is being stopped is kept until then") {
  TestType db;
  auto stopped = moved(1, 0, task_state::cancelling, "budget", 1);
  stopped.failure = model::failure{model::failure_class::budget, "cost", "used up"};
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), dispatched(1, 1),
                     stopped, moved(1, 1, task_state::cancelling, "timeout", 1)});
  const auto run = must(db.reader->stored_run({1}));
  REQUIRE(run.stops.size() == 1);
  CHECK(run.stops.at(0) == *stopped.failure);
  CHECK(run.reasons.at(0) == "budget");
}

STORE_TEST("a task that fell back is known by it, and so is what its attempts ran") {
  TestType db;
  auto falling = ended(1, 0, 1, task_state::ready);
  falling.outcome.falls_back = true;
  auto second = dispatched(1, 0, 2);
  second.role = model::command_role::fallback;
  commit(*db.store, {created(1, workflow_of({"a", "b"})), dispatched(1, 0), dispatched(1, 1),
                     falling, second});
  const auto run = must(db.reader->stored_run({1}));
  CHECK(run.tasks[0].fell_back);
  CHECK_FALSE(run.tasks[1].fell_back);
  const auto attempts = must(db.reader->attempts({{1}, 0}));
  REQUIRE(attempts.size() == 2);
  CHECK(attempts[0].role == model::command_role::action);
  CHECK(attempts[1].role == model::command_role::fallback);
}

STORE_TEST("a task that rolls back is known by it, by why, and by what it waits for") {
  TestType db;
  auto failing = moved(1, 0, task_state::rolling_back, "", 1);
  failing.from = task_state::failed;
  auto undoing = dispatched(1, 0, 2);
  undoing.role = model::command_role::rollback;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0),
                     ended(1, 0, 1, task_state::failed), failing});
  CHECK(task_at(*db.reader, 1, 0).losses == 0); // a rollback survives as many as the action
  auto run = must(db.reader->stored_run({1}));
  CHECK(run.tasks[0].state == task_state::rolling_back);
  CHECK(run.tasks[0].finished_us == 0);
  CHECK(run.tasks[0].rolls_back);
  CHECK(run.tasks[0].is_waiting);
  CHECK(run.rollbacks.at(0).message == "exited with 3");

  commit(*db.store, {undoing});
  run = must(db.reader->stored_run({1}));
  CHECK(run.tasks[0].state == task_state::rolling_back);
  CHECK(run.tasks[0].attempt == 2);
  CHECK_FALSE(run.tasks[0].is_waiting);

  auto lost = ended(1, 0, 2, task_state::ready);
  lost.outcome.state = task_state::rolling_back;
  auto again = undoing;
  again.key.attempt = 3;
  auto done = ended(1, 0, 3, task_state::rolled_back);
  commit(*db.store, {lost});
  CHECK(must(db.reader->stored_run({1})).tasks[0].is_waiting);
  commit(*db.store, {again, done});
  CHECK(db.store->refused() == 0);
  run = must(db.reader->stored_run({1}));
  CHECK(run.tasks[0].state == task_state::rolled_back);
  CHECK(run.messages.at(0) == "exited with 3");
  CHECK(run.rollbacks.empty());
  CHECK(task_at(*db.reader, 1, 0).failure->code == "3");
}

STORE_TEST(
  "a run that is rolled back is known by it, and so is what it undoes and in which order") {
  TestType db;
  const auto succeeding = [](std::uint32_t task, std::uint32_t attempt) {
    auto end = ended(1, task, attempt, task_state::succeeded);
    end.outcome.is_completion = true;
    end.outcome.outputs = {{"out", task}};
    end.outcome.losses = 2;
    return end;
  };
  auto with_inputs = dispatched(1, 0, 1);
  with_inputs.inputs = R"({"x":1})";
  commit(*db.store,
         {created(1, workflow_of({"a", "b", "c"})), with_inputs, dispatched(1, 1), dispatched(1, 2),
          succeeding(1, 1), succeeding(0, 1), ended(1, 2, 1, task_state::failed)});
  auto run = must(db.reader->stored_run({1}));
  CHECK(run.completions == std::vector<std::uint32_t>{1, 0});
  CHECK(run.inputs == std::unordered_map<std::uint32_t, model::value>{{0, {{"x", 1}}}});
  CHECK(run.tasks[0].completed);
  CHECK_FALSE(run.tasks[2].completed);
  CHECK_FALSE(run.rolls_back);

  auto undoing = moved(1, 0, task_state::rolling_back, "", 1);
  undoing.from = task_state::succeeded;
  auto compensation = dispatched(1, 0, 2);
  compensation.role = model::command_role::compensate;
  model::run_moved going{{1},   run_state::running, run_state::rolling_back, false, "why", "s",
                         at(5), std::nullopt};
  commit(*db.store, {going, undoing});
  run = must(db.reader->stored_run({1}));
  CHECK(run.state == run_state::rolling_back);
  CHECK(run.rolls_back);
  CHECK(run.error == "why");
  CHECK(run.tasks[0].rolls_back);
  CHECK(run.tasks[0].is_waiting);
  CHECK(run.tasks[0].losses == 0); // they are of its action
  CHECK(run.tasks[0].has_outputs);
  CHECK(run.rollbacks.empty());
  commit(*db.store, {compensation});
  CHECK_FALSE(must(db.reader->stored_run({1})).tasks[0].is_waiting);

  auto failing = ended(1, 0, 2, task_state::failed);
  auto last = going;
  last.from = run_state::rolling_back;
  last.to = run_state::failed;
  commit(*db.store, {failing, last});
  CHECK(must(db.reader->outputs({{1}, 0})) == model::value{{"out", 0}}); // for another attempt
  CHECK(must(db.reader->run({1})).began_at == at(0));

  auto again = going;
  again.from = run_state::failed;
  again.at = at(9);
  commit(*db.store, {again});
  auto row = must(db.reader->run({1}));
  CHECK(row.state == run_state::rolling_back);
  CHECK_FALSE(row.finished_at);
  CHECK(row.began_at == at(9));
  CHECK(row.began_seq == must(db.store->last_seq()));

  last.to = run_state::rolled_back;
  commit(*db.store, {last});
  commit(*db.store, {model::run_retried{{1}, run_state::rolled_back, 2, 1, "operator", at(10)},
                     model::task_reset{{{1}, 1}, 1, task_state::succeeded, 2, "operator", at(10)}});
  CHECK(db.store->refused() == 0);
  run = must(db.reader->stored_run({1}));
  CHECK_FALSE(run.rolls_back);
  CHECK(run.completions == std::vector<std::uint32_t>{0});
}

STORE_TEST("any text is kept as it is") {
  TestType db;
  const auto text = GENERATE(
    values<std::string>({"", "it's; DROP TABLE task; --", "\xE2\x82\xAC and \xF0\x9F\x98\x80",
                         std::string{"a\0b", 3}, std::string(200'000, 'x')}));
  auto request = request_for(workflow_of({"a"}));
  request.source = text;
  auto end = ended(1, 0, 1, task_state::failed);
  end.outcome.failure->message = text;
  end.outcome.outputs = {{"text", text}};
  commit(*db.store, {created(1, request), dispatched(1, 0), end});
  CHECK(must(db.reader->source({1})) == text);
  CHECK(task_at(*db.reader, 1, 0).failure->message == text);
  CHECK(must(db.reader->outputs({{1}, 0})) == model::value{{"text", text}});
}

STORE_TEST("every value of the enumerations can be stored") {
  TestType db;
  std::vector<model::record> records;
  auto workflow = workflow_of({});
  for (std::size_t i = 0; i < model::failure_class_count; ++i)
    workflow->tasks.push_back({.name = "task " + std::to_string(i)});
  records.push_back(created(1, workflow));
  for (std::uint32_t i = 0; i < model::failure_class_count; ++i) {
    records.push_back(dispatched(1, i));
    auto end = ended(1, i, 1, task_state::failed);
    end.outcome.failure->failure_class = failure_class(i);
    records.push_back(end);
  }
  commit(*db.store, std::move(records));
  for (std::uint32_t i = 0; i < model::failure_class_count; ++i)
    CHECK(task_at(*db.reader, 1, i).failure->failure_class == failure_class(i));
}

#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

using namespace sluice;
using namespace sluice::runtime;
using model::task_state;

namespace {

std::filesystem::path temporary_directory() {
  auto name = (std::filesystem::temp_directory_path() / "sluice-history-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  return name;
}

/// A store directory that a runtime writes; `holder` is the runtime's life.
struct written_store {
  storage::store_paths paths{temporary_directory() / "store"};
  std::optional<storage::store_lock> holder;
  std::unique_ptr<storage::store> store;
  std::shared_ptr<model::workflow_spec> workflow = std::make_shared<model::workflow_spec>();
  std::uint64_t steps = 0;
  model::wall_time now;

  written_store() {
    auto lock = storage::store_lock::acquire(paths, {.command = "test"});
    REQUIRE(lock);
    holder = std::move(*lock);
    auto opened = storage::open_store(paths);
    REQUIRE(opened);
    store = std::move(*opened);
    // After the lock was taken, as the submissions of its holder are.
    const auto taken = std::filesystem::last_write_time(paths.lock());
    now = model::from_us(std::chrono::duration_cast<model::microseconds>(
                           std::chrono::file_clock::to_sys(taken).time_since_epoch())
                           .count()
                         + 1000);
    workflow->name = "etl";
    for (const auto* name : {"extract", "extend", "load", "7", "report"})
      workflow->tasks.push_back({.name = name, .action = model::run_action{"true"}});
    workflow->tasks[2].after = {"extract", "extend"};
    workflow->tasks[4].after = {"load"};
  }
  ~written_store() { std::filesystem::remove_all(paths.dir.parent_path()); }

  template <class... Records>
  void commit(model::run_no run, model::state_counts counts, Records... records) {
    auto step = std::make_shared<model::step>();
    step->number = ++steps;
    (step->records.emplace_back(std::move(records)), ...);
    step->counts.push_back({run, counts});
    const std::vector<storage::step_ptr> group{step};
    REQUIRE(store->commit(1, group));
  }

  void create_run(std::int64_t number, model::wall_time at) {
    model::state_counts counts{};
    counts[0] = static_cast<std::uint32_t>(workflow->tasks.size());
    model::submission request;
    request.workflow = workflow;
    request.content_hash = "hash";
    commit({number}, counts,
           model::run_created{{number}, std::make_shared<const model::submission>(request), at});
  }

  void dispatch(model::attempt_key key) {
    commit(key.run_no, {}, model::attempt_dispatched{.key = key, .at = now});
  }
  void finish(model::attempt_key key, std::optional<model::failure> failure = {}) {
    model::attempt_outcome outcome;
    outcome.key = key;
    outcome.from = task_state::dispatched;
    outcome.state = failure ? task_state::failed : task_state::succeeded;
    outcome.failure = std::move(failure);
    outcome.outputs = {{"rows", 3}};
    outcome.finished_at = now + std::chrono::seconds{1};
    commit(key.run_no, {}, model::attempt_ended{outcome});
  }
  void end_run(std::int64_t number, model::run_state to) {
    commit({number}, {}, model::run_moved{.run_no = {number}, .to = to, .at = now});
  }

  history reading() const {
    auto opened = history::open(paths.dir);
    REQUIRE(opened);
    return std::move(*opened);
  }
};

std::vector<std::string> states_of(history& reading, const run_view& run) {
  std::vector<std::string> states;
  REQUIRE(reading.each_task(run, [&](const task_view& task) {
    states.emplace_back(task.shown_state());
    return true;
  }));
  return states;
}

std::vector<std::string> reasons_of(history& reading, std::string_view id) {
  const auto run = reading.run(id);
  REQUIRE(run);
  std::vector<std::string> reasons;
  REQUIRE(reading.each_task(*run, [&](const task_view& task) {
    reasons.emplace_back(to_string(task.wait_reason));
    return true;
  }));
  return reasons;
}

} // namespace

TEST_CASE("history: finally waits for all other tasks", "[runtime][history][disk]") {
  written_store written;
  written.workflow->tasks.push_back({.name = "tidy", .action = model::run_action{"true"}});
  written.workflow->finally_count = 1;
  written.create_run(1, written.now);
  auto reading = written.reading();
  const auto run = reading.run("r-1");
  REQUIRE(run);
  REQUIRE(reading.each_task(*run, [](const task_view& task) {
    if (task.name == "tidy") {
      CHECK(task.wait_reason == model::wait_reason::upstream);
      CHECK(task.waits_for == "all tasks before finally");
    }
    return true;
  }));
}

TEST_CASE("history: tasks that are added since are known", "[runtime][history][disk]") {
  written_store written;
  written.workflow->tasks.push_back({.name = "tidy", .action = model::run_action{"true"}});
  written.workflow->finally_count = 1;
  written.create_run(1, written.now);
  auto reading = written.reading();
  const auto run = reading.run("r-1");
  REQUIRE(run);
  CHECK(states_of(reading, *run).size() == 6);
  auto more = std::make_shared<model::workflow_spec>(*written.workflow);
  more->additions.push_back({6, 6, 1, {}});
  more->tasks.push_back({.name = "late", .action = model::run_action{"true"}, .after = {"load"}});
  more->tasks.back().addition = 1;
  written.commit({1}, {}, model::tasks_added{{1}, more, "hash-2", "operator", written.now});
  CHECK(states_of(reading, *run).size() == 7);
  const auto late = reading.task("r-1/late");
  REQUIRE(late);
  CHECK(late->task.key.task_idx == 6);
  CHECK(late->task.waits_for == "load");
  CHECK(reading.names({1})->name(6) == "late");
  for (std::uint32_t task = 0; task < 5; ++task) {
    written.dispatch({{1}, task, 1});
    written.finish({{1}, task, 1});
  }
  CHECK(reading.task("r-1/tidy")->task.waits_for == "all tasks before finally");
  CHECK(reading.task("r-1/late")->task.shown_state() == "ready");
}

TEST_CASE("history: a directory without a store is not found", "[runtime][history][disk]") {
  const auto dir = temporary_directory();
  const auto opened = history::open(dir / "none");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == errc::not_found);
  CHECK_FALSE(std::filesystem::exists(dir / "none"));
  std::filesystem::remove_all(dir);
}

TEST_CASE("history: runs are found by every form of id", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.end_run(1, model::run_state::failed);
  written.create_run(2, written.now);
  auto reading = written.reading();
  CHECK(reading.run("r-1")->run_no == model::run_no{1});
  CHECK(reading.run("1")->run_no == model::run_no{1});
  CHECK(reading.run("@last")->run_no == model::run_no{2});
  CHECK(reading.run("@last-failed")->run_no == model::run_no{1});
  CHECK(reading.run("r-3").error().code == errc::not_found);
  CHECK(reading.run("@first").error().code == errc::invalid_argument);
  CHECK(reading.run("x").error().code == errc::invalid_argument);
}

TEST_CASE("history: a run without its runtime is interrupted", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now - std::chrono::hours{1}); // of an earlier runtime
  written.create_run(2, written.now);
  written.dispatch({{2}, 0, 1});
  auto reading = written.reading();
  CHECK(reading.run("r-1")->shown_state() == "interrupted");
  CHECK(reading.run("r-2")->shown_state() == "running");
  CHECK(reading.run("r-2")->is_live());
  CHECK(reading.runs({.state = "interrupted"})->size() == 1);
  CHECK(reading.runs({.state = "running"})->size() == 1);
  CHECK(reading.runs({})->size() == 2);
  CHECK(reading.runs({.limit = 1})->size() == 1);
  CHECK(reading.runs({.state = "lost"}).error().code == errc::invalid_argument);

  written.holder.reset();
  const auto run = reading.run("r-2");
  CHECK(run->shown_state() == "interrupted");
  CHECK_FALSE(run->is_live());
  CHECK(states_of(reading, *run).front() == "interrupted");
}

TEST_CASE("history: ready and running are worked out", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.dispatch({{1}, 0, 1});
  written.finish({{1}, 0, 1});
  written.dispatch({{1}, 1, 1});
  auto reading = written.reading();
  const auto run = reading.run("r-1");
  REQUIRE(run);
  CHECK(states_of(reading, *run)
        == std::vector<std::string>{"succeeded", "running", "pending", "ready", "pending"});
  CHECK(reading.task("r-1/load")->task.waits_for == "extend");
  CHECK(reading.task("r-1/report")->task.waits_for == "load");
  CHECK(to_json(reading.task("r-1/report")->task)["waits_for"] == "load");
}

TEST_CASE("history: what does not run has its reason", "[runtime][history][disk]") {
  written_store written;
  const auto [limit, want] = GENERATE(table<std::optional<std::uint32_t>, std::string>({
    {std::nullopt, "slot"},
    {2, "slot"}, // one is active: there is room under the limit
    {1, "limit"},
  }));
  written.workflow->active_tasks = limit;
  CAPTURE(limit.value_or(0));
  written.create_run(1, written.now);
  written.dispatch({{1}, 0, 1});
  written.finish({{1}, 0, 1});
  written.dispatch({{1}, 1, 1});
  auto reading = written.reading();
  using reasons = std::vector<std::string>; // of extract, extend, load, 7, report
  CHECK(reasons_of(reading, "r-1") == reasons{"", "", "upstream", want, "upstream"});
  CHECK(to_json(reading.task("r-1/7")->task)["wait_reason"] == want);
  CHECK_FALSE(to_json(reading.task("r-1/extend")->task).contains("wait_reason"));

  // Without its runtime nothing waits for a slot; what was before a task is undecided all the same.
  written.holder.reset();
  CHECK(reasons_of(reading, "r-1") == reasons{"", "", "upstream", "", "upstream"});
  CHECK(reading.task("r-1/7")->task.shown_state() == "ready");
}

TEST_CASE("history: instances are tasks, and their task runs while they do",
          "[runtime][history][disk]") {
  written_store written;
  auto& extract = written.workflow->tasks[0];
  extract.fan_out->items = model::foreach_items{3};
  extract.fan_out->max_parallel = 1;
  written.create_run(1, written.now);
  const auto items = std::make_shared<const model::item_list>(*model::item_list::of(3));
  written.commit({1}, {}, model::task_expanded{{{1}, 0}, 0, {0, 5, items}, 1, written.now});
  written.dispatch({{1}, 5, 1});
  auto reading = written.reading();
  const auto run = reading.run("r-1");
  REQUIRE(run);
  CHECK(states_of(reading, *run)
        == std::vector<std::string>{"running", "ready", "pending", "ready", "pending", "running",
                                    "ready", "ready"});
  using reasons = std::vector<std::string>;
  CHECK(reasons_of(reading, "r-1")
        == reasons{"", "slot", "upstream", "slot", "upstream", "", "parallel", "parallel"});
  CHECK(reading.task("r-1/extract[2]")->task.key.task_idx == 7);
  CHECK(reading.task("r-1/6")->task.name == "extract[1]");
  CHECK(to_json(reading.task("r-1/6")->task)["instance_of"] == "extract");
  CHECK(to_json(reading.task("r-1/extract")->task)["instances"] == 3);
  CHECK(reading.names({1})->find("extract[2]") == 7);
}

TEST_CASE("history: a task that waits for its retry", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.dispatch({{1}, 0, 1});
  model::attempt_outcome outcome;
  outcome.key = {{1}, 0, 1};
  outcome.state = task_state::retry_wait;
  outcome.failure = model::failure{model::failure_class::exit, "3", "exit 3"};
  outcome.retries = 1;
  outcome.finished_at = written.now;
  auto step = std::make_shared<model::step>();
  step->number = ++written.steps;
  step->records.emplace_back(model::attempt_ended{outcome});
  const model::timer timer{{1}, 0, model::timer_kind::retry, written.now + std::chrono::hours{1}};
  step->timers.set.push_back(timer);
  const std::vector<storage::step_ptr> group{step};
  REQUIRE(written.store->commit(1, group));

  auto reading = written.reading();
  auto task = reading.task("r-1/extract")->task;
  CHECK(task.shown_state() == "retry_wait");
  CHECK(task.wait_reason == model::wait_reason::retry);
  CHECK(task.retry_at == timer.due);
  CHECK(task.failure == outcome.failure);
  const auto v = to_json(task);
  CHECK(v["wait_reason"] == "retry");
  CHECK(v["retry_at"] == model::to_rfc3339(timer.due));
  CHECK(v["retries"] == 1);

  written.holder.reset(); // nobody looks at the time any more
  task = reading.task("r-1/extract")->task;
  CHECK(task.shown_state() == "retry_wait");
  CHECK(task.wait_reason == model::wait_reason::none);
}

TEST_CASE("history: a task that waits for its breaker", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.dispatch({{1}, 0, 1});
  model::attempt_outcome outcome;
  outcome.key = {{1}, 0, 1};
  outcome.state = task_state::retry_wait;
  outcome.failure = model::failure{model::failure_class::exit, "3", "exit 3"};
  outcome.retries = 1;
  outcome.breaker = {5, written.now + std::chrono::minutes{1}};
  outcome.finished_at = written.now;
  auto step = std::make_shared<model::step>();
  step->number = ++written.steps;
  step->records.emplace_back(model::attempt_ended{outcome});
  step->records.emplace_back(model::task_moved{.key = {{1}, 0},
                                               .attempt = 1,
                                               .from = task_state::retry_wait,
                                               .to = task_state::waiting,
                                               .reason = "breaker",
                                               .actor = "scheduler",
                                               .at = written.now,
                                               .breaker = outcome.breaker});
  const std::vector<storage::step_ptr> group{step};
  REQUIRE(written.store->commit(1, group));

  auto reading = written.reading();
  auto task = reading.task("r-1/extract")->task;
  CHECK(task.shown_state() == "waiting");
  CHECK(task.wait_reason == model::wait_reason::breaker);
  CHECK(task.breaker == outcome.breaker);
  const auto v = to_json(task);
  CHECK(v["wait_reason"] == "breaker");
  CHECK(v["breaker"]["failures"] == 5);
  CHECK(v["breaker"]["open_until"] == model::to_rfc3339(*outcome.breaker->open_until));

  written.holder.reset(); // nobody looks at the time any more
  task = reading.task("r-1/extract")->task;
  CHECK(task.shown_state() == "waiting");
  CHECK(task.wait_reason == model::wait_reason::none);
}

TEST_CASE("history: a join that fires early waits for nobody", "[runtime][history][disk]") {
  written_store written;
  using model::join_rule;
  const auto [rule, fails, allowed, want] = GENERATE(table<join_rule, bool, bool, std::string>({
    {join_rule::one_success, false, false, "ready"},
    {join_rule::one_success, true, false, "pending"},
    {join_rule::one_success, true, true, "ready"}, // an allowed failure counts as success
    {join_rule::one_failed, true, false, "ready"},
    {join_rule::one_failed, true, true, "pending"},
    {join_rule::one_failed, false, false, "pending"},
    {join_rule::all_done, true, false, "pending"},
  }));
  CAPTURE(to_string(rule), fails, allowed);
  written.workflow->tasks[2].join.rule = rule;
  written.workflow->defaults.allow_failure = allowed;
  written.create_run(1, written.now);
  written.dispatch({{1}, 0, 1});
  written.finish({{1}, 0, 1}, fails ? std::optional{model::failure{}} : std::nullopt);
  written.dispatch({{1}, 1, 1});
  const auto load = written.reading().task("r-1/load")->task; // after extract and extend
  CHECK(load.shown_state() == want);
  CHECK(load.waits_for == (want == "ready" ? "" : "extend"));
  CHECK(to_string(load.wait_reason) == (want == "ready" ? "slot" : "upstream"));
}

TEST_CASE("history: in a run that is over nothing waits", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.end_run(1, model::run_state::failed);
  auto reading = written.reading();
  CHECK(reasons_of(reading, "r-1") == std::vector<std::string>(5));
  CHECK(reading.task("r-1/load")->task.waits_for.empty());
}

TEST_CASE("history: tasks are found by every form of id", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.dispatch({{1}, 2, 1});
  auto reading = written.reading();
  CHECK(reading.task("r-1/load")->task.key.task_idx == 2);
  CHECK(reading.task("@last/load")->task.key.task_idx == 2);
  CHECK(reading.task("1/2")->task.name == "load");
  CHECK(reading.task("r-1/7")->task.key.task_idx == 3); // the name beats the index
  CHECK(reading.task("r-1/rep")->task.name == "report");
  CHECK(reading.task("r-1/load#1")->attempt == 1u);
  CHECK_FALSE(reading.task("r-1/load")->attempt);
  CHECK(reading.task("r-1/ext").error().code == errc::conflict);
  CHECK(reading.task("r-1/load#2").error().code == errc::not_found);
  CHECK(reading.task("r-1/9").error().code == errc::not_found);
  CHECK(reading.task("r-1").error().code == errc::invalid_argument);
  CHECK_THAT(reading.task("r-1").error().message,
             Catch::EndsWith("`sluice tasks` lists the tasks"));
  CHECK_THAT(reading.task("r-x").error().message, Catch::EndsWith("such as r-12/load"));
  const auto misspelt = reading.task("r-1/laod");
  REQUIRE_FALSE(misspelt);
  CHECK(misspelt.error().code == errc::not_found);
  CHECK_THAT(misspelt.error().message, Catch::Contains("'load'"));
}

TEST_CASE("history: attempts and outputs and events of a task", "[runtime][history][disk]") {
  written_store written;
  written.create_run(1, written.now);
  written.dispatch({{1}, 2, 1});
  written.finish({{1}, 2, 1}, model::failure{model::failure_class::exit, "3", "exited with 3"});
  auto reading = written.reading();
  const auto attempts = reading.attempts({{1}, 2});
  REQUIRE(attempts);
  REQUIRE(attempts->size() == 1);
  CHECK(attempts->front().failure->code == "3");
  CHECK((*reading.outputs({{1}, 2}))["rows"] == 3);
  const auto events = reading.events({1}, 0, 100);
  REQUIRE(events);
  REQUIRE(events->size() == 3);
  CHECK(events->at(0).task.empty());
  CHECK(events->at(1).task == "load");
  CHECK(reading.events({1}, events->at(1).seq, 100)->size() == 1);
  CHECK(reading.events({1}, 0, 2)->size() == 2);
  CHECK(reading.log_of({{1}, 2, 1}) == written.paths.logs() / "r-1/0/2.1.log");
}

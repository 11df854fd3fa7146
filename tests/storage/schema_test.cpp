#include "model/state.hpp"
#include "storage/sqlite/connection.hpp"
#include "tests/storage/store_fixture.hpp"

#include <map>
#include <regex>

using namespace sluice;
using namespace sluice::storage;

namespace {

using names = std::vector<std::string>;

/// `table.column` -> the names its CHECK allows, from the text that the database keeps.
std::map<std::string, names> checked_names(const std::filesystem::path& file) {
  SQLite::Database db{file.string(), SQLite::OPEN_READONLY};
  SQLite::Statement row{db, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"};
  std::map<std::string, names> found;
  const std::regex check{R"(CHECK \(([^)]*)\))"};
  const std::regex term{R"((\w+) = '(\w*)')"};
  while (row.executeStep()) {
    const auto table = row.getColumn(0).getString();
    const auto sql = row.getColumn(1).getString();
    for (std::sregex_iterator it{sql.begin(), sql.end(), check}, end; it != end; ++it) {
      const auto condition = (*it)[1].str();
      for (std::sregex_iterator t{condition.begin(), condition.end(), term}; t != end; ++t)
        found[table + "." + (*t)[1].str()].push_back((*t)[2].str());
    }
  }
  return found;
}

names strings(std::span<const std::string_view> views) {
  return {views.begin(), views.end()};
}

} // namespace

TEST_CASE("schema: the checks allow exactly the names of the model", "[storage][schema][disk]") {
  on_disk db;
  const auto found = checked_names(db.paths.database());
  const std::map<std::string, names> want{
    {"run.state", strings(model::run_state_names())},
    {"task.state", strings(model::task_state_names())},
    {"task_text.class", strings(model::failure_class_names())},
    {"attempt.state", strings(model::task_state_names())},
    {"attempt.class", strings(model::failure_class_names())},
    {"timer.kind", strings(model::timer_kind_names())},
    {"checkpoint.encoding", {"plain", "zlib"}},
    {"snapshot.encoding", {"plain", "zlib"}},
    {"store_limit.kind", strings(model::limit_kind_names())},
  };
  CHECK(found == want);
}

TEST_CASE("schema: a name that is none is refused by the database", "[storage][schema][disk]") {
  on_disk db;
  auto retrying = ended(1, 0, 1, task_state::retry_wait);
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0), retrying}, {},
         {.removed = {}, .set = {{{1}, 0, model::timer_kind::retry, at(9)}}});
  db.store.reset();
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READWRITE};
  const auto column =
    GENERATE("UPDATE run SET state", "UPDATE task SET state", "UPDATE attempt SET state",
             "UPDATE attempt SET class", "UPDATE timer SET kind");
  CHECK_THROWS_WITH(raw.exec(std::string{column} + " = 'nonsense'"),
                    Catch::Contains("CHECK constraint failed"));
}

TEST_CASE("schema: a row that cannot be read is corrupt", "[storage][schema][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READWRITE};
  raw.exec("UPDATE run SET params = '{'; UPDATE workflow_version SET spec = '[]';"
           "UPDATE event SET type = 'nonsense'");
  CHECK(db.reader->run({1}).error().code == errc::corrupt);
  CHECK(db.reader->workflow({1}).error().code == errc::corrupt);
  CHECK(db.reader->events({}).error().code == errc::corrupt);
}

TEST_CASE("schema: a log from before the timers is kept as it was", "[storage][schema][disk]") {
  const temporary_directory directory;
  SQLite::Database raw{(directory.path() / "old.db").string(),
                       SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
  const auto migrations = all_migrations();
  raw.exec(migrations[0].sql);
  raw.exec("INSERT INTO event VALUES (7, 70, 1, 0, 2, 'task_lost', 'running', 'ready', 'x', '{}');"
           "INSERT INTO event VALUES (9, 90, 1, NULL, NULL, 'run_finished', 'a', 'b', 'y', NULL);"
           "INSERT INTO task (run_no, task_idx, name, state) VALUES (1, 0, 't', 'pending')");
  raw.exec(migrations[1].sql);
  CHECK(raw
          .execAndGet("SELECT group_concat(seq || type || ifnull(task_idx, '-') || actor) "
                      "FROM (SELECT * FROM event ORDER BY seq)")
          .getString()
        == "7task_lost0x,9run_finished-y");
  CHECK(raw.execAndGet("SELECT retries FROM task").getInt() == 0);
}

TEST_CASE("schema: unfinished runs are found by their index", "[storage][schema][disk]") {
  on_disk db;
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READONLY};
  SQLite::Statement plan{raw, "EXPLAIN QUERY PLAN SELECT run_no FROM run INDEXED BY run_unfinished "
                              "WHERE state IN ('queued', 'running', 'cancelling', 'rolling_back') "
                              "ORDER BY run_no DESC"};
  REQUIRE(plan.executeStep());
  CHECK_THAT(plan.getColumn(3).getString(), Catch::Contains("run_unfinished"));
  CHECK_FALSE(plan.executeStep()); // no sorting
}

TEST_CASE("schema: its views outlive the migrations, and cost no look at runs that are over",
          "[storage][schema][disk]") {
  on_disk db;
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READONLY};
  SQLite::Statement view{raw, "SELECT name FROM sqlite_schema WHERE type = 'view'"};
  std::vector<std::string> views;
  while (view.executeStep())
    views.push_back(view.getColumn(0).getString());
  CHECK(views.size() == 6);
  for (const auto& name : views)
    CHECK_NOTHROW(raw.execAndGet("SELECT COUNT(*) FROM " + name));
  SQLite::Statement plan{raw, "EXPLAIN QUERY PLAN SELECT * FROM active_task"};
  REQUIRE(plan.executeStep());
  CHECK_THAT(plan.getColumn(3).getString(), Catch::Contains("run_unfinished"));
}

TEST_CASE("schema: its views say what people ask", "[storage][schema][disk]") {
  on_disk db;
  auto retrying = ended(1, 1, 1, task_state::retry_wait);
  auto workflow = workflow_of({"a", "b", "c"});
  workflow->tasks[1].settings->group = "load";
  workflow->defaults.group = "rest";
  workflow->groups.emplace_back().name = "load";
  commit(*db.store, {created(1, workflow), dispatched(1, 0), dispatched(1, 1), retrying}, {},
         {.removed = {},
          .set = {{{1}, 1, model::timer_kind::retry, at(9)},
                  {{1}, std::nullopt, model::timer_kind::timebox, at(7), 0},
                  {{1}, std::nullopt, model::timer_kind::deadline, at(8)}}});
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READONLY};
  const auto lines = [&](const std::string& sql) {
    return raw.execAndGet("SELECT group_concat(line) FROM (SELECT " + sql + ")").getString();
  };
  CHECK(lines("task || ' ' || workflow || ' ' || state || ' ' || attempt || ' ' || executor || ' ' "
              "|| dispatched AS line FROM active_task")
        == "r-1/a etl dispatched 1 process 2026-02-02T02:40:01.000Z");
  CHECK(lines("run || ' ' || tasks || ' ' || succeeded || ' ' || undecided || ' ' || attempts "
              "AS line FROM task_stats_by_run")
        == "r-1 3 0 3 2");
  CHECK(lines("run || ' ' || group_name || ' ' || tasks || ' ' || undecided AS line "
              "FROM task_stats_by_group")
        == "r-1 load 1 1,r-1 rest 2 2");
  CHECK(lines("run || ' ' || coalesce(task, group_name, '-') || ' ' || kind || ' ' || due AS line "
              "FROM pending_timer")
        == "r-1 load timebox 2026-02-02T02:40:07.000Z,r-1 - deadline 2026-02-02T02:40:08.000Z,r-1 "
           "b retry 2026-02-02T02:40:09.000Z");
}

TEST_CASE("schema: its views know added tasks", "[storage][schema][disk]") {
  on_disk db;
  auto workflow = workflow_of({"a", "b", "c"});
  workflow->tasks[0].settings->group = "load";
  workflow->groups.emplace_back().name = "load";
  auto more = std::make_shared<model::workflow_spec>(*workflow);
  more->additions.push_back({3, 3, 2, {}});
  more->additions[0].defaults.group = "late";
  for (const auto* name : {"d", "e"}) {
    more->tasks.emplace_back(workflow->tasks[1]).name = name;
    more->tasks.back().addition = 1;
  }
  more->tasks[3].settings->group = "load";
  commit(*db.store,
         {created(1, workflow), model::tasks_added{{1}, more, "hash-2", "operator", at(2)}});
  SQLite::Database raw{db.paths.database().string(), SQLite::OPEN_READONLY};
  CHECK(
    raw.execAndGet("SELECT group_concat(group_name || ' ' || name) FROM grouped_task").getString()
    == "load a,load d,late e");
}

// What only a store on disk does: files, reopening, readers beside the writer, schemas.
#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/schema.hpp"
#include "tests/storage/store_fixture.hpp"

#include <thread>

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace sluice;
using namespace sluice::storage;

namespace {

int mode_of(const std::filesystem::path& file) {
  struct stat found {};
  REQUIRE(::stat(file.c_str(), &found) == 0);
  return found.st_mode & 0777;
}

std::filesystem::path with_suffix(const std::filesystem::path& file, const char* suffix) {
  return file.string() + suffix;
}

/// A connection past the store, for what the store would never do.
SQLite::Database raw(const std::filesystem::path& file) {
  return SQLite::Database{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
}

std::string meta(const std::filesystem::path& file, const std::string& key) {
  auto db = raw(file);
  SQLite::Statement row{db, "SELECT value FROM meta WHERE key = ?"};
  row.bind(1, key);
  return row.executeStep() ? row.getColumn(0).getString() : std::string{};
}

/// The program's migrations and one more, as the next version of it would have.
std::vector<migration> migrations_of_next(const char* sql) {
  std::vector<migration> all{all_migrations().begin(), all_migrations().end()};
  all.push_back({newest_schema(all) + 1, "next", sql});
  return all;
}

sqlite::place place_of(const store_paths& paths) {
  return {.file = paths.database().string(), .shown = paths.database().string()};
}

/// Writing beyond a size fails while this lives, as it does on a full disk.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : handler_(::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit now{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

private:
  rlimit before_{};
  void (*handler_)(int);
};

constexpr auto add_column = "ALTER TABLE run ADD COLUMN extra TEXT; CREATE TABLE more (x INTEGER);";

} // namespace

TEST_CASE("disk: nobody else can read a store", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  CHECK(mode_of(db.paths.dir) == 0700);
  CHECK(mode_of(db.paths.database()) == 0600);
  CHECK(mode_of(with_suffix(db.paths.database(), "-wal")) == 0600);
  CHECK(mode_of(with_suffix(db.paths.database(), "-shm")) == 0600);
}

TEST_CASE("disk: a store has an id and a schema and uses the write-ahead log", "[storage][disk]") {
  on_disk db;
  const auto id = meta(db.paths.database(), "store_id");
  CHECK(id.size() == 32);
  CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(meta(db.paths.database(), "schema_version")
        == std::to_string(newest_schema(all_migrations())));
  CHECK(raw(db.paths.database()).execAndGet("PRAGMA journal_mode").getString() == "wal");
  db.reader.reset();
  db.store.reset();
  db.store = must(open_store(db.paths));
  CHECK(meta(db.paths.database(), "store_id") == id);
}

TEST_CASE("disk: a store goes on where it was when it is opened again", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  db.store.reset();
  db.store = must(open_store(db.paths, {.sync = durability::normal}));
  CHECK(must(db.store->last_commit()) == commit_mark{1, 1});
  CHECK(must(db.reader->next_run_no()) == model::run_no{2});
  CHECK(must(db.store->last_seq()) == 2);
  CHECK(commit(*db.store, {ended(1, 0)}) == 3);
  CHECK(task_at(*db.reader, 1, 0).state == task_state::succeeded);
}

TEST_CASE("disk: numbers of events are not used again when events have left", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"})), dispatched(1, 0)});
  db.store.reset();
  raw(db.paths.database()).exec("DELETE FROM event");
  db.store = must(open_store(db.paths));
  CHECK(commit(*db.store, {ended(1, 0)}) == 3);
}

TEST_CASE("disk: a reader needs neither a writer nor the files of one", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  db.reader.reset();
  db.store.reset(); // the last one to leave takes the log with it
  REQUIRE_FALSE(std::filesystem::exists(with_suffix(db.paths.database(), "-wal")));
  REQUIRE_FALSE(std::filesystem::exists(with_suffix(db.paths.database(), "-shm")));
  auto reader = must(open_reader(db.paths));
  CHECK(must(reader->run({1})).workflow == "etl");
  // And a writer that comes later does not disturb it, nor it the writer.
  db.store = must(open_store(db.paths));
  commit(*db.store, {dispatched(1, 0)});
  CHECK(task_at(*reader, 1, 0).state == task_state::dispatched);
}

TEST_CASE("disk: what was committed is there after the death of the writer", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  commit(*db.store, {dispatched(1, 0)});
  // What a killed process leaves: the database and the log; the index of the log may be lost.
  const store_paths after{db.temporary.path() / "after"};
  std::filesystem::create_directory(after.dir);
  for (const auto* suffix : {"", "-wal"})
    std::filesystem::copy(with_suffix(db.paths.database(), suffix),
                          with_suffix(after.database(), suffix));
  auto reader = must(open_reader(after));
  CHECK(task_at(*reader, 1, 0).state == task_state::dispatched);
  auto store = must(open_store(after));
  CHECK(must(store->last_commit()) == commit_mark{1, 2});
  CHECK(commit(*store, {ended(1, 0)}) == 3);
  CHECK(raw(after.database()).execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("disk: a reader sees whole groups while the writer writes", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a", "b", "c"}))});
  auto other = must(open_reader(db.paths));
  for (std::uint32_t task = 0; task < 3; ++task) {
    commit(*db.store, {dispatched(1, task), ended(1, task)});
    CHECK(must(db.reader->last_seq()) == 3 + 2 * task);
    CHECK(task_at(*other, 1, task).state == task_state::succeeded);
  }
}

TEST_CASE("disk: a busy database is unavailable and then works again", "[storage][disk]") {
  on_disk db;
  db.store.reset();
  db.store = must(open_store(db.paths, {.busy_timeout_ms = 0}));
  commit(*db.store, {created(1, workflow_of({"a"}))});
  {
    auto other = raw(db.paths.database());
    other.exec("BEGIN IMMEDIATE");
    const std::vector<step_ptr> steps{step_of(2, {dispatched(1, 0)})};
    const auto refused = db.store->commit(1, steps);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::unavailable);
    CHECK(must(db.reader->run({1})).run_no == model::run_no{1});
  }
  CHECK(commit(*db.store, {dispatched(1, 0)}) == 2);
}

TEST_CASE("disk: a full disk is unavailable and then the store goes on", "[storage][disk]") {
  on_disk db;
  commit(*db.store, {created(1, workflow_of({"a"}))});
  auto large = dispatched(1, 0);
  large.inputs = "\"" + std::string(4'000'000, 'x') + "\"";
  const std::vector<step_ptr> steps{step_of(2, {large})};
  {
    const file_size_limit full{1'000'000};
    const auto failed = db.store->commit(1, steps);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().code == errc::unavailable);
    CHECK(must(db.store->last_commit()) == commit_mark{1, 1});
  }
  CHECK(must(db.reader->attempts({{1}, 0})).empty());
  CHECK(must(db.store->commit(1, steps)) == 2);
  CHECK(must(db.reader->attempts({{1}, 0})).size() == 1);
}

TEST_CASE("disk: readers on other threads see every group as a whole", "[storage][disk]") {
  on_disk db;
  constexpr std::uint32_t groups = 100;
  auto workflow = workflow_of({});
  for (std::uint32_t i = 0; i < groups; ++i)
    workflow->tasks.push_back({.name = "task_" + std::to_string(i)});
  commit(*db.store, {created(1, workflow)});
  std::atomic<int> halves{0}, errors{0};
  std::thread reading{[&] {
    std::int64_t seq = 1;
    while (seq < 1 + 2 * groups) {
      const auto found = db.reader->events({.after_seq = seq});
      if (!found) {
        ++errors;
        return;
      }
      halves += found->size() % 2 == 0 ? 0 : 1;
      seq += static_cast<std::int64_t>(found->size());
    }
  }};
  for (std::uint32_t task = 0; task < groups; ++task)
    commit(*db.store, {dispatched(1, task), ended(1, task)});
  reading.join();
  CHECK(errors == 0);
  CHECK(halves == 0);
}

TEST_CASE("disk: where there is no store a reader says so", "[storage][disk]") {
  temporary_directory temporary;
  const auto path = GENERATE("nothing", "file", "file/below");
  std::ofstream{temporary.path() / "file"} << "text";
  const auto reader = open_reader({temporary.path() / path});
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == errc::not_found);
  CHECK_THAT(reader.error().message, Catch::Contains((temporary.path() / path).string()));
  CHECK_FALSE(std::filesystem::exists(temporary.path() / "nothing"));
}

TEST_CASE("disk: an empty file is no store for a reader", "[storage][disk]") {
  temporary_directory temporary;
  const store_paths paths{temporary.path()};
  std::ofstream{paths.database()};
  CHECK(open_reader(paths).error().code == errc::not_found);
  must(open_store(paths)); // but a writer may begin with it: it was killed before it could
  must(open_reader(paths));
}

TEST_CASE("disk: what is no database of ours is corrupt and stays as it is", "[storage][disk]") {
  temporary_directory temporary;
  const store_paths paths{temporary.path()};
  if (GENERATE(true, false)) {
    std::ofstream{paths.database()} << std::string(5000, 'x');
  } else {
    raw(paths.database()).exec("CREATE TABLE other (x INTEGER)");
  }
  const auto before = read_text(paths.database());
  const auto store = open_store(paths);
  REQUIRE_FALSE(store);
  CHECK(store.error().code == errc::corrupt);
  CHECK_THAT(store.error().message,
             Catch::Contains(paths.database().string()) && Catch::Contains("keep the file"));
  const auto reader = open_reader(paths);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == errc::corrupt);
  CHECK(read_text(paths.database()) == before);
}

TEST_CASE("disk: an older store is migrated after a backup", "[storage][disk]") {
  on_disk db;
  const int old = newest_schema(all_migrations());
  commit(*db.store, {created(1, workflow_of({"a"}))});
  db.reader.reset();
  db.store.reset();
  const auto next = migrations_of_next(add_column);
  db.store = must(sqlite::open_writer(place_of(db.paths), {}, next));
  commit(*db.store, {dispatched(1, 0)});
  CHECK(meta(db.paths.database(), "schema_version") == std::to_string(old + 1));

  const auto backup = with_suffix(db.paths.database(), (".backup-" + std::to_string(old)).c_str());
  CHECK(mode_of(backup) == 0600);
  CHECK(meta(backup, "schema_version") == std::to_string(old));
  CHECK(raw(backup).execAndGet("SELECT count(*) FROM event").getInt() == 1);
  CHECK_FALSE(std::filesystem::exists(with_suffix(backup, ".part")));
}

TEST_CASE("disk: a newer store is refused and both numbers are named", "[storage][disk]") {
  on_disk db;
  const int old = newest_schema(all_migrations());
  db.reader.reset();
  db.store.reset();
  must(sqlite::open_writer(place_of(db.paths), {}, migrations_of_next(add_column)));
  const auto store = open_store(db.paths);
  REQUIRE_FALSE(store);
  CHECK(store.error().code == errc::conflict);
  const auto newer = "schema " + std::to_string(old + 1);
  const auto ours = " " + std::to_string(old) + ":";
  CHECK_THAT(store.error().message, Catch::Contains(newer) && Catch::Contains(ours));
  const auto reader = open_reader(db.paths);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == errc::conflict);
  CHECK_THAT(reader.error().message, Catch::Contains(newer) && Catch::Contains(ours));
}

TEST_CASE("disk: a reader refuses an older store and says what to do", "[storage][disk]") {
  on_disk db;
  const auto reader = sqlite::open_reader(place_of(db.paths), {}, migrations_of_next(add_column));
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == errc::conflict);
  CHECK_THAT(reader.error().message, Catch::Contains("migrates it"));
}

TEST_CASE("disk: a migration that fails changes nothing", "[storage][disk]") {
  on_disk db;
  const int old = newest_schema(all_migrations());
  commit(*db.store, {created(1, workflow_of({"a"}))});
  db.reader.reset();
  db.store.reset();
  const auto broken = migrations_of_next("CREATE TABLE more (x INTEGER); SELECT nonsense;");
  for (int i = 0; i < 2; ++i) { // the second time finds the backup of the first
    const auto failed = sqlite::open_writer(place_of(db.paths), {}, broken);
    REQUIRE_FALSE(failed);
    CHECK_THAT(failed.error().message, Catch::Contains("next"));
  }
  CHECK(meta(db.paths.database(), "schema_version") == std::to_string(old));
  CHECK_FALSE(raw(db.paths.database()).tableExists("more"));
  db.store = must(open_store(db.paths));
  CHECK(must(must(open_reader(db.paths))->next_run_no()) == model::run_no{2});
}

TEST_CASE("disk: a run of many tasks is one commit", "[storage][disk]") {
  on_disk db;
  auto workflow = workflow_of({});
  for (int i = 0; i < 20'000; ++i)
    workflow->tasks.push_back({.name = "task_" + std::to_string(i)});
  commit(*db.store, {created(1, workflow)});
  CHECK(must(db.reader->tasks({.run_no = {1}, .limit = 100'000})).size() == 20'000);
  CHECK(must(db.reader->task({1}, "task_19999")).key.task_idx == 19'999);
}

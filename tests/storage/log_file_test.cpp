// The file of the write-ahead log: what a write that was cut short leaves at its end, and syncs
// that fail.
#include "tests/storage/power_loss_disk.hpp"
#include "tests/storage/store_fixture.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

using namespace sluice;
using namespace sluice::storage;

namespace {

constexpr std::size_t frame_bytes = 24 + 4096; // of the SQLite file format: header and page

std::filesystem::path log_of(const store_paths& paths) {
  return paths.database().string() + "-wal";
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream{file, std::ios::binary | std::ios::trunc} << text;
}

/// A store of two steps, as its killed runtime left it.
struct killed {
  temporary_directory temporary;
  store_paths paths{temporary.path() / "left"};

  killed() {
    const store_paths before{temporary.path() / "before"};
    const auto store = must(open_store(before));
    commit(*store, {created(1, workflow_of({"a"}))});
    commit(*store, {dispatched(1, 0)});
    std::filesystem::create_directory(paths.dir);
    std::filesystem::copy(before.database(), paths.database());
    std::filesystem::copy(log_of(before), log_of(paths));
  }
};

} // namespace

TEST_CASE("log file: a torn record behind the last commit loses nothing", "[storage][disk]") {
  const killed left;
  const auto log = read_text(log_of(left.paths));
  const auto torn = GENERATE(as<std::size_t>{}, 1, 24, 512, frame_bytes - 1, frame_bytes);
  const auto last_frame = log.substr(log.size() - frame_bytes);
  const auto kind = GENERATE(0, 1, 2);
  const auto rest = kind == 0 ? last_frame : std::string(frame_bytes, kind == 1 ? '\0' : '\xff');
  CAPTURE(torn);
  write_text(log_of(left.paths), log + rest.substr(0, torn));
  const auto store = must(open_store(left.paths));
  const auto reader = must(open_reader(left.paths));
  CHECK(must(store->last_commit()) == commit_mark{1, 2});
  CHECK(task_at(*reader, 1, 0).state == task_state::dispatched);
  CHECK(commit(*store, {ended(1, 0)}) == 3);
  SQLite::Database raw{left.paths.database().string()};
  CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("log file: a commit whose record is torn is not there at all", "[storage][disk]") {
  const killed left;
  auto log = read_text(log_of(left.paths));
  SECTION("cut short") {
    log.resize(log.size() - GENERATE(as<std::size_t>{}, 1, 512, 4096, frame_bytes));
  }
  SECTION("damaged") {
    auto& byte = log[log.size() - GENERATE(as<std::size_t>{}, 1, 2000, 4096, frame_bytes)];
    byte = static_cast<char>(byte ^ 1);
  }
  write_text(log_of(left.paths), log);
  const auto store = must(open_store(left.paths));
  const auto reader = must(open_reader(left.paths));
  CHECK(must(store->last_commit()) == commit_mark{1, 1});
  CHECK(must(reader->last_seq()) == 1);
  CHECK(must(reader->attempts({{1}, 0})).empty());
  CHECK(commit(*store, {dispatched(1, 0)}) == 2);
  SQLite::Database raw{left.paths.database().string()};
  CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

TEST_CASE("log file: a failed sync is unavailable, and then the store goes on", "[storage][disk]") {
  const temporary_directory temporary;
  const store_paths paths{temporary.path() / "store"};
  power_loss_disk disk{1};
  {
    const auto store = must(open_store(paths, {.vfs = disk.vfs()}));
    commit(*store, {created(1, workflow_of({"a"}))});
    const std::vector<step_ptr> steps{step_of(2, {dispatched(1, 0)})};
    disk.fail_syncs(1);
    for (int tries = 0; tries < 3; ++tries) {
      const auto failed = store->commit(1, steps);
      REQUIRE_FALSE(failed);
      CHECK(failed.error() == error{errc::unavailable, "cannot commit step 2: disk I/O error"});
      CHECK(must(store->last_commit()) == commit_mark{1, 1});
    }
    disk.fail_syncs(0);
    CHECK(must(store->commit(1, steps)) == 2);
    disk.stop_after(1);
  }
  disk.power_on();
  const auto store = must(open_store(paths));
  CHECK(must(store->last_commit()) == commit_mark{1, 2});
}

TEST_CASE("log file: what a failed sync left readable is stored before it is trusted",
          "[storage][disk]") {
  const temporary_directory temporary;
  const store_paths paths{temporary.path() / "store"};
  power_loss_disk disk{2};
  {
    const auto store = must(open_store(paths, {.vfs = disk.vfs()}));
    commit(*store, {created(1, workflow_of({"a"}))});
    disk.fail_syncs(1);
    const std::vector<step_ptr> steps{step_of(2, {dispatched(1, 0)})};
    CHECK_FALSE(store->commit(1, steps));
    disk.stop_after(1); // killed now
  }
  disk.start_again();
  // As long as it cannot be stored the store does not open.
  const auto refused = open_store(paths, {.vfs = disk.vfs()});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::unavailable);
  disk.fail_syncs(0);
  commit_mark seen;
  {
    const auto store = must(open_store(paths, {.vfs = disk.vfs()}));
    seen = must(store->last_commit());
    CHECK(seen.step == 2); // whole, though nobody was told
    commit(*store, {created(2, workflow_of({"b"}))});
    disk.stop_after(1);
  }
  disk.power_on();
  const auto store = must(open_store(paths));
  CHECK(must(store->last_commit()) == commit_mark{1, seen.step + 1});
}

TEST_CASE("log file: a checkpoint that a reader split is stored in whole after a failed sync",
          "[storage][disk]") {
  const auto with_inputs = [](std::uint32_t task, std::size_t size) {
    auto r = dispatched(1, task);
    r.inputs = "\"" + std::string(size, 'x') + "\"";
    return r;
  };
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const temporary_directory temporary;
    const store_paths paths{temporary.path() / "store"};
    power_loss_disk disk{seed};
    {
      const auto store = must(open_store(paths, {.checkpoint_pages = 100, .vfs = disk.vfs()}));
      commit(*store, {created(1, workflow_of({"a", "b", "c", "d", "e"})), with_inputs(0, 60'000)});
      {
        SQLite::Database snapshot{paths.database().string(), SQLite::OPEN_READONLY, 0, disk.vfs()};
        snapshot.exec("BEGIN");
        snapshot.execAndGet("SELECT count(*) FROM event");
        commit(*store, {with_inputs(1, 500'000)}); // the checkpoint ends where the snapshot stands
      }
      disk.fail_syncs(0.5); // in some seeds of the database only, in the second part
      const std::vector<step_ptr> third{step_of(3, {dispatched(1, 2)})};
      const bool done = store->commit(1, third).has_value();
      disk.fail_syncs(0);
      if (!done)
        must(store->commit(1, third));
      commit(*store, {dispatched(1, 3)}); // a checkpoint succeeds
      commit(*store, {dispatched(1, 4)}); // the log begins anew
      disk.stop_after(1);
    }
    disk.power_on();
    must(open_store(paths));
    SQLite::Database raw{paths.database().string()};
    CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
    const auto reader = must(open_reader(paths));
    for (std::uint32_t task = 0; task < 5; ++task)
      CHECK(task_at(*reader, 1, task).state == task_state::dispatched);
    CHECK(must(reader->attempts({{1}, 0})).front().inputs == std::string(60'000, 'x'));
  }
}

#include "tests/storage/store_fixture.hpp"

#include <thread>

#include <sys/stat.h>

using namespace sluice;
using namespace sluice::storage;

TEST_CASE("store_lock: one holds it and the others are told who", "[storage][store_lock][disk]") {
  temporary_directory temporary;
  const store_paths paths{temporary.path() / "a" / "store"};
  CHECK_FALSE(store_lock::holder(paths));
  {
    const auto lock =
      must(store_lock::acquire(paths, {.command = "sluice run\nx.yaml", .resumed = {{3}, {12}}}));
    const auto holder = store_lock::holder(paths);
    REQUIRE(holder);
    CHECK(holder->pid == ::getpid());
    CHECK(holder->command == "sluice run x.yaml"); // one line, whatever it was
    CHECK(holder->resumed == std::vector<model::run_no>{{3}, {12}});
    const auto second = store_lock::acquire(paths, {.command = "sluice serve"});
    REQUIRE_FALSE(second);
    CHECK(second.error().code == errc::conflict);
    CHECK_THAT(second.error().message, Catch::Contains("process " + std::to_string(::getpid()))
                                         && Catch::Contains("sluice run x.yaml")
                                         && Catch::Contains(paths.dir.string())
                                         && Catch::Contains("--store"));
    CHECK(store_lock::holder(paths)->command == "sluice run x.yaml");
  }
  CHECK_FALSE(store_lock::holder(paths)); // its text is still there
  CHECK_FALSE(read_text(paths.lock()).empty());
  must(store_lock::acquire(paths, {.command = "sluice serve"}));
}

TEST_CASE("store_lock: moving it keeps it held once", "[storage][store_lock][disk]") {
  temporary_directory temporary;
  const store_paths paths{temporary.path()};
  auto first = must(store_lock::acquire(paths, {.command = "one"}));
  {
    const store_lock second{std::move(first)};
    CHECK(store_lock::holder(paths));
  }
  CHECK_FALSE(store_lock::holder(paths));
  first = must(store_lock::acquire(paths, {.command = "two"}));
  CHECK(store_lock::holder(paths)->command == "two");
}

TEST_CASE("store_lock: directory and lock are private", "[storage][store_lock][disk]") {
  temporary_directory temporary;
  const auto name = GENERATE("store", "store/", "deep/er/store");
  const store_paths paths{temporary.path() / name};
  const auto lock = must(store_lock::acquire(paths, {.command = "x"}));
  struct stat found {};
  REQUIRE(::stat(paths.dir.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0700);
  REQUIRE(::stat(paths.lock().c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

TEST_CASE("store_lock: a directory that cannot be made is an argument error",
          "[storage][store_lock][disk]") {
  temporary_directory temporary;
  std::ofstream{temporary.path() / "file"} << "text";
  const auto name = GENERATE("file", "file/below");
  const auto lock = store_lock::acquire({temporary.path() / name}, {.command = "x"});
  REQUIRE_FALSE(lock);
  CHECK(lock.error().code == errc::invalid_argument);
}

TEST_CASE("store_lock: looking for the holder keeps nobody from it",
          "[storage][store_lock][disk]") {
  temporary_directory temporary;
  const store_paths paths{temporary.path()};
  must(store_lock::acquire(paths, {.command = "x"}));
  std::atomic<bool> enough{false};
  std::thread looking{[&] {
    while (!enough)
      store_lock::holder(paths);
  }};
  int failures = 0;
  for (int i = 0; i < 500; ++i)
    failures += store_lock::acquire(paths, {.command = "x"}) ? 0 : 1;
  enough = true;
  looking.join();
  CHECK(failures == 0);
}

TEST_CASE("store_lock: network filesystems are known", "[storage][store_lock]") {
  const auto [type, want] = GENERATE(table<std::int64_t, bool>({
    {0x6969, true},                                // NFS
    {0xFE534D42, true},                            // SMB2
    {static_cast<std::int32_t>(0xFF534D42), true}, // CIFS, where f_type has 32 bits
    {0x01021997, true},                            // 9p
    {0xEF53, false},                               // ext4
    {0x58465342, false},                           // XFS
    {0x9123683E, false},                           // Btrfs
    {0x01021994, false},                           // tmpfs
    {0x794C7630, false},                           // overlayfs
  }));
  CAPTURE(type);
  CHECK(is_network_filesystem(type) == want);
}

#include "executors/attempt_files.hpp"
#include "tests/executors/process_world.hpp"

using namespace sluice;
using namespace sluice::executors;

namespace fs = std::filesystem;

TEST_CASE("attempt_files: a thousand tasks share a directory of logs",
          "[executors][attempt_files]") {
  CHECK(log_path("/s/logs", {{12}, 7, 2}) == "/s/logs/r-12/0/7.2.log");
  CHECK(log_path("/s/logs", {{12}, 2999, 1}) == "/s/logs/r-12/2/2999.1.log");
}

TEST_CASE("attempt_files: directories are private and made on the way",
          "[executors][attempt_files]") {
  const temp_dir dir;
  attempt_files files{dir / "logs", dir / "work"};
  REQUIRE(files.make_log_dir({{1}, 1500, 1}) == 0);
  CHECK(fs::status(dir / "logs/r-1/1").permissions() == fs::perms::owner_all);
  REQUIRE(files.make_work_dir({{1}, 0, 1}) == 0);
  CHECK(fs::status(dir / "work/r-1/0.1").permissions() == fs::perms::owner_all);
}

TEST_CASE("attempt_files: what an earlier life of the store left is not found",
          "[executors][attempt_files]") {
  const temp_dir dir;
  fs::create_directories(dir / "work/r-1/0.1");
  write_file(dir / "work/r-1/0.1/out", "n=1");
  attempt_files files{dir / "logs", dir / "work"};
  REQUIRE(files.make_work_dir({{1}, 0, 1}) == 0);
  CHECK(fs::is_empty(dir / "work/r-1/0.1"));
}

TEST_CASE("attempt_files: removing takes all that the task left", "[executors][attempt_files]") {
  const temp_dir dir;
  {
    attempt_files files{dir / "logs", dir / "work"};
    const model::attempt_key key{{1}, 0, 1};
    REQUIRE(files.make_work_dir(key) == 0);
    REQUIRE(files.write_in(key, "{}") == 0);
    CHECK(read_file(dir / "work/r-1/0.1/in.json") == "{}");
    fs::create_directories(dir / "work/r-1/0.1/own/dir");
    files.remove_work_dir(key);
    CHECK_FALSE(fs::exists(dir / "work/r-1/0.1"));
    files.remove_work_dir(key); // nothing happens
    REQUIRE(files.make_work_dir({{1}, 0, 2}) == 0);
    files.remove_work_dir({{1}, 0, 2});
    files.remove_idle_run_dirs();
  }
  CHECK(fs::is_empty(dir / "work"));
}

TEST_CASE("attempt_files: a line of ours is appended to the log", "[executors][attempt_files]") {
  const temp_dir dir;
  attempt_files files{dir / "logs", dir / "work"};
  files.append_to_log({{1}, 1, 1}, "a line");
  files.append_to_log({{1}, 1, 1}, "another");
  CHECK(read_file(files.log_of({{1}, 1, 1})) == "a line\nanother\n");
}

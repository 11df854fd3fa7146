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

TEST_CASE("attempt_files: of the closed logs the empty ones are removed, later",
          "[executors][attempt_files]") {
  const temp_dir dir;
  attempt_files files{dir / "logs", dir / "work"};
  REQUIRE(files.make_log_dir({{1}, 0, 1}) == 0);
  write_file(files.log_of({{1}, 0, 1}), "");
  files.append_to_log({{1}, 1, 1}, "a line");
  files.close_log({{1}, 0, 1});
  files.close_log({{1}, 1, 1});
  CHECK(fs::exists(files.log_of({{1}, 0, 1})));
  while (files.has_closed_logs())
    files.remove_some_empty_logs();
  CHECK_FALSE(fs::exists(files.log_of({{1}, 0, 1})));
  CHECK(read_file(files.log_of({{1}, 1, 1})) == "a line\n");
}

TEST_CASE("attempt_files: the closed logs that are not looked at yet are bounded",
          "[executors][attempt_files]") {
  const temp_dir dir;
  attempt_files files{dir / "logs", dir / "work"};
  const model::attempt_key first{{1}, 0, 1};
  REQUIRE(files.make_log_dir(first) == 0);
  write_file(files.log_of(first), "");
  files.close_log(first);
  for (std::uint32_t task = 1; task < 5'000; ++task) // these have no file any more
    files.close_log({{1}, task, 1});
  CHECK_FALSE(fs::exists(files.log_of(first)));
}

#include "runtime/change_watch.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

using namespace sluice;
using namespace sluice::runtime;

namespace {

struct temporary_directory {
  std::filesystem::path path;
  temporary_directory() {
    auto name = (std::filesystem::temp_directory_path() / "sluice-watch-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~temporary_directory() { std::filesystem::remove_all(path); }
};

void append(const std::filesystem::path& file) {
  std::ofstream{file, std::ios::app} << "x";
}

} // namespace

// Every wait below would hang, and the test time out, if its change went unseen.

TEST_CASE("change_watch: a change before the wait is not missed", "[runtime][change_watch]") {
  const temporary_directory dir;
  auto watch = change_watch::open();
  REQUIRE(watch);
  REQUIRE(watch->add_directory(dir.path));
  append(dir.path / "wal");
  CHECK(watch->wait());
}

TEST_CASE("change_watch: a file is awaited and then followed", "[runtime][change_watch]") {
  const temporary_directory dir;
  const auto file = dir.path / "logs" / "0" / "1.log";
  auto watch = change_watch::open();
  REQUIRE(watch);
  REQUIRE(watch->add_file(file));
  std::filesystem::create_directories(file.parent_path());
  CHECK(watch->wait());
  REQUIRE(watch->add_file(file));
  append(file);
  CHECK(watch->wait());
  REQUIRE(watch->add_file(file));
  std::thread writer{[&] { append(file); }};
  CHECK(watch->wait());
  writer.join();
  watch->remove_file(file);
  REQUIRE(watch->add_file(file));
  append(file);
  CHECK(watch->wait());
}

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

/// Waits until there was a change; hangs, and the test times out, if it goes unseen.
void await_change(change_watch& watch) {
  auto changed = watch.wait();
  while (changed && !*changed)
    changed = watch.wait();
  REQUIRE(changed);
}

void append(const std::filesystem::path& file) {
  std::ofstream{file, std::ios::app} << "x";
}

} // namespace

TEST_CASE("change_watch: a change before the wait is not missed", "[runtime][change_watch]") {
  const temporary_directory dir;
  auto watch = change_watch::open();
  REQUIRE(watch);
  REQUIRE(watch->add_directory(dir.path));
  append(dir.path / "wal");
  await_change(*watch);
}

TEST_CASE("change_watch: a file is awaited and then followed", "[runtime][change_watch]") {
  const temporary_directory dir;
  const auto file = dir.path / "logs" / "0" / "1.log";
  auto watch = change_watch::open();
  REQUIRE(watch);
  REQUIRE(watch->add_file(file));
  std::filesystem::create_directories(file.parent_path());
  await_change(*watch);
  REQUIRE(watch->add_file(file));
  append(file);
  await_change(*watch);
  REQUIRE(watch->add_file(file));
  std::thread writer{[&] { append(file); }};
  await_change(*watch);
  writer.join();
  watch->remove_file(file);
  REQUIRE(watch->add_file(file));
  append(file);
  await_change(*watch);
}

TEST_CASE("change_watch: one looks again without a change", "[runtime][change_watch]") {
  const temporary_directory dir;
  auto watch = change_watch::open();
  REQUIRE(watch);
  REQUIRE(watch->add_directory(dir.path));
  CHECK(watch->wait() == false);
}

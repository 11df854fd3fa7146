#include "executors/spawn.hpp"
#include "tests/executors/process_world.hpp"

#include <csignal>

#include <sys/wait.h>

using namespace sluice::executors;

TEST_CASE("spawn: a group of the dead exists but does not live", "[executors][spawn]") {
  const temp_dir dir;
  const auto log = dir / "log";
  spawner spawner{-1};
  char name[] = "true";
  char* const argv[] = {name, nullptr};
  char* const environment[] = {nullptr};
  const auto pid = spawner.spawn(
    {.program = "/bin/true", .argv = argv, .environment = environment, .log_path = log.c_str()});
  REQUIRE(pid.has_value());
  siginfo_t info{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(*pid), &info, WEXITED | WNOWAIT) == 0);
  CHECK(group_exists(*pid));
  const auto living = living_groups();
  REQUIRE(living.has_value());
  CHECK_FALSE(living->contains(*pid));
  CHECK(living->contains(::getpgrp()));
  REQUIRE(::waitpid(*pid, nullptr, 0) == *pid);
  CHECK_FALSE(group_exists(*pid));
}

TEST_CASE("spawn: what cannot be executed is an error value", "[executors][spawn]") {
  const temp_dir dir;
  const auto log = dir / "log";
  const spawner spawner{-1};
  char* const none[] = {nullptr};
  const auto pid = spawner.spawn(
    {.program = "/no/such", .argv = none, .environment = none, .log_path = log.c_str()});
  REQUIRE_FALSE(pid.has_value());
  CHECK(pid.error() == ENOENT);
}

// Of the process thread: what it does when there is no room, neither by its own bound nor on the
// host.
#include "executors/process_thread.hpp"
#include "tests/executors/process_world.hpp"

#include <csignal>

#include <sys/resource.h>

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;

TEST_CASE("process_thread: no more run at once than there are slots",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) {
    o.slots = 2;
    o.give_back_after = std::chrono::hours{1};
  }};
  meeting_point fifo{world.dir() / "fifo"};
  meeting_point go{world.dir() / "go"};
  auto waiting = shell_task("echo $name >$fifo; read -r line <$go");
  std::vector<model::attempt_key> keys;
  for (const auto* name : {"a", "b", "c"}) {
    waiting.env = {{"name", name}, {"fifo", fifo.path()}, {"go", go.path()}};
    keys.push_back(world.start(waiting));
  }
  const std::set<std::string> first{fifo.next_line(), fifo.next_line()};
  CHECK(first == std::set<std::string>{"a", "b"});
  CHECK_FALSE(world.has_started(keys[2]));
  world.thread().signal(keys[0], stop_signal::kill);
  CHECK(fifo.next_line() == "c"); // nobody had to ask again
  world.thread().signal(keys[1], stop_signal::kill);
  world.thread().signal(keys[2], stop_signal::kill);
  for (const auto& key : keys)
    CHECK(world.wait_ended(key).failure.has_value());
}

TEST_CASE("process_thread: starts that wait too long for a slot are handed back, the last first",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) {
    o.slots = 1;
    o.give_back_after = model::milliseconds{20};
  }};
  const auto running = world.start(exec_task({"sleep", "600"}));
  world.wait_started(running);
  const auto second = world.start(exec_task({"true"}));
  const auto third = world.start(exec_task({"true"}));
  for (const auto& key : {second, third}) {
    const auto report = world.wait_ended(key);
    CHECK(report.given_back);
    CHECK_FALSE(report.started_at.has_value());
    REQUIRE(report.failure.has_value());
    CHECK(report.failure->failure_class == failure_class::lost);
    CHECK(world.log(key).empty());
  }
  CHECK(world.order_of_ends() == std::vector{third, second});
  world.thread().signal(running, stop_signal::kill);
  CHECK_FALSE(world.wait_ended(running).given_back);
  CHECK_FALSE(world.run(exec_task({"true"})).failure.has_value());
}

TEST_CASE("process_thread: news do not wait for the starts that wait",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) {
    o.slots = 2;
    o.give_back_after = std::chrono::hours{1};
  }};
  const auto first = world.start(exec_task({"sleep", "600"}));
  const auto brief = world.start(exec_task({"true"}));
  const auto second = world.start(exec_task({"sleep", "600"}));
  const auto waiting = world.start(exec_task({"true"}));
  const auto report = world.wait_ended(brief); // although nothing else happens
  CHECK(report.started_at.has_value());
  world.wait_started(second);
  CHECK_FALSE(world.has_started(waiting));
  world.thread().signal(first, stop_signal::kill);
  world.thread().signal(second, stop_signal::kill);
  CHECK_FALSE(world.wait_ended(waiting).failure.has_value());
}

#ifndef __SANITIZE_ADDRESS__ // the sanitizers need descriptors themselves
TEST_CASE("process_thread: a full host postpones starts until there is room",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) {
    o.retry_start_after = std::chrono::hours{1}; // only an exit lets it try again
    o.give_up_start_after = std::chrono::hours{2};
  }};
  meeting_point fifo{world.dir() / "fifo"};
  meeting_point go{world.dir() / "go"};
  auto first = shell_task("echo ready >$fifo; read -r line <$go");
  first.env = {{"fifo", fifo.path()}, {"go", go.path()}};
  const auto running = world.start(first);
  REQUIRE(fifo.next_line() == "ready");

  // No descriptor is left: all numbers below the limit are taken.
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  std::vector<int> taken;
  const int lowest = ::dup(0);
  REQUIRE(lowest >= 0);
  taken.push_back(lowest);
  auto low = before;
  low.rlim_cur = static_cast<rlim_t>(lowest) + 1;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);

  const auto postponed = world.start([] {
    auto t = exec_task({"true"});
    t.inputs = {{"a", 1}}; // a file of its own is refused first of all
    return t;
  }());
  const auto stopped = world.start(exec_task({"true"}));
  world.thread().signal(stopped, stop_signal::kill);
  CHECK(world.wait_ended(stopped).failure->failure_class == failure_class::cancelled);
  CHECK_FALSE(world.has_started(postponed));

  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  ::close(lowest);
  REQUIRE(::write(::open(go.path().c_str(), O_WRONLY | O_CLOEXEC), "go\n", 3) == 3);
  CHECK_FALSE(world.wait_ended(running).failure.has_value());
  CHECK_FALSE(world.wait_ended(postponed).failure.has_value());
}

TEST_CASE("process_thread: a host that stays full fails the attempt with class resource",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) {
    o.retry_start_after = model::milliseconds{5};
    o.give_up_start_after = model::milliseconds{20};
  }};
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  auto low = before;
  low.rlim_cur = 3;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const auto report = world.run(exec_task({"true"}));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::resource);
  CHECK(report.failure->code == "host_full");
  CHECK_FALSE(world.run(exec_task({"true"})).failure.has_value());
}
#endif

TEST_CASE("process_thread: the limit of descriptors is raised as far as it goes",
          "[executors][process_thread]") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  rlimit low{256, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(allow_descriptors_for(300) == 300);
  rlimit raised{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &raised) == 0);
  CHECK(raised.rlim_cur >= 300);
  CHECK(allow_descriptors_for(std::size_t{1} << 40) < before.rlim_max);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

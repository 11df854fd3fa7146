#include "logic/deadline_queue.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace std::chrono_literals;
using sluice::logic::deadline_queue;
using keys = std::vector<int>;

TEST_CASE("deadline_queue: keys come due in order of their time", "[logic][deadline_queue]") {
  deadline_queue<int> queue;
  CHECK(queue.earliest() == std::nullopt);
  queue.arm(1, 30s);
  queue.arm(2, 10s);
  queue.arm(3, 20s);
  CHECK(queue.earliest() == 10s);
  CHECK(queue.take_due(10s - 1ns).empty());
  CHECK(queue.take_due(20s) == keys{2, 3});
  CHECK(queue.earliest() == 30s);
  CHECK(queue.take_due(1h) == keys{1});
  CHECK(queue.take_due(1h).empty());
  CHECK(queue.earliest() == std::nullopt);
}

TEST_CASE("deadline_queue: arming again replaces and disarming takes back",
          "[logic][deadline_queue]") {
  deadline_queue<int> queue;
  queue.arm(1, 10s);
  queue.arm(1, 40s);
  queue.arm(2, 20s);
  CHECK(queue.earliest() == 20s);
  queue.disarm(2);
  queue.disarm(2);
  queue.disarm(99);
  CHECK(queue.earliest() == 40s);
  queue.arm(1, 5s);
  CHECK(queue.take_due(5s) == keys{1});
  CHECK(queue.take_due(1h).empty());
}

TEST_CASE("deadline_queue: equal times are all due", "[logic][deadline_queue]") {
  deadline_queue<int> queue;
  for (const int key : {3, 1, 2})
    queue.arm(key, 10s);
  CHECK(queue.take_due(10s) == keys{1, 2, 3});
}

TEST_CASE("deadline_queue: it agrees with a plain map under random use",
          "[logic][deadline_queue]") {
  const auto seed = GENERATE(range(0u, 20u));
  CAPTURE(seed);
  std::mt19937 random{seed};
  const auto below = [&](unsigned n) { return int(random() % n); };
  deadline_queue<int> queue;
  std::map<int, sluice::model::steady_time> plain;
  for (int i = 0; i < 500; ++i) {
    const int key = below(20);
    const sluice::model::steady_time when{below(50)};
    switch (below(4)) {
    case 0:
    case 1:
      queue.arm(key, when);
      plain[key] = when;
      break;
    case 2:
      queue.disarm(key);
      plain.erase(key);
      break;
    default:
      const auto due = queue.take_due(when);
      auto before = sluice::model::steady_time::min();
      for (const int one : due) {
        REQUIRE(plain.count(one) == 1);
        REQUIRE(plain[one] >= before);
        before = plain[one];
        REQUIRE(before <= when);
        plain.erase(one);
      }
    }
    std::optional<sluice::model::steady_time> earliest;
    for (const auto& [k, at] : plain)
      earliest = earliest ? std::min(*earliest, at) : at;
    REQUIRE(queue.earliest() == earliest);
  }
}

// How many slots there are, after how much is ready for them.
#include "logic/slot_scaling.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

constexpr model::wall_time start{1'000'000s};

} // namespace

TEST_CASE("slot scaling: grows with a backlog and not at once", "[logic][slot_scaling]") {
  slot_scaling scaling{{.least = 2, .most = 10}};
  CHECK_FALSE(scaling.judge(10, start)); // five for each are not too many
  CHECK(scaling.judge(11, start));
  CHECK(scaling.slots() == 3);
  CHECK_FALSE(scaling.judge(1'000, start + 9s));
  CHECK(scaling.next_look(1'000) == start + 10s);
  CHECK(scaling.judge(1'000, start + 10s));
  CHECK(scaling.slots() == 4);
  auto now = start + 10s;
  while (scaling.judge(1'000, now += 10s))
    ;
  CHECK(scaling.slots() == 10);
  CHECK_FALSE(scaling.next_look(1'000));
}

TEST_CASE("slot scaling: shrinks when there is little to do", "[logic][slot_scaling]") {
  slot_scaling scaling{{.least = 2, .most = 4}};
  auto now = start;
  while (scaling.judge(100, now += 10s))
    ;
  REQUIRE(scaling.slots() == 4);
  CHECK_FALSE(scaling.judge(8, now += 10s)); // two for each are not few
  CHECK(scaling.judge(7, now += 10s));
  CHECK(scaling.slots() == 3);
  CHECK(scaling.judge(0, now += 10s));
  CHECK_FALSE(scaling.judge(0, now += 10s));
  CHECK(scaling.slots() == 2);
}

TEST_CASE("slot scaling: never beyond memory", "[logic][slot_scaling]") {
  slot_scaling scaling{{.least = 4, .most = 100, .memory = 1'000}};
  scaling.note_peak(100);
  auto now = start;
  for (int i = 0; i < 20; ++i)
    scaling.judge(100'000, now += 10s);
  CHECK(scaling.slots() == 10);
  scaling.note_peak(500);
  CHECK(scaling.judge(100'000, now += 10s));
  CHECK(scaling.slots() == 2); // fewer than the least
  for (int i = 0; i < 200; ++i)
    scaling.note_peak(100); // the large one fades
  for (int i = 0; i < 20; ++i)
    scaling.judge(100'000, now += 10s);
  CHECK(scaling.slots() > 8);
}

TEST_CASE("slot scaling: a fixed number stays, whatever happens", "[logic][slot_scaling]") {
  slot_scaling scaling{{.least = 4, .most = 4, .memory = 10}};
  scaling.note_peak(1'000);
  CHECK_FALSE(scaling.judge(100'000, start));
  CHECK_FALSE(scaling.next_look(100'000));
  CHECK(scaling.slots() == 4);
}

TEST_CASE("slot scaling: a clock that is set back makes nobody wait", "[logic][slot_scaling]") {
  slot_scaling scaling{{.least = 1, .most = 10}};
  REQUIRE(scaling.judge(100, start));
  CHECK(scaling.judge(100, start - 1h));
}

TEST_CASE("slot scaling: stays between its bounds whatever is ready", "[logic][slot_scaling]") {
  std::mt19937 random{GENERATE(range(1u, 11u))};
  slot_scaling scaling{{.least = 3, .most = 17}};
  auto now = start;
  for (int step = 0; step < 1'000; ++step) {
    const auto before = scaling.slots();
    const auto ready = random() % 200;
    now += std::chrono::seconds{random() % 20};
    const bool changed = scaling.judge(ready, now);
    CHECK(changed == (scaling.slots() != before));
    CHECK(scaling.slots() >= 3);
    CHECK(scaling.slots() <= 17);
    CHECK((scaling.slots() <= before || ready > 5 * before));
    CHECK((scaling.slots() >= before || ready < 2 * before));
  }
}

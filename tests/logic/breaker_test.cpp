#include "logic/breaker.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

constexpr breaker_options three{.failures = 3, .pause = 60s};
constexpr model::wall_time start = model::wall_time{1'000s};
constexpr model::task_key one{{1}, 0}, other{{2}, 0};

/// Open since `start`.
breaker opened() {
  breaker b;
  for (int i = 0; i < 3; ++i)
    b.fail(one, start, three);
  return b;
}

} // namespace

TEST_CASE("breaker: opens after so many failures in a row", "[logic][breaker]") {
  breaker b;
  CHECK_FALSE(b.fail(one, start, three));
  CHECK_FALSE(b.fail(other, start, three));
  CHECK(b.admits(one, start));
  b.succeed();
  CHECK(b.state() == model::breaker_state{});
  CHECK_FALSE(b.fail(one, start, three));
  CHECK_FALSE(b.fail(one, start, three));
  CHECK(b.fail(one, start + 5s, three));
  CHECK(b.is_open());
  CHECK(b.state() == model::breaker_state{3, start + 65s});
  CHECK_FALSE(b.admits(one, start + 64s));
}

TEST_CASE("breaker: after the pause one task is the probe", "[logic][breaker]") {
  auto b = opened();
  CHECK_FALSE(b.admits(other, start + 59s));
  CHECK(b.admits(other, start + 60s));
  CHECK(b.probe() == other);
  CHECK(b.admits(other, start + 60s)); // it goes on being the probe
  CHECK_FALSE(b.admits(one, start + 90s));
  CHECK_FALSE(b.try_with(one));
}

TEST_CASE("breaker: the probe's success closes it, its failure opens it again",
          "[logic][breaker]") {
  auto b = opened();
  REQUIRE(b.admits(other, start + 60s));
  SECTION("success") {
    b.succeed();
    CHECK_FALSE(b.is_open());
    CHECK(b.admits(one, start + 61s));
    CHECK(b.state() == model::breaker_state{});
  }
  SECTION("failure") {
    CHECK(b.fail(other, start + 70s, three));
    CHECK(b.state() == model::breaker_state{4, start + 130s});
    CHECK_FALSE(b.admits(other, start + 129s));
    CHECK(b.admits(one, start + 130s));
  }
  SECTION("neither: there is room for the next one") {
    CHECK_FALSE(b.give_up(one));
    CHECK(b.give_up(other));
    CHECK(b.admits(one, start + 61s));
  }
}

TEST_CASE("breaker: what started before it opened prolongs nothing", "[logic][breaker]") {
  auto b = opened();
  CHECK_FALSE(b.fail(other, start + 30s, three));
  CHECK(b.state() == model::breaker_state{4, start + 60s});
  REQUIRE(b.admits(one, start + 60s));
  CHECK_FALSE(b.fail(other, start + 61s, three));
  CHECK(b.probe() == one);
}

TEST_CASE("breaker: a stored one goes on", "[logic][breaker]") {
  breaker counting{model::breaker_state{2, std::nullopt}};
  CHECK(counting.admits(one, start));
  CHECK(counting.fail(one, start, three));
  breaker open{model::breaker_state{7, start + 10s}};
  CHECK_FALSE(open.admits(one, start));
  CHECK(open.admits(one, start + 10s));
}

TEST_CASE("breaker: whatever happens, at most one task starts behind an open one",
          "[logic][breaker]") {
  const auto seed = GENERATE(range(0u, 50u));
  CAPTURE(seed);
  std::mt19937 random{seed};
  const breaker_options options{.failures = 1 + seed % 5, .pause = 10s};
  breaker b;
  auto now = start;
  std::uint32_t in_a_row = 0;
  std::optional<model::task_key> started; // behind the open breaker
  for (int i = 0; i < 2'000; ++i) {
    now += model::microseconds{random() % 4'000'000};
    const model::task_key task{{std::int64_t(random() % 4)}, 0};
    const auto before = b.state();
    switch (random() % 4) {
    case 0:
      if (b.admits(task, now) && b.is_open()) {
        REQUIRE(now >= *before.open_until);
        REQUIRE((!started || started == task));
        started = task;
      }
      break;
    case 1: {
      const bool pauses = b.fail(task, now, options);
      ++in_a_row;
      REQUIRE(pauses == (before.open_until ? started == task : in_a_row >= options.failures));
      REQUIRE((!pauses || *b.state().open_until == now + options.pause));
      if (pauses)
        started.reset();
      break;
    }
    case 2:
      if (random() % 8 == 0) {
        b.succeed();
        in_a_row = 0;
        started.reset();
      }
      break;
    default:
      REQUIRE(b.give_up(task) == (started == task));
      if (started == task)
        started.reset();
    }
    REQUIRE(b.state().failures == in_a_row);
    REQUIRE(b.is_open() == (in_a_row >= options.failures));
    REQUIRE(b.probe() == started);
  }
}

#include "logic/restart_policy.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace sluice;
using namespace std::chrono_literals;
using logic::restart_policy;
using pauses = std::vector<std::optional<model::milliseconds>>;
using enum restart_policy::counting;

namespace {

pauses ask(restart_policy& policy, int times, model::steady_time from, model::steady_time every,
           restart_policy::counting how) {
  pauses got;
  for (int i = 0; i < times; ++i)
    got.push_back(policy.next_pause(from + i * every, how));
  return got;
}

} // namespace

TEST_CASE("restart_policy: the pause doubles and the fifth restart within a minute is refused",
          "[logic][restart_policy]") {
  restart_policy policy;
  CHECK(ask(policy, 5, 0s, 1s, limited) == pauses{100ms, 200ms, 400ms, 800ms, std::nullopt});
}

TEST_CASE("restart_policy: what lies further back than the window is forgotten",
          "[logic][restart_policy]") {
  restart_policy policy;
  CHECK(ask(policy, 4, 0s, 1s, limited) == pauses{100ms, 200ms, 400ms, 800ms});
  CHECK(policy.next_pause(60s, limited) == std::nullopt); // the first one is not older than 60 s
  CHECK(policy.next_pause(60s + 1ms, limited) == 800ms);  // three are left
  CHECK(policy.next_pause(1h, limited) == 100ms);
}

TEST_CASE("restart_policy: one crash a minute is restarted for ever", "[logic][restart_policy]") {
  restart_policy policy;
  for (const auto pause : ask(policy, 500, 0s, 61s, limited))
    REQUIRE(pause == 100ms);
}

TEST_CASE("restart_policy: without a limit the pause grows to its longest and stays",
          "[logic][restart_policy]") {
  restart_policy policy;
  const auto got = ask(policy, 1000, 0s, 1ms, unlimited);
  CHECK(pauses(got.begin(), got.begin() + 8)
        == pauses{100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s});
  for (std::size_t i = 8; i < got.size(); ++i)
    REQUIRE(got[i] == 5s);
}

TEST_CASE("restart_policy: restarts of both kinds count", "[logic][restart_policy]") {
  restart_policy policy;
  ask(policy, 4, 0s, 1s, unlimited);
  CHECK(policy.next_pause(5s, limited) == std::nullopt);
}

TEST_CASE("restart_policy: other limits hold as well", "[logic][restart_policy]") {
  SECTION("a pause that starts small still grows to the longest") {
    restart_policy policy{{.first_pause = 1ms, .longest_pause = 60s}};
    CHECK(ask(policy, 30, 0s, 1ms, unlimited).back() == 60s);
  }
  SECTION("more restarts than the default are counted") {
    restart_policy policy{{.restarts = 40}};
    const auto got = ask(policy, 40, 0s, 1ms, limited);
    CHECK(got[38] == 5s);
    CHECK(got[39] == std::nullopt);
  }
}

#include "logic/retry.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;
using model::failure_class;
using model::milliseconds;
using model::retry_policy;

namespace {

const model::failure exit_1{failure_class::exit, "1", "exit 1"};

std::vector<model::failure_pattern> patterns(std::initializer_list<const char*> texts) {
  std::vector<model::failure_pattern> made;
  for (const auto* text : texts)
    made.push_back(model::parse_failure_pattern(text).value());
  return made;
}

} // namespace

TEST_CASE("retry: the delay grows, is capped, then the budget ends", "[logic][retry]") {
  const retry_policy policy{.max = 4, .base = 1s, .factor = 2, .cap = 3s, .jitter = 0.5};
  const auto [done, u, want] = GENERATE(table<std::uint32_t, double, std::optional<milliseconds>>({
    {0, 0.0, 1s},
    {1, 0.0, 2s},
    {2, 0.0, 3s}, // 4 s, capped
    {0, 0.5, 750ms},
    {3, 0.5, 2250ms}, // capped, then shortened
    {4, 0.0, std::nullopt},
  }));
  CAPTURE(done, u);
  CHECK(next_delay(policy, exit_1, done, u) == want);
}

TEST_CASE("retry: no number of retries makes a delay longer than the cap", "[logic][retry]") {
  const auto factor = GENERATE(1.0, 1.5, 2.0, 1000.0);
  const auto jitter = GENERATE(0.0, 0.1, 1.0);
  const retry_policy policy{
    .max = 4'000'000'000, .base = 1s, .factor = factor, .cap = 5min, .jitter = jitter};
  for (std::uint32_t done : {0u, 1u, 10u, 63u, 64u, 1'100u, 3'999'999'999u})
    for (double u : {0.0, 0.5, 0.999999}) {
      CAPTURE(factor, jitter, done, u);
      const auto delay = next_delay(policy, exit_1, done, u);
      REQUIRE(delay);
      CHECK(*delay >= 0ms);
      CHECK(*delay <= 5min);
      CHECK(*delay >= std::chrono::floor<milliseconds>((1.0 - jitter) * 1s)); // of the first one
    }
}

TEST_CASE("retry: classes that may pass are repeated", "[logic][retry]") {
  const retry_policy policy{.max = 1};
  const auto as = failure_class(GENERATE(range(0, int(model::failure_class_count))));
  CAPTURE(to_string(as));
  const bool want = as == failure_class::exit || as == failure_class::transient
                    || as == failure_class::timeout || as == failure_class::heartbeat
                    || as == failure_class::validation || as == failure_class::resource;
  CHECK(is_repeated(policy, {as, "", ""}) == want);
}

TEST_CASE("retry: what may pass by itself is repeated by default and stops no policy",
          "[logic][retry]") {
  retry_policy policy; // what else it says does not matter
  policy.on = patterns({"permanent"});
  policy.stop_on = patterns({"exit:2", "timeout"});
  const auto [as, code, alone, with_policy] =
    GENERATE(table<failure_class, const char*, bool, bool>({
      {failure_class::exit, "1", true, true},
      {failure_class::exit, "2", true, false},
      {failure_class::timeout, "", true, false},
      {failure_class::transient, "75", true, true},
      {failure_class::permanent, "program_not_found", false, false},
      {failure_class::lost, "", false, false},
    }));
  CAPTURE(to_string(as), code);
  CHECK(may_pass_by_itself(nullptr, {as, code, ""}) == alone);
  CHECK(may_pass_by_itself(&policy, {as, code, ""}) == with_policy);
}

TEST_CASE("retry: a policy names what it repeats and what it does not", "[logic][retry]") {
  retry_policy policy{.max = 1};
  policy.on = patterns({"transient", "exit:75", "exit:SIGKILL", "permanent"});
  policy.stop_on = patterns({"exit:2", "permanent:program_not_found"});
  const auto [as, code, want] = GENERATE(table<failure_class, const char*, bool>({
    {failure_class::transient, "503", true},
    {failure_class::transient, "75", true},
    {failure_class::exit, "1", false},
    {failure_class::exit, "2", false},
    {failure_class::exit, "SIGKILL", true},
    {failure_class::timeout, "", false},
    {failure_class::permanent, "expression", true},
    {failure_class::permanent, "program_not_found", false},
  }));
  CAPTURE(to_string(as), code);
  CHECK(is_repeated(policy, {as, code, ""}) == want);
}

TEST_CASE("retry: exit code 75 is an exit code though its class is another", "[logic][retry]") {
  const model::failure busy{failure_class::transient, "75", "exit 75"};
  CHECK(is_repeated({.max = 1, .on = patterns({"exit:75"})}, busy));
  CHECK_FALSE(is_repeated({.max = 1, .on = patterns({"exit"})}, busy));
  CHECK_FALSE(is_repeated({.max = 1, .stop_on = patterns({"exit:75"})}, busy));
}

TEST_CASE("retry: nothing follows a cancel, a deadline or a loss", "[logic][retry]") {
  const auto as = GENERATE(failure_class::cancelled, failure_class::deadline, failure_class::lost);
  retry_policy policy{.max = 1};
  policy.on = {{as, ""}};
  CHECK_FALSE(is_repeated(policy, {as, "", ""}));
}

TEST_CASE("retry: the spread is even, in its range and always the same", "[logic][retry]") {
  std::array<int, 10> tenths{};
  for (std::uint32_t task = 0; task < 1'000; ++task)
    for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) {
      const model::attempt_key key{{7}, task, attempt};
      const double u = spread(key);
      REQUIRE(u >= 0.0);
      REQUIRE(u < 1.0);
      REQUIRE(u == spread(key));
      ++tenths[std::size_t(u * 10)];
    }
  for (const auto count : tenths)
    CHECK((count > 850 && count < 1'150)); // of 1,000; five standard deviations
}

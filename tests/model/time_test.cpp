#include "model/time.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <tuple>

using namespace sluice;
using namespace sluice::model;
using namespace std::chrono_literals;

TEST_CASE("time: a point in time is RFC 3339 in UTC", "[model][time]") {
  const auto [us, want] = GENERATE(table<std::int64_t, std::string>({
    {0, "1970-01-01T00:00:00Z"},
    {1'772'350'200'250'000, "2026-03-01T07:30:00.250Z"},
    {1'772'350'200'000'001, "2026-03-01T07:30:00.000001Z"},
    {1'709'164'800'000'000, "2024-02-29T00:00:00Z"},
    {-1'000'000, "1969-12-31T23:59:59Z"},
  }));
  CHECK(to_rfc3339(from_us(us)) == want);
  CHECK(to_us(from_us(us)) == us);
}

TEST_CASE("time: a length is shown in at most two units", "[model][time]") {
  const auto [length, want] = GENERATE(table<microseconds, std::string>({
    {0us, "0s"},
    {999us, "<1ms"},
    {850ms, "850ms"},
    {4'250ms, "4.2s"},
    {59'999ms, "59.9s"},
    {60s, "1m"},
    {200s, "3m 20s"},
    {2h + 41min + 59s, "2h 41m"},
    {76h, "3d 4h"},
    {-2s, "-2.0s"},
  }));
  CHECK(to_human(length) == want);
}

TEST_CASE("time: durations are read", "[model][time]") {
  const auto [text, want] = GENERATE(table<std::string, milliseconds>({
    {"500ms", 500ms},
    {"0s", 0ms},
    {"90s", 90s},
    {"20m", 20min},
    {"2h", 2h},
    {"1d", 24h},
    {"1h30m", 90min},
    {"1d2h3m4s5ms", 24h + 2h + 3min + 4s + 5ms},
  }));
  CAPTURE(text);
  CHECK(parse_duration(text) == want);
}

TEST_CASE("time: what is no duration is refused", "[model][time]") {
  const std::string text = GENERATE("", "10", "s", "-5s", "1.5s", "5 s", "5x", "30m1h", "1s1s",
                                    "99999999999999999999s", "9999999999999d", "5s ", "+5s");
  CAPTURE(text);
  const auto read = parse_duration(text);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::invalid_argument);
}

TEST_CASE("time: the text of a duration reads back", "[model][time]") {
  const auto [length, want] = GENERATE(table<milliseconds, std::string>({
    {0ms, "0s"},
    {1'500ms, "1500ms"},
    {90s, "90s"},
    {20min, "20m"},
    {48h, "2d"},
  }));
  CHECK(to_text(length) == want);
  CHECK(parse_duration(to_text(length)) == length);
}

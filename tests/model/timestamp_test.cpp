#include "model/timestamp.hpp"

#include <catch2/catch.hpp>

using namespace sluice::model;

TEST_CASE("timestamp: a time is read with its offset", "[model][timestamp]") {
  const auto read = [](std::string_view text) {
    const auto at = parse_timestamp(text);
    return at ? to_rfc3339(*at) : "none";
  };
  CHECK(read("2026-03-01T07:30:00Z") == "2026-03-01T07:30:00Z");
  CHECK(read("2026-03-01 07:30:00.25+01:30") == "2026-03-01T06:00:00.250Z");
  CHECK(read("2026-02-28t23:59:60.1234567z") == "2026-03-01T00:00:00.123456Z");
  CHECK(read("2024-02-29T00:00:00-00:30") == "2024-02-29T00:30:00Z");
  for (const auto* text :
       {"", "2026-03-01", "2026-02-29T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T07:30Z",
        "2026-03-01T07:30:00", "2026-03-01T07:30:00.Z", "2026-03-01T07:30:00Z ",
        "2026-03-01T07:30:61Z", "2026-03-01T07:30:00+1:00"})
    CHECK(read(text) == "none");
}

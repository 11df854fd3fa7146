#include "runtime/zones.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>

using namespace sluice;
using namespace sluice::runtime;

TEST_CASE("zones: a time is shown in the local zone or in UTC", "[runtime][zones]") {
  ::setenv("TZ", "Europe/Madrid", 1);
  ::tzset();
  const auto at = model::from_us(1'772'350'200'250'000); // 2026-03-01T07:30:00.250Z
  CHECK(to_date_and_time(at, zone_choice::utc) == "2026-03-01 07:30:00Z");
  CHECK(to_date_and_time(at, zone_choice::local) == "2026-03-01 08:30:00");
  CHECK(to_time_of_day(at, zone_choice::utc) == "07:30:00.250");
  CHECK(to_time_of_day(at, zone_choice::local) == "08:30:00.250");
}

// Points in time as a person at this machine reads them. Pure functions over the machine's time
// zone data; any thread.
#pragma once

#include "model/time.hpp"

#include <string>

namespace sluice::runtime {

enum class zone_choice : std::uint8_t { local, utc };

/// `2026-03-01 07:30:00`, with a `Z` behind it in UTC.
std::string to_date_and_time(model::wall_time at, zone_choice zone);

/// `07:30:00.250`
std::string to_time_of_day(model::wall_time at, zone_choice zone);

/// By how much the time of this machine is ahead of UTC then.
model::microseconds local_offset(model::wall_time at);

} // namespace sluice::runtime

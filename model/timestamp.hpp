// Dates and times as text: RFC 3339, section 5.6.
#pragma once

#include "model/time.hpp"

#include <optional>
#include <string_view>

namespace sluice::model {

/// Whether it is a day that exists: `2026-03-01`.
bool is_date(std::string_view text);

/// Reads `2026-03-01T07:30:00.25+01:00`; a time needs its offset, second 60 is a leap second.
/// Nothing when it is none. Digits beyond microseconds are cut.
std::optional<wall_time> parse_timestamp(std::string_view text);

} // namespace sluice::model

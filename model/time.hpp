// Points in time and lengths of time. Nothing here reads a clock: whoever needs the time is
// handed a `clock` by its owner (runtime/clock.hpp has the real one, tests move their own).
#pragma once

#include "model/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::model {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// UTC, in microseconds since 1970: for people, rows and schedules.
using wall_time = std::chrono::sys_time<microseconds>;

/// Monotonic, since an arbitrary start: for lengths of time.
using steady_time = std::chrono::nanoseconds;

/// Tells both times. The functions are called from any thread.
struct clock {
  std::function<wall_time()> wall;
  std::function<steady_time()> steady;
};

inline std::int64_t to_us(wall_time at) {
  return at.time_since_epoch().count();
}
inline wall_time from_us(std::int64_t us) {
  return wall_time{microseconds{us}};
}

/// RFC 3339 in UTC, `2026-03-01T07:30:00.250Z`; the fraction is left out when it is zero, else
/// has 3 or 6 digits.
std::string to_rfc3339(wall_time at);

/// A length of time for people: `850ms`, `4.2s`, `3m 20s`, `2h 41m`, `3d 4h`.
std::string to_human(microseconds length);

/// Reads `500ms`, `90s`, `20m`, `2h`, `1d`; also `1h30m`. Errors: `invalid_argument`.
expected<milliseconds> parse_duration(std::string_view text);

/// The canonical text of a duration, which `parse_duration` reads back: `90s`, `20m`, `1500ms`.
std::string to_text(milliseconds length);

} // namespace sluice::model

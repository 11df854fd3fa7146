#include "model/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

namespace sluice::model {
namespace {

struct unit {
  std::string_view name;
  std::int64_t ms;
};
// Largest first: a duration names its units in this order.
constexpr std::array<unit, 5> units{
  {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

tl::unexpected<error> bad_duration(std::string_view text, std::string_view why) {
  return fail(errc::invalid_argument, "'" + std::string{text} + "' is not a duration"
                                        + std::string{why} + ", write 500ms, 90s, 20m, 2h or 1d");
}

std::size_t find_unit(std::string_view name) {
  std::size_t i = 0;
  while (i < units.size() && units[i].name != name)
    ++i;
  return i;
}

/// `3m 20s`; the smaller unit is left out when it is zero.
std::string two_units(std::int64_t big, char big_unit, std::int64_t small, char small_unit) {
  auto text = std::to_string(big) + big_unit;
  if (small != 0)
    text += " " + std::to_string(small) + small_unit;
  return text;
}

} // namespace

std::string to_rfc3339(wall_time at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 48> text{};
  int length = std::snprintf(
    text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d", int{date.year()},
    unsigned{date.month()}, unsigned{date.day()}, static_cast<int>(time.hours().count()),
    static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  std::string result{text.data(), static_cast<std::size_t>(length)};
  const auto us = time.subseconds().count();
  if (us != 0) {
    const bool whole_ms = us % 1000 == 0;
    length = std::snprintf(text.data(), text.size(), whole_ms ? ".%03d" : ".%06d",
                           static_cast<int>(whole_ms ? us / 1000 : us));
    result.append(text.data(), static_cast<std::size_t>(length));
  }
  return result + "Z";
}

std::string to_human(microseconds length) {
  const auto us = length.count();
  if (us < 0)
    return "-"
           + to_human(microseconds{us == std::numeric_limits<std::int64_t>::min()
                                     ? std::numeric_limits<std::int64_t>::max()
                                     : -us});
  const auto ms = us / 1000;
  if (us == 0)
    return "0s";
  if (ms == 0)
    return "<1ms";
  if (ms < 1000)
    return std::to_string(ms) + "ms";
  const auto s = ms / 1000;
  if (s < 60)
    return std::to_string(s) + "." + std::to_string(ms % 1000 / 100) + "s";
  if (s < 3600)
    return two_units(s / 60, 'm', s % 60, 's');
  if (s < 86'400)
    return two_units(s / 3600, 'h', s % 3600 / 60, 'm');
  return two_units(s / 86'400, 'd', s % 86'400 / 3600, 'h');
}

expected<milliseconds> parse_duration(std::string_view text) {
  if (text.empty())
    return bad_duration(text, "");
  std::int64_t total = 0;
  std::size_t next_unit = 0; // the first one that may still follow
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t count = 0;
    const auto [after, err] = std::from_chars(at, end, count);
    if (err == std::errc::result_out_of_range)
      return bad_duration(text, ": too long");
    if (err != std::errc{} || count < 0 || *at == '-')
      return bad_duration(text, "");
    const char* unit_end = after;
    while (unit_end != end && (*unit_end < '0' || *unit_end > '9'))
      ++unit_end;
    const std::string_view name{after, static_cast<std::size_t>(unit_end - after)};
    if (name.empty())
      return bad_duration(text, ": the unit is missing");
    const auto found = find_unit(name);
    if (found == units.size())
      return bad_duration(text, ": unknown unit '" + std::string{name} + "'");
    if (found < next_unit)
      return bad_duration(text, ": units stand from large to small, each once");
    next_unit = found + 1;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(count, units[found].ms, &part)
        || __builtin_add_overflow(total, part, &total)
        || total > std::numeric_limits<std::int64_t>::max() / 1'000'000) // fits nanoseconds
      return bad_duration(text, ": too long");
    at = unit_end;
  }
  return milliseconds{total};
}

std::string to_text(milliseconds length) {
  const auto ms = length.count();
  if (ms == 0)
    return "0s";
  for (const auto& u : units)
    if (ms % u.ms == 0)
      return std::to_string(ms / u.ms) + std::string{u.name};
  return std::to_string(ms) + "ms";
}

} // namespace sluice::model

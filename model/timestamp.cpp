#include "model/timestamp.hpp"

#include <chrono>

namespace sluice::model {
namespace {

/// Reads exactly `width` digits at the front of `text` and removes them.
std::optional<int> take_digits(std::string_view& text, std::size_t width) {
  if (text.size() < width)
    return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return number;
}

/// The character at the front, removed, if it is one of these.
std::optional<char> take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos)
    return std::nullopt;
  const char taken = text.front();
  text.remove_prefix(1);
  return taken;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-"))
    return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-"))
    return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  return date.ok() ? std::optional{std::chrono::sys_days{date}} : std::nullopt;
}

/// `hh:mm`
std::optional<std::chrono::minutes> take_hour_minute(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":"))
    return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59)
    return std::nullopt;
  return std::chrono::hours{*hour} + std::chrono::minutes{*minute};
}

/// `.25`, or nothing of it; an error is a point without digits.
std::optional<microseconds> take_fraction(std::string_view& text) {
  microseconds fraction{0};
  if (!take(text, "."))
    return fraction;
  auto digit = take_digits(text, 1);
  if (!digit)
    return std::nullopt;
  for (int unit = 100'000; digit; digit = take_digits(text, 1), unit /= 10)
    fraction += microseconds{*digit * unit};
  return fraction;
}

/// `Z` or `+01:00`.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz"))
    return std::chrono::minutes{0};
  const auto sign = take(text, "+-");
  if (!sign)
    return std::nullopt;
  const auto length = take_hour_minute(text);
  if (!length)
    return std::nullopt;
  return *sign == '-' ? -*length : *length;
}

} // namespace

bool is_date(std::string_view text) {
  return take_date(text) && text.empty();
}

std::optional<wall_time> parse_timestamp(std::string_view text) {
  const auto day = take_date(text);
  if (!day || !take(text, "Tt "))
    return std::nullopt;
  const auto time = take_hour_minute(text);
  if (!time || !take(text, ":"))
    return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60)
    return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction)
    return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty())
    return std::nullopt;
  return wall_time{*day} + *time + seconds{*second} + *fraction - *offset;
}

} // namespace sluice::model

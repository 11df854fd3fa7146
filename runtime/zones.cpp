#include "runtime/zones.hpp"

#include <array>
#include <ctime>

namespace sluice::runtime {
namespace {

std::string formatted(model::wall_time at, zone_choice zone, const char* format) {
  const std::time_t seconds =
    std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm parts{};
  if (zone == zone_choice::local)
    ::localtime_r(&seconds, &parts);
  else
    ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const auto length = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), length};
}

} // namespace

std::string to_date_and_time(model::wall_time at, zone_choice zone) {
  return formatted(at, zone, zone == zone_choice::utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S");
}

model::microseconds local_offset(model::wall_time at) {
  const std::time_t seconds =
    std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return std::chrono::seconds{parts.tm_gmtoff};
}

std::string to_time_of_day(model::wall_time at, zone_choice zone) {
  const auto ms =
    (at - std::chrono::floor<std::chrono::seconds>(at)) / std::chrono::milliseconds{1};
  auto fraction = std::to_string(1000 + ms);
  fraction.front() = '.';
  return formatted(at, zone, "%H:%M:%S") + fraction;
}

} // namespace sluice::runtime

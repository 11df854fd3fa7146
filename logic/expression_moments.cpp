#include "logic/expression_moments.hpp"

#include "model/timestamp.hpp"

#include <chrono>
#include <cstring>
#include <vector>

namespace sluice::logic {
namespace {

using model::microseconds;
using model::milliseconds;
using model::seconds;
using std::chrono::duration_cast;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;

constexpr microseconds earliest =
  std::chrono::sys_days{std::chrono::year{1} / 1 / 1}.time_since_epoch();
constexpr microseconds latest =
  std::chrono::sys_days{std::chrono::year{10000} / 1 / 1}.time_since_epoch() - microseconds{1};

std::optional<moment> within_range(moment m) {
  const bool fits = m.kind == moment_kind::timestamp
                      ? m.since >= earliest && m.since <= latest
                      : m.since >= earliest - latest && m.since <= latest - earliest;
  return fits ? std::optional{m} : std::nullopt;
}

} // namespace

std::string_view to_string(moment_kind kind) {
  return kind == moment_kind::timestamp ? "timestamp" : "duration";
}

std::optional<moment> as_moment(const model::value& v) {
  if (!v.is_binary())
    return std::nullopt;
  const auto& bytes = v.get_binary();
  std::int64_t since = 0;
  std::memcpy(&since, bytes.data(), sizeof since);
  return moment{static_cast<moment_kind>(bytes.subtype()), microseconds{since}};
}

model::value to_value(const moment& m) {
  const std::int64_t since = m.since.count();
  std::vector<std::uint8_t> bytes(sizeof since);
  std::memcpy(bytes.data(), &since, sizeof since);
  return model::value::binary(std::move(bytes), static_cast<std::uint8_t>(m.kind));
}

std::string to_text(const moment& m) {
  if (m.kind == moment_kind::timestamp)
    return model::to_rfc3339(model::wall_time{m.since});
  const auto length = m.since < microseconds{0} ? -m.since : m.since;
  auto text = (m.since < microseconds{0} ? "-" : "") + std::to_string(length / seconds{1});
  if (const auto rest = (length % seconds{1}).count(); rest != 0) {
    auto digits = std::to_string(1'000'000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + "s";
}

void moments_to_texts(model::value& v) {
  if (const auto m = as_moment(v))
    v = to_text(*m);
  else if (v.is_structured())
    for (auto& element : v)
      moments_to_texts(element);
}

std::optional<moment_kind> kind_of(moment_kind left, binary_operator op, moment_kind right) {
  using enum moment_kind;
  if (op != binary_operator::add && op != binary_operator::subtract)
    return std::nullopt;
  if (left == duration && right == duration)
    return duration;
  if (op == binary_operator::add)
    return left == right ? std::nullopt : std::optional{timestamp};
  return left == duration ? std::nullopt : std::optional{right == timestamp ? duration : timestamp};
}

std::optional<moment> calculate(const moment& left, binary_operator op, const moment& right) {
  // Both are within some 10,000 years, so that microseconds do not overflow.
  const auto since =
    op == binary_operator::add ? left.since + right.since : left.since - right.since;
  return within_range({*kind_of(left.kind, op, right.kind), since});
}

std::optional<moment> timestamp_of(std::string_view text) {
  constexpr std::string_view midnight = "T00:00:00Z";
  const auto at = model::is_date(text) ? model::parse_timestamp(std::string{text}.append(midnight))
                                       : model::parse_timestamp(text);
  return at ? within_range({moment_kind::timestamp, at->time_since_epoch()}) : std::nullopt;
}

std::optional<moment> timestamp_of(std::int64_t count) {
  if (count < duration_cast<seconds>(earliest).count()
      || count > duration_cast<seconds>(latest).count())
    return std::nullopt;
  return moment{moment_kind::timestamp, seconds{count}};
}

std::optional<moment> duration_of(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  text.remove_prefix(is_negative ? 1 : 0);
  std::string whole{text};
  microseconds fraction{0};
  if (const auto point = text.find('.'); point != std::string_view::npos) { // as `to_text` has it
    const auto digits = text.substr(point + 1, text.size() - point - 2);
    if (!text.ends_with('s') || digits.empty() || digits.size() > 6
        || digits.find_first_not_of("0123456789") != std::string_view::npos)
      return std::nullopt;
    fraction = microseconds{std::stol(std::string{digits}.append(6 - digits.size(), '0'))};
    whole = std::string{text.substr(0, point)} + "s";
  }
  const auto seconds_or_more = model::parse_duration(whole);
  if (!seconds_or_more || *seconds_or_more > latest - earliest)
    return std::nullopt;
  const auto length = *seconds_or_more + fraction;
  return moment{moment_kind::duration, is_negative ? -length : length};
}

std::optional<microseconds> zone_offset_of(std::string_view text) {
  if (text == "UTC" || text == "Z")
    return microseconds{0};
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-'))
    return std::nullopt;
  const auto midnight = model::parse_timestamp("1970-01-01T00:00:00" + std::string{text});
  return midnight ? std::optional{-midnight->time_since_epoch()} : std::nullopt;
}

bool has_field(moment_kind kind, builtin getter) {
  return kind == moment_kind::timestamp || getter >= builtin::get_hours;
}

std::int64_t read_field(const moment& m, builtin getter) {
  const bool is_length = m.kind == moment_kind::duration;
  const auto day = is_length ? std::chrono::days{0} : floor<std::chrono::days>(m.since);
  const auto of_day = m.since - day; // of a duration: all of it
  const std::chrono::sys_days date{day};
  const std::chrono::year_month_day calendar{date};
  const std::chrono::sys_days new_year{calendar.year() / 1 / 1};
  const auto in = [&](auto unit, std::int64_t modulus) {
    const auto count = duration_cast<decltype(unit)>(of_day).count();
    return is_length ? count : count % modulus;
  };
  switch (getter) {
  case builtin::get_full_year:
    return int{calendar.year()};
  case builtin::get_month:
    return unsigned{calendar.month()} - 1;
  case builtin::get_date:
    return unsigned{calendar.day()};
  case builtin::get_day_of_month:
    return unsigned{calendar.day()} - 1;
  case builtin::get_day_of_week:
    return std::chrono::weekday{date}.c_encoding();
  case builtin::get_day_of_year:
    return (date - new_year).count();
  case builtin::get_hours:
    return in(hours{}, 24);
  case builtin::get_minutes:
    return in(minutes{}, 60);
  case builtin::get_seconds:
    return in(seconds{}, 60);
  default:
    return in(milliseconds{}, 1000);
  }
}

} // namespace sluice::logic

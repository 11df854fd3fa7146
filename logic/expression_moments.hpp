// Points in time and lengths of time while an expression is evaluated. JSON has neither: on the way
// they are binary values with a subtype of their own, and they become texts when they leave.
#pragma once

#include "logic/expression_tree.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::logic {

enum class moment_kind : std::uint8_t { timestamp = 1, duration = 2 };

struct moment {
  moment_kind kind = moment_kind::timestamp;
  model::microseconds since{}; ///< 1970 in UTC, of a timestamp; the length, of a duration
};

std::string_view to_string(moment_kind kind);

/// Nothing when the value is none.
std::optional<moment> as_moment(const model::value& v);
model::value to_value(const moment& m);

/// RFC 3339 in UTC; of a duration its seconds, `90s` or `0.25s`, as CEL has it.
std::string to_text(const moment& m);
/// Texts in the place of all moments in it.
void moments_to_texts(model::value& v);

/// What the operator makes of two; nothing when it does not work on them.
std::optional<moment_kind> kind_of(moment_kind left, binary_operator op, moment_kind right);
/// @pre `kind_of` says that it works. Nothing: outside the years 1 to 9999, or their length.
std::optional<moment> calculate(const moment& left, binary_operator op, const moment& right);

/// Of an RFC 3339 time or of a date, which begins at midnight UTC.
std::optional<moment> timestamp_of(std::string_view text);
/// Of seconds since 1970; nothing outside the years 1 to 9999.
std::optional<moment> timestamp_of(std::int64_t seconds);
/// Of a length in the words of the workflow format, with a sign or without.
std::optional<moment> duration_of(std::string_view text);
/// `UTC`, or an offset such as `+01:00`.
std::optional<model::microseconds> zone_offset_of(std::string_view text);

/// A field of the calendar or of the clock, counted as CEL does: months and days of the week from
/// 0. Of a duration all of it in that unit. @pre a duration has the field
std::int64_t read_field(const moment& m, builtin getter);
/// Whether a duration has the field: only hours, minutes, seconds and milliseconds.
bool has_field(moment_kind kind, builtin getter);

} // namespace sluice::logic

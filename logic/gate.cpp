#include "logic/gate.hpp"

#include "logic/expression_moments.hpp"
#include "model/gate.hpp"
#include "model/params.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sluice::logic {
namespace {

/// Of a length such as `0.25s`, as expressions write them; nothing when it is none.
std::optional<model::microseconds> fractional_seconds(std::string_view text) {
  if (text.empty() || text.back() != 's')
    return std::nullopt;
  constexpr double most = 1e12; // more than the years there are
  double seconds = 0;
  const auto* last = text.data() + text.size() - 1;
  const auto [end, failed] = std::from_chars(text.data(), last, seconds);
  if (failed != std::errc{} || end != last || !(seconds > -most && seconds < most))
    return std::nullopt;
  return std::chrono::duration_cast<model::microseconds>(std::chrono::duration<double>{seconds});
}

std::optional<moment> moment_of(std::string_view text) {
  if (const auto time = timestamp_of(text))
    return time;
  if (const auto length = duration_of(text))
    return length;
  if (const auto length = fractional_seconds(text))
    return moment{moment_kind::duration, *length};
  return std::nullopt;
}

} // namespace

expected<model::wall_time> end_of_wait(const model::value& v, model::wall_time now) {
  const auto found =
    v.is_string() ? moment_of(v.get_ref<const std::string&>()) : std::optional<moment>{};
  if (!found)
    return fail(errc::invalid_argument,
                model::to_text(v)
                  + " is neither a length of time, such as 10m, nor a time, such as "
                    "2026-12-01T08:00:00Z");
  if (found->kind == moment_kind::timestamp)
    return model::wall_time{found->since};
  const moment begin{moment_kind::timestamp, now.time_since_epoch()};
  const auto end = calculate(begin, binary_operator::add, *found);
  if (!end)
    return fail(errc::invalid_argument, model::to_text(v) + " is too long");
  return model::wall_time{end->since};
}

expected<model::value> outputs_of_approval(const model::gate_spec& gate, const model::value& given,
                                           const std::string& by) {
  auto values = model::complete_values(gate.form, given, "form value");
  if (!values) {
    std::string all;
    for (const auto& problem : values.error())
      all += (all.empty() ? "" : "; ") + problem;
    return fail(errc::invalid_argument, all);
  }
  (*values)["by"] = by;
  return std::move(*values);
}

model::wall_time next_opening(const model::opening_hours& hours, model::wall_time now,
                              const std::function<model::microseconds(model::wall_time)>& offset) {
  using std::chrono::days;
  using std::chrono::minutes;
  const auto ahead = offset(now);
  const auto here = now + ahead; // as the clock says
  const auto today = std::chrono::floor<days>(here);
  const auto length =
    minutes{hours.to > hours.from ? hours.to - hours.from : hours.to + 1440 - hours.from};
  const auto is_wanted = [&](std::chrono::sys_days day) {
    const auto bit = std::chrono::weekday{day}.iso_encoding() - 1;
    return hours.days == 0 || (hours.days >> bit & 1u) != 0;
  };
  for (int day = -1; day <= 7; ++day) { // hours that began yesterday may not be over
    const auto begin = today + days{day} + minutes{hours.from};
    if (!is_wanted(today + days{day}) || begin + length <= here)
      continue;
    if (begin <= here)
      return now;
    const auto guess = model::wall_time{begin - ahead};
    return model::wall_time{begin - offset(guess)}; // the clock may be put on or back until then
  }
  return now; // never: a week has all days
}

expected<model::opening_hours> parse_hours(std::string_view text) {
  const auto read = [](std::string_view part) -> std::optional<std::uint16_t> {
    const auto is_digit = [&](std::size_t i) { return part[i] >= '0' && part[i] <= '9'; };
    if (part.size() != 5 || part[2] != ':' || !is_digit(0) || !is_digit(1) || !is_digit(3)
        || !is_digit(4))
      return std::nullopt;
    const int hour = (part[0] - '0') * 10 + (part[1] - '0');
    const int minute = (part[3] - '0') * 10 + (part[4] - '0');
    if (minute > 59 || hour * 60 + minute > 1440)
      return std::nullopt;
    return static_cast<std::uint16_t>(hour * 60 + minute);
  };
  const auto dash = text.find('-');
  const auto from = read(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? std::nullopt : read(text.substr(dash + 1));
  if (!from || !to || *from == 1440)
    return fail(errc::invalid_argument,
                "'" + std::string{text} + "' are no hours, write such as 22:00-06:00");
  return model::opening_hours{.from = *from, .to = *to};
}

std::optional<std::uint8_t> parse_day(std::string_view name) {
  constexpr std::array<std::string_view, 7> names{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<std::uint8_t>(1u << (found - names.begin()));
}

model::task_state state_when_rejected(const model::gate_spec& gate) {
  return gate.on_closed == model::on_closed::skip ? model::task_state::skipped
                                                  : model::task_state::failed;
}

expected<void> check_gate_name(const std::string& name) {
  constexpr std::size_t longest = 200;
  const bool is_plain = std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (name.empty() || name.size() > longest || !is_plain)
    return fail(errc::invalid_argument,
                "a name is one line of 1 to " + std::to_string(longest) + " bytes");
  return {};
}

expected<void> check_signal(const std::string& name, const model::value& payload) {
  if (auto valid = check_gate_name(name); !valid)
    return valid;
  if (const auto size = model::to_text(payload).size(); size > model::most_signal_bytes)
    return fail(errc::invalid_argument, "a signal of " + std::to_string(size)
                                          + " bytes is larger than the limit of "
                                          + std::to_string(model::most_signal_bytes));
  return {};
}

model::wait_reason reason_of(model::gate_kind kind) {
  switch (kind) {
  case model::gate_kind::approval:
    return model::wait_reason::approval;
  case model::gate_kind::signal:
    return model::wait_reason::signal;
  case model::gate_kind::named_switch:
    return model::wait_reason::gate;
  case model::gate_kind::time:
    return model::wait_reason::time;
  case model::gate_kind::quota:
    return model::wait_reason::quota;
  }
  return model::wait_reason::none;
}

} // namespace sluice::logic

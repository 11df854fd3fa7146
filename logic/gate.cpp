#include "logic/gate.hpp"

#include "logic/expression_moments.hpp"
#include "model/gate.hpp"
#include "model/params.hpp"

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

model::task_state state_when_rejected(const model::gate_spec& gate) {
  return gate.on_closed == model::on_closed::skip ? model::task_state::skipped
                                                  : model::task_state::failed;
}

expected<void> check_signal(const std::string& name, const model::value& payload) {
  if (name.empty())
    return fail(errc::invalid_argument, "a signal needs a name");
  if (const auto size = model::to_text(payload).size(); size > model::most_signal_bytes)
    return fail(errc::invalid_argument, "a signal of " + std::to_string(size)
                                          + " bytes is larger than the limit of "
                                          + std::to_string(model::most_signal_bytes));
  return {};
}

} // namespace sluice::logic

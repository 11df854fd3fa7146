#include "cli/event_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice::cli {
namespace {

std::string text_of(const model::value& data, const char* name) {
  const auto found = data.find(name);
  return found == data.end() ? std::string{} : model::to_plain_text(*found);
}

model::microseconds length_of(const model::value& data, const char* name) {
  const auto found = data.find(name);
  return model::microseconds{
    found != data.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0};
}

std::string percent_of(const model::value& fraction) {
  return fraction.is_number() ? std::to_string(std::lround(fraction.get<double>() * 100)) + " %"
                              : std::string{};
}

std::string breaker_detail(const model::event& e, const model::breaker_state& breaker) {
  if (e.type == model::event_type::task_waiting)
    return breaker_words(breaker, e.at);
  return breaker.open_until ? plural(breaker.failures, "failure") + " in a row" : std::string{};
}

/// How a gate was passed.
std::string words_for_passing(const model::event& e, const std::string& reason) {
  if (reason == to_string(model::wait_reason::signal))
    return e.data.contains("signal") ? "by signal " + text_of(e.data, "signal")
                                     : "without a signal";
  if (reason != to_string(model::wait_reason::approval))
    return {};
  const auto by = text_of(e.data, "by");
  const auto note = text_of(e.data, "note");
  return by.empty() ? "approved by itself"
                    : "approved by " + by + (note.empty() ? "" : ": " + note);
}

/// The reason of a move; why a task waits, or does not any more, in words.
std::string reason_words(const model::event& e) {
  using model::event_type, model::wait_reason;
  auto reason = text_of(e.data, "reason");
  if (e.type == event_type::task_waiting && reason == to_string(wait_reason::idempotency))
    return std::string{words_for_shared_key};
  if (const auto gate = awaited_of(e))
    return gate_words(*gate, e.at);
  if (e.type == event_type::task_passed)
    return words_for_passing(e, reason);
  if (e.type != event_type::task_released)
    return reason;
  return reason == to_string(wait_reason::idempotency) ? "no other task with the same key is left"
         : reason == to_string(wait_reason::breaker)   ? "its breaker lets it try"
         : reason == to_string(wait_reason::hold)      ? "is tried again"
         : reason == to_string(wait_reason::gate)      ? "its gate is open"
                                                       : reason;
}

} // namespace

std::optional<model::breaker_state> breaker_of(const model::event& e) {
  if (!e.data.is_object())
    return std::nullopt;
  const auto told = e.data.find("breaker");
  if (told == e.data.end() || !told->is_object())
    return std::nullopt;
  model::breaker_state breaker;
  breaker.failures = told->value("failures", 0u);
  if (told->contains("open_until_us"))
    breaker.open_until = model::wall_time{length_of(*told, "open_until_us")};
  return breaker;
}

std::optional<model::awaited> awaited_of(const model::event& e) {
  if (e.type != model::event_type::task_waiting || !e.data.is_object())
    return std::nullopt;
  using enum model::wait_reason;
  const auto reason = model::parse_wait_reason(text_of(e.data, "reason"));
  constexpr std::array gates{wait, approval, signal, gate, time, quota};
  if (!reason || std::find(gates.begin(), gates.end(), *reason) == gates.end())
    return std::nullopt;
  model::awaited what{
    .reason = *reason, .name = text_of(e.data, "name"), .prompt = text_of(e.data, "prompt")};
  if (e.data.contains("due_us"))
    what.due = model::wall_time{length_of(e.data, "due_us")};
  return what;
}

std::optional<model::failure> failure_of(const model::event& e) {
  if (!e.data.is_object())
    return std::nullopt;
  const auto failure_class = model::parse_failure_class(text_of(e.data, "class"));
  if (!failure_class)
    return std::nullopt;
  return model::failure{*failure_class, text_of(e.data, "code"), text_of(e.data, "message")};
}

std::optional<hindrance> hindrance_of(const model::event& e) {
  if (const auto gate = awaited_of(e))
    return *gate;
  if (e.type == model::event_type::task_waiting)
    return breaker_of(e);
  if (e.type == model::event_type::task_held)
    return failure_of(e);
  if (e.type == model::event_type::task_paused)
    return paused_by_hand{};
  return std::nullopt;
}

std::string event_detail(const model::event& e) {
  if (!e.data.is_object())
    return {};
  if (e.type == model::event_type::run_submitted) {
    const auto tasks = e.data.find("tasks");
    return text_of(e.data, "workflow")
           + (tasks == e.data.end() ? "" : ", " + model::to_plain_text(*tasks) + " tasks");
  }
  if (e.type == model::event_type::run_signalled) {
    const auto by = text_of(e.data, "by");
    return printable("'" + text_of(e.data, "name") + "'" + (by.empty() ? "" : " by " + by));
  }
  if (e.type == model::event_type::tasks_added) {
    const auto tasks = e.data.value("tasks", std::size_t{0});
    auto names = e.data.value("names", std::vector<std::string>{});
    names.resize(tasks); // the event has the first ones, which are more than are shown
    return plural(tasks, "task") + ": " + some_of(names);
  }
  if (e.type == model::event_type::task_expanded)
    return plural(e.data.value("instances", std::size_t{0}), "instance");
  std::string detail;
  const auto add = [&](std::string_view separator, const std::string& text) {
    if (!text.empty())
      detail += (detail.empty() ? "" : std::string{separator}) + text;
  };
  const auto failure = failure_of(e);
  if (failure)
    add("", failure_sentence(*failure));
  else
    add("", text_of(e.data, "message"));
  if (const auto breaker = breaker_of(e))
    add(", ", breaker_detail(e, *breaker));
  else if (const auto reason = reason_words(e);
           !failure || (failure->code != reason && to_string(failure->failure_class) != reason))
    add(", ", reason);
  if (const auto of = text_of(e.data, "of"); !of.empty())
    add(", ", "the result of " + of + ", which has the same key");
  if (const auto generation = text_of(e.data, "generation"); !generation.empty())
    add(", ", "generation " + generation);
  if (const auto reset = text_of(e.data, "reset"); !reset.empty())
    add(", ", reset + " reset");
  add(", ", text_of(e.data, "role"));
  add(", ", text_of(e.data, "token"));
  if (const auto fraction = e.data.find("fraction"); fraction != e.data.end())
    add(", ", percent_of(*fraction));
  add(", ", text_of(e.data, "text"));
  if (const auto usage = e.data.find("usage"); usage != e.data.end())
    for (const auto& [name, number] : usage->items())
      add(", ", name + " " + model::to_plain_text(number));
  add(": ", text_of(e.data, "error"));
  if (e.data.contains("degraded"))
    add(", ", "degraded");
  if (const auto losses = text_of(e.data, "losses"); !losses.empty())
    add(", ", "losses " + losses);
  if (e.type == model::event_type::task_retrying)
    add(", ", "retry " + text_of(e.data, "retry") + " in "
                + model::to_human(length_of(e.data, "due_us") - e.at.time_since_epoch()));
  constexpr model::milliseconds worth_a_word{10};
  if (const auto late = length_of(e.data, "late_us"); late >= worth_a_word)
    add(", ", model::to_human(late) + " late");
  return printable(detail);
}

std::string event_line(const model::event& e, const console& out, runtime::zone_choice zone) {
  constexpr std::size_t subject_width = 24, state_width = 12;
  std::string subject = to_string(e.run_no);
  if (e.task_idx) {
    subject = task_id({e.run_no, *e.task_idx}, e.task);
    if (e.attempt)
      subject += "#" + std::to_string(*e.attempt);
  }
  std::string_view word = e.to;
  if (e.type == model::event_type::task_warning)
    word = "warning";
  else if (e.type == model::event_type::task_checkpoint)
    word = "checkpoint";
  else if (e.type == model::event_type::task_snapshot)
    word = "snapshot";
  else if (e.type == model::event_type::task_progress)
    word = "progress";
  else if (e.type == model::event_type::task_usage)
    word = "usage";
  else if (e.type == model::event_type::task_expanded)
    word = "expanded";
  else if (e.type == model::event_type::tasks_added)
    word = "added";
  else if (e.type == model::event_type::run_started)
    word = "started";
  else if (e.type == model::event_type::run_signalled)
    word = "signal";
  else if (e.type == model::event_type::run_paused)
    word = "paused";
  else if (e.type == model::event_type::run_resumed)
    word = "resumed";
  else if (e.type == model::event_type::task_fallback)
    word = "fallback";
  else if (e.type == model::event_type::task_held)
    word = "held";
  else if (e.type == model::event_type::task_resumed)
    word = "resumed";
  auto line = out.tinted(runtime::to_time_of_day(e.at, zone), tint::dim) + "  "
              + padded(subject, subject_width) + "  ";
  const auto detail = event_detail(e);
  return line
         + out.tinted(detail.empty() ? std::string{word} : padded(word, state_width),
                      e.type == model::event_type::task_warning ? tint::yellow : tint_of(word))
         + (detail.empty() ? "" : "  " + detail);
}

} // namespace sluice::cli

#include "cli/words.hpp"

#include <algorithm>
#include <array>

namespace sluice::cli {
namespace {

bool is_shell_safe(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
         || std::string_view{"_-./,:@%+="}.find(c) != std::string_view::npos;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// Length of the escape sequence at the front of `text`, which starts with ESC. Source: ECMA-48,
/// section 5.4: CSI, parameter and intermediate bytes, then one final byte.
std::size_t escape_length(std::string_view text) {
  if (text.size() < 2 || text[1] != '[')
    return std::min<std::size_t>(2, text.size());
  std::size_t i = 2;
  while (i < text.size() && text[i] >= 0x20 && text[i] < 0x40)
    ++i;
  return std::min(i + 1, text.size());
}

std::string time_between(model::wall_time from, model::wall_time to) {
  return model::to_human(std::max(to - from, model::microseconds{0}));
}

/// Of an attempt that is a run, which has said it all.
bool is_of_run(const model::failure& failure) {
  return failure.failure_class == model::failure_class::exit
         && (failure.code == to_string(model::run_state::failed)
             || failure.code == to_string(model::run_state::rolled_back));
}

} // namespace

tint tint_of(std::string_view state) {
  if (state == "succeeded")
    return tint::green;
  if (state == "failed" || state == "interrupted" || state == "rolled_back")
    return tint::red;
  if (state == "running" || state == "dispatched" || state == "validating")
    return tint::cyan;
  if (state == "cancelled" || state == "cancelling" || state == "retry_wait" || state == "waiting"
      || state == "rolling_back" || state == "paused")
    return tint::yellow;
  if (state == "skipped" || state == "pending" || state == "ready")
    return tint::dim;
  return tint::none;
}

bool is_given_back(const model::failure& failure) {
  return failure.failure_class == model::failure_class::lost
         && (failure.code == "no_slot" || failure.code == "paused" || failure.code == "drained"
             || failure.code == "preempted");
}

std::string failure_words(const model::failure& failure) {
  if (is_given_back(failure))
    return "given back";
  const std::string name{to_string(failure.failure_class)};
  if (failure.code.empty() || failure.code == name)
    return name;
  if (failure.failure_class == model::failure_class::exit)
    return failure.code.starts_with("SIG") || is_of_run(failure) ? failure.code
                                                                 : "exit " + failure.code;
  return name + " (" + failure.code + ")";
}

std::string failure_sentence(const model::failure& failure) {
  const auto words = failure_words(failure);
  const auto& message = failure.message;
  if (is_of_run(failure) && !message.empty())
    return printable(message);
  return message.empty() || message == words || message == to_string(failure.failure_class)
           ? words
           : words + ": " + printable(message);
}

std::string task_id(model::task_key key, std::string_view name) {
  const bool safe = !name.empty() && std::all_of(name.begin(), name.end(), is_shell_safe);
  return safe ? to_string(key.run_no) + "/" + std::string{name} : to_string(key);
}

std::string task_time(const runtime::task_view& task, model::wall_time now) {
  const auto start = task.started_at ? task.started_at : task.dispatched_at;
  if (!start)
    return {};
  if (task.finished_at)
    return time_between(*start, *task.finished_at);
  return model::is_active(task.state) && !task.interrupted ? time_between(*start, now)
                                                           : std::string{};
}

std::string run_time(const runtime::run_view& run, model::wall_time now) {
  if (run.finished_at)
    return time_between(run.began_at, *run.finished_at);
  return run.is_live() ? time_between(run.began_at, now) : std::string{};
}

std::string generation_words(std::uint32_t generation) {
  return generation > 1 ? "generation " + std::to_string(generation) : std::string{};
}

std::string parent_words(const runtime::run_view& run) {
  return run.parent ? "of " + to_string(run.parent->run_no) + "/" + printable(run.parent_task)
                    : std::string{};
}

std::string count_words(const runtime::run_view& run) {
  using model::task_state;
  constexpr std::string_view interrupted = "interrupted";
  // As stored, a task that is ready counts as pending and one that runs as dispatched.
  constexpr std::array shown{
    std::pair{task_state::failed, "failed"},
    std::pair{task_state::dispatched, "running"},
    std::pair{task_state::validating, "validating"},
    std::pair{task_state::cancelling, "cancelling"},
    std::pair{task_state::rolling_back, "rolling back"},
    std::pair{task_state::retry_wait, "retrying"},
    std::pair{task_state::waiting, "waiting"},
    std::pair{task_state::rolled_back, "rolled back"},
    std::pair{task_state::paused, "paused"},
    std::pair{task_state::pending, "pending"},
    std::pair{task_state::skipped, "skipped"},
    std::pair{task_state::cancelled, "cancelled"},
  };
  std::vector<std::pair<std::uint32_t, std::string_view>> counts;
  for (const auto& [state, word] : shown)
    if (const auto count = run.count(state); count == 0)
      continue;
    else if (!run.interrupted || !model::is_active(state))
      counts.emplace_back(count, word);
    else if (!counts.empty() && counts.back().second == interrupted)
      counts.back().first += count; // the states of what is under way stand side by side above
    else
      counts.emplace_back(count, interrupted);
  std::string words;
  for (const auto& [count, word] : counts)
    words += (words.empty() ? "" : "  ") + std::to_string(count) + " " + std::string{word};
  return words;
}

std::string breaker_words(const model::breaker_state& breaker, model::wall_time now) {
  const auto left = breaker.open_until.value_or(now) - now;
  return "waits for its breaker, "
         + (left.count() > 0 ? model::to_human(left) + " left" : "one attempt is tried first")
         + " (" + plural(breaker.failures, "failure") + " in a row)";
}

std::string held_words(const model::failure& failure) {
  return "held after " + failure_words(failure) + "; retry, or mark it";
}

std::string gate_words(const model::awaited& what, model::wall_time now) {
  const auto left = what.due.value_or(now) - now;
  const auto time = !what.due          ? std::string{}
                    : left.count() > 0 ? ", " + model::to_human(left) + " left"
                                       : ", which is over";
  switch (what.reason) {
  case model::wait_reason::approval:
    return "waits for an approval" + time
           + (what.prompt.empty() ? "" : ": " + printable(what.prompt));
  case model::wait_reason::signal:
    return "waits for the signal '" + printable(what.name) + "'" + time;
  case model::wait_reason::gate:
    return "waits: the gate '" + printable(what.name) + "' is closed";
  case model::wait_reason::time:
    return "waits for its hours" + time;
  case model::wait_reason::quota:
    return "waits for room in the quota '" + printable(what.name) + "'" + time;
  default:
    return "waits" + time;
  }
}

std::string waiting_words(const hindrance& what, model::wall_time now) {
  if (const auto* gate = std::get_if<model::awaited>(&what))
    return gate_words(*gate, now);
  if (const auto* breaker = std::get_if<model::breaker_state>(&what))
    return breaker_words(*breaker, now);
  if (const auto* failure = std::get_if<model::failure>(&what))
    return held_words(*failure);
  return "paused; does not start until it is resumed";
}

std::string bar(std::size_t done, std::size_t total, std::size_t width) {
  const std::size_t filled = total == 0 ? width : std::min(width, done * width / total);
  return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "]";
}

std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t most = 5;
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i)
    text += (i == 0 ? "" : ", ") + printable(names[i]);
  return names.size() > most ? text + " and " + std::to_string(names.size() - most) + " more"
                             : text;
}

std::string plural(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

std::string shell_quoted(std::string_view word) {
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_shell_safe))
    return std::string{word};
  std::string quoted = "'";
  for (const char c : word)
    quoted += c == '\'' ? std::string{"'\\''"} : std::string{c};
  return quoted + "'";
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\033') {
      i += escape_length(text.substr(i));
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i++]);
    if (c == '\t')
      clean += ' ';
    else if (c != '\r')
      clean += c < 0x20 || c == 0x7F ? '?' : static_cast<char>(c);
  }
  // Through JSON text and back: its writer replaces what is no UTF-8.
  const auto checked = model::parse_json(model::to_text(clean));
  return checked ? checked->get<std::string>() : std::string{"?"};
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
    std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string shortened(std::string_view text, std::size_t width) {
  if (display_width(text) <= width)
    return std::string{text};
  constexpr std::string_view dots = "...";
  const std::size_t kept = width > dots.size() ? width - dots.size() : 0;
  std::size_t end = 0;
  for (std::size_t columns = 0; end < text.size(); ++end)
    if (!is_continuation(text[end]) && columns++ == kept)
      break;
  return std::string{text.substr(0, end)}.append(dots.substr(0, width - std::min(width, kept)));
}

std::string padded(std::string_view text, std::size_t width) {
  const auto used = display_width(text);
  return std::string{text}.append(used < width ? width - used : 0, ' ');
}

} // namespace sluice::cli

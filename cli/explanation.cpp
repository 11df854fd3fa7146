#include "cli/explanation.hpp"

#include "cli/console.hpp"
#include "cli/words.hpp"
#include "model/time.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::cli {
namespace {

using model::value;

std::string text_at(const value& v, const char* key) {
  const auto found = v.find(key);
  return found == v.end()     ? std::string{}
         : found->is_string() ? printable(found->get<std::string>())
                              : model::to_text(*found);
}

std::int64_t number_at(const value& v, const char* key) {
  const auto found = v.find(key);
  return found == v.end() || !found->is_number_integer() ? 0 : found->get<std::int64_t>();
}

std::string length_at(const value& v, const char* key) {
  return model::to_human(std::chrono::milliseconds{number_at(v, key)});
}

std::string row(std::string_view what, std::string_view verdict, const std::string& detail) {
  auto text = "  " + std::string{what};
  text.resize(std::max<std::size_t>(text.size() + 1, 17), ' ');
  text += verdict;
  text.resize(std::max<std::size_t>(text.size() + 1, 26), ' ');
  text += detail;
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

std::string headline(const value& v) {
  const auto state = text_at(v, "state");
  auto text = state;
  if (v.contains("ready_ms"))
    text += " for " + length_at(v, "ready_ms");
  if (v.contains("position"))
    text += ", position " + text_at(v, "position") + " of " + text_at(v, "of");
  if (state == "ready" || state == "pending" || state == "waiting") {
    const auto base = number_at(v, "priority");
    text += (v.contains("position") ? " at priority " : ", priority ") + std::to_string(base);
    if (const auto now = number_at(v, "effective_priority"); now > base)
      text += " (+" + std::to_string(now - base) + " by waiting or its deadline)";
  }
  return text;
}

std::string dependency_row(const value& v) {
  std::string names;
  for (const auto& upstream : v.value("dependencies", value::array()))
    names +=
      (names.empty() ? "" : ", ") + text_at(upstream, "task") + " " + text_at(upstream, "state");
  if (v.contains("waits_for")) // the store alone
    return row("dependencies", "no", text_at(v, "waits_for"));
  if (names.empty())
    return row("dependencies", "none", "");
  const bool waits = text_at(v, "wait_reason") == "upstream";
  return row("dependencies", waits ? "no" : "met", names + " (rule " + text_at(v, "join") + ")");
}

/// `gpu 1: 0 of 2 free, held by r-1/train`
std::string need_words(const value& need) {
  const auto kind = text_at(need, "kind"), name = text_at(need, "name");
  std::string text;
  if (kind == "resource")
    text = name + " " + text_at(need, "needs") + ": " + text_at(need, "used") + " of "
           + text_at(need, "limit") + " used";
  else if (kind == "rate")
    text = "rate '" + name + "': " + text_at(need, "used") + " of " + text_at(need, "limit")
           + " started within " + length_at(need, "per_ms");
  else
    text = (kind == "pool" ? "pool " + name : "key '" + name + "'") + ": " + text_at(need, "used")
           + (need.contains("limit") ? " of " + text_at(need, "limit") : "") + " held";
  if (need.contains("reserved"))
    text += ", " + text_at(need, "reserved") + " kept for one that waits longer";
  const auto holders = need.find("held_by");
  if (holders == need.end() || holders->empty())
    return text;
  std::vector<std::string> names;
  for (const auto& holder : *holders)
    names.push_back(printable(holder.get<std::string>()));
  return text + " by " + some_of(names);
}

void add_needs(const value& v, std::vector<std::string>& lines) {
  const auto alternatives = v.find("alternatives");
  if (alternatives == v.end())
    return;
  std::size_t number = 0;
  for (const auto& needs : *alternatives) {
    ++number;
    auto what =
      alternatives->size() == 1 ? std::string{"needs"} : "variant " + std::to_string(number);
    for (const auto& need : needs) {
      lines.push_back(row(what, need.value("fits", false) ? "ok" : "no", need_words(need)));
      what.clear();
    }
  }
}

void add_limit(const value& v, const char* key, const char* what, std::vector<std::string>& lines) {
  const auto limit = v.find(key);
  if (limit == v.end())
    return;
  const bool has_room = number_at(*limit, "used") < number_at(*limit, "limit");
  lines.push_back(row(what, has_room ? "ok" : "no",
                      text_at(*limit, "used") + " of " + text_at(*limit, "limit") + " taken"));
}

void add_clock(const value& v, const char* key, const char* what, std::vector<std::string>& lines) {
  if (v.contains(key))
    lines.push_back(row(what, "", "in " + length_at(v, key)));
}

std::string next_step(const value& v) {
  const auto reason = text_at(v, "wait_reason");
  const auto state = text_at(v, "state");
  static const std::array<std::pair<std::string_view, std::string_view>, 18> sentences{{
    {"slot", "starts when a slot is free and it is its turn"},
    {"limit", "starts when another task of its run ends (limits.active_tasks)"},
    {"parallel", "starts when another instance of its task ends"},
    {"resource", "starts when enough of what it needs is free"},
    {"pool", "starts when another task leaves its pool"},
    {"concurrency", "starts when another task gives its key back"},
    {"rate", "starts when its rate allows another start"},
    {"retry", "tries again when its wait is over"},
    {"breaker", "tries again when its breaker lets it"},
    {"idempotency", "looks what comes of the task with the same key"},
    {"inputs", "starts when its inputs are read back"},
    {"hold", "waits for a person: sluice retry, or sluice mark"},
    {"wait", "goes on when its time has come"},
    {"approval", "waits for a person: sluice approve, or sluice reject"},
    {"signal", "goes on when its signal is sent: sluice signal"},
    {"gate", "goes on when its switch is opened: sluice gate open"},
    {"time", "goes on in the hours of its gate"},
    {"quota", "goes on when its quota lets another one pass"},
  }};
  if (v.value("run_paused", false) || (reason == "paused" && state != "paused"))
    return "waits until its run is resumed: sluice resume " + text_at(v, "run");
  if (reason == "paused")
    return "waits until it is resumed: sluice resume";
  if (v.contains("active_runs"))
    return "its run begins when another run of its workflow ends (limits.active_runs)";
  if (v.contains("before_finally"))
    return "waits for the " + text_at(v, "before_finally") + " tasks before finally";
  if (v.value("interrupted", false))
    return "nothing happens: its runtime is gone; sluice run --resume " + text_at(v, "run");
  if (reason == "upstream")
    return "waits for what it depends on";
  for (const auto& [name, sentence] : sentences)
    if (name == reason)
      return std::string{sentence};
  return state == "pending" ? "its instances go their ways" : "none: it is " + state;
}

} // namespace

std::vector<std::string> explanation_lines(const value& v) {
  std::vector<std::string> lines{headline(v), dependency_row(v)};
  add_needs(v, lines);
  if (text_at(v, "state") == "ready")
    add_limit(v, "slots", "slots", lines);
  add_limit(v, "active_runs", "active_runs", lines);
  add_limit(v, "active_tasks", "active_tasks", lines);
  add_limit(v, "max_parallel", "max_parallel", lines);
  add_clock(v, "retry_in_ms", "retry", lines);
  add_clock(v, "breaker_in_ms", "breaker", lines);
  add_clock(v, "gate_in_ms", "gate", lines);
  add_clock(v, "queue_timeout_in_ms", "queue_timeout", lines);
  add_clock(v, "deadline_in_ms", "deadline", lines);
  if (v.contains("holds"))
    lines.push_back(row("holds", "", text_at(v, "holds")));
  lines.push_back("next step: " + next_step(v));
  return lines;
}

value explanation_of(const runtime::task_ref& found) {
  const auto& task = found.task;
  value v{{"run", to_string(task.key.run_no)},
          {"task", task.name},
          {"state", std::string{task.shown_state()}}};
  if (task.wait_reason != model::wait_reason::none)
    v["wait_reason"] = to_string(task.wait_reason);
  if (!task.waits_for.empty())
    v["waits_for"] = task.waits_for;
  if (found.run.interrupted)
    v["interrupted"] = true;
  return v;
}

} // namespace sluice::cli

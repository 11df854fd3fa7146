#include "model/workflow.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace sluice::model {

const action* command_for(const workflow_spec& workflow, const task_spec& task, command_role role) {
  if (role == command_role::action)
    return &task.action;
  if (is_gate(task.action))
    return nullptr;
  for (const auto* settings : {&*task.settings, &defaults_of(workflow, task)})
    for (const auto& command : settings->extra)
      if (command.role == role)
        return &command.what;
  return nullptr;
}

bool operator==(const workflow_action& a, const workflow_action& b) {
  return (a.spec == b.spec || *a.spec == *b.spec) && a.params == b.params;
}

const workflow_action* child_of(const task_spec& task) {
  return std::get_if<workflow_action>(&task.action);
}

std::size_t count_child_tasks(const workflow_spec& workflow) {
  std::size_t count = 0;
  for (const auto& task : workflow.tasks)
    if (const auto* child = child_of(task))
      count += child->spec->tasks.size() + count_child_tasks(*child->spec);
  return count;
}

bool declares_output(const task_spec& task, const std::string& name) {
  const auto is_there = [&](const auto& list, auto name_of) {
    return std::any_of(list.begin(), list.end(),
                       [&](const auto& output) { return name.empty() || name_of(output) == name; });
  };
  if (is_gate(task.action)) {
    const auto names = output_names(task);
    return is_there(
      names, [](const auto& n) -> const auto& { return n; });
  }
  if (const auto* child = child_of(task))
    return is_there(
      child->spec->out, [](const auto& o) -> const auto& { return o.first; });
  return is_there(
    task.out, [](const auto& o) -> const auto& { return o.name; });
}

std::vector<std::string> output_names(const task_spec& task) {
  std::vector<std::string> names;
  const auto* gate = std::get_if<gate_action>(&task.action);
  if (gate != nullptr && gate->what->which == gate_kind::approval) {
    for (const auto& asked : gate->what->form)
      names.push_back(asked.name);
    names.emplace_back("by");
  } else if (gate != nullptr && gate->what->which == gate_kind::signal) {
    names.emplace_back("payload");
  }
  if (const auto* child = child_of(task))
    for (const auto& [name, v] : child->spec->out)
      names.push_back(name);
  else
    for (const auto& output : task.out)
      names.push_back(output.name);
  return names;
}

const task_addition* workflow_spec::addition_of(std::uint32_t task) const {
  const auto next =
    std::upper_bound(additions.begin(), additions.end(), task,
                     [](std::uint32_t idx, const auto& addition) { return idx < addition.first; });
  if (next == additions.begin() || task - std::prev(next)->first >= std::prev(next)->count)
    return nullptr;
  return &*std::prev(next);
}

std::uint32_t workflow_spec::position_of_added(std::uint32_t task) const {
  const auto& addition = *addition_of(task);
  return addition.position + (task - addition.first);
}

const std::string& gate_name(const task_spec& task) {
  const auto& own = std::get<gate_action>(task.action).what->name;
  return own.empty() ? task.name : own;
}

bool has_budget(const workflow_spec& workflow) {
  return workflow.budget
         || std::any_of(workflow.groups.begin(), workflow.groups.end(),
                        [](const group_spec& group) { return group.budget.has_value(); });
}

std::optional<priority> parse_priority(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, priority>, 4> names{
    {{"low", 25}, {"normal", normal_priority}, {"high", 75}, {"critical", critical_priority}}};
  for (const auto& [known, points] : names)
    if (known == name)
      return points;
  return std::nullopt;
}

bool has_command(const task_settings& settings, command_role role) {
  return std::any_of(settings.extra.begin(), settings.extra.end(),
                     [role](const extra_command& command) { return command.role == role; });
}

void set_command(task_settings& settings, command_role role, action what) {
  auto& all = settings.extra; // in order of roles, so that equal settings have one form
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const extra_command& command) { return command.role >= role; });
  if (at != all.end() && at->role == role)
    at->what = std::move(what);
  else
    all.insert(at, {role, std::move(what)});
}

namespace {

template <class T>
void lay_over(std::optional<T>& setting, std::optional<T> over) {
  if (over)
    setting = std::move(over);
}

template <class Pairs>
void lay_over_by_name(Pairs& pairs, Pairs over) {
  for (auto& [name, v] : over) {
    const auto same = std::find_if(
      pairs.begin(), pairs.end(), [&, &key = name](const auto& pair) { return pair.first == key; });
    if (same == pairs.end())
      pairs.emplace_back(std::move(name), std::move(v));
    else
      same->second = std::move(v);
  }
}

} // namespace

void lay_over(task_settings& settings, task_settings over) {
  lay_over_by_name(settings.env, std::move(over.env));
  lay_over_by_name(settings.secrets, std::move(over.secrets));
  lay_over(settings.workdir, std::move(over.workdir));
  lay_over(settings.shell, std::move(over.shell));
  lay_over(settings.timeout, over.timeout);
  lay_over(settings.heartbeat, over.heartbeat);
  lay_over(settings.queue_timeout, over.queue_timeout);
  lay_over(settings.deadline, over.deadline);
  lay_over(settings.retry, std::move(over.retry));
  lay_over(settings.crash_limit, over.crash_limit);
  lay_over(settings.priority, over.priority);
  lay_over(settings.preemptible, over.preemptible);
  lay_over(settings.resources, std::move(over.resources));
  lay_over(settings.pool, std::move(over.pool));
  lay_over(settings.concurrency, std::move(over.concurrency));
  lay_over(settings.rate, std::move(over.rate));
  lay_over(settings.idempotency, std::move(over.idempotency));
  lay_over(settings.group, std::move(over.group));
  lay_over(settings.gates, std::move(over.gates));
  lay_over(settings.on_closed, over.on_closed);
  lay_over(settings.allow_failure, over.allow_failure);
  lay_over(settings.on_exhausted, over.on_exhausted);
  lay_over(settings.checkpoint_bytes, over.checkpoint_bytes);
  for (auto& [role, what] : over.extra)
    set_command(settings, role, std::move(what));
}

std::string to_string(const failure_pattern& pattern) {
  std::string text{to_string(pattern.failure_class)};
  return pattern.code.empty() ? text : text + ":" + pattern.code;
}

std::optional<failure_pattern> parse_failure_pattern(std::string_view text) {
  const auto colon = text.find(':');
  const auto as = parse_failure_class(text.substr(0, colon));
  if (!as || colon + 1 == text.size())
    return std::nullopt;
  return failure_pattern{
    *as, colon == std::string_view::npos ? "" : std::string{text.substr(colon + 1)}};
}

expected<std::int64_t> parse_bytes(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const int shift = unit.empty()   ? 0
                    : unit == "Ki" ? 10
                    : unit == "Mi" ? 20
                    : unit == "Gi" ? 30
                                   : -1;
  if (failed != std::errc{} || number < 0 || shift < 0
      || number > std::numeric_limits<std::int64_t>::max() >> shift)
    return fail(errc::invalid_argument,
                "'" + std::string{text} + "' is no size; write it as 512, 100Ki, 1Mi or 2Gi");
  return number << shift;
}

bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && is_letter(text.front())
         && std::all_of(text.begin(), text.end(),
                        [&](char c) { return is_letter(c) || is_digit(c); });
}

} // namespace sluice::model

#include "model/workflow.hpp"

#include <algorithm>

namespace sluice::model {

task_settings effective_settings(const workflow_spec& workflow, const task_spec& task) {
  task_settings merged = workflow.defaults;
  const auto& own = task.settings;
  for (const auto& [name, v] : own.env) {
    const auto same = std::find_if(merged.env.begin(), merged.env.end(),
                                   [&](const auto& pair) { return pair.first == name; });
    if (same == merged.env.end())
      merged.env.emplace_back(name, v);
    else
      same->second = v;
  }
  if (own.workdir)
    merged.workdir = own.workdir;
  if (own.shell)
    merged.shell = own.shell;
  if (own.timeout)
    merged.timeout = own.timeout;
  if (own.allow_failure)
    merged.allow_failure = own.allow_failure;
  return merged;
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

#include "model/secret.hpp"

#include "model/nearest_name.hpp"
#include "model/workflow.hpp"

#include <algorithm>
#include <array>

namespace sluice::model {
namespace {

constexpr std::string_view from_environment = "env:", from_file = "file:";

} // namespace

expected<secret_reference> parse_secret_reference(std::string_view text) {
  const auto wrong = [&](const std::string& why) {
    return fail(errc::invalid_argument, "'" + std::string{text} + "' " + why);
  };
  if (text.find("${{") != std::string_view::npos)
    return wrong("holds an expression; a reference is a plain text, so that all can see it");
  if (text.find('\0') != std::string_view::npos)
    return wrong("holds a NUL character");
  if (text.starts_with(from_environment)) {
    const auto name = text.substr(from_environment.size());
    if (name.empty() || name.find('=') != std::string_view::npos)
      return wrong("names no variable; write such as env:API_TOKEN");
    return secret_reference{secret_source::environment, std::string{name}};
  }
  if (text.starts_with(from_file)) {
    const auto path = text.substr(from_file.size());
    if (path.empty())
      return wrong("names no file; write such as file:secrets/token");
    return secret_reference{secret_source::file, std::string{path}};
  }
  // The value itself would be shown by a message, so it is not: this may be one.
  const auto colon = text.find(':');
  const std::vector<std::string> known{"env", "file"};
  const auto hint =
    colon == std::string_view::npos ? std::string{} : did_you_mean(text.substr(0, colon), known);
  return fail(errc::invalid_argument, "is no reference to a secret; there are env:VARIABLE and "
                                      "file:PATH, a value itself cannot stand here"
                                        + hint);
}

std::string file_reference(const std::string& path) {
  return std::string{from_file} + path;
}

secret_references secrets_of(const workflow_spec& workflow, const task_spec& task) {
  auto secrets = task.settings->secrets;
  for (const auto& [name, reference] : defaults_of(workflow, task).secrets)
    if (std::none_of(secrets.begin(), secrets.end(),
                     [&, &wanted = name](const auto& own) { return own.first == wanted; }))
      secrets.emplace_back(name, reference);
  return secrets;
}

} // namespace sluice::model

#include "runtime/param_input.hpp"

#include "model/params.hpp"
#include "runtime/yaml_document.hpp"

#include <algorithm>

namespace sluice::runtime {
namespace {

bool is_verbatim(model::value_type type) {
  return type == model::value_type::text || type == model::value_type::date
         || type == model::value_type::timestamp;
}

/// Errors: a sentence without the parameter's name.
tl::expected<model::value, std::string> read_yaml(std::string_view text) {
  if (text.empty())
    return model::value{};
  if (const auto problem = find_text_problem(text, {}))
    return tl::unexpected(problem->message);
  const auto parsed = parse_yaml(text);
  if (!parsed.problems.empty())
    return tl::unexpected(parsed.problems.front().message);
  std::string problem;
  auto v = to_value(
    *parsed.root, [&](const document_node&, std::string message) { problem = std::move(message); });
  if (!problem.empty())
    return tl::unexpected(std::move(problem));
  return v;
}

} // namespace

tl::expected<model::value, std::vector<std::string>>
read_params(const model::workflow_spec& workflow, const std::vector<std::string>& assignments) {
  return read_values(workflow.params, assignments, "parameter");
}

tl::expected<model::value, std::vector<std::string>>
read_values(const std::vector<model::param_spec>& declared,
            const std::vector<std::string>& assignments, std::string_view noun) {
  const std::string kind{noun};
  std::vector<std::string> problems;
  auto given = model::value::object();
  for (const auto& assignment : assignments) {
    const auto equals = assignment.find('=');
    if (equals == 0 || equals == std::string::npos) {
      problems.push_back("'" + assignment + "' is no " + kind + "; write name=value");
      continue;
    }
    const auto name = assignment.substr(0, equals);
    const auto text = assignment.substr(equals + 1);
    if (given.contains(name)) {
      problems.push_back(kind + " '" + name + "' is given twice");
      continue;
    }
    const auto param = std::find_if(declared.begin(), declared.end(),
                                    [&](const model::param_spec& p) { return p.name == name; });
    if (param == declared.end() || is_verbatim(param->type)) {
      given[name] = text; // one that does not exist is reported with the others below
      continue;
    }
    auto v = read_yaml(text);
    if (!v)
      problems.push_back(kind + " '" + name + "': " + v.error());
    given[name] = v ? std::move(*v) : param->default_value.value_or(nullptr);
  }
  auto complete = model::complete_values(declared, given, kind);
  if (!complete) {
    for (auto& problem : complete.error()) {
      // An unreadable value has been reported already, as that.
      const bool is_known = std::any_of(problems.begin(), problems.end(), [&](const auto& earlier) {
        const auto colon = earlier.find(": ");
        return colon != std::string::npos && problem.starts_with(earlier.substr(0, colon + 2));
      });
      if (!is_known)
        problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  return complete;
}

} // namespace sluice::runtime

#include "logic/expression_names.hpp"

#include "logic/expression_lexer.hpp"
#include "model/nearest_name.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>

namespace sluice::logic {
namespace {

constexpr std::size_t any = std::numeric_limits<std::size_t>::max();

constexpr std::array<builtin_signature, 6> builtins{{
  {"size", builtin::size, 1, 1},
  {"has", builtin::has, 1, 1},
  {"default", builtin::default_, 2, 2},
  {"sum", builtin::sum, 1, any},
  {"min", builtin::min, 1, any},
  {"max", builtin::max, 1, any},
}};

/// Functions and macros of CEL and of the workflow format that come later.
constexpr std::array<std::string_view, 34> later_functions{
  "max_by",     "min_by",      "join",     "all",        "exists",     "exists_one", "map",
  "filter",     "matches",     "contains", "startsWith", "endsWith",   "split",      "replace",
  "lowerAscii", "upperAscii",  "trim",     "substring",  "int",        "uint",       "double",
  "string",     "bool",        "bytes",    "type",       "dyn",        "timestamp",  "duration",
  "getDate",    "getFullYear", "getMonth", "getHours",   "getMinutes", "getSeconds",
};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string quote(std::string_view name) {
  return "'" + std::string{name} + "'";
}

const std::vector<std::string>& function_names() {
  static const auto names = [] {
    std::vector<std::string> all;
    for (const auto& known : builtins)
      all.emplace_back(known.name);
    return all;
  }();
  return names;
}

} // namespace

const builtin_signature* find_builtin(std::string_view name) {
  for (const auto& known : builtins)
    if (known.name == name)
      return &known;
  return nullptr;
}

std::string unknown_function(std::string_view name) {
  if (is_one_of(later_functions, name))
    return "function " + quote(name) + " is not in this version";
  return "unknown function " + quote(name) + model::did_you_mean(name, function_names());
}

std::string unknown_name(std::string_view name) {
  if (name == "schedule")
    return quote(name) + " is not in this version";
  if (name == "and" || name == "or" || name == "not")
    return quote(name) + " is no operator; write "
           + (name == "and"  ? "'&&'"
              : name == "or" ? "'||'"
                             : "'!'");
  if (find_builtin(name))
    return quote(name) + " is a function: write " + std::string{name} + "(...)";
  static const std::vector<std::string> roots{"params", "tasks", "run", "item",
                                              "true",   "false", "null"};
  const auto hint = model::did_you_mean(name, roots);
  return "unknown name " + quote(name)
         + (hint.empty() ? "; there are params, tasks and run, and a text stands in quotes" : hint);
}

bool is_known_word(std::string_view word) {
  constexpr std::array<std::string_view, 8> words{"params", "tasks", "run",   "schedule",
                                                  "item",   "true",  "false", "null"};
  return is_one_of(words, word) || word == "in" || find_builtin(word) != nullptr
         || is_one_of(later_functions, word);
}

std::optional<std::string> problem_with_run_field(std::string_view field) {
  static const std::vector<std::string> fields{"id",        "workflow", "generation",
                                               "submitted", "state",    "failed"};
  if (std::find(fields.begin(), fields.end(), field) != fields.end())
    return std::nullopt;
  const auto hint = model::did_you_mean(field, fields);
  return "'run' has no " + quote(field)
         + (hint.empty()
              ? "; it has id, workflow, generation, submitted and, in finally, state and failed"
              : hint);
}

std::string unknown_task_field(std::string_view task, std::string_view field) {
  const std::string whole = "'tasks" + as_member(task) + as_member(field) + "'";
  static const std::vector<std::string> fields{"out", "state", "states"};
  const auto hint = model::did_you_mean(field, fields);
  if (!hint.empty())
    return whole + " does not exist" + hint;
  return whole + " does not exist; an output is tasks" + as_member(task) + ".out"
         + as_member(field);
}

std::string as_member(std::string_view name) {
  const bool is_identifier = !name.empty() && is_name_start(name.front())
                             && std::all_of(name.begin(), name.end(), is_name_part);
  if (is_identifier)
    return "." + std::string{name};
  return "['" + std::string{name} + "']";
}

} // namespace sluice::logic

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

using form = builtin_signature::form;

constexpr std::array<builtin_signature, 40> builtins{{
  {"size", builtin::size, 1, 1, form::either},
  {"has", builtin::has, 1, 1},
  {"default", builtin::default_, 2, 2},
  {"sum", builtin::sum, 1, any},
  {"min", builtin::min, 1, any},
  {"max", builtin::max, 1, any},
  {"min_by", builtin::min_by, 2, 2},
  {"max_by", builtin::max_by, 2, 2},
  {"join", builtin::join, 1, 2, form::either},
  {"contains", builtin::contains, 2, 2, form::method},
  {"startsWith", builtin::starts_with, 2, 2, form::method},
  {"endsWith", builtin::ends_with, 2, 2, form::method},
  {"matches", builtin::matches, 2, 2, form::either},
  {"split", builtin::split, 2, 2, form::method},
  {"replace", builtin::replace, 3, 3, form::method},
  {"lowerAscii", builtin::lower, 1, 1, form::method},
  {"upperAscii", builtin::upper, 1, 1, form::method},
  {"trim", builtin::trim, 1, 1, form::method},
  {"substring", builtin::substring, 2, 3, form::method},
  {"int", builtin::to_int, 1, 1},
  {"double", builtin::to_double, 1, 1},
  {"string", builtin::to_string, 1, 1},
  {"bool", builtin::to_bool, 1, 1},
  {"timestamp", builtin::timestamp, 1, 1},
  {"duration", builtin::duration, 1, 1},
  {"getFullYear", builtin::get_full_year, 1, 2, form::method},
  {"getMonth", builtin::get_month, 1, 2, form::method},
  {"getDate", builtin::get_date, 1, 2, form::method},
  {"getDayOfMonth", builtin::get_day_of_month, 1, 2, form::method},
  {"getDayOfWeek", builtin::get_day_of_week, 1, 2, form::method},
  {"getDayOfYear", builtin::get_day_of_year, 1, 2, form::method},
  {"getHours", builtin::get_hours, 1, 2, form::method},
  {"getMinutes", builtin::get_minutes, 1, 2, form::method},
  {"getSeconds", builtin::get_seconds, 1, 2, form::method},
  {"getMilliseconds", builtin::get_milliseconds, 1, 2, form::method},
  {"all", builtin::all, 3, 3, form::method},
  {"exists", builtin::exists, 3, 3, form::method},
  {"exists_one", builtin::exists_one, 3, 3, form::method},
  {"map", builtin::map, 3, 4, form::method},
  {"filter", builtin::filter, 3, 3, form::method},
}};

/// Functions of CEL that come later.
constexpr std::array<std::string_view, 4> later_functions{"uint", "bytes", "type", "dyn"};

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
  if (name == "range")
    return quote(name) + " is no function: `foreach` takes 3 or 1-3 as it is";
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

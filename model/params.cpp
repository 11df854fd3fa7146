#include "model/params.hpp"

#include "model/nearest_name.hpp"
#include "model/timestamp.hpp"

#include <algorithm>
#include <limits>

namespace sluice::model {
namespace {

bool is_int64(const value& v) {
  return v.is_number_integer()
         && !(v.is_number_unsigned()
              && v.get<std::uint64_t>()
                   > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

bool is_text_type(value_type t) {
  return t == value_type::text || t == value_type::date || t == value_type::timestamp
         || t == value_type::file;
}

/// A value as a message shows it: short, on one line.
std::string shown(const value& v) {
  constexpr std::size_t longest = 60;
  auto text = to_text(v);
  if (text.size() > longest) {
    text.resize(longest);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80)
      text.pop_back(); // no half of a character
    text += "...";
  }
  return text;
}

std::string not_a_choice(const param_spec& param, const value& v) {
  auto message = shown(v) + " is not one of ";
  for (std::size_t i = 0; i < param.choices.size(); ++i)
    message += (i == 0 ? "" : ", ") + shown(param.choices[i]);
  return message;
}

} // namespace

bool has_type(const value& v, value_type t) {
  switch (t) {
  case value_type::integer:
    return is_int64(v);
  case value_type::real:
    return v.is_number();
  case value_type::boolean:
    return v.is_boolean();
  case value_type::text:
  case value_type::file:
    return v.is_string();
  case value_type::date:
    return v.is_string() && is_date(v.get_ref<const std::string&>());
  case value_type::timestamp:
    return v.is_string() && parse_timestamp(v.get_ref<const std::string&>()).has_value();
  case value_type::list:
    return v.is_array();
  case value_type::map:
    return v.is_object();
  }
  return false;
}

value to_type(value v, value_type t) {
  if (t == value_type::real && v.is_number_integer())
    return v.get<double>();
  return v;
}

std::optional<value> read_as(std::string_view text, value_type t) {
  value v;
  if (is_text_type(t)) {
    v = std::string{text};
  } else {
    auto parsed = parse_json(text);
    if (!parsed)
      return std::nullopt;
    v = std::move(*parsed);
  }
  if (!has_type(v, t))
    return std::nullopt;
  return to_type(std::move(v), t);
}

tl::expected<value, std::string> typed_param(const param_spec& param, const value& v,
                                             std::string_view noun) {
  const auto what = std::string{noun} + " '" + param.name + "'";
  if (!has_type(v, param.type))
    return tl::unexpected(what + ": " + shown(v) + " is not of type "
                          + std::string{to_string(param.type)});
  auto typed = to_type(v, param.type);
  if (!param.choices.empty()
      && std::find(param.choices.begin(), param.choices.end(), typed) == param.choices.end())
    return tl::unexpected(what + ": " + not_a_choice(param, v));
  return typed;
}

tl::expected<value, std::vector<std::string>> complete_params(const workflow_spec& workflow,
                                                              const value& given) {
  return complete_values(workflow.params, given, "parameter");
}

tl::expected<value, std::vector<std::string>>
complete_values(const std::vector<param_spec>& declared, const value& given,
                std::string_view noun) {
  const std::string kind{noun};
  std::vector<std::string> problems, names;
  auto params = value::object();
  for (const auto& param : declared) {
    names.push_back(param.name);
    const auto own = given.find(param.name);
    if (own == given.end() && !param.default_value) {
      problems.push_back(kind + " '" + param.name + "' is missing: it has no default");
      continue;
    }
    if (auto typed = typed_param(param, own == given.end() ? *param.default_value : *own, noun))
      params[param.name] = std::move(*typed);
    else
      problems.push_back(std::move(typed.error()));
  }
  for (const auto& item : given.items())
    if (std::find(names.begin(), names.end(), item.key()) == names.end())
      problems.push_back("unknown " + kind + " '" + item.key() + "'"
                         + did_you_mean(item.key(), names));
  if (!problems.empty())
    return tl::unexpected(std::move(problems));
  return params;
}

} // namespace sluice::model

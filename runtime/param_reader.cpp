#include "runtime/param_reader.hpp"

#include "model/params.hpp"

#include <algorithm>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

/// The type that a default gives its parameter; nothing for null.
std::optional<model::value_type> type_of(const document_node& node) {
  switch (node.what) {
  case kind::null:
    return std::nullopt;
  case kind::boolean:
    return model::value_type::boolean;
  case kind::integer:
    return model::value_type::integer;
  case kind::real:
    return model::value_type::real;
  case kind::text:
    return model::value_type::text;
  case kind::list:
    return model::value_type::list;
  case kind::map:
    return model::value_type::map;
  }
  return std::nullopt;
}

bool holds_template(const document_node& node) {
  return node.text.find("${{") != std::string::npos
         || std::any_of(node.items.begin(), node.items.end(), holds_template);
}

std::optional<model::value> read_default(node_reader& nodes, const placed_node& at,
                                         model::value_type type) {
  if (holds_template(at.node)) {
    nodes.report(at, "an expression in a default is not in this version");
    return std::nullopt;
  }
  auto v = nodes.value(at);
  return model::has_type(v, type) ? model::to_type(std::move(v), type) : std::move(v);
}

void read_param_keys(node_reader& nodes, const placed_node& at, model::param_spec& param) {
  std::optional<placed_node> default_at, choices_at;
  std::optional<model::value_type> type;
  bool has_type = false;
  for (const auto& [key, entry] :
       nodes.known_entries(at, key_level::param, "type, default, enum and description")) {
    if (key == file_key::description) {
      param.description = nodes.text(entry.value).value_or("");
    } else if (key == file_key::type) {
      has_type = true;
      type = nodes.type(entry.value);
    } else if (key == file_key::default_value) {
      default_at.emplace(entry.value);
    } else if (entry.value.node.is_list() && !entry.value.node.items.empty()) {
      choices_at.emplace(entry.value);
    } else {
      nodes.report(entry.value, "must be a list of the values that are allowed");
    }
  }
  if (has_type && !type)
    return; // an unknown one; without it there is nothing to compare with
  if (!type && default_at)
    type = type_of(default_at->node);
  if (!type && choices_at)
    type = type_of(choices_at->node.items.front());
  if (!type)
    return nodes.report(at, "needs a type or a default");
  param.type = *type;
  if (default_at)
    param.default_value = read_default(nodes, *default_at, *type);
  if (choices_at)
    for (std::size_t i = 0; i < choices_at->node.items.size(); ++i)
      param.choices.push_back(model::to_type(nodes.value(choices_at->item(i)), *type));
}

model::param_spec read_param(node_reader& nodes, const placed_entry& entry) {
  const auto& at = entry.value;
  model::param_spec param;
  param.name = entry.key.text;
  if (at.node.is_map()) {
    read_param_keys(nodes, at, param);
  } else if (const auto type = type_of(at.node)) {
    param.type = *type;
    param.default_value = read_default(nodes, at, *type);
  } else {
    nodes.report(entry, "needs a default, or a map with its type");
  }
  return param;
}

} // namespace

std::vector<model::param_spec> read_params(node_reader& nodes, const placed_node& at,
                                           const char* what) {
  std::vector<model::param_spec> params;
  for (const auto& entry : nodes.map(at, what))
    params.push_back(read_param(nodes, entry));
  return params;
}

} // namespace sluice::runtime

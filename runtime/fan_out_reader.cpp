#include "runtime/fan_out_reader.hpp"

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

model::matrix_items read_matrix(node_reader& nodes, const placed_node& at) {
  model::matrix_items matrix;
  for (const auto& entry : nodes.map(at, "names and lists of values")) {
    const auto& value = entry.value;
    if (!value.node.is_list() && !(value.node.what == kind::text))
      nodes.report(value, "must be a list");
    else if (entry.key.text == "include")
      matrix.include = nodes.value(value);
    else if (entry.key.text == "exclude")
      matrix.exclude = nodes.value(value);
    else
      matrix.axes.emplace_back(entry.key.text, nodes.value(value));
  }
  return matrix;
}

void read_items(node_reader& nodes, file_key key, const placed_entry& entry,
                model::fan_out_spec& fan_out) {
  const auto& at = entry.value;
  if (!std::holds_alternative<std::monostate>(fan_out.items))
    return nodes.report(entry, "foreach, matrix and shard exclude each other");
  if (key == file_key::shard) {
    if (const auto count = nodes.count(at, "a number of instances, at least 1"))
      fan_out.items = model::shard_items{*count};
  } else if (key == file_key::matrix) {
    fan_out.items = read_matrix(nodes, at);
  } else if (at.node.what == kind::null || at.node.what == kind::boolean
             || at.node.what == kind::real) {
    nodes.report(at, "must be a list, a map, a number, a range such as \"1-100\", or one "
                     "expression in ${{ }}");
  } else {
    fan_out.items = model::foreach_items{nodes.value(at)};
  }
}

} // namespace

bool is_fan_out_key(file_key key) {
  switch (key) {
  case file_key::foreach:
  case file_key::as:
  case file_key::key:
  case file_key::matrix:
  case file_key::shard:
  case file_key::max_parallel:
  case file_key::max_failures:
  case file_key::min_success:
    return true;
  default:
    return false;
  }
}

void read_fan_out_key(node_reader& nodes, file_key key, const placed_entry& entry,
                      model::fan_out_spec& fan_out) {
  const auto& at = entry.value;
  constexpr auto number = "a number of instances, 0 or more";
  switch (key) {
  case file_key::as:
    fan_out.as = nodes.text(at).value_or("");
    return;
  case file_key::key:
    fan_out.key = nodes.text(at);
    return;
  case file_key::max_parallel:
    fan_out.max_parallel = nodes.count(at, "a number of instances, at least 1");
    return;
  case file_key::max_failures:
    fan_out.max_failures = nodes.count(at, number).value_or(0);
    return;
  case file_key::min_success:
    fan_out.min_success = nodes.count(at, number);
    return;
  default:
    return read_items(nodes, key, entry, fan_out);
  }
}

} // namespace sluice::runtime

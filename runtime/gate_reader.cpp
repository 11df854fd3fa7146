#include "runtime/gate_reader.hpp"

#include "model/nearest_name.hpp"
#include "runtime/param_reader.hpp"

#include <span>

namespace sluice::runtime {
namespace {

/// One of some names; any other one is reported with the nearest.
template <class Enum>
std::optional<Enum> read_name(node_reader& nodes, const placed_node& at,
                              std::optional<Enum> (*parse)(std::string_view),
                              std::span<const std::string_view> known, const char* what) {
  const auto name = nodes.text(at);
  if (!name)
    return std::nullopt;
  const auto found = parse(*name);
  if (found)
    return found;
  std::vector<std::string> names;
  std::string all;
  for (const auto one : known) {
    names.emplace_back(one);
    all += (all.empty() ? "" : ", ") + names.back();
  }
  const auto nearest = model::did_you_mean(*name, names);
  nodes.report(at, std::string{"unknown "} + what + " '" + *name + "'"
                     + (nearest.empty() ? "; there are " + all : nearest));
  return std::nullopt;
}

} // namespace

bool is_gate_key(file_key key) {
  switch (key) {
  case file_key::name:
  case file_key::on_closed:
  case file_key::prompt:
  case file_key::form:
  case file_key::expires:
  case file_key::on_expire:
    return true;
  default:
    return false;
  }
}

void read_gate_key(node_reader& nodes, file_key key, const placed_node& at,
                   model::gate_spec& gate) {
  switch (key) {
  case file_key::name:
    gate.name = nodes.text(at).value_or("");
    return;
  case file_key::on_closed:
    gate.on_closed =
      read_name(nodes, at, model::parse_on_closed, model::on_closed_names(), "value");
    return;
  case file_key::prompt:
    gate.prompt = nodes.text(at).value_or("");
    return;
  case file_key::form:
    gate.form = read_params(nodes, at, "names, each with a default or its type");
    return;
  case file_key::expires:
    gate.expires = nodes.duration(at);
    return;
  default:
    if (const auto rule =
          read_name(nodes, at, model::parse_on_expire, model::on_expire_names(), "value"))
      gate.on_expire = *rule;
  }
}

std::optional<model::gate_kind> read_gate_kind(node_reader& nodes, const placed_node& at) {
  if (const auto& name = at.node.text; name == "switch" || name == "time" || name == "quota") {
    nodes.report(at, not_in_this_version(name));
    return std::nullopt;
  }
  return read_name(nodes, at, model::parse_gate_kind, model::gate_kind_names(), "kind of gate");
}

} // namespace sluice::runtime

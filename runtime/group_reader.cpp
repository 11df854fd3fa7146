#include "runtime/group_reader.hpp"

#include "model/nearest_name.hpp"

namespace sluice::runtime {
namespace {

/// Nothing, and reported, when it is not more than nothing.
std::optional<model::amount> read_amount(node_reader& nodes, const placed_node& at) {
  const auto number = nodes.number(at);
  if (!number)
    return std::nullopt;
  const auto amount = model::to_amount(*number);
  if (amount > 0)
    return amount;
  nodes.report(at, "must be more than nothing");
  return std::nullopt;
}

std::optional<model::amount> read_length(node_reader& nodes, const placed_node& at) {
  const auto length = nodes.duration(at);
  return length ? std::optional{model::microseconds{*length}.count()} : std::nullopt;
}

void set_limit(model::budget_spec& budget, model::budget_kind kind,
               std::optional<model::amount> limit) {
  if (limit)
    budget.limits[static_cast<std::size_t>(kind)] = limit;
}

/// `even`, or the weights of some tasks.
void read_split(node_reader& nodes, const placed_node& at, model::budget_spec& budget) {
  budget.is_split = true;
  if (at.node.is_scalar() && at.node.text == "even")
    return;
  if (!at.node.is_map())
    return nodes.report(at, "must be even, or a map of tasks and their weights, such as {load: 2}");
  for (const auto& entry : nodes.map(at, "tasks and their weights"))
    if (const auto weight = read_amount(nodes, entry.value))
      budget.weights.emplace_back(entry.key.text, *weight);
}

void read_rule(node_reader& nodes, const placed_node& at, model::budget_spec& budget) {
  const auto name = nodes.text(at);
  if (!name)
    return;
  if (const auto rule = model::parse_on_exceeded(*name)) {
    budget.on_exceeded = *rule;
    return;
  }
  const std::array<std::string, 2> rules{"stop", "warn"};
  const auto nearest = model::did_you_mean(*name, rules);
  nodes.report(at, "unknown value '" + *name + "'"
                     + (nearest.empty() ? "; there are stop, warn" : nearest));
}

void read_group_key(node_reader& nodes, file_key key, const placed_node& at,
                    model::group_spec& group) {
  if (key == file_key::timebox) {
    if (const auto length = nodes.duration(at))
      group.timebox = length;
  } else if (key == file_key::budget) {
    group.budget = read_budget(nodes, at);
  } else {
    for (const auto& [limit, entry] : nodes.known_entries(at, key_level::group_limits, "limits"))
      if (const auto count = nodes.count(entry.value, "a number of tasks, at least 1"))
        group.active_tasks = count;
  }
}

} // namespace

std::optional<model::budget_spec> read_budget(node_reader& nodes, const placed_node& at) {
  const auto problems_before = nodes.problems().size();
  model::budget_spec budget;
  for (const auto& [key, entry] : nodes.known_entries(at, key_level::budget, "limits")) {
    if (key == file_key::cost)
      set_limit(budget, model::budget_kind::cost, read_amount(nodes, entry.value));
    else if (key == file_key::tokens)
      set_limit(budget, model::budget_kind::tokens, read_amount(nodes, entry.value));
    else if (key == file_key::time)
      set_limit(budget, model::budget_kind::time, read_length(nodes, entry.value));
    else if (key == file_key::on_exceeded)
      read_rule(nodes, entry.value, budget);
    else
      read_split(nodes, entry.value, budget);
  }
  if (nodes.problems().size() > problems_before)
    return std::nullopt; // what is missing has been said
  return budget;
}

std::vector<model::group_spec> read_groups(node_reader& nodes, const placed_node& at) {
  std::vector<model::group_spec> groups;
  for (const auto& declared : nodes.map(at, "groups")) {
    auto& group = groups.emplace_back();
    group.name = declared.key.text;
    for (const auto& [key, entry] :
         nodes.known_entries(declared.value, key_level::group, "timebox, budget and limits"))
      read_group_key(nodes, key, entry.value, group);
  }
  return groups;
}

} // namespace sluice::runtime

#include "runtime/capacity_reader.hpp"

#include <algorithm>

namespace sluice::runtime {
namespace {

std::optional<model::resource_amounts> read_amounts(node_reader& nodes, const placed_node& at) {
  if (!at.node.is_map() || at.node.items.empty()) {
    nodes.report(at, "must be a map of amounts, such as {cpu: 0.5, mem: 512Mi}");
    return std::nullopt;
  }
  model::resource_amounts amounts;
  for (const auto& entry : nodes.map(at, "amounts")) {
    const auto& name = entry.key.text;
    if (!model::is_capacity_name(name)) {
      nodes.report(entry, "'" + name + "' is no name of a resource");
      continue;
    }
    const auto written = nodes.text(entry.value);
    const auto amount = written ? model::parse_amount(name, *written) : 0;
    if (!amount)
      nodes.report(entry.value, amount.error().message);
    else
      amounts.emplace_back(name, *amount);
  }
  std::sort(amounts.begin(), amounts.end());
  return amounts;
}

/// A map, or a list of maps, of which the first that fits is taken.
std::optional<std::vector<model::resource_amounts>> read_resources(node_reader& nodes,
                                                                   const placed_node& at) {
  std::vector<model::resource_amounts> alternatives;
  if (!at.node.is_list()) {
    if (auto amounts = read_amounts(nodes, at))
      alternatives.push_back(std::move(*amounts));
  } else {
    for (std::size_t i = 0; i < at.node.items.size(); ++i)
      if (auto amounts = read_amounts(nodes, at.item(i)))
        alternatives.push_back(std::move(*amounts));
    if (at.node.items.empty())
      nodes.report(at, "must be a map of amounts, or a list of such maps");
  }
  return alternatives.empty() ? std::nullopt : std::optional{std::move(alternatives)};
}

std::optional<model::concurrency_spec> read_concurrency(node_reader& nodes, const placed_node& at) {
  model::concurrency_spec concurrency;
  if (!at.node.is_map()) { // short for {max: N}
    const auto max = nodes.count(at, "a number of attempts, or a map such as {key: db, max: 2}");
    concurrency.max = max.value_or(1);
    return max ? std::optional{concurrency} : std::nullopt;
  }
  for (const auto& [key, entry] : nodes.known_entries(at, key_level::concurrency, "key and max")) {
    if (key == file_key::key)
      concurrency.key = nodes.text(entry.value);
    else if (const auto max = nodes.count(entry.value, "a number of attempts, 1 or more"))
      concurrency.max = *max;
  }
  return concurrency;
}

std::optional<model::rate_spec> read_rate(node_reader& nodes, const placed_node& at) {
  model::rate_spec rate;
  bool has_length = false;
  for (const auto& [key, entry] : nodes.known_entries(at, key_level::rate, "key, max and per")) {
    if (key == file_key::key) {
      rate.key = nodes.text(entry.value);
    } else if (key == file_key::per) {
      has_length = true;
      if (const auto length = nodes.duration(entry.value))
        rate.per = *length;
    } else if (const auto max = nodes.count(entry.value, "a number of starts, 1 or more")) {
      rate.max = *max;
    }
  }
  if (!has_length) {
    nodes.report(at, "must be a map such as {max: 10, per: 1m}");
    return std::nullopt;
  }
  return rate;
}

} // namespace

bool is_capacity_key(file_key key) {
  return key == file_key::resources || key == file_key::pool || key == file_key::concurrency
         || key == file_key::rate;
}

void read_capacity_key(node_reader& nodes, file_key key, const placed_node& at,
                       model::task_settings& settings) {
  if (key == file_key::resources)
    settings.resources = read_resources(nodes, at);
  else if (key == file_key::pool)
    settings.pool = nodes.text(at);
  else if (key == file_key::concurrency)
    settings.concurrency = read_concurrency(nodes, at);
  else
    settings.rate = read_rate(nodes, at);
}

} // namespace sluice::runtime

#include "runtime/document_index.hpp"

#include "logic/spec_path.hpp"
#include "logic/value_template.hpp"

namespace sluice::runtime {
namespace {

/// A map with more keys than this gets an index, so that many problems take no quadratic time.
constexpr std::size_t large_map = 32;

/// How far into the scalar an offset leads: conditions are stored without their `${{ }}`.
std::size_t offset_in_text(const logic::spec_problem& problem, const document_node& node) {
  const bool is_condition = problem.path.ends_with(".when") || problem.path.ends_with(".join");
  if (is_condition && (problem.path.starts_with("tasks") || problem.path.starts_with("finally")))
    if (const auto whole = logic::unwrap_expression(node.text))
      return whole->offset + problem.offset;
  return problem.offset;
}

} // namespace

std::optional<std::size_t> document_index::find_key(const document_node& map,
                                                    std::string_view key) {
  const auto& items = map.items;
  if (items.size() / 2 <= large_map) {
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      if (items[i].text == key)
        return i;
    return std::nullopt;
  }
  auto& keys = large_maps_[&map];
  if (keys.empty())
    for (std::size_t i = 0; i + 1 < items.size(); i += 2)
      keys.emplace(items[i].text, i);
  const auto it = keys.find(key);
  return it == keys.end() ? std::nullopt : std::optional{it->second};
}

document_index::found document_index::find(std::string_view path) {
  found at{&root_, nullptr, true};
  for (const auto& step : logic::split_path(path)) {
    at.is_exact = false;
    if (step.index) {
      if (!at.node->is_list() || *step.index >= at.node->items.size())
        return at;
      at = {&at.node->items[*step.index], nullptr, true};
      continue;
    }
    const auto key = at.node->is_map() ? find_key(*at.node, step.key) : std::nullopt;
    if (!key)
      return at;
    at = {&at.node->items[*key + 1], &at.node->items[*key], true};
  }
  return at;
}

document_problem document_index::locate(const logic::spec_problem& problem) {
  document_problem located{{}, problem.path, problem.message};
  auto at = find(problem.path);
  constexpr std::string_view defaults = "defaults.";
  if (!at.is_exact && problem.path.starts_with(defaults)) {
    // The workflow's own settings are defaults as well.
    if (const auto own = find(std::string_view{problem.path}.substr(defaults.size()));
        own.is_exact) {
      at = own;
      located.path = problem.path.substr(defaults.size());
    }
  }
  const auto& node = *at.node;
  const bool is_at_key =
    at.key != nullptr && (!node.is_scalar() || (at.is_exact && problem.at_name));
  located.at = is_at_key ? at.key->at : node.at;
  if (at.is_exact && !is_at_key && node.text_shift != document_node::not_verbatim
      && (problem.offset > 0 || node.text.find("${{") != std::string::npos)) {
    const auto offset = node.text_shift + offset_in_text(problem, node);
    located.at.column += static_cast<std::uint32_t>(offset);
  }
  return located;
}

} // namespace sluice::runtime

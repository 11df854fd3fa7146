#include "runtime/child_reader.hpp"

namespace sluice::runtime {
namespace {

std::shared_ptr<const model::workflow_spec> load_child(node_reader& nodes, const placed_node& at,
                                                       const child_loader& load) {
  const auto file = nodes.text(at);
  if (!file)
    return nullptr;
  auto workflow = load(*file);
  if (workflow)
    return std::move(*workflow);
  if (!workflow.error().empty())
    nodes.report(at, std::move(workflow.error()));
  return nullptr;
}

} // namespace

std::optional<model::workflow_action> read_child(node_reader& nodes, const placed_node& at,
                                                 const child_loader& load) {
  model::workflow_action child;
  if (!at.node.is_map()) {
    child.spec = load_child(nodes, at, load);
    return child.spec == nullptr ? std::nullopt : std::optional{std::move(child)};
  }
  const auto known = nodes.known_entries(at, key_level::child, "file and params");
  bool has_file = false;
  model::named_values params;
  for (const auto& [key, entry] : known)
    if (key == file_key::file) {
      has_file = true;
      child.spec = load_child(nodes, entry.value, load);
    } else {
      for (const auto& param : nodes.map(entry.value, "names and values"))
        params.emplace_back(param.key.text, nodes.value(param.value));
    }
  const bool knows_all = 2 * known.size() == at.node.items.size();
  if (!has_file && knows_all)
    nodes.report(at, "needs the file of a workflow, such as {file: child.yaml}");
  if (child.spec == nullptr || !knows_all) // what is unknown may stand for something
    return std::nullopt;
  child.params = std::move(params);
  return child;
}

} // namespace sluice::runtime

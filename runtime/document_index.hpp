// Finds the place of a path (`tasks.load.after[1]`) in a document's tree: how problems of a
// specification get their line and column. Borrows the tree; used by one thread.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "runtime/document.hpp"

#include <unordered_map>

namespace sluice::runtime {

class document_index {
public:
  explicit document_index(const document_node& root) : root_(root) {}

  /// The problem where it stands in the file. What the file does not spell out (the key of a short
  /// form, a missing one) is placed at what it is part of; a problem of the merged settings at the
  /// place that counted.
  document_problem locate(const logic::spec_problem& problem);

private:
  struct found {
    const document_node* node = nullptr;
    const document_node* key = nullptr; ///< of the entry of a map, else null
    bool is_exact = false;
  };
  found find(std::string_view path);
  /// The index of the key in `map.items`; nothing when there is none.
  std::optional<std::size_t> find_key(const document_node& map, std::string_view key);

  const document_node& root_;
  std::unordered_map<const document_node*, std::unordered_map<std::string_view, std::size_t>>
    large_maps_;
};

} // namespace sluice::runtime

// Builds a document's tree from a parser's events, within limits: the part that YAML and JSON have
// in common. Owned by one parse.
#pragma once

#include "runtime/document.hpp"

#include <unordered_map>

namespace sluice::runtime {

class document_builder {
public:
  explicit document_builder(const document_limits& limits) : limits_(limits) {}

  /// Every function that adds something returns false when the document has to be given up; the
  /// reason is among the problems then. `anchor` 0: none.
  bool add_scalar(document_node node, std::size_t anchor = 0);
  bool open(document_node::kind what, position at, std::size_t anchor = 0);
  bool close();
  /// Adds a copy of what the anchor stands for.
  bool add_alias(std::size_t anchor, position at);

  /// Adds a problem that means there is no tree. Always returns false.
  bool give_up(position at, std::string message);
  /// Adds a problem at the place that is being built.
  void report(position at, std::string message);

  document finish() &&;

private:
  struct open_node {
    document_node node;
    std::size_t anchor = 0;
  };
  bool add(document_node node, std::size_t anchor);
  bool count(const document_node& node, std::size_t depth, position at);
  void check_map(document_node& map);
  std::string path() const;

  document_limits limits_;
  document result_;
  bool has_failed_ = false;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  std::vector<open_node> open_;
  std::unordered_map<std::size_t, document_node> anchors_;
};

} // namespace sluice::runtime

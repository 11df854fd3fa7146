// Takes single values of known form out of a document's tree and notes what has another form. Owned
// by one reading of one document.
#pragma once

#include "model/workflow.hpp"
#include "runtime/document.hpp"
#include "runtime/workflow_keys.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::runtime {

/// A node and the path that leads to it.
struct placed_node {
  const document_node& node;
  std::string path;

  placed_node item(std::size_t i) const;
};

/// One entry of a map.
struct placed_entry {
  const document_node& key;
  placed_node value;
};

class node_reader {
public:
  std::vector<document_problem>& problems() { return problems_; }

  void report(const placed_node& at, std::string message);
  void report(const placed_entry& at_key, std::string message);

  /// The entries of a map; reports anything else, of which null is an empty map.
  std::vector<placed_entry> map(const placed_node& at, const char* what);
  /// The entries whose keys this version has, each with its meaning; reports the others.
  std::vector<std::pair<file_key, placed_entry>> known_entries(const placed_node& at,
                                                               key_level level, const char* what);

  /// The text of any scalar but null, as written.
  std::optional<std::string> text(const placed_node& at);
  std::optional<std::vector<std::string>> texts(const placed_node& at, const char* what);
  std::optional<bool> boolean(const placed_node& at);
  /// A whole number that is not negative; `what` completes "must be ".
  std::optional<std::uint32_t> count(const placed_node& at, const char* what);
  std::optional<double> number(const placed_node& at);
  std::optional<model::milliseconds> duration(const placed_node& at);
  /// A size such as `100Ki`.
  std::optional<std::uint32_t> bytes(const placed_node& at);
  std::optional<model::shell_spec> shell(const placed_node& at);
  std::optional<model::value_type> type(const placed_node& at);
  /// Such as `transient` or `exit:75`.
  std::optional<model::failure_pattern> failure(const placed_node& at);
  /// The inside of `${{ }}` around the whole text.
  std::optional<std::string> expression(const placed_node& at);
  model::value value(const placed_node& at);

private:
  std::vector<document_problem> problems_;
};

} // namespace sluice::runtime

// A table of text with aligned columns.
#pragma once

#include "cli/console.hpp"

#include <string>
#include <vector>

namespace sluice::cli {

struct cell {
  std::string text;
  tint colour = tint::none;
};

class table {
public:
  /// A heading per column; without headings no heading line is printed.
  explicit table(std::vector<std::string> headings = {}) : headings_(std::move(headings)) {}

  void row(std::vector<cell> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// Columns that are empty in every row are left out, the last one may be of any width.
  void print(console& out, std::string_view indent = "") const;

private:
  std::vector<std::string> headings_;
  std::vector<std::vector<cell>> rows_;
};

} // namespace sluice::cli

#include "cli/table.hpp"

#include "cli/words.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

constexpr std::size_t widest_column = 60;
constexpr std::string_view gap = "  ";

} // namespace

void table::print(console& out, std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (const auto& cells : rows_) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], std::min(widest_column, display_width(cells[i].text)));
  }
  const auto print_row = [&](const std::vector<cell>& cells) {
    std::string line{indent};
    std::size_t owed = 0; // spaces before the next cell; none at the end of a line
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (widths[i] == 0)
        continue;
      const auto text =
        i + 1 == cells.size() ? cells[i].text : shortened(cells[i].text, widest_column);
      if (!text.empty()) {
        line.append(owed, ' ').append(out.tinted(text, cells[i].colour));
        owed = 0;
      }
      owed += widths[i] + gap.size() - std::min(widths[i], display_width(text));
    }
    out.line(line);
  };
  if (!headings_.empty()) {
    std::vector<cell> headings;
    for (std::size_t i = 0; i < headings_.size() && i < widths.size(); ++i) {
      if (widths[i] != 0)
        widths[i] = std::max(widths[i], headings_[i].size());
      headings.push_back({headings_[i], tint::bold});
    }
    print_row(headings);
  }
  for (const auto& cells : rows_)
    print_row(cells);
}

} // namespace sluice::cli

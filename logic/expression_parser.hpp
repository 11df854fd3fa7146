// Text to tree, by recursive descent over CEL's grammar
// (https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax). A plain function.
#pragma once

#include "logic/expression_tree.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace sluice::logic {

inline constexpr std::size_t max_expression_bytes = 64u << 10;
inline constexpr std::size_t max_expression_depth = 64;

struct parsed_expression {
  std::shared_ptr<const expression_tree> tree;
  std::vector<reference> references;
};

tl::expected<parsed_expression, syntax_error> parse_expression(std::string_view text);

} // namespace sluice::logic

// A value whose strings may hold `${{ }}`: parsed once, then filled in. A string that is one whole
// `${{ x }}` takes the type of x; inside a longer string x becomes text. Immutable, shared freely.
#pragma once

#include "logic/expression.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::logic {

struct template_node; // in value_template.cpp

class value_template {
public:
  /// Errors carry the offset within the string that is wrong, and its path in the value.
  struct problem {
    std::string path; ///< such as `[2].name`, empty at the top
    syntax_error what;
  };
  /// `item_name` is another name of `item` in its expressions; empty: none.
  static tl::expected<value_template, problem> parse(const model::value& v,
                                                     std::string_view item_name = {});

  bool is_constant() const { return references_.empty() && constant_; }
  const std::vector<reference>& references() const { return references_; }

  /// Errors: `invalid_argument`, as of `expression::evaluate`.
  expected<model::value> fill(const scope& names) const;

private:
  std::shared_ptr<const template_node> root_;
  std::vector<reference> references_;
  bool constant_ = true;
};

/// Takes `${{ x }}` off a text that is one whole expression (a `when`, an expression join); nothing
/// when it is not of that form. `offset` is where the inner text begins.
struct whole_expression {
  std::string_view inner;
  std::size_t offset = 0;
};
std::optional<whole_expression> unwrap_expression(std::string_view text);

} // namespace sluice::logic

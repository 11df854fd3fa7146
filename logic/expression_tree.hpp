// A parsed expression. Chains of operators of one level are one node with many children, and so are
// chains of members. Each call of a method is a level of its own, and its parser bounds how many
// there are. Made by the parser, read by the evaluation; internal to the expression language.
#pragma once

#include "logic/expression.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::logic {

enum class node_kind : std::uint8_t {
  literal,
  mention,    ///< the reference with index `which`
  list,       ///< children: the elements
  map,        ///< children: key, value, key, value ...
  member,     ///< children: a base, then keys and indices that lead on from it
  negation,   ///< `-`; `is_odd` says whether an odd number of them
  inversion,  ///< `!`; the same
  arithmetic, ///< children with the operator before each but the first; left to right
  relation,   ///< the same
  all_of,     ///< `&&`
  any_of,     ///< `||`
  choice,     ///< children: condition, value, condition, value ..., last value
  call,       ///< `function`; children: the arguments, the value it is called on first
  variable,   ///< of the macro around it that is the `which`th, from the outermost
  macro,      ///< `function`; children: a list or map, then what is asked of each element, whose
              ///< name is variable `which`; of `map` the filter first, if there is one
};

enum class binary_operator : std::uint8_t {
  none,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  both,
  either,
};

enum class builtin : std::uint8_t {
  size,
  has,
  default_,
  sum,
  min,
  max,
  min_by,
  max_by,
  join,
  contains,
  starts_with,
  ends_with,
  matches,
  split,
  replace,
  lower,
  upper,
  trim,
  substring,
  to_int,
  to_double,
  to_string,
  to_bool,
  timestamp,
  duration,
  get_full_year,
  get_month,
  get_date,
  get_day_of_month,
  get_day_of_week,
  get_day_of_year,
  get_hours, // from here on of a duration too
  get_minutes,
  get_seconds,
  get_milliseconds,
  all, // macros from here on
  exists,
  exists_one,
  map,
  filter,
};

constexpr bool is_macro(builtin b) {
  return b >= builtin::all;
}

struct expression_node {
  node_kind kind = node_kind::literal;
  binary_operator before = binary_operator::none; ///< joins it to the sibling on its left
  builtin function = builtin::size;
  bool is_odd = false;
  std::uint32_t which = 0; ///< index of a reference
  std::uint32_t begin = 0; ///< where it stands in the text
  std::uint32_t end = 0;
  model::value literal;
  std::vector<expression_node> children;
};

struct expression_tree {
  std::string text; ///< for error messages
  expression_node root;
};

} // namespace sluice::logic

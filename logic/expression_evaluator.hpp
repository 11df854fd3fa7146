// The evaluation of one expression, once: what all node kinds share, and the value on the way.
// Errors are values, no exception is thrown for them. Lives for one call of `evaluate_tree`, on its
// thread; internal to the expression language.
#pragma once

#include "logic/expression_tree.hpp"
#include "logic/expression_values.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::logic::evaluation {

/// A value on the way: one that somebody else holds, or one that was made here.
struct operand {
  const model::value* borrowed = nullptr;
  model::value own;

  const model::value& get() const { return borrowed ? *borrowed : own; }
};

/// Why there is no value. `default` and `has` see what is absent, `&&` and `||` absorb all but
/// `exhausted`.
struct failure {
  enum class reason : std::uint8_t { absent, wrong, exhausted };
  reason why = reason::wrong;
  std::string message;
};

using outcome = tl::expected<operand, failure>;

inline operand borrow(const model::value& v) {
  return {.borrowed = &v};
}
inline operand make(model::value v) {
  return {.own = std::move(v)};
}

inline tl::unexpected<failure> absent(std::string message) {
  return tl::unexpected(failure{failure::reason::absent, std::move(message)});
}
inline tl::unexpected<failure> wrong(std::string message) {
  return tl::unexpected(failure{failure::reason::wrong, std::move(message)});
}

inline std::string quote(std::string_view text) {
  return "'" + std::string{text} + "'";
}

/// For a message: quoted, and cut when it is long.
std::string shortened(std::string_view text);

class expression_evaluator {
public:
  expression_evaluator(const expression_tree& tree, std::span<const reference> references,
                       const scope& names, const evaluation_budget& budget)
    : text_{tree.text}, references_{references}, names_{names}, budget_{budget}, meter_{budget} {}

  outcome evaluate(const expression_node& node);
  /// The operand as a value of its own.
  tl::expected<model::value, failure> take(operand from);

private:
  outcome mention(const reference& mentioned);
  outcome output(const reference& mentioned);
  outcome outputs_of_all(const model::value& instances, const reference& mentioned);
  outcome field_of(const model::value& map, const reference& mentioned, std::string_view root);
  outcome list(const expression_node& node);
  outcome map(const expression_node& node);
  outcome member(const expression_node& node);
  template <class Value>
  tl::expected<Value*, failure> step_into(Value& container, const model::value& key,
                                          const expression_node& node, std::size_t position);
  outcome negation(const expression_node& node);
  outcome inversion(const expression_node& node);
  outcome arithmetic(const expression_node& node);
  outcome combine(operand left, operand right, const expression_node& node, std::size_t position);
  outcome join_texts(operand left, const operand& right);
  outcome join_lists(operand left, operand right);
  outcome relation(const expression_node& node);
  outcome compare(const operand& left, const operand& right, const expression_node& node,
                  std::size_t position);
  outcome contains(const operand& what, const operand& where, std::string_view shown);
  outcome logical(const expression_node& node);
  outcome choice(const expression_node& node);
  outcome call(const expression_node& node);
  outcome size(const expression_node& argument);
  outcome fallback(const expression_node& node);
  outcome fold(const expression_node& node);
  outcome fold_one(const expression_node& node, std::optional<operand>& result, operand item,
                   std::size_t position);

  // expression_macros.cpp
  outcome macro(const expression_node& node);
  tl::expected<bool, failure> condition(const expression_node& body, const char* name);
  outcome quantifier(const expression_node& node, const model::value& elements);
  outcome mapping(const expression_node& node, const model::value& elements);
  outcome best_by(const expression_node& node);

  // expression_texts.cpp
  outcome call_on_text(const expression_node& node);
  outcome matches(const expression_node& node, const std::string& text, const std::string& pattern);
  outcome split(std::string_view text, std::string_view separator);
  outcome replace(const expression_node& node, std::string_view text, const std::string& what,
                  const std::string& with);
  outcome substring(const expression_node& node, const std::string& text);
  outcome join(const expression_node& node);
  tl::expected<std::string, failure> text_argument(const expression_node& node,
                                                   std::size_t position);
  outcome made_text(std::string text);

  // expression_conversions.cpp
  outcome convert(const expression_node& node);
  outcome time_field(const expression_node& node);

  failure exhausted() const;
  std::string mixing_hint(const expression_node& left, const expression_node& right) const;
  /// Text of a part, shortened for a message.
  std::string part(std::size_t begin, std::size_t end) const;
  std::string part(const expression_node& node) const { return part(node.begin, node.end); }
  /// From the first child of a chain to the one at `position`.
  std::string part_of_chain(const expression_node& node, std::size_t position) const;

  std::string_view text_;
  std::span<const reference> references_;
  const scope& names_;
  const evaluation_budget& budget_;
  evaluation_meter meter_;
  std::vector<const model::value*> variables_; ///< elements of the macros around
};

/// Evaluates the root. Errors: `invalid_argument` with a sentence that names the part that failed.
/// @pre the references are those that were parsed with the tree
expected<model::value> evaluate_tree(const expression_tree& tree,
                                     std::span<const reference> references, const scope& names,
                                     const evaluation_budget& budget);

} // namespace sluice::logic::evaluation

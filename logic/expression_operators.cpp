#include "logic/expression_arithmetic.hpp"
#include "logic/expression_evaluator.hpp"
#include "logic/expression_moments.hpp"

#include <algorithm>
#include <iterator>

namespace sluice::logic::evaluation {
namespace {

std::string_view symbol(binary_operator op) {
  switch (op) {
  case binary_operator::add:
    return "+";
  case binary_operator::subtract:
    return "-";
  case binary_operator::multiply:
    return "*";
  case binary_operator::divide:
    return "/";
  case binary_operator::modulo:
    return "%";
  case binary_operator::equal:
    return "==";
  case binary_operator::not_equal:
    return "!=";
  case binary_operator::less:
    return "<";
  case binary_operator::less_equal:
    return "<=";
  case binary_operator::greater:
    return ">";
  case binary_operator::greater_equal:
    return ">=";
  case binary_operator::in:
    return "in";
  case binary_operator::both:
    return "&&";
  case binary_operator::either:
    return "||";
  case binary_operator::none:
    break;
  }
  return "";
}

} // namespace

outcome expression_evaluator::negation(const expression_node& node) {
  const auto of = evaluate(node.children.front());
  if (!of)
    return of;
  const auto n = as_number(of->get());
  if (!n)
    return wrong(part(node) + ": " + part(node.children.front()) + " is "
                 + std::string{type_name(of->get())} + " and no number");
  // An even number of signs still overflows for the smallest integer.
  const auto negated =
    n->is_whole ? calculate({}, binary_operator::subtract, *n)
                : tl::expected<number, std::string>{number{.is_whole = false, .real = -n->real}};
  if (!negated)
    return wrong(part(node) + " " + negated.error());
  return make(to_value(node.is_odd ? *negated : *n));
}

outcome expression_evaluator::inversion(const expression_node& node) {
  const auto of = evaluate(node.children.front());
  if (!of)
    return of;
  if (!of->get().is_boolean())
    return wrong(part(node) + ": " + part(node.children.front()) + " is "
                 + std::string{type_name(of->get())} + " and not bool");
  return make(of->get().get<bool>() != node.is_odd);
}

outcome expression_evaluator::arithmetic(const expression_node& node) {
  auto left = evaluate(node.children.front());
  for (std::size_t i = 1; left && i < node.children.size(); ++i) {
    auto right = evaluate(node.children[i]);
    if (!right)
      return right;
    left = combine(std::move(*left), std::move(*right), node, i);
  }
  return left;
}

outcome expression_evaluator::combine(operand left, operand right, const expression_node& node,
                                      std::size_t position) {
  const auto op = node.children[position].before;
  const auto& a = left.get();
  const auto& b = right.get();
  const auto first = as_number(a);
  const auto second = as_number(b);
  if (first && second) {
    const auto result = calculate(*first, op, *second);
    if (result)
      return make(to_value(*result));
    std::string hint;
    if (first->is_whole != second->is_whole)
      hint = mixing_hint(node.children[position - 1], node.children[position]);
    return wrong(part_of_chain(node, position) + " " + result.error() + hint);
  }
  const auto at = as_moment(a);
  const auto other = as_moment(b);
  if (const auto kind = at && other ? kind_of(at->kind, op, other->kind) : std::nullopt) {
    const auto result = calculate(*at, op, *other);
    return result ? make(to_value(*result))
                  : outcome{wrong(part_of_chain(node, position) + " is outside the range of "
                                  + std::string{to_string(*kind)})};
  }
  if (op == binary_operator::add && a.is_string() && b.is_string())
    return join_texts(std::move(left), right);
  if (op == binary_operator::add && a.is_array() && b.is_array())
    return join_lists(std::move(left), std::move(right));
  std::string hint;
  if (op == binary_operator::add && a.is_string() != b.is_string())
    hint = "; to put a value into a text, write \"${{ a }} ${{ b }}\"";
  return wrong(part_of_chain(node, position) + ": '" + std::string{symbol(op)}
               + "' does not work on " + std::string{type_name(a)} + " and "
               + std::string{type_name(b)} + hint);
}

std::string expression_evaluator::mixing_hint(const expression_node& left,
                                              const expression_node& right) const {
  for (const auto* side : {&left, &right}) {
    if (side->kind != node_kind::literal)
      continue;
    const std::string digits{text_.substr(side->begin, side->end - side->begin)};
    if (side->literal.is_number_integer() && digits.find_first_of("xX(") == std::string::npos)
      return "; write " + digits + ".0 instead of " + digits;
  }
  return "; both must be of one type, and 2 is int while 2.0 is double";
}

outcome expression_evaluator::join_texts(operand left, const operand& right) {
  auto joined = take(std::move(left));
  if (!joined)
    return tl::unexpected(std::move(joined.error()));
  const auto& more = right.get().get_ref<const std::string&>();
  if (!meter_.take_text(more.size()) || !meter_.take_bytes(more.size()))
    return tl::unexpected(exhausted());
  joined->get_ref<std::string&>() += more;
  return make(std::move(*joined));
}

outcome expression_evaluator::join_lists(operand left, operand right) {
  auto joined = take(std::move(left));
  if (!joined)
    return tl::unexpected(std::move(joined.error()));
  auto more = take(std::move(right));
  if (!more)
    return tl::unexpected(std::move(more.error()));
  auto& elements = more->get_ref<model::value::array_t&>();
  if (!meter_.take_steps(elements.size()))
    return tl::unexpected(exhausted());
  auto& all = joined->get_ref<model::value::array_t&>();
  all.insert(all.end(), std::make_move_iterator(elements.begin()),
             std::make_move_iterator(elements.end()));
  return make(std::move(*joined));
}

outcome expression_evaluator::relation(const expression_node& node) {
  auto left = evaluate(node.children.front());
  for (std::size_t i = 1; left && i < node.children.size(); ++i) {
    const auto right = evaluate(node.children[i]);
    if (!right)
      return right;
    left = compare(*left, *right, node, i);
  }
  return left;
}

outcome expression_evaluator::compare(const operand& left, const operand& right,
                                      const expression_node& node, std::size_t position) {
  const auto op = node.children[position].before;
  const auto& a = left.get();
  const auto& b = right.get();
  if (op == binary_operator::in)
    return contains(left, right, part_of_chain(node, position));
  if (op == binary_operator::equal || op == binary_operator::not_equal) {
    const bool equal = are_equal(a, b, meter_);
    if (meter_.is_exhausted())
      return tl::unexpected(exhausted());
    return make(equal == (op == binary_operator::equal));
  }
  if (a.is_string() && b.is_string()
      && !meter_.take_text(
        std::min(a.get_ref<const std::string&>().size(), b.get_ref<const std::string&>().size())))
    return tl::unexpected(exhausted());
  const auto found = order(a, b);
  if (!found)
    return wrong(part_of_chain(node, position) + ": '" + std::string{symbol(op)}
                 + "' does not work on " + std::string{type_name(a)} + " and "
                 + std::string{type_name(b)});
  switch (op) {
  case binary_operator::less:
    return make(*found < 0);
  case binary_operator::less_equal:
    return make(*found <= 0);
  case binary_operator::greater:
    return make(*found > 0);
  default:
    return make(*found >= 0);
  }
}

outcome expression_evaluator::contains(const operand& what, const operand& where,
                                       std::string_view shown) {
  const auto& container = where.get();
  if (container.is_object()) {
    const auto* key = what.get().get_ptr<const std::string*>();
    return make(key && container.contains(*key));
  }
  if (!container.is_array())
    return wrong(std::string{shown} + ": 'in' looks into a list or a map, not "
                 + std::string{type_name(container)});
  bool found = false;
  for (auto element = container.begin(); !found && element != container.end(); ++element) {
    found = are_equal(what.get(), *element, meter_);
    if (meter_.is_exhausted())
      return tl::unexpected(exhausted());
  }
  return make(found);
}

} // namespace sluice::logic::evaluation

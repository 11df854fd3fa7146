#include "logic/expression_arithmetic.hpp"
#include "logic/expression_evaluator.hpp"

#include <algorithm>

namespace sluice::logic::evaluation {

outcome expression_evaluator::call(const expression_node& node) {
  switch (node.function) {
  case builtin::size:
    return size(node.children.front());
  case builtin::default_:
    return fallback(node);
  case builtin::has: {
    const auto found = evaluate(node.children.front());
    if (!found && found.error().why != failure::reason::absent)
      return found;
    return make(found.has_value());
  }
  case builtin::sum:
  case builtin::min:
  case builtin::max:
    return fold(node);
  case builtin::min_by:
  case builtin::max_by:
    return best_by(node);
  case builtin::join:
    return join(node);
  case builtin::to_int:
  case builtin::to_double:
  case builtin::to_string:
  case builtin::to_bool:
  case builtin::timestamp:
  case builtin::duration:
    return convert(node);
  case builtin::get_full_year:
  case builtin::get_month:
  case builtin::get_date:
  case builtin::get_day_of_month:
  case builtin::get_day_of_week:
  case builtin::get_day_of_year:
  case builtin::get_hours:
  case builtin::get_minutes:
  case builtin::get_seconds:
  case builtin::get_milliseconds:
    return time_field(node);
  default:
    return call_on_text(node);
  }
}

outcome expression_evaluator::size(const expression_node& argument) {
  const auto of = evaluate(argument);
  if (!of)
    return of;
  const auto& v = of->get();
  if (v.is_array() || v.is_object())
    return make(static_cast<std::int64_t>(v.size()));
  const auto* text = v.get_ptr<const std::string*>();
  if (!text)
    return wrong("size() takes a string, a list or a map, but " + part(argument) + " is "
                 + std::string{type_name(v)});
  if (!meter_.take_text(text->size()))
    return tl::unexpected(exhausted());
  // In code points, as CEL has it: every byte but those that continue one.
  return make(std::count_if(text->begin(), text->end(),
                            [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

outcome expression_evaluator::fallback(const expression_node& node) {
  auto first = evaluate(node.children.front());
  const bool is_missing =
    first ? first->get().is_null() : first.error().why == failure::reason::absent;
  return is_missing ? evaluate(node.children.back()) : first;
}

/// `sum`, `min` and `max`, over the elements of one list or over several arguments.
outcome expression_evaluator::fold(const expression_node& node) {
  std::optional<operand> result;
  operand list;
  if (node.children.size() > 1) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      auto argument = evaluate(node.children[i]);
      if (!argument)
        return argument;
      auto folded = fold_one(node, result, std::move(*argument), i);
      if (!folded)
        return folded;
      result = std::move(*folded);
    }
  } else {
    auto only = evaluate(node.children.front());
    if (!only)
      return only;
    list = std::move(*only);
    if (!list.get().is_array())
      return wrong(part(node) + " takes a list or several arguments, but "
                   + part(node.children.front()) + " is " + std::string{type_name(list.get())});
    for (std::size_t i = 0; i < list.get().size(); ++i) {
      auto folded = fold_one(node, result, borrow(list.get()[i]), i);
      if (!folded)
        return folded;
      result = std::move(*folded);
    }
  }
  if (!result) {
    if (node.function == builtin::sum)
      return make(std::int64_t{0});
    return wrong(part(node) + " of an empty list has no value");
  }
  if (!result->borrowed || list.borrowed)
    return std::move(*result);
  auto taken = take(std::move(*result)); // the list it is an element of ends here
  if (!taken)
    return tl::unexpected(std::move(taken.error()));
  return make(std::move(*taken));
}

/// What `result` becomes with one more item, at `position` of the list or of the arguments.
outcome expression_evaluator::fold_one(const expression_node& node, std::optional<operand>& result,
                                       operand item, std::size_t position) {
  if (!meter_.take_steps(1))
    return tl::unexpected(exhausted());
  const bool is_list = node.children.size() == 1;
  const auto which = [&] {
    return is_list ? "element " + std::to_string(position) : part(node.children[position]);
  };
  const auto& v = item.get();
  const auto n = as_number(v);
  if (node.function == builtin::sum) {
    if (!n)
      return wrong(part(node) + ": " + which() + " is " + std::string{type_name(v)}
                   + " and no number");
    if (!result)
      return item;
    const auto total = calculate(*as_number(result->get()), binary_operator::add, *n);
    if (!total)
      return wrong(part(node) + " " + total.error()
                   + (as_number(result->get())->is_whole != n->is_whole
                        ? ": " + which() + " is " + std::string{type_name(v)}
                            + ", what is before it " + std::string{type_name(result->get())}
                        : ""));
    return make(to_value(*total));
  }
  if (!n && !v.is_string() && !v.is_binary())
    return wrong(part(node) + ": " + which() + " is " + std::string{type_name(v)}
                 + ", neither number nor string");
  if (!result)
    return item;
  if (v.is_string() && !meter_.take_text(v.get_ref<const std::string&>().size()))
    return tl::unexpected(exhausted());
  const auto found = order(v, result->get());
  if (!found)
    return wrong(part(node) + ": " + which() + " is " + std::string{type_name(v)}
                 + ", what is before it " + std::string{type_name(result->get())});
  const bool is_better = node.function == builtin::min ? *found < 0 : *found > 0;
  return is_better ? std::move(item) : std::move(*result);
}

} // namespace sluice::logic::evaluation

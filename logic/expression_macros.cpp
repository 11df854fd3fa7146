// What is asked of each element of a list, or of each key of a map.
#include "logic/expression_evaluator.hpp"

namespace sluice::logic::evaluation {

outcome expression_evaluator::macro(const expression_node& node) {
  auto range = evaluate(node.children.front());
  if (!range)
    return range;
  const auto& v = range->get();
  if (!v.is_structured())
    return wrong(part(node) + ": " + part(node.children.front()) + " is "
                 + std::string{type_name(v)} + ", neither list nor map");
  const bool is_mapping = node.function == builtin::map || node.function == builtin::filter;
  if (v.is_array())
    return is_mapping ? mapping(node, v) : quantifier(node, v);
  auto keys = model::value::array();
  for (const auto& [key, unused] : v.items()) {
    if (!meter_.take_bytes(sizeof(model::value) + key.size()))
      return tl::unexpected(exhausted());
    keys.push_back(key);
  }
  return is_mapping ? mapping(node, keys) : quantifier(node, keys);
}

/// Of the element that is the last variable.
tl::expected<bool, failure> expression_evaluator::condition(const expression_node& body,
                                                            const char* name) {
  const auto found = evaluate(body);
  if (!found)
    return tl::unexpected(found.error());
  if (!found->get().is_boolean())
    return wrong(part(body) + " is " + std::string{type_name(found->get())} + ", but " + name
                 + "() needs bool");
  return found->get().get<bool>();
}

/// `all` and `exists` are chains of `&&` and `||`: one element that decides makes up for errors of
/// others. `exists_one` is not.
outcome expression_evaluator::quantifier(const expression_node& node,
                                         const model::value& elements) {
  const auto& body = node.children.back();
  const auto* name = node.function == builtin::all      ? "all"
                     : node.function == builtin::exists ? "exists"
                                                        : "exists_one";
  std::optional<failure> first_failure;
  std::size_t count = 0;
  for (const auto& element : elements) {
    variables_.push_back(&element);
    auto holds = condition(body, name);
    variables_.pop_back();
    if (!holds) {
      if (node.function == builtin::exists_one || holds.error().why == failure::reason::exhausted)
        return tl::unexpected(std::move(holds.error()));
      if (!first_failure)
        first_failure = std::move(holds.error());
      continue;
    }
    count += *holds ? 1 : 0;
    if (node.function == builtin::all && !*holds)
      return make(false);
    if (node.function == builtin::exists && *holds)
      return make(true);
  }
  if (first_failure)
    return tl::unexpected(std::move(*first_failure));
  return make(node.function == builtin::exists_one ? count == 1 : node.function == builtin::all);
}

/// `filter`, and `map` with a filter before it or without.
outcome expression_evaluator::mapping(const expression_node& node, const model::value& elements) {
  const bool maps = node.function == builtin::map;
  const auto* filter = !maps || node.children.size() > 2 ? &node.children[1] : nullptr;
  auto made = model::value::array();
  for (const auto& element : elements) {
    variables_.push_back(&element);
    auto kept = filter == nullptr ? tl::expected<bool, failure>{true}
                                  : condition(*filter, maps ? "map" : "filter");
    auto of = !kept || !*kept ? outcome{borrow(element)}
              : maps          ? evaluate(node.children.back())
                              : outcome{borrow(element)};
    variables_.pop_back();
    if (!kept)
      return tl::unexpected(std::move(kept.error()));
    if (!of)
      return of;
    if (!*kept)
      continue;
    auto taken = take(std::move(*of));
    if (!taken)
      return tl::unexpected(std::move(taken.error()));
    made.push_back(std::move(*taken));
  }
  return make(std::move(made));
}

/// The element whose field is the smallest, or the largest; the first of several.
outcome expression_evaluator::best_by(const expression_node& node) {
  auto list = evaluate(node.children.front());
  if (!list)
    return list;
  const auto field = text_argument(node, 1);
  if (!field)
    return tl::unexpected(field.error());
  const auto& elements = list->get();
  if (!elements.is_array() || elements.empty())
    return wrong(part(node)
                 + (elements.is_array() ? " of an empty list has no value"
                                        : " takes a list, but " + part(node.children.front())
                                            + " is " + std::string{type_name(elements)}));
  const model::value* best = nullptr;
  const model::value* best_field = nullptr;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (!meter_.take_steps(1))
      return tl::unexpected(exhausted());
    const auto& element = elements[i];
    const auto found = element.is_object() ? element.find(*field) : element.end();
    if (found == element.end())
      return wrong(part(node) + ": element " + std::to_string(i) + " has no " + quote(*field));
    const auto* text = found->get_ptr<const std::string*>();
    if (text != nullptr && !meter_.take_text(text->size()))
      return tl::unexpected(exhausted());
    const auto compared = best_field == nullptr
                            ? std::partial_ordering::unordered
                            : order(*found, *best_field).value_or(std::partial_ordering::unordered);
    if (best_field != nullptr && compared == std::partial_ordering::unordered)
      return wrong(part(node) + ": " + quote(*field) + " of element " + std::to_string(i) + " is "
                   + std::string{type_name(*found)} + ", what is before it "
                   + std::string{type_name(*best_field)});
    if (best_field == nullptr || (node.function == builtin::min_by ? compared < 0 : compared > 0)) {
      best = &element;
      best_field = &*found;
    }
  }
  if (list->borrowed)
    return borrow(*best);
  auto taken = take(borrow(*best)); // the list it is an element of ends here
  if (!taken)
    return tl::unexpected(std::move(taken.error()));
  return make(std::move(*taken));
}

} // namespace sluice::logic::evaluation

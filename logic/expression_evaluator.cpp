#include "logic/expression_evaluator.hpp"

#include "logic/expression_arithmetic.hpp"
#include "logic/expression_names.hpp"
#include "logic/expression_values.hpp"

#include <iterator>
#include <utility>

namespace sluice::logic {
namespace {

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

operand borrow(const model::value& v) {
  return {.borrowed = &v};
}
operand make(model::value v) {
  return {.own = std::move(v)};
}

tl::unexpected<failure> absent(std::string message) {
  return tl::unexpected(failure{failure::reason::absent, std::move(message)});
}
tl::unexpected<failure> wrong(std::string message) {
  return tl::unexpected(failure{failure::reason::wrong, std::move(message)});
}

std::string quote(std::string_view text) {
  return "'" + std::string{text} + "'";
}

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

/// Why a task has no outputs, by its state.
std::string why_no_outputs(std::string_view task, std::string_view state) {
  const std::string name = "task " + std::string{task};
  if (state == "skipped" || state == "cancelled")
    return name + " was " + std::string{state};
  if (state == "rolled_back")
    return name + " was rolled back";
  if (state == "failed")
    return name + " failed";
  if (state == "succeeded")
    return name + " succeeded without outputs";
  return name + " is not decided" + (state.empty() ? "" : ", it is " + std::string{state});
}

template <class Value>
Value* find_key(Value& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &*found;
}

class evaluator {
public:
  evaluator(const expression_tree& tree, std::span<const reference> references, const scope& names,
            const evaluation_budget& budget)
    : text_{tree.text}, references_{references}, names_{names}, budget_{budget}, meter_{budget} {}

  outcome evaluate(const expression_node& node);
  /// The operand as a value of its own.
  tl::expected<model::value, failure> take(operand from);

private:
  outcome mention(const reference& mentioned);
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
};

outcome evaluator::evaluate(const expression_node& node) {
  if (!meter_.take_steps(1))
    return tl::unexpected(exhausted());
  switch (node.kind) {
  case node_kind::literal:
    return borrow(node.literal);
  case node_kind::mention:
    return mention(references_[node.which]);
  case node_kind::list:
    return list(node);
  case node_kind::map:
    return map(node);
  case node_kind::member:
    return member(node);
  case node_kind::negation:
    return negation(node);
  case node_kind::inversion:
    return inversion(node);
  case node_kind::arithmetic:
    return arithmetic(node);
  case node_kind::relation:
    return relation(node);
  case node_kind::all_of:
  case node_kind::any_of:
    return logical(node);
  case node_kind::choice:
    return choice(node);
  case node_kind::call:
    return call(node);
  }
  return wrong("the expression has a part of an unknown kind");
}

tl::expected<model::value, failure> evaluator::take(operand from) {
  if (!from.borrowed)
    return std::move(from.own);
  if (!pay_for_copy(*from.borrowed, meter_))
    return tl::unexpected(exhausted());
  return *from.borrowed;
}

failure evaluator::exhausted() const {
  return {failure::reason::exhausted,
          "the expression goes over its budget of " + std::to_string(budget_.steps) + " steps and "
            + std::to_string(budget_.result_bytes) + " bytes of values"};
}

std::string evaluator::part(std::size_t begin, std::size_t end) const {
  constexpr std::size_t longest = 60;
  std::string shown{text_.substr(begin, end - begin)};
  if (shown.size() > longest) {
    std::size_t cut = longest;
    while (cut > 0 && (static_cast<unsigned char>(shown[cut]) & 0xC0) == 0x80)
      --cut; // not inside of a character
    shown.resize(cut);
    shown += "...";
  }
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20)
      c = ' ';
  return quote(shown);
}

std::string evaluator::part_of_chain(const expression_node& node, std::size_t position) const {
  std::size_t end = node.children[position].end;
  if (node.kind == node_kind::member && position > 0) { // an index ends behind its bracket
    const auto rest = text_.find_first_not_of(" \t\r\n\f", end);
    if (rest != std::string_view::npos && text_[rest] == ']')
      end = rest + 1;
  }
  return part(node.begin, end);
}

// References, containers and members

outcome evaluator::mention(const reference& mentioned) {
  switch (mentioned.what) {
  case reference::root::params:
    return field_of(names_.params(), mentioned, "params");
  case reference::root::run:
    return field_of(names_.run(), mentioned, "run");
  case reference::root::task_state: {
    const auto state = names_.task_state(mentioned.name);
    if (state.empty())
      return absent("'tasks" + as_member(mentioned.name) + ".state' is absent: there is no task "
                    + quote(mentioned.name));
    return make(std::string{state});
  }
  case reference::root::task_output:
    break;
  }
  const auto shown = [&] {
    return "'tasks" + as_member(mentioned.name) + ".out"
           + (mentioned.field.empty() ? "" : as_member(mentioned.field)) + "'";
  };
  const auto* outputs = names_.task_outputs(mentioned.name);
  if (!outputs)
    return absent(
      shown() + " is absent: " + why_no_outputs(mentioned.name, names_.task_state(mentioned.name)));
  if (mentioned.field.empty())
    return borrow(*outputs);
  if (const auto* found = find_key(*outputs, mentioned.field))
    return borrow(*found);
  return absent(shown() + " is absent: task " + mentioned.name + " has no output "
                + quote(mentioned.field));
}

outcome evaluator::field_of(const model::value& map, const reference& mentioned,
                            std::string_view root) {
  if (mentioned.name.empty())
    return borrow(map);
  if (const auto* found = find_key(map, mentioned.name))
    return borrow(*found);
  return absent("'" + std::string{root} + as_member(mentioned.name)
                + "' is absent: " + std::string{root} + " has no " + quote(mentioned.name));
}

outcome evaluator::list(const expression_node& node) {
  auto made = model::value::array();
  made.get_ref<model::value::array_t&>().reserve(node.children.size());
  for (const auto& child : node.children) {
    auto element = evaluate(child);
    if (!element)
      return element;
    auto taken = take(std::move(*element));
    if (!taken)
      return tl::unexpected(std::move(taken.error()));
    made.push_back(std::move(*taken));
  }
  return make(std::move(made));
}

outcome evaluator::map(const expression_node& node) {
  auto made = model::value::object();
  for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
    const auto key = evaluate(node.children[i]);
    if (!key)
      return key;
    const auto* name = key->get().get_ptr<const std::string*>();
    if (!name)
      return wrong("a key of a map is a string, but " + part(node.children[i]) + " is "
                   + std::string{type_name(key->get())});
    auto element = evaluate(node.children[i + 1]);
    if (!element)
      return element;
    auto taken = take(std::move(*element));
    if (!taken)
      return tl::unexpected(std::move(taken.error()));
    if (!meter_.take_bytes(sizeof(std::string) + name->size()))
      return tl::unexpected(exhausted());
    if (!made.emplace(*name, std::move(*taken)).second)
      return wrong("key " + quote(*name) + " stands twice in " + part(node));
  }
  return make(std::move(made));
}

template <class Value>
tl::expected<Value*, failure> evaluator::step_into(Value& container, const model::value& key,
                                                   const expression_node& node,
                                                   std::size_t position) {
  const auto refuse = [&](const std::string& why) {
    return wrong(part_of_chain(node, position) + ": " + part_of_chain(node, position - 1) + " is "
                 + std::string{type_name(container)} + why);
  };
  if (container.is_object()) {
    const auto* name = key.get_ptr<const std::string*>();
    if (!name)
      return refuse(", its keys are strings and not " + std::string{type_name(key)});
    if (auto* found = find_key(container, *name))
      return found;
    return absent(part_of_chain(node, position) + " is absent: " + part_of_chain(node, position - 1)
                  + " has no " + quote(*name));
  }
  if (!container.is_array())
    return refuse(", which has no members");
  const auto index = as_number(key);
  if (!index || !index->is_whole)
    return refuse(", its index is int and not " + std::string{type_name(key)});
  if (index->whole < 0 || static_cast<std::uint64_t>(index->whole) >= container.size())
    return wrong(part_of_chain(node, position) + ": index " + std::to_string(index->whole)
                 + " is out of range, the list has " + std::to_string(container.size())
                 + (container.size() == 1 ? " element" : " elements"));
  return &container[static_cast<std::size_t>(index->whole)];
}

outcome evaluator::member(const expression_node& node) {
  auto at = evaluate(node.children.front());
  for (std::size_t i = 1; at && i < node.children.size(); ++i) {
    const auto key = evaluate(node.children[i]);
    if (!key)
      return key;
    if (at->borrowed) {
      const auto found = step_into(*at->borrowed, key->get(), node, i);
      if (!found)
        return tl::unexpected(found.error());
      at->borrowed = *found;
    } else {
      const auto found = step_into(at->own, key->get(), node, i);
      if (!found)
        return tl::unexpected(found.error());
      auto taken = std::move(**found);
      at->own = std::move(taken);
    }
  }
  return at;
}

// Operators

outcome evaluator::negation(const expression_node& node) {
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

outcome evaluator::inversion(const expression_node& node) {
  const auto of = evaluate(node.children.front());
  if (!of)
    return of;
  if (!of->get().is_boolean())
    return wrong(part(node) + ": " + part(node.children.front()) + " is "
                 + std::string{type_name(of->get())} + " and not bool");
  return make(of->get().get<bool>() != node.is_odd);
}

outcome evaluator::arithmetic(const expression_node& node) {
  auto left = evaluate(node.children.front());
  for (std::size_t i = 1; left && i < node.children.size(); ++i) {
    auto right = evaluate(node.children[i]);
    if (!right)
      return right;
    left = combine(std::move(*left), std::move(*right), node, i);
  }
  return left;
}

outcome evaluator::combine(operand left, operand right, const expression_node& node,
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

std::string evaluator::mixing_hint(const expression_node& left,
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

outcome evaluator::join_texts(operand left, const operand& right) {
  auto joined = take(std::move(left));
  if (!joined)
    return tl::unexpected(std::move(joined.error()));
  const auto& more = right.get().get_ref<const std::string&>();
  if (!meter_.take_text(more.size()) || !meter_.take_bytes(more.size()))
    return tl::unexpected(exhausted());
  joined->get_ref<std::string&>() += more;
  return make(std::move(*joined));
}

outcome evaluator::join_lists(operand left, operand right) {
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

outcome evaluator::relation(const expression_node& node) {
  auto left = evaluate(node.children.front());
  for (std::size_t i = 1; left && i < node.children.size(); ++i) {
    const auto right = evaluate(node.children[i]);
    if (!right)
      return right;
    left = compare(*left, *right, node, i);
  }
  return left;
}

outcome evaluator::compare(const operand& left, const operand& right, const expression_node& node,
                           std::size_t position) {
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

outcome evaluator::contains(const operand& what, const operand& where, std::string_view shown) {
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

/// `&&` and `||` are commutative in CEL: one operand that decides alone makes up for the errors of
/// the others, whichever comes first.
outcome evaluator::logical(const expression_node& node) {
  const bool decisive = node.kind == node_kind::any_of;
  std::optional<failure> first_failure;
  for (const auto& child : node.children) {
    auto operand = evaluate(child);
    if (!operand) {
      if (operand.error().why == failure::reason::exhausted)
        return operand;
      if (!first_failure)
        first_failure = std::move(operand.error());
    } else if (!operand->get().is_boolean()) {
      if (!first_failure)
        first_failure = failure{failure::reason::wrong,
                                part(child) + " is " + std::string{type_name(operand->get())}
                                  + ", but '" + (decisive ? "||" : "&&") + "' needs bool"};
    } else if (operand->get().get<bool>() == decisive) {
      return make(decisive);
    }
  }
  if (first_failure)
    return tl::unexpected(std::move(*first_failure));
  return make(!decisive);
}

outcome evaluator::choice(const expression_node& node) {
  std::size_t i = 0;
  for (; i + 1 < node.children.size(); i += 2) {
    const auto condition = evaluate(node.children[i]);
    if (!condition)
      return condition;
    if (!condition->get().is_boolean())
      return wrong(part(node.children[i]) + " is " + std::string{type_name(condition->get())}
                   + ", but the condition before '?' must be bool");
    if (condition->get().get<bool>())
      return evaluate(node.children[i + 1]);
  }
  return evaluate(node.children[i]);
}

// Functions

outcome evaluator::call(const expression_node& node) {
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
  }
  return wrong("the expression calls an unknown function");
}

outcome evaluator::size(const expression_node& argument) {
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

outcome evaluator::fallback(const expression_node& node) {
  auto first = evaluate(node.children.front());
  const bool is_missing =
    first ? first->get().is_null() : first.error().why == failure::reason::absent;
  return is_missing ? evaluate(node.children.back()) : first;
}

/// `sum`, `min` and `max`, over the elements of one list or over several arguments.
outcome evaluator::fold(const expression_node& node) {
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
outcome evaluator::fold_one(const expression_node& node, std::optional<operand>& result,
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
  if (!n && !v.is_string())
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

} // namespace

expected<model::value> evaluate_tree(const expression_tree& tree,
                                     std::span<const reference> references, const scope& names,
                                     const evaluation_budget& budget) {
  evaluator run{tree, references, names, budget};
  auto result = run.evaluate(tree.root);
  if (!result)
    return fail(errc::invalid_argument, std::move(result.error().message));
  auto taken = run.take(std::move(*result));
  if (!taken)
    return fail(errc::invalid_argument, std::move(taken.error().message));
  return std::move(*taken);
}

} // namespace sluice::logic

#include "logic/expression_evaluator.hpp"

#include "logic/expression_moments.hpp"
#include "logic/expression_names.hpp"

namespace sluice::logic::evaluation {
namespace {

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

/// `tasks.train`, or `tasks.train['nn,30']`.
std::string name_of(const reference& mentioned) {
  return "tasks" + as_member(mentioned.name)
         + (mentioned.instance.empty() ? "" : "['" + mentioned.instance + "']");
}

template <class Value>
Value* find_key(Value& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &*found;
}

} // namespace

outcome expression_evaluator::evaluate(const expression_node& node) {
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
  case node_kind::variable:
    return borrow(*variables_[node.which]);
  case node_kind::macro:
    return macro(node);
  }
  return wrong("the expression has a part of an unknown kind");
}

tl::expected<model::value, failure> expression_evaluator::take(operand from) {
  if (!from.borrowed)
    return std::move(from.own);
  if (!pay_for_copy(*from.borrowed, meter_))
    return tl::unexpected(exhausted());
  return *from.borrowed;
}

failure expression_evaluator::exhausted() const {
  return {failure::reason::exhausted,
          "the expression goes over its budget of " + std::to_string(budget_.steps) + " steps and "
            + std::to_string(budget_.result_bytes) + " bytes of values"};
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 60;
  std::string shown{text.substr(0, longest + 1)};
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

std::string expression_evaluator::part(std::size_t begin, std::size_t end) const {
  return shortened(text_.substr(begin, end - begin));
}

std::string expression_evaluator::part_of_chain(const expression_node& node,
                                                std::size_t position) const {
  std::size_t end = node.children[position].end;
  if (node.kind == node_kind::member && position > 0) { // an index ends behind its bracket
    const auto rest = text_.find_first_not_of(" \t\r\n\f", end);
    if (rest != std::string_view::npos && text_[rest] == ']')
      end = rest + 1;
  }
  return part(node.begin, end);
}

// References, containers and members

outcome expression_evaluator::mention(const reference& mentioned) {
  switch (mentioned.what) {
  case reference::root::params:
    return field_of(names_.params(), mentioned, "params");
  case reference::root::run:
    return field_of(names_.run(), mentioned, "run");
  case reference::root::item:
    if (const auto* item = names_.item())
      return borrow(*item);
    return absent("'item' is absent: the task is not fanned out");
  case reference::root::task_state: {
    const auto state = mentioned.instance.empty()
                         ? names_.task_state(mentioned.name)
                         : names_.instance_state(mentioned.name, mentioned.instance);
    if (state.empty())
      return absent("'" + name_of(mentioned) + ".state' is absent: there is no task "
                    + quote(mentioned.instance.empty()
                              ? mentioned.name
                              : mentioned.name + "[" + mentioned.instance + "]"));
    return make(std::string{state});
  }
  case reference::root::task_states: {
    auto states = names_.task_states(mentioned.name);
    if (!states)
      return absent("'" + name_of(mentioned) + ".states' is absent: task " + mentioned.name
                    + " is not fanned out");
    if (!pay_for_copy(*states, meter_))
      return tl::unexpected(exhausted());
    return make(std::move(*states));
  }
  case reference::root::task_output:
    break;
  }
  return output(mentioned);
}

outcome expression_evaluator::output(const reference& mentioned) {
  const auto shown = [&] {
    return "'" + name_of(mentioned) + ".out"
           + (mentioned.field.empty() ? "" : as_member(mentioned.field)) + "'";
  };
  const bool is_whole = mentioned.instance.empty();
  const auto* outputs = is_whole ? names_.task_outputs(mentioned.name)
                                 : names_.instance_outputs(mentioned.name, mentioned.instance);
  if (!outputs) {
    const auto state = is_whole ? names_.task_state(mentioned.name)
                                : names_.instance_state(mentioned.name, mentioned.instance);
    const auto name = is_whole ? mentioned.name : mentioned.name + "[" + mentioned.instance + "]";
    return absent(shown() + " is absent: "
                  + (state.empty() && !is_whole ? "there is no task " + quote(name)
                                                : why_no_outputs(name, state)));
  }
  if (mentioned.field.empty())
    return borrow(*outputs);
  if (outputs->is_array())
    return outputs_of_all(*outputs, mentioned);
  if (const auto* found = find_key(*outputs, mentioned.field))
    return borrow(*found);
  return absent(shown() + " is absent: task " + mentioned.name + " has no output "
                + quote(mentioned.field));
}

/// One output of all instances that have it.
outcome expression_evaluator::outputs_of_all(const model::value& instances,
                                             const reference& mentioned) {
  auto all = model::value::array();
  for (const auto& outputs : instances) {
    const auto* found = find_key(outputs, mentioned.field);
    if (!found)
      continue;
    if (!pay_for_copy(*found, meter_))
      return tl::unexpected(exhausted());
    all.push_back(*found);
  }
  return make(std::move(all));
}

outcome expression_evaluator::field_of(const model::value& map, const reference& mentioned,
                                       std::string_view root) {
  if (mentioned.name.empty())
    return borrow(map);
  if (const auto* found = find_key(map, mentioned.name))
    return borrow(*found);
  return absent("'" + std::string{root} + as_member(mentioned.name)
                + "' is absent: " + std::string{root} + " has no " + quote(mentioned.name));
}

outcome expression_evaluator::list(const expression_node& node) {
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

outcome expression_evaluator::map(const expression_node& node) {
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
tl::expected<Value*, failure>
expression_evaluator::step_into(Value& container, const model::value& key,
                                const expression_node& node, std::size_t position) {
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

outcome expression_evaluator::member(const expression_node& node) {
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

/// `&&` and `||` are commutative in CEL: one operand that decides alone makes up for the errors of
/// the others, whichever comes first.
outcome expression_evaluator::logical(const expression_node& node) {
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

outcome expression_evaluator::choice(const expression_node& node) {
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

expected<model::value> evaluate_tree(const expression_tree& tree,
                                     std::span<const reference> references, const scope& names,
                                     const evaluation_budget& budget) {
  expression_evaluator run{tree, references, names, budget};
  auto result = run.evaluate(tree.root);
  if (!result)
    return fail(errc::invalid_argument, std::move(result.error().message));
  auto taken = run.take(std::move(*result));
  if (!taken)
    return fail(errc::invalid_argument, std::move(taken.error().message));
  moments_to_texts(*taken);
  return std::move(*taken);
}

} // namespace sluice::logic::evaluation

#include "logic/expression.hpp"

#include "logic/expression_evaluator.hpp"
#include "logic/expression_parser.hpp"

namespace sluice::logic {

const model::value* scope::instance_outputs(std::string_view, std::string_view) const {
  return nullptr;
}

std::string_view scope::instance_state(std::string_view, std::string_view) const {
  return {};
}

std::optional<model::value> scope::task_states(std::string_view) const {
  return std::nullopt;
}

tl::expected<expression, syntax_error> expression::parse(std::string_view text,
                                                         std::string_view item_name) {
  auto parsed = parse_expression(text, item_name);
  if (!parsed)
    return tl::unexpected(std::move(parsed.error()));
  expression made;
  made.tree_ = std::move(parsed->tree);
  made.references_ = std::move(parsed->references);
  return made;
}

expected<model::value> expression::evaluate(const scope& names,
                                            const evaluation_budget& budget) const {
  if (!tree_)
    return fail(errc::internal, "an expression was evaluated that was never parsed");
  return evaluation::evaluate_tree(*tree_, references_, names, budget);
}

} // namespace sluice::logic

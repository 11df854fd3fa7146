#include "logic/expression.hpp"

#include "logic/expression_evaluator.hpp"
#include "logic/expression_parser.hpp"

namespace sluice::logic {

tl::expected<expression, syntax_error> expression::parse(std::string_view text) {
  auto parsed = parse_expression(text);
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

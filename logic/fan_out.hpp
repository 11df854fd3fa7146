// The items of a task that is fanned out, by its expressions. Pure.
#pragma once

#include "logic/compiled_workflow.hpp"

#include <string>
#include <utility>

namespace sluice::logic {

/// The items, with the names that `key` gives them. `names` is what expressions see without `item`.
/// Errors: `invalid_argument`, a sentence that begins with the key that is wrong.
expected<model::item_list> list_items(const model::task_spec& task,
                                      const fan_out_expressions& expressions, const scope& names);

/// The sentence about two items that would have the same name.
std::string text_of_duplicate(const model::item_list& items,
                              const std::pair<std::size_t, std::size_t>& same);

/// The scope of expressions that name nothing.
class empty_scope : public scope {
public:
  const model::value& params() const override { return nothing_; }
  const model::value& run() const override { return nothing_; }
  const model::value* task_outputs(std::string_view) const override { return nullptr; }
  std::string_view task_state(std::string_view) const override { return {}; }

private:
  model::value nothing_ = model::value::object();
};

} // namespace sluice::logic

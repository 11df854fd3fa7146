#include "logic/fan_out.hpp"

namespace sluice::logic {
namespace {

/// Another scope, for one item.
class item_scope final : public scope {
public:
  item_scope(const scope& names, const model::value& item) : names_(names), item_(item) {}
  const model::value& params() const override { return names_.params(); }
  const model::value& run() const override { return names_.run(); }
  const model::value* task_outputs(std::string_view task) const override {
    return names_.task_outputs(task);
  }
  std::string_view task_state(std::string_view task) const override {
    return names_.task_state(task);
  }
  const model::value* instance_outputs(std::string_view task,
                                       std::string_view instance) const override {
    return names_.instance_outputs(task, instance);
  }
  std::string_view instance_state(std::string_view task, std::string_view instance) const override {
    return names_.instance_state(task, instance);
  }
  std::optional<model::value> task_states(std::string_view task) const override {
    return names_.task_states(task);
  }
  const model::value* item() const override { return &item_; }

private:
  const scope& names_;
  const model::value& item_;
};

expected<model::item_list> items_of_matrix(const fan_out_expressions& expressions,
                                           const scope& names) {
  model::matrix_axes axes;
  for (const auto& [name, text] : expressions.axes) {
    auto values = text.fill(names);
    if (!values)
      return tl::unexpected(values.error());
    axes.emplace_back(name, std::move(*values));
  }
  auto include = expressions.include.fill(names);
  auto exclude = expressions.exclude.fill(names);
  if (!include || !exclude)
    return tl::unexpected((include ? exclude : include).error());
  return model::item_list::of_matrix(std::move(axes), std::move(*include), std::move(*exclude));
}

expected<std::vector<std::string>> names_of(const model::item_list& items,
                                            const value_template& key, const scope& names) {
  std::vector<std::string> all;
  all.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto item = items.item(i);
    const auto name = key.fill(item_scope{names, item});
    if (!name)
      return fail(errc::invalid_argument,
                  "key of item " + std::to_string(i) + ": " + name.error().message);
    all.push_back(model::to_plain_text(*name));
    if (!model::is_plain_name(all.back()))
      return fail(errc::invalid_argument, "key of item " + std::to_string(i) + ": "
                                            + model::to_text(*name)
                                            + " is no key: up to 64 letters, digits and ._-");
  }
  return all;
}

} // namespace

expected<model::item_list> list_items(const model::task_spec& task,
                                      const fan_out_expressions& expressions, const scope& names) {
  expected<model::item_list> items = model::item_list{};
  if (const auto* shard = std::get_if<model::shard_items>(&task.fan_out->items))
    items = model::item_list::of(shard->count);
  else if (std::holds_alternative<model::matrix_items>(task.fan_out->items))
    items = items_of_matrix(expressions, names);
  else
    items = expressions.over.fill(names).and_then(
      [](model::value over) { return model::item_list::of(std::move(over)); });
  if (!items || !expressions.key)
    return items;
  auto given = names_of(*items, *expressions.key, names);
  if (!given)
    return tl::unexpected(given.error());
  items->set_names(std::move(*given));
  return items;
}

std::string text_of_duplicate(const model::item_list& items,
                              const std::pair<std::size_t, std::size_t>& same) {
  return "items " + std::to_string(same.first) + " and " + std::to_string(same.second)
         + " would both be named '" + items.name(same.first) + "'; tell them apart with `key`";
}

} // namespace sluice::logic

#include "model/task_names.hpp"

#include <algorithm>

namespace sluice::model {

const instance_range* range_of(const std::vector<instance_range>& ranges, std::uint32_t idx) {
  const auto next =
    std::upper_bound(ranges.begin(), ranges.end(), idx,
                     [](std::uint32_t i, const auto& range) { return i < range.first; });
  // An empty range begins where the next one does, so that several may come before it.
  for (auto range = std::make_reverse_iterator(next); range != ranges.rend(); ++range)
    if (range->items->size() != 0)
      return range->holds(idx) ? &*range : nullptr;
  return nullptr;
}

const instance_range* current_range(const std::vector<instance_range>& ranges, std::uint32_t task) {
  const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.task == task && !range.superseded;
  });
  return found == ranges.end() ? nullptr : &*found;
}

std::optional<instance_name> split_instance_name(std::string_view name) {
  const auto bracket = name.rfind('[');
  if (bracket == std::string_view::npos || !name.ends_with(']'))
    return std::nullopt;
  return instance_name{name.substr(0, bracket),
                       name.substr(bracket + 1, name.size() - bracket - 2)};
}

std::uint32_t task_names::size() const {
  const auto end = workflow_ ? workflow_->index_end() : 0;
  return ranges_.empty() ? end : std::max(ranges_.back().end(), end);
}

std::uint32_t task_names::node(std::uint32_t idx) const {
  const auto* range = workflow_->has(idx) ? nullptr : range_of(ranges_, idx);
  return range == nullptr ? idx : range->task;
}

std::string task_names::name(std::uint32_t idx) const {
  if (workflow_->has(idx))
    return workflow_->task(idx).name;
  const auto* range = range_of(ranges_, idx);
  if (range == nullptr)
    return {};
  return workflow_->task(range->task).name + "[" + range->items->name(idx - range->first) + "]";
}

std::optional<std::uint32_t> task_names::find(std::string_view name) const {
  const auto& tasks = workflow_->tasks;
  const auto index_of = [&](std::string_view wanted) -> std::optional<std::uint32_t> {
    const auto found = std::find_if(tasks.begin(), tasks.end(),
                                    [&](const auto& task) { return task.name == wanted; });
    if (found == tasks.end())
      return std::nullopt;
    return workflow_->index_at(static_cast<std::uint32_t>(found - tasks.begin()));
  };
  if (const auto exact = index_of(name))
    return exact;
  const auto parts = split_instance_name(name);
  const auto task = parts ? index_of(parts->task) : std::nullopt;
  const auto* range = task ? current_range(ranges_, *task) : nullptr;
  const auto index = range ? range->items->find(parts->item) : std::nullopt;
  return index ? std::optional{range->first + static_cast<std::uint32_t>(*index)} : std::nullopt;
}

} // namespace sluice::model

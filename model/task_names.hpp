// Names of the tasks of one run: those of the specification, and of what they were fanned out into,
// `train[nn,30]`. Such a name is put together when it is asked for.
#pragma once

#include "model/item_list.hpp"
#include "model/workflow.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::model {

/// The instances of a task that is fanned out: they have consecutive indices, in order of the
/// items.
struct instance_range {
  std::uint32_t task = 0;  ///< that is fanned out
  std::uint32_t first = 0; ///< index of the first instance, were there one
  std::shared_ptr<const item_list> items;
  bool superseded = false; ///< the task was fanned out anew since

  std::uint32_t end() const { return first + static_cast<std::uint32_t>(items->size()); }
  bool holds(std::uint32_t idx) const { return idx >= first && idx < end(); }
};

/// Of those ranges, ascending by `first`, the one that holds an index; null: none does.
const instance_range* range_of(const std::vector<instance_range>& ranges, std::uint32_t idx);

/// Those of a task that are not superseded; null: it is not fanned out.
const instance_range* current_range(const std::vector<instance_range>& ranges, std::uint32_t task);

/// `train[nn,30]` as `train` and `nn,30`; nothing when the name is of no such form.
struct instance_name {
  std::string_view task;
  std::string_view item;
};
std::optional<instance_name> split_instance_name(std::string_view name);

class task_names {
public:
  task_names() = default;
  explicit task_names(std::shared_ptr<const workflow_spec> workflow,
                      std::vector<instance_range> ranges = {})
    : workflow_(std::move(workflow)), ranges_(std::move(ranges)) {}

  /// @pre its indices come after all others
  void add(instance_range range) { ranges_.push_back(std::move(range)); }

  /// The workflow with further tasks. @pre their indices come after all others
  void grow_to(std::shared_ptr<const workflow_spec> workflow) { workflow_ = std::move(workflow); }

  /// How many tasks there are, instances counted.
  std::uint32_t size() const;
  /// Empty when it was added since. @pre idx < size()
  std::string name(std::uint32_t idx) const;
  /// Of instances, those that are not superseded.
  std::optional<std::uint32_t> find(std::string_view name) const;
  /// The task that an instance is one of, or the task itself.
  std::uint32_t node(std::uint32_t idx) const;
  const std::vector<instance_range>& ranges() const { return ranges_; }
  const std::shared_ptr<const workflow_spec>& workflow() const { return workflow_; }

private:
  std::shared_ptr<const workflow_spec> workflow_;
  std::vector<instance_range> ranges_;
};

} // namespace sluice::model

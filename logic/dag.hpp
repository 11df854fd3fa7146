// A graph of tasks by index, flat: two arrays per direction. Built once, then read-only.
#pragma once

#include "model/plan.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace sluice::logic {

class dag {
public:
  /// An edge leads from an upstream task to its dependent.
  using edge = std::pair<std::uint32_t, std::uint32_t>;

  dag() = default;
  /// Doubled edges count once. @pre both ends of every edge are below `size`.
  dag(std::uint32_t size, std::vector<edge> edges);

  std::uint32_t size() const { return size_; }
  std::size_t edge_count() const { return upstreams_.size(); }
  /// Ascending.
  std::span<const std::uint32_t> upstreams(std::uint32_t task) const;
  std::span<const std::uint32_t> dependents(std::uint32_t task) const;

private:
  std::uint32_t size_ = 0;
  std::vector<std::uint32_t> upstream_begin_, upstreams_;
  std::vector<std::uint32_t> dependent_begin_, dependents_;
};

/// The tasks of one cycle in order, the first one repeated at the end; nothing when there is none.
/// Iterative depth-first search: a chain of a million tasks needs no stack.
std::optional<std::vector<std::uint32_t>> find_cycle(const dag& graph);

/// Of each task how many others are behind it on its longest way to an end.
/// @pre the graph has no cycle
std::vector<std::uint32_t> longest_ways(const dag& graph);

/// Stages by longest distance from a root, and the longest path by number of tasks; ties go to the
/// lower index. Source: A. B. Kahn, "Topological sorting of large networks", 1962.
/// Tasks from `first_finally` on come after all others.
/// @pre the graph has no cycle, and no edge leads from the ones to the others
model::execution_plan make_plan(const dag& graph, std::optional<std::uint32_t> active_tasks,
                                std::uint32_t first_finally);
inline model::execution_plan make_plan(const dag& graph,
                                       std::optional<std::uint32_t> active_tasks) {
  return make_plan(graph, active_tasks, graph.size());
}

} // namespace sluice::logic

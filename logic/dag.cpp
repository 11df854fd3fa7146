#include "logic/dag.hpp"

#include <algorithm>
#include <limits>

namespace sluice::logic {
namespace {

/// Turns counts at [task + 1] into the beginnings of each task's part of a flat array.
void sum_up(std::vector<std::uint32_t>& counts) {
  for (std::size_t i = 1; i < counts.size(); ++i)
    counts[i] += counts[i - 1];
}

} // namespace

// Two counting sorts, so linear: the first groups by upstream; walking those groups in order fills
// the lists of upstreams in ascending order, and walking these in turn the lists of dependents.
dag::dag(std::uint32_t size, std::vector<edge> edges) : size_(size) {
  std::vector<std::uint32_t> group_begin(std::size_t{size} + 1), grouped(edges.size());
  upstream_begin_.assign(std::size_t{size} + 1, 0);
  for (const auto& [from, to] : edges) {
    ++group_begin[from + 1];
    ++upstream_begin_[to + 1];
  }
  sum_up(group_begin);
  sum_up(upstream_begin_);
  auto next = group_begin;
  for (const auto& [from, to] : edges)
    grouped[next[from]++] = to;

  // Doubled edges meet here: the same upstream twice in a row.
  upstreams_.resize(edges.size());
  edges = {};
  next.assign(upstream_begin_.begin(), upstream_begin_.end());
  for (std::uint32_t from = 0; from < size; ++from)
    for (auto i = group_begin[from]; i < group_begin[from + 1]; ++i) {
      const auto to = grouped[i];
      if (next[to] == upstream_begin_[to] || upstreams_[next[to] - 1] != from)
        upstreams_[next[to]++] = from;
    }
  std::uint32_t kept = 0;
  for (std::uint32_t task = 0; task < size; ++task) {
    const auto begin = upstream_begin_[task];
    upstream_begin_[task] = kept;
    for (auto i = begin; i < next[task]; ++i)
      upstreams_[kept++] = upstreams_[i];
  }
  upstream_begin_[size] = kept;
  upstreams_.resize(kept);

  dependent_begin_.assign(std::size_t{size} + 1, 0);
  for (const auto from : upstreams_)
    ++dependent_begin_[from + 1];
  sum_up(dependent_begin_);
  next.assign(dependent_begin_.begin(), dependent_begin_.end());
  dependents_.resize(kept);
  for (std::uint32_t task = 0; task < size; ++task)
    for (const auto from : upstreams(task))
      dependents_[next[from]++] = task;
}

std::span<const std::uint32_t> dag::upstreams(std::uint32_t task) const {
  return {upstreams_.data() + upstream_begin_[task],
          upstream_begin_[task + 1] - upstream_begin_[task]};
}

std::span<const std::uint32_t> dag::dependents(std::uint32_t task) const {
  return {dependents_.data() + dependent_begin_[task],
          dependent_begin_[task + 1] - dependent_begin_[task]};
}

std::optional<std::vector<std::uint32_t>> find_cycle(const dag& graph) {
  enum class mark : std::uint8_t { unseen, on_path, done };
  struct visit {
    std::uint32_t task;
    std::uint32_t next_dependent;
  };
  std::vector<mark> marks(graph.size(), mark::unseen);
  std::vector<visit> path;
  const auto enter = [&](std::uint32_t task) {
    marks[task] = mark::on_path;
    path.push_back({task, 0});
  };
  for (std::uint32_t root = 0; root < graph.size(); ++root) {
    if (marks[root] == mark::unseen)
      enter(root);
    while (!path.empty()) {
      auto& [task, next] = path.back();
      const auto dependents = graph.dependents(task);
      if (next == dependents.size()) {
        marks[task] = mark::done;
        path.pop_back();
        continue;
      }
      const auto dependent = dependents[next++];
      if (marks[dependent] == mark::unseen) {
        enter(dependent);
      } else if (marks[dependent] == mark::on_path) {
        std::vector<std::uint32_t> cycle;
        auto at = std::find_if(path.begin(), path.end(),
                               [&](const visit& v) { return v.task == dependent; });
        for (; at != path.end(); ++at)
          cycle.push_back(at->task);
        cycle.push_back(dependent);
        return cycle;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::uint32_t> longest_ways(const dag& graph) {
  const auto size = graph.size();
  std::vector<std::uint32_t> ways(size), open(size), done;
  done.reserve(size);
  for (std::uint32_t task = 0; task < size; ++task) {
    open[task] = static_cast<std::uint32_t>(graph.dependents(task).size());
    if (open[task] == 0)
      done.push_back(task);
  }
  for (std::size_t next = 0; next < done.size(); ++next)
    for (const auto upstream : graph.upstreams(done[next])) {
      ways[upstream] = std::max(ways[upstream], ways[done[next]] + 1);
      if (--open[upstream] == 0)
        done.push_back(upstream);
    }
  return ways;
}

model::execution_plan make_plan(const dag& graph, std::optional<std::uint32_t> active_tasks,
                                std::uint32_t first_finally) {
  const auto size = graph.size();
  model::execution_plan plan;
  plan.task_count = size;
  std::vector<std::uint32_t> level(size), open(size), order;
  order.reserve(size);
  std::size_t done = 0;
  const auto set_levels = [&](std::uint32_t from, std::uint32_t to, std::uint32_t first_level) {
    for (auto task = from; task < to; ++task) {
      open[task] = static_cast<std::uint32_t>(graph.upstreams(task).size());
      level[task] = first_level;
      if (open[task] == 0)
        order.push_back(task);
    }
    for (; done < order.size(); ++done)
      for (const auto dependent : graph.dependents(order[done])) {
        level[dependent] = std::max(level[dependent], level[order[done]] + 1);
        if (--open[dependent] == 0)
          order.push_back(dependent);
      }
  };
  // The end of a longest path: the first task of the highest level.
  const auto last_of = [&](std::uint32_t from, std::uint32_t to) {
    const auto highest = std::max_element(level.begin() + from, level.begin() + to);
    return static_cast<std::uint32_t>(highest - level.begin());
  };
  set_levels(0, first_finally, 0);
  const auto before_finally = last_of(0, first_finally);
  if (first_finally < size)
    set_levels(first_finally, size, first_finally == 0 ? 0 : level[before_finally] + 1);
  auto last = last_of(0, size);
  for (std::uint32_t task = 0; task < size; ++task) {
    if (level[task] >= plan.stages.size())
      plan.stages.resize(std::size_t{level[task]} + 1);
    plan.stages[level[task]].tasks.push_back(task);
  }
  const auto limit = active_tasks.value_or(std::numeric_limits<std::uint32_t>::max());
  for (auto& stage : plan.stages) {
    const auto width = static_cast<std::uint32_t>(stage.tasks.size());
    stage.width = width;
    stage.max_parallel = std::min(width, limit);
    plan.width = std::max(plan.width, width);
  }
  if (size == 0)
    return plan;
  plan.critical_path.push_back(last);
  while (level[last] > 0) {
    const auto upstreams = graph.upstreams(last);
    last = upstreams.empty()
             ? before_finally // the first of finally
             : *std::find_if(upstreams.begin(), upstreams.end(),
                             [&](std::uint32_t task) { return level[task] + 1 == level[last]; });
    plan.critical_path.push_back(last);
  }
  std::reverse(plan.critical_path.begin(), plan.critical_path.end());
  return plan;
}

} // namespace sluice::logic

#include "logic/dag.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace sluice::logic;
using indices = std::vector<std::uint32_t>;

namespace {

indices list(std::span<const std::uint32_t> part) {
  return {part.begin(), part.end()};
}

} // namespace

TEST_CASE("dag: both directions are ascending and doubled edges count once", "[logic][dag]") {
  const dag graph{5, {{3, 4}, {0, 4}, {0, 1}, {3, 4}, {0, 2}, {2, 4}, {0, 1}}};
  CHECK(graph.size() == 5);
  CHECK(graph.edge_count() == 5);
  CHECK(list(graph.upstreams(4)) == indices{0, 2, 3});
  CHECK(list(graph.upstreams(0)).empty());
  CHECK(list(graph.upstreams(1)) == indices{0});
  CHECK(list(graph.dependents(0)) == indices{1, 2, 4});
  CHECK(list(graph.dependents(3)) == indices{4});
  CHECK(list(graph.dependents(4)).empty());
}

TEST_CASE("dag: a graph without edges or without tasks is fine", "[logic][dag]") {
  CHECK(dag{}.edge_count() == 0);
  const dag graph{2, {}};
  CHECK(graph.upstreams(1).empty());
  CHECK(graph.dependents(0).empty());
  CHECK_FALSE(find_cycle(dag{}));
  CHECK_FALSE(find_cycle(graph));
}

TEST_CASE("find_cycle: names the tasks of a cycle in order", "[logic][dag]") {
  using edges = std::vector<dag::edge>;
  const auto [given, want] = GENERATE(table<edges, std::optional<indices>>({
    {{{0, 1}, {1, 2}, {0, 2}, {2, 3}}, std::nullopt},
    {{{0, 1}, {1, 0}}, indices{0, 1, 0}},
    {{{0, 1}, {1, 2}, {2, 3}, {3, 1}}, indices{1, 2, 3, 1}},
    {{{2, 2}}, indices{2, 2}},
    {{{0, 2}, {1, 2}, {2, 3}, {3, 2}}, indices{2, 3, 2}},
  }));
  CHECK(find_cycle(dag{4, given}) == want);
}

TEST_CASE("find_cycle: a chain of a million tasks needs no stack", "[logic][dag]") {
  constexpr std::uint32_t size = 1'000'000;
  std::vector<dag::edge> edges;
  for (std::uint32_t task = 1; task < size; ++task)
    edges.emplace_back(task - 1, task);
  CHECK_FALSE(find_cycle(dag{size, edges}));
  CHECK(make_plan(dag{size, edges}, std::nullopt).critical_path.size() == size);
  edges.emplace_back(size - 1, 0);
  const auto cycle = find_cycle(dag{size, edges});
  REQUIRE(cycle);
  CHECK(cycle->size() == size + 1);
}

TEST_CASE("longest_ways: tasks behind each on the longest way", "[logic][dag]") {
  CHECK(longest_ways(dag{6, {{0, 1}, {1, 2}, {0, 2}, {4, 0}, {4, 3}}})
        == indices{2, 1, 0, 0, 3, 0});
  CHECK(longest_ways(dag{}).empty());
}

TEST_CASE("make_plan: stages by the longest way from a root", "[logic][dag]") {
  // 0 -> 1 -> 3 -> 4, 0 -> 2 -> 3, 5 alone, 0 -> 4
  const dag graph{6, {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {3, 4}, {0, 4}}};
  const auto plan = make_plan(graph, std::nullopt);
  CHECK(plan.task_count == 6);
  CHECK(plan.width == 2);
  REQUIRE(plan.stages.size() == 4);
  CHECK(plan.stages[0].tasks == indices{0, 5});
  CHECK(plan.stages[1].tasks == indices{1, 2});
  CHECK(plan.stages[2].tasks == indices{3});
  CHECK(plan.stages[3].tasks == indices{4});
  CHECK(plan.stages[1].max_parallel == 2);
  CHECK(plan.critical_path == indices{0, 1, 3, 4});
  CHECK_FALSE(plan.estimate);
}

TEST_CASE("make_plan: active_tasks bounds what runs at once but not the width", "[logic][dag]") {
  const auto plan = make_plan(dag{4, {{0, 1}, {0, 2}, {0, 3}}}, 2);
  CHECK(plan.width == 3);
  CHECK(plan.stages[0].max_parallel == 1);
  CHECK(plan.stages[1].max_parallel == 2);
}

TEST_CASE("make_plan: nothing to do is an empty plan", "[logic][dag]") {
  const auto plan = make_plan(dag{}, std::nullopt);
  CHECK(plan.stages.empty());
  CHECK(plan.critical_path.empty());
  CHECK(plan.width == 0);
}

TEST_CASE("make_plan: finally comes after all others", "[logic][dag]") {
  const dag graph{6, {{0, 1}, {0, 2}, {3, 4}}}; // 3, 4 and 5 are of finally
  const auto plan = make_plan(graph, std::nullopt, 3);
  REQUIRE(plan.stages.size() == 4);
  CHECK(plan.stages[1].tasks == indices{1, 2});
  CHECK(plan.stages[2].tasks == indices{3, 5});
  CHECK(plan.stages[3].tasks == indices{4});
  CHECK(plan.critical_path == indices{0, 1, 3, 4});
}

#include "logic/commit_window.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace sluice;
using namespace sluice::logic;
using numbers = std::vector<std::uint64_t>;

namespace {

/// A step of so many rows with one effect, told apart by `id`.
reaction a_step(std::size_t weight, std::uint64_t id) {
  reaction step;
  step.records.assign(weight, model::warning_raised{});
  step.effects.push_back(model::answer_submit{id, model::run_no{1}});
  return step;
}

numbers ids(const std::vector<model::command>& effects) {
  numbers out;
  for (const auto& effect : effects)
    out.push_back(std::get<model::answer_submit>(effect).request);
  return out;
}

numbers sendable(commit_window& window) {
  numbers out;
  for (const auto& step : window.take_sendable())
    out.push_back(step->number);
  return out;
}

} // namespace

TEST_CASE("commit_window: effects wait for the commit of their step", "[logic][commit_window]") {
  commit_window window;
  CHECK(window.push(a_step(1, 10)).empty());
  CHECK(window.push(a_step(1, 20)).empty());
  CHECK(window.push(a_step(1, 30)).empty());
  CHECK(sendable(window) == numbers{1, 2, 3});
  CHECK(sendable(window).empty());
  CHECK(ids(window.committed(2)) == numbers{10, 20});
  CHECK(ids(window.committed(2)).empty());
  CHECK(ids(window.committed(1)).empty());
  CHECK_FALSE(window.is_empty());
  CHECK(ids(window.committed(3)) == numbers{30});
  CHECK(window.is_empty());
}

TEST_CASE("commit_window: what records nothing has its effects at once when nothing waits",
          "[logic][commit_window]") {
  commit_window window;
  CHECK(ids(window.push(a_step(0, 1))) == numbers{1});
  CHECK(sendable(window).empty());

  window.push(a_step(1, 2));
  CHECK(window.push(a_step(0, 3)).empty()); // after what came before it
  window.push(a_step(1, 4));
  CHECK(sendable(window) == numbers{1, 2});
  CHECK(ids(window.committed(1)) == numbers{2, 3});
  CHECK(ids(window.committed(2)) == numbers{4});
}

TEST_CASE("commit_window: counters alone are worth a step", "[logic][commit_window]") {
  commit_window window;
  reaction counters;
  counters.counts.push_back({model::run_no{1}, {}});
  window.push(std::move(counters));
  const auto steps = window.take_sendable();
  REQUIRE(steps.size() == 1);
  CHECK(steps[0]->number == 1);
  CHECK(steps[0]->counts.size() == 1);
}

TEST_CASE("commit_window: four groups are outstanding at most", "[logic][commit_window]") {
  commit_window window{{.group = 10, .groups_outstanding = 4}};
  for (std::uint64_t id = 1; id <= 4; ++id) {
    CHECK(window.has_room());
    window.push(a_step(10, id));
  }
  CHECK_FALSE(window.has_room());
  window.push(a_step(5, 5)); // a report cannot wait
  CHECK(sendable(window) == numbers{1, 2, 3, 4});
  window.committed(1);
  CHECK(sendable(window) == numbers{5});
  CHECK(window.has_room());
}

TEST_CASE("commit_window: a step larger than a group travels alone", "[logic][commit_window]") {
  const auto heavy = GENERATE(std::size_t{11}, std::size_t{39}, std::size_t{1000});
  CAPTURE(heavy);
  commit_window window{{.group = 10, .groups_outstanding = 4}};
  window.push(a_step(1, 1));
  window.push(a_step(heavy, 2));
  window.push(a_step(1, 3));
  window.push(a_step(1, 4));
  CHECK(sendable(window) == numbers{1});
  window.committed(1);
  CHECK(sendable(window) == numbers{2});
  CHECK(sendable(window).empty());
  window.push(a_step(1, 5));
  CHECK(sendable(window).empty());
  CHECK(ids(window.committed(2)) == numbers{2});
  CHECK(sendable(window) == numbers{3, 4, 5});
  CHECK(ids(window.committed(5)) == numbers{3, 4, 5});
  CHECK(window.is_empty());
  CHECK(window.has_room());
}

TEST_CASE("commit_window: a new writer gets what the old one did not commit",
          "[logic][commit_window]") {
  commit_window window;
  for (std::uint64_t id = 1; id <= 5; ++id)
    window.push(a_step(1, id));
  CHECK(sendable(window) == numbers{1, 2, 3, 4, 5});
  window.committed(1);
  window.push(a_step(1, 6));
  // 3 was committed, and the old writer died before it could say so.
  CHECK(ids(window.writer_replaced(3)) == numbers{2, 3});
  CHECK(sendable(window) == numbers{4, 5, 6});
  CHECK(ids(window.writer_replaced(3)).empty()); // and the new one died as well
  CHECK(sendable(window) == numbers{4, 5, 6});
  CHECK(ids(window.committed(6)) == numbers{4, 5, 6});
  CHECK(window.is_empty());
}

TEST_CASE("commit_window: under crashes of the writer every step is committed once and in order",
          "[logic][commit_window]") {
  const auto seed = GENERATE(range(0u, 50u));
  CAPTURE(seed);
  std::mt19937 random{seed};
  const auto below = [&](unsigned n) { return unsigned(random() % n); };
  constexpr std::size_t group = 10, groups = 4;
  commit_window window{{.group = group, .groups_outstanding = groups}};
  std::uint64_t pushed = 0;
  numbers released;
  std::vector<step_ptr> with_writer;
  std::uint64_t stored = 0, told = 0; // by the store; to the scheduler
  const auto release = [&](const std::vector<model::command>& effects) {
    for (const auto id : ids(effects))
      released.push_back(id);
    REQUIRE(released.size() <= stored); // nothing before its commit
  };
  const auto drain = [&] {
    for (auto& step : window.take_sendable())
      with_writer.push_back(std::move(step));
    std::size_t rows = 0;
    bool heavy = false;
    for (const auto& step : with_writer) {
      rows += model::weight(*step);
      heavy = heavy || model::weight(*step) > group;
    }
    REQUIRE((heavy ? with_writer.size() == 1 : rows <= group * groups));
  };
  const auto commit = [&](std::size_t n) {
    for (std::size_t i = 0; i < n && i < with_writer.size(); ++i)
      REQUIRE(with_writer[i]->number == ++stored); // no gap and none twice
  };
  for (int i = 0; i < 300 || !window.is_empty(); ++i) {
    switch (i < 300 ? below(5) : 3) {
    case 0:
    case 1:
      if (window.has_room())
        release(window.push(a_step(below(8) == 0 ? 11 + below(60) : 1 + below(10), ++pushed)));
      break;
    case 2: // the writer dies, perhaps just after a commit
      commit(below(3));
      with_writer.clear();
      release(window.writer_replaced(stored));
      told = stored;
      break;
    default:
      commit(below(4));
      with_writer.erase(with_writer.begin(), with_writer.begin() + std::ptrdiff_t(stored - told));
      told = stored;
      release(window.committed(stored));
    }
    drain();
  }
  REQUIRE(released.size() == pushed);
  for (std::uint64_t id = 1; id <= pushed; ++id)
    REQUIRE(released[id - 1] == id);
}

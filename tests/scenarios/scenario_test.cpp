// Scenarios from seeds. SLUICE_SEEDS says how many, SLUICE_FIRST_SEED from which on; SLUICE_SEED
// runs one alone.
#include "testing/scenario.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <iostream>
#include <string>

using namespace sluice;
using namespace sluice::testing;

namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// What all scenarios of a series did.
struct coverage {
  scenario_report sum;

  void add(const scenario_report& one) {
    sum.steps += one.steps;
    sum.tasks += one.tasks;
    for (std::size_t f = 0; f < fault_count; ++f)
      sum.faults[f] += one.faults[f];
    for (std::size_t from = 0; from < one.moves.size(); ++from)
      for (std::size_t to = 0; to < one.moves.size(); ++to)
        sum.moves[from][to] += one.moves[from][to];
  }

  void print(std::uint64_t seeds) const {
    std::cout << seeds << " seeds, " << sum.steps << " steps, " << sum.tasks << " tasks\n";
    for (std::size_t f = 0; f < fault_count; ++f)
      std::cout << "  " << to_string(fault(f)) << ": " << sum.faults[f] << "\n";
    for (std::size_t from = 0; from < sum.moves.size(); ++from)
      for (std::size_t to = 0; to < sum.moves.size(); ++to)
        if (sum.moves[from][to] > 0)
          std::cout << "  " << to_string(model::task_state(from)) << " > "
                    << to_string(model::task_state(to)) << ": " << sum.moves[from][to] << "\n";
  }
};

void play(std::uint64_t first, std::uint64_t count) {
  spdlog::set_level(spdlog::level::off); // of crashes there is a lot to say
  coverage all;
  for (auto seed = first; seed < first + count; ++seed) {
    const auto report = run_scenario({.seed = seed});
    all.add(report);
    if (report.violation) {
      const auto shortest = shortest_failing({.seed = seed});
      for (const auto& line : run_scenario(shortest).story)
        std::cerr << line << "\n";
      FAIL("seed " << seed << " with " << shortest.most_faults << " faults, after step "
                   << report.steps << ": " << *report.violation);
    }
  }
  if (count > 500)
    all.print(count);
  if (count < 10'000)
    return;
  for (std::size_t f = 0; f < fault_count; ++f) {
    INFO(to_string(fault(f)));
    CHECK(all.sum.faults[f] >= count / 10);
  }
  for (const auto& row : all.sum.moves)
    for (const auto moves : row)
      CHECK((moves == 0 || moves >= count / 100));
}

} // namespace

TEST_CASE("scenario: every promise holds whatever happens", "[scenarios]") {
  if (std::getenv("SLUICE_SEED") != nullptr)
    return play(number_from("SLUICE_SEED", 1), 1);
  play(number_from("SLUICE_FIRST_SEED", 1), number_from("SLUICE_SEEDS", 500));
}

// The same for other seeds, so that they run side by side.
TEST_CASE("scenario: seeds from 501", "[scenarios]") {
  play(501, 500);
}
TEST_CASE("scenario: seeds from 1001", "[scenarios]") {
  play(1001, 500);
}
TEST_CASE("scenario: seeds from 1501", "[scenarios]") {
  play(1501, 500);
}

TEST_CASE("scenario: a seed does the same again", "[scenarios]") {
  const auto seed = GENERATE(1u, 2u, 3u, 17u, 261u);
  const auto one = run_scenario({.seed = seed});
  const auto two = run_scenario({.seed = seed});
  CHECK(one.steps == two.steps);
  CHECK(one.story == two.story);
  CHECK(one.moves == two.moves);
}

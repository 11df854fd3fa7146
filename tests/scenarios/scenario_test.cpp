// Scenarios from seeds. SLUICE_SEEDS says how many, SLUICE_FIRST_SEED from which on; SLUICE_SEED
// runs one alone, SLUICE_FAULTS with so many faults at most.
#include "logic/transitions.hpp"
#include "runtime/orchestrator.hpp"
#include "runtime/workflow_file.hpp"
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

/// Whether an event tells of such a move when it is made. The first two have none, as `ready` and
/// `running` are not stored; nothing is deferred in this version.
bool is_told(model::task_state from, model::task_state to) {
  using enum model::task_state;
  if ((from == pending && to == ready) || (from == dispatched && to == running))
    return false;
  return from != deferred && to != deferred;
}

/// What all scenarios of a series did.
struct coverage {
  scenario_report sum;

  void add(const scenario_report& one) {
    sum.steps += one.steps;
    sum.tasks += one.tasks;
    sum.additions += one.additions;
    for (std::size_t f = 0; f < fault_count; ++f)
      sum.faults[f] += one.faults[f];
    for (std::size_t from = 0; from < one.moves.size(); ++from)
      for (std::size_t to = 0; to < one.moves.size(); ++to)
        sum.moves[from][to] += one.moves[from][to];
  }

  void print(std::uint64_t seeds) const {
    std::cout << seeds << " seeds, " << sum.steps << " steps, " << sum.tasks << " tasks, "
              << sum.additions << " additions\n";
    for (std::size_t f = 0; f < fault_count; ++f)
      std::cout << "  " << to_string(fault(f)) << ": " << sum.faults[f] << "\n";
    for (std::size_t from = 0; from < sum.moves.size(); ++from)
      for (std::size_t to = 0; to < sum.moves.size(); ++to)
        if (sum.moves[from][to] > 0)
          std::cout << "  " << to_string(model::task_state(from)) << " > "
                    << to_string(model::task_state(to)) << ": " << sum.moves[from][to] << "\n";
  }
};

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t seeds_per_test = 125; // they take eight times as long
#else
constexpr std::uint64_t seeds_per_test = 500;
#endif

void play(std::uint64_t first, std::uint64_t count, const scenario_options& like = {}) {
  spdlog::set_level(spdlog::level::off); // of crashes there is a lot to say
  coverage all;
  for (auto seed = first; seed < first + count; ++seed) {
    auto options = like;
    options.seed = seed;
    const auto report = run_scenario(options);
    all.add(report);
    if (report.violation) {
      const auto shortest = shortest_failing(options);
      const auto shorter = run_scenario(shortest);
      for (const auto& line : shorter.story)
        std::cerr << line << "\n";
      FAIL("seed " << seed << " with " << shortest.most_faults << " faults, after step "
                   << shorter.steps << ": " << shorter.violation.value_or(*report.violation));
    }
  }
  if (count > 500)
    all.print(count);
  if (count < 10'000)
    return;
  CHECK(all.sum.additions >= count / 10);
  for (std::size_t f = 0; f < fault_count; ++f) {
    INFO(to_string(fault(f)));
    CHECK(all.sum.faults[f] >= count / 10);
  }
  for (std::size_t f = 0; f < model::task_state_count; ++f)
    for (std::size_t t = 0; t < model::task_state_count; ++t) {
      const auto from = model::task_state(f), to = model::task_state(t);
      INFO(to_string(from) << " > " << to_string(to));
      if (logic::is_legal(from, to) && is_told(from, to))
        CHECK(all.sum.moves[f][t] >= count / 100);
    }
}

} // namespace

TEST_CASE("scenario: every promise holds whatever happens", "[scenarios]") {
  if (std::getenv("SLUICE_SEED") != nullptr)
    return play(number_from("SLUICE_SEED", 1), 1,
                {.most_faults = number_from("SLUICE_FAULTS", scenario_options{}.most_faults)});
  play(number_from("SLUICE_FIRST_SEED", 1), number_from("SLUICE_SEEDS", seeds_per_test));
}

// The same for other seeds, so that they run side by side.
TEST_CASE("scenario: seeds from 501", "[scenarios]") {
  play(501, seeds_per_test);
}
TEST_CASE("scenario: seeds from 1001", "[scenarios]") {
  play(1001, seeds_per_test);
}
TEST_CASE("scenario: seeds from 1501", "[scenarios]") {
  play(1501, seeds_per_test);
}

TEST_CASE("scenario: a workflow of one's own keeps the promises", "[scenarios]") {
  const auto* file = GENERATE("compensate.yaml", "finally.yaml", "etl.yaml", "second-chance.yaml",
                              "sub-workflow.yaml");
  CAPTURE(file);
  const auto loaded = runtime::load_workflow_file(
    std::string{SLUICE_SOURCE_DIR} + "/examples/" + file, runtime::has_builtin_handler);
  REQUIRE(loaded);
  play(1, 30, {.workflow = loaded->workflow});
}

TEST_CASE("scenario: a seed does the same again", "[scenarios]") {
  const auto seed = GENERATE(1u, 2u, 3u, 17u, 261u);
  const auto one = run_scenario({.seed = seed});
  const auto two = run_scenario({.seed = seed});
  CHECK(one.steps == two.steps);
  CHECK(one.story == two.story);
  CHECK(one.moves == two.moves);
}

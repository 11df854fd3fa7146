#include "model/state.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <tuple>

using namespace sluice::model;

namespace {

template <class Enum, class Parse>
void check_names(std::span<const std::string_view> names, Parse parse) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    CHECK(to_string(static_cast<Enum>(i)) == names[i]);
    CHECK(parse(names[i]) == static_cast<Enum>(i));
    CHECK(seen.insert(names[i]).second);
  }
  CHECK(parse("nonsense") == std::nullopt);
  CHECK(parse("") == std::nullopt);
}

} // namespace

TEST_CASE("state: every name reads back as its value", "[model][state]") {
  check_names<task_state>(task_state_names(), parse_task_state);
  check_names<run_state>(run_state_names(), parse_run_state);
  check_names<failure_class>(failure_class_names(), parse_failure_class);
  check_names<join_rule>(join_rule_names(), parse_join_rule);
  check_names<value_type>(value_type_names(), parse_value_type);
  check_names<event_type>(event_type_names(), parse_event_type);
  check_names<executor_kind>(executor_kind_names(), parse_executor_kind);
  check_names<timer_kind>(timer_kind_names(), parse_timer_kind);
  check_names<budget_kind>(budget_kind_names(), parse_budget_kind);
  CHECK(parse_on_exceeded(to_string(on_exceeded::stop)) == on_exceeded::stop);
  CHECK(parse_on_exceeded(to_string(on_exceeded::warn)) == on_exceeded::warn);
  CHECK(parse_on_failure(to_string(on_failure::stop)) == on_failure::stop);
  CHECK(parse_on_failure(to_string(on_failure::carry_on)) == on_failure::carry_on);
  CHECK(parse_on_exhausted(to_string(on_exhausted::fail)) == on_exhausted::fail);
  CHECK(parse_on_exhausted(to_string(on_exhausted::hold)) == on_exhausted::hold);
}

TEST_CASE("state: counts of states match the lists of names", "[model][state]") {
  CHECK(task_state_names().size() == task_state_count);
  CHECK(run_state_names().size() == run_state_count);
  CHECK(failure_class_names().size() == failure_class_count);
  CHECK(executor_kind_names().size() == executor_kind_count);
  CHECK(timer_kind_names().size() == timer_kind_count);
  CHECK(budget_kind_names().size() == budget_kind_count);
}

TEST_CASE("state: spellings of other systems are understood", "[model][state]") {
  const auto [name, want] = GENERATE(table<std::string, task_state>({
    {"queued", task_state::ready},
    {"READY", task_state::ready},
    {"PENDING", task_state::pending},
    {"COMPLETE", task_state::succeeded},
    {"COMPLETED", task_state::succeeded},
    {"completed", task_state::succeeded},
    {"success", task_state::succeeded},
    {"ROLLED_BACK", task_state::rolled_back},
  }));
  CHECK(parse_task_state(name) == want);
}

TEST_CASE("state: terminal and active states", "[model][state]") {
  CHECK(is_terminal(task_state::succeeded));
  CHECK(is_terminal(task_state::rolled_back));
  CHECK_FALSE(is_terminal(task_state::rolling_back));
  CHECK(is_active(task_state::cancelling));
  CHECK_FALSE(is_active(task_state::ready));
  CHECK(is_terminal(run_state::cancelled));
  CHECK_FALSE(is_terminal(run_state::cancelling));
}

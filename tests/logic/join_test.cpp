#include "logic/join.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

using namespace sluice::logic;
using sluice::model::join_rule;
using sluice::model::task_state;
using enum upstream_outcome;

namespace {

std::size_t count(const std::vector<upstream_outcome>& outcomes, upstream_outcome which) {
  return std::size_t(std::count(outcomes.begin(), outcomes.end(), which));
}

/// The rules as they are written down, of the set of outcomes so far.
join_verdict expected_verdict(join_rule rule, const std::vector<upstream_outcome>& so_far,
                              std::size_t undecided) {
  const auto n = so_far.size();
  const auto once_all_are_decided = [&](bool holds) {
    return undecided > 0 ? join_verdict::wait : holds ? join_verdict::fire : join_verdict::skip;
  };
  switch (rule) {
  case join_rule::all_success:
    return count(so_far, success) < n ? join_verdict::skip : once_all_are_decided(true);
  case join_rule::none_failed:
    return count(so_far, failure) + count(so_far, cancelled) > 0 ? join_verdict::skip
                                                                 : once_all_are_decided(true);
  case join_rule::all_failed:
    return count(so_far, failure) < n ? join_verdict::skip : once_all_are_decided(true);
  case join_rule::all_done:
    return once_all_are_decided(true);
  case join_rule::one_success:
    return count(so_far, success) > 0 ? join_verdict::fire : once_all_are_decided(false);
  case join_rule::one_failed:
    return count(so_far, failure) > 0 ? join_verdict::fire : once_all_are_decided(false);
  case join_rule::expression:
    return undecided > 0 ? join_verdict::wait : join_verdict::evaluate;
  }
  return join_verdict::wait;
}

} // namespace

TEST_CASE("join: every rule says what it says for every sequence of outcomes", "[logic][join]") {
  const auto rule = GENERATE(join_rule::all_success, join_rule::none_failed, join_rule::all_failed,
                             join_rule::all_done, join_rule::one_success, join_rule::one_failed,
                             join_rule::expression);
  const auto upstreams = GENERATE(1u, 2u, 3u, 4u);
  CAPTURE(to_string(rule), upstreams);
  for (unsigned code = 0; code < 1u << (2 * upstreams); ++code) {
    std::vector<upstream_outcome> so_far;
    for (unsigned i = 0; i < upstreams; ++i) {
      so_far.push_back(upstream_outcome(code >> (2 * i) & 3u));
      const auto undecided = upstreams - i - 1;
      const auto verdict = judge_join(rule, so_far.back(), undecided);
      CAPTURE(code, i);
      REQUIRE(verdict == expected_verdict(rule, so_far, undecided));
      if (verdict != join_verdict::wait)
        break;
    }
  }
}

TEST_CASE("join: a terminal state counts as one outcome, an allowed failure as success",
          "[logic][join]") {
  const auto [state, strict, allowed] =
    GENERATE(table<task_state, upstream_outcome, upstream_outcome>({
      {task_state::succeeded, success, success},
      {task_state::failed, failure, success},
      {task_state::rolled_back, failure, success},
      {task_state::skipped, skipped, skipped},
      {task_state::cancelled, cancelled, cancelled},
    }));
  CAPTURE(to_string(state));
  CHECK(outcome_of(state, false) == strict);
  CHECK(outcome_of(state, true) == allowed);
}

TEST_CASE("join: a task without upstreams starts", "[logic][join]") {
  CHECK(judge_join_of_root(join_rule::all_success) == join_verdict::fire);
  CHECK(judge_join_of_root(join_rule::all_done) == join_verdict::fire);
  CHECK(judge_join_of_root(join_rule::expression) == join_verdict::evaluate);
}

TEST_CASE("join: a stop skips the rules that want success", "[logic][join]") {
  const auto [rule, stopped] = GENERATE(table<join_rule, bool>({
    {join_rule::all_success, true},
    {join_rule::none_failed, true},
    {join_rule::one_success, true},
    {join_rule::all_failed, false},
    {join_rule::one_failed, false},
    {join_rule::all_done, false},
    {join_rule::expression, false},
  }));
  CAPTURE(to_string(rule));
  CHECK(is_stopped_by_failure(rule) == stopped);
}

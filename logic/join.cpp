#include "logic/join.hpp"

namespace sluice::logic {

using model::join_rule;
using model::task_state;

upstream_outcome outcome_of(task_state terminal, bool allow_failure) {
  switch (terminal) {
  case task_state::succeeded:
    return upstream_outcome::success;
  case task_state::failed:
  case task_state::rolled_back:
    return allow_failure ? upstream_outcome::success : upstream_outcome::failure;
  case task_state::cancelled:
    return upstream_outcome::cancelled;
  default:
    return upstream_outcome::skipped;
  }
}

join_verdict judge_join(join_rule rule, upstream_outcome latest, std::uint32_t undecided) {
  const auto when_all_decided = [&](join_verdict verdict) {
    return undecided == 0 ? verdict : join_verdict::wait;
  };
  const bool succeeded = latest == upstream_outcome::success;
  const bool failed = latest == upstream_outcome::failure;
  switch (rule) {
  case join_rule::all_success:
    return succeeded ? when_all_decided(join_verdict::fire) : join_verdict::skip;
  case join_rule::none_failed:
    return failed || latest == upstream_outcome::cancelled ? join_verdict::skip
                                                           : when_all_decided(join_verdict::fire);
  case join_rule::all_failed:
    return failed ? when_all_decided(join_verdict::fire) : join_verdict::skip;
  case join_rule::all_done:
    return when_all_decided(join_verdict::fire);
  case join_rule::one_success:
    return succeeded ? join_verdict::fire : when_all_decided(join_verdict::skip);
  case join_rule::one_failed:
    return failed ? join_verdict::fire : when_all_decided(join_verdict::skip);
  case join_rule::expression:
    return when_all_decided(join_verdict::evaluate);
  }
  return join_verdict::wait;
}

join_verdict judge_join_of_root(join_rule rule) {
  return rule == join_rule::expression ? join_verdict::evaluate : join_verdict::fire;
}

bool is_stopped_by_failure(join_rule rule) {
  return rule == join_rule::all_success || rule == join_rule::none_failed
         || rule == join_rule::one_success;
}

} // namespace sluice::logic

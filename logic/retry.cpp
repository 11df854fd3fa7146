#include "logic/retry.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::logic {
namespace {

using model::failure_class;

bool matches(const model::failure_pattern& pattern, const model::failure& failure) {
  if (!pattern.code.empty() && pattern.code != failure.code)
    return false;
  if (pattern.failure_class == failure.failure_class)
    return true;
  // Exit code 75 has a class of its own, and is an exit code all the same.
  return pattern.failure_class == failure_class::exit && !pattern.code.empty()
         && failure.failure_class == failure_class::transient;
}

bool any_matches(const std::vector<model::failure_pattern>& patterns,
                 const model::failure& failure) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const auto& pattern) { return matches(pattern, failure); });
}

bool is_repeated_by_default(failure_class failure_class) {
  switch (failure_class) {
  case failure_class::exit:
  case failure_class::transient:
  case failure_class::timeout:
  case failure_class::heartbeat:
  case failure_class::validation:
  case failure_class::resource:
    return true;
  default:
    return false;
  }
}

} // namespace

bool may_pass_by_itself(const model::retry_policy* policy, const model::failure& failure) {
  return is_repeated_by_default(failure.failure_class)
         && (policy == nullptr || !any_matches(policy->stop_on, failure));
}

bool may_be_repeated(failure_class failure_class) {
  return failure_class != failure_class::cancelled && failure_class != failure_class::deadline
         && failure_class != failure_class::lost;
}

bool is_repeated(const model::retry_policy& policy, const model::failure& failure) {
  if (!may_be_repeated(failure.failure_class) || any_matches(policy.stop_on, failure))
    return false;
  return policy.on.empty() ? is_repeated_by_default(failure.failure_class)
                           : any_matches(policy.on, failure);
}

std::optional<model::milliseconds> next_delay(const model::retry_policy& policy,
                                              const model::failure& failure,
                                              std::uint32_t retries_done, double u) {
  if (retries_done >= policy.max || !is_repeated(policy, failure))
    return std::nullopt;
  const double grown = double(policy.base.count()) * std::pow(policy.factor, retries_done);
  const double capped = std::min(grown, double(policy.cap.count())); // infinity is capped too
  return model::milliseconds{
    static_cast<model::milliseconds::rep>(capped * (1.0 - policy.jitter * u))};
}

double spread(const model::attempt_key& attempt) {
  std::uint64_t bits = static_cast<std::uint64_t>(attempt.run_no.value) * 0x9E3779B97F4A7C15u;
  bits += (static_cast<std::uint64_t>(attempt.task_idx) << 32) + attempt.attempt;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9u;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBu;
  bits ^= bits >> 31;
  constexpr double unit = 1.0 / 9007199254740992.0; // 2^-53: all the bits a double holds
  return static_cast<double>(bits >> 11) * unit;
}

} // namespace sluice::logic

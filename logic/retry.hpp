// Whether a failed attempt is followed by another one, and after which wait. Pure functions.
#pragma once

#include "model/run.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <optional>

namespace sluice::logic {

/// Whether the policy repeats what failed so: `stop_on` says no to what `on` names. Without `on`
/// these classes are repeated: exit, transient, timeout, heartbeat, validation, resource.
bool is_repeated(const model::retry_policy& policy, const model::failure& failure);

/// Whether another attempt may do better though nothing is changed: its class is repeated by
/// default, and the policy, if there is one, does not stop at it.
bool may_pass_by_itself(const model::retry_policy* policy, const model::failure& failure);

/// Whether a policy may name this class in `on`: no attempt can follow a cancel or a deadline, and
/// lost attempts have a limit of their own.
bool may_be_repeated(model::failure_class failure_class);

/// Returns how long to wait before the next attempt, or nothing when the failure is not repeated or
/// the budget is spent.
///
/// The wait is base * factor^retries_done, capped, then shortened by up to `jitter` of itself, so
/// that a burst of failures does not come back as a burst of retries. `u` is in [0, 1).
/// Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
std::optional<model::milliseconds> next_delay(const model::retry_policy& policy,
                                              const model::failure& failure,
                                              std::uint32_t retries_done, double u);

/// A number in [0, 1) that is the same whenever it is asked for, and looks drawn at random.
/// Source: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", 2014,
/// the finalizer of SplitMix64.
double spread(const model::attempt_key& attempt);

} // namespace sluice::logic

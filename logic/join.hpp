// Join rules: what the decision about one upstream means for a dependent. Pure functions.
#pragma once

#include "model/state.hpp"

#include <cstdint>

namespace sluice::logic {

/// A decided upstream as a join rule counts it. A failure that is allowed counts as success; a task
/// rolled back after a failure counts as failed.
enum class upstream_outcome : std::uint8_t { success, failure, skipped, cancelled };

upstream_outcome outcome_of(model::task_state terminal, bool allow_failure);

enum class join_verdict : std::uint8_t {
  wait,     ///< not decided yet
  fire,     ///< the rule holds
  skip,     ///< the rule cannot hold any more
  evaluate, ///< all upstreams are decided: the expression decides
};

/// Applied once per upstream, in the order in which they are decided, until it says something else
/// than `wait`; because of that the last outcome and the number still open are all it needs.
join_verdict judge_join(model::join_rule rule, upstream_outcome latest, std::uint32_t undecided);

/// The verdict for a task without upstreams.
join_verdict judge_join_of_root(model::join_rule rule);

/// Whether an undecided task with this rule is skipped when its run stops on a failure.
bool is_stopped_by_failure(model::join_rule rule);

} // namespace sluice::logic

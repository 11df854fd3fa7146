// How a kind of task has fared lately: the tasks of one name in all runs of a workflow share a
// breaker, which holds them back for a while when their attempts keep failing.
#pragma once

#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::model {

struct breaker_state {
  std::uint32_t failures = 0;          ///< attempts in a row; 0: nothing is known against it
  std::optional<wall_time> open_until; ///< nothing: closed
  friend bool operator==(const breaker_state&, const breaker_state&) = default;
};

/// As the store holds it: none of a kind whose last attempt succeeded.
struct stored_breaker {
  std::string workflow;
  std::string task;
  breaker_state state;
};

} // namespace sluice::model

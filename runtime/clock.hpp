// The real clock. The only place that reads one: everything else is handed a `model::clock`.
#pragma once

#include "model/time.hpp"

#include <chrono>

namespace sluice::runtime {

/// Wall time from the system's clock, steady time from its monotonic one.
inline model::clock system_clock() {
  return {
    .wall =
      [] { return std::chrono::floor<model::microseconds>(std::chrono::system_clock::now()); },
    .steady =
      [] { return model::steady_time{std::chrono::steady_clock::now().time_since_epoch()}; },
  };
}

} // namespace sluice::runtime

// How often a crashed actor is started again, and after which pause. Pure; its owner is HOST.
#pragma once

#include "model/time.hpp"

#include <deque>
#include <optional>

namespace sluice::logic {

struct restart_limits {
  model::milliseconds first_pause{100}; ///< doubles with each restart within the window
  model::milliseconds longest_pause{5000};
  std::size_t restarts = 5; ///< the one that reaches this many within the window is refused
  model::seconds window{60};
};

class restart_policy {
public:
  explicit restart_policy(restart_limits limits = {}) : limits_(limits) {}

  enum class counting : std::uint8_t {
    limited,  ///< too many within the window: give up
    unlimited ///< the cause is outside and may last, such as a full disk
  };

  /// How long to wait before the restart, or nothing when it is time to give up.
  std::optional<model::milliseconds> next_pause(model::steady_time now, counting how);

private:
  restart_limits limits_;
  std::deque<model::steady_time> recent_; ///< bounded in next_pause
};

} // namespace sluice::logic

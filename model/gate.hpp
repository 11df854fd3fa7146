// What tasks wait for that do nothing else: a person's approval, a signal, a time.
#pragma once

#include "model/ids.hpp"
#include "model/json.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::model {

/// A run keeps so many signals that no gate has taken yet, and so much of each.
inline constexpr std::size_t most_signals = 1'000;
inline constexpr std::size_t most_signal_bytes = 64u << 10;

/// What a task that is a gate or a wait waits for.
struct awaited {
  wait_reason reason = wait_reason::none;
  std::string name;             ///< of the signal; or empty
  std::string prompt;           ///< of an approval
  std::optional<wall_time> due; ///< it goes on then, or expires
  friend bool operator==(const awaited&, const awaited&) = default;
};

/// A switch by name, for all runs of a store. One that nobody ever closed is open, and not stored.
struct switch_state {
  std::string name;
  bool is_open = true;
  std::string by;     ///< who has set it
  std::string reason; ///< what was said about it
  wall_time changed_at;
  friend bool operator==(const switch_state&, const switch_state&) = default;
};

/// That a gate with a quota has let through; a store keeps the last so many of each name.
inline constexpr std::uint32_t most_passes = 10'000;
struct quota_pass {
  std::string name;
  std::uint64_t number = 0; ///< of the passes of this name, ascending
  wall_time at;
  friend bool operator==(const quota_pass&, const quota_pass&) = default;
};

/// What a store holds of gates that are of all its runs.
struct stored_gates {
  std::vector<switch_state> switches;
  std::vector<quota_pass> passes; ///< of each name ascending
};

/// Hours of the day, on some days of the week, in which a gate is open.
struct opening_hours {
  std::uint16_t from = 0; ///< minutes since midnight
  std::uint16_t to = 0;   ///< likewise; not after `from`: on the next day
  std::uint8_t days = 0;  ///< on which they begin: bits, the lowest one is Monday; 0: on all
  bool is_local = false;  ///< by the machine's own time; else UTC
  friend bool operator==(const opening_hours&, const opening_hours&) = default;
};

/// So many may pass in any span of this length.
struct quota_limit {
  std::uint32_t max = 0;
  milliseconds per{0};
  friend bool operator==(const quota_limit&, const quota_limit&) = default;
};

/// Who has decided, and what was said about it.
struct decision {
  std::string by;
  std::string note;
  friend bool operator==(const decision&, const decision&) = default;
};

/// A signal that no gate has taken yet.
struct kept_signal {
  std::uint64_t number = 0; ///< within its run, ascending
  std::string name;
  value payload;
};

} // namespace sluice::model

// How many slots there are, between two bounds, after how much is ready for them: more while a
// backlog grows, fewer when there is little to do, and never more than memory is enough for. A
// change is given time to show what comes of it. Owned by the scheduler core.
#pragma once

#include "model/time.hpp"

#include <cstdint>
#include <optional>

namespace sluice::logic {

class slot_scaling {
public:
  struct options {
    std::uint32_t least = 4;
    std::uint32_t most = 4;  ///< as `least`: nothing changes
    std::int64_t memory = 0; ///< bytes that all attempts may use together; 0: not known
    model::milliseconds cool_down{10'000}; ///< between two changes
  };
  explicit slot_scaling(const options& what) : options_(what), slots_(what.least) {}

  bool is_adaptive() const { return options_.most > options_.least; }
  std::uint32_t slots() const { return slots_; }
  std::uint32_t most() const { return options_.most; }

  /// An attempt that has ended used so much memory at its peak.
  void note_peak(std::int64_t bytes);
  /// Half as many more when more than five tasks for each slot are ready, one fewer when less than
  /// two are. Returns whether it changed something.
  bool judge(std::size_t ready, model::wall_time now);
  /// When it would change something if as many are ready then; nothing: not at all.
  std::optional<model::wall_time> next_look(std::size_t ready) const;

private:
  std::uint32_t wanted(std::size_t ready) const;
  options options_;
  std::uint32_t slots_;
  std::optional<model::wall_time> changed_at_;
  std::int64_t largest_peak_ = 0; ///< of late: it fades as others end
};

/// Ready tasks for each slot that are many.
inline constexpr std::size_t backlog_per_slot = 5;

} // namespace sluice::logic

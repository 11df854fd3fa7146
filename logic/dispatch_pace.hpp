// How many starts may be recorded ahead of free slots. When tasks take no longer than a commit, a
// slot that waits for the commit of its next dispatch is empty most of the time.
#pragma once

#include "model/time.hpp"

#include <cstdint>
#include <deque>

namespace sluice::logic {

class dispatch_pace {
public:
  /// `most`: never more ahead than this; 0 switches it off.
  explicit dispatch_pace(std::uint32_t most) : most_(most) {}

  /// A process of ours has ended.
  void note_end(model::wall_time at);

  /// As many as end in half of `window` when things go on as they went: what is recorded now is
  /// expected to start so soon. 0 while attempts are long; two ends are no pace yet.
  std::uint32_t ahead(model::wall_time now);

  static constexpr model::milliseconds window{20};

private:
  std::uint32_t most_;
  std::deque<model::wall_time> ends_; ///< in the window, at most as many as make `most_`
};

} // namespace sluice::logic

// Whether the runtime that executes a run is still there, judged by the store's lock alone.
#pragma once

#include "model/time.hpp"
#include "storage/open.hpp"

#include <optional>

namespace sluice::runtime {

/// One look at the lock of a store.
class lock_view {
public:
  static lock_view look(const storage::store_paths& paths);

  /// Whether the holder can be the one that executes a run submitted then. A runtime executes what
  /// it accepted itself, so a run older than the holder's lock has lost its runtime.
  bool executes(model::wall_time submitted_at) const {
    return held_since_ && submitted_at >= *held_since_;
  }

private:
  std::optional<model::wall_time> held_since_; ///< nothing: nobody holds it
};

} // namespace sluice::runtime

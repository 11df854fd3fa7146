// Whether the runtime that executes a run is still there, judged by the store's lock alone.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"
#include "storage/open.hpp"

#include <optional>
#include <vector>

namespace sluice::runtime {

/// One look at the lock of a store.
class lock_view {
public:
  static lock_view look(const storage::store_paths& paths);

  bool is_held() const { return held_since_.has_value(); }
  /// Whether the holder can be the one that executes a run. A runtime executes what began with it
  /// and what it took up: any other run whose generation is older than its lock has lost its
  /// runtime.
  bool executes(model::run_no run, model::wall_time began_at) const;

private:
  std::optional<model::wall_time> held_since_; ///< nothing: nobody holds it
  std::vector<model::run_no> resumed_;
};

} // namespace sluice::runtime

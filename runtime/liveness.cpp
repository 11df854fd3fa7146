#include "runtime/liveness.hpp"

#include <algorithm>

#include <sys/stat.h>

namespace sluice::runtime {

lock_view lock_view::look(const storage::store_paths& paths) {
  lock_view view;
  struct stat info {};
  auto holder = storage::store_lock::holder(paths);
  if (!holder || ::stat(paths.lock().c_str(), &info) != 0)
    return view;
  view.resumed_ = std::move(holder->resumed);
  // The holder wrote its name into the file when it took the lock. File times are those of the last
  // clock tick, so this is never later than the first submission.
  view.held_since_ =
    model::from_us(std::int64_t{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1000);
  return view;
}

bool lock_view::executes(model::run_no run, model::wall_time began_at) const {
  return held_since_
         && (began_at >= *held_since_
             || std::find(resumed_.begin(), resumed_.end(), run) != resumed_.end());
}

} // namespace sluice::runtime

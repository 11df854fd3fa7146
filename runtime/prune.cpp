#include "runtime/prune.hpp"

#include "runtime/history.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <system_error>

namespace sluice::runtime {
namespace {

/// What cannot be removed now is found by the next time.
void remove_directories_of_no_run(const storage::store_paths& paths, history& store) {
  for (const auto& parent : std::array{paths.logs(), paths.work()}) {
    std::error_code failed;
    std::vector<std::filesystem::path> orphans;
    for (std::filesystem::directory_iterator at{parent, failed}, end; !failed && at != end;
         at.increment(failed))
      if (const auto name = at->path().filename().string(); name.starts_with("r-"))
        if (const auto run = store.run(name); !run && run.error().code == errc::not_found)
          orphans.push_back(at->path());
    for (const auto& orphan : orphans)
      if (std::filesystem::remove_all(orphan, failed); failed)
        spdlog::warn("cannot remove what is left of a run path={} cause='{}'", orphan.string(),
                     failed.message());
  }
}

} // namespace

expected<std::vector<model::run_no>> prune(const std::filesystem::path& store_dir,
                                           model::milliseconds keep, model::wall_time now) {
  const storage::store_paths paths{store_dir};
  if (const auto past = history::open(store_dir); !past && past.error().code == errc::not_found)
    return tl::unexpected(past.error());
  const auto lock = storage::store_lock::acquire(paths, {.command = "sluice prune"});
  if (!lock)
    return tl::unexpected(lock.error());
  const auto store = storage::open_store(paths);
  if (!store)
    return tl::unexpected(store.error());
  auto pruned = (*store)->prune(now - keep, now);
  if (!pruned)
    return pruned;
  auto past = history::open(store_dir);
  if (!past)
    return tl::unexpected(past.error());
  remove_directories_of_no_run(paths, *past);
  return pruned;
}

} // namespace sluice::runtime

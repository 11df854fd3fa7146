#include "cli/found_run.hpp"

namespace sluice::cli {

tl::expected<found_run, int> find_run(session& s, const std::string& id) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return tl::unexpected(s.fail(store.error()));
  auto run = store->run(id);
  if (!run)
    return tl::unexpected(s.fail(run.error()));
  return found_run{std::move(*store), std::move(*run)};
}

} // namespace sluice::cli

#include "actors/live_runs.hpp"

#include <algorithm>
#include <limits>

namespace sluice::actors {

expected<live_runs> read_live_runs(storage::reader& store, const run_ownership& ours) {
  const auto next = store.next_run_no();
  if (!next)
    return tl::unexpected(next.error());
  storage::run_query query;
  query.unfinished_only = true;
  query.limit = std::numeric_limits<std::size_t>::max();
  const auto unfinished = store.runs(query);
  if (!unfinished)
    return tl::unexpected(unfinished.error());

  std::vector<model::stored_run> runs;
  for (auto row = unfinished->rbegin(); row != unfinished->rend(); ++row) {
    const auto is_ours =
      row->began_seq > ours.after_seq
      || std::find(ours.resumed.begin(), ours.resumed.end(), row->run_no) != ours.resumed.end();
    if (!is_ours)
      continue;
    auto run = store.stored_run(row->run_no);
    if (!run)
      return tl::unexpected(run.error());
    runs.push_back(std::move(*run));
  }
  auto breakers = store.breakers();
  if (!breakers)
    return tl::unexpected(breakers.error());
  auto gates = store.gates();
  if (!gates)
    return tl::unexpected(gates.error());
  return live_runs{std::make_shared<const std::vector<model::stored_run>>(std::move(runs)),
                   std::make_shared<const std::vector<model::stored_breaker>>(std::move(*breakers)),
                   std::make_shared<const model::stored_gates>(std::move(*gates)), *next};
}

} // namespace sluice::actors

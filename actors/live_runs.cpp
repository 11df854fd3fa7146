#include "actors/live_runs.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace sluice::actors {

expected<live_runs> read_live_runs(storage::reader& store, const run_ownership& ours,
                                   model::wall_time now) {
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
  std::set<model::run_no> taken;
  for (auto row = unfinished->rbegin(); row != unfinished->rend(); ++row) {
    // One that is an attempt goes where the run goes which is older, and that it is part of.
    const auto is_ours = row->parent
                           ? taken.contains(row->parent->run_no)
                           : row->began_seq > ours.after_seq
                               || std::find(ours.resumed.begin(), ours.resumed.end(), row->run_no)
                                    != ours.resumed.end();
    if (!is_ours)
      continue;
    auto run = store.stored_run(row->run_no);
    if (!run)
      return tl::unexpected(run.error());
    taken.insert(row->run_no);
    runs.push_back(std::move(*run));
  }
  auto breakers = store.breakers();
  if (!breakers)
    return tl::unexpected(breakers.error());
  auto capacity = store.capacity(now - model::longest_rate);
  if (!capacity)
    return tl::unexpected(capacity.error());
  auto gates = store.gates();
  if (!gates)
    return tl::unexpected(gates.error());
  return live_runs{std::make_shared<const std::vector<model::stored_run>>(std::move(runs)),
                   std::make_shared<const std::vector<model::stored_breaker>>(std::move(*breakers)),
                   std::make_shared<const model::stored_gates>(std::move(*gates)),
                   std::move(*capacity), *next};
}

} // namespace sluice::actors

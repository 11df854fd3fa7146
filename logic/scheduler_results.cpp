// What a run comes to: evaluated when all of its tasks are over and it would succeed, in the step
// that ends it. Large outputs that it names are read back first.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

/// Of all results of a run, as of all outputs of a task.
constexpr std::size_t most_result_bytes = 1u << 20;

} // namespace

/// @pre all tasks are over
void scheduler_core::end_run(live_run& run) {
  const bool has_results = !run.workflow->results().empty() && run.results.is_null();
  if (has_results && run.outcome() == model::run_state::succeeded) {
    if (load_results(run))
      return; // its end comes when they are there
    evaluate_results(run);
  }
  move_run(run, run.outcome());
}

/// Asks for what is in the store only. Returns whether there is something to wait for.
bool scheduler_core::load_results(live_run& run) {
  bool is_waiting = false;
  for (const auto task : run.workflow->result_reads()) {
    const auto found = run.outputs.find(task);
    if (found == run.outputs.end() || !found->second.in_store_only)
      continue;
    auto& kept = found->second;
    if (!std::exchange(kept.is_for_results, true) && kept.values.is_null()) {
      ++kept.pins;
      if (kept.waiting.empty())
        step_.effects.push_back(model::load_outputs{run.run_no, task});
      kept.waiting.push_back(of_results);
    }
    is_waiting =
      is_waiting
      || std::find(kept.waiting.begin(), kept.waiting.end(), of_results) != kept.waiting.end();
  }
  return is_waiting;
}

void scheduler_core::evaluate_results(live_run& run) {
  const run_scope names{run};
  auto results = model::value::object();
  for (const auto& [name, text] : run.workflow->results()) {
    auto filled = text.fill(names);
    if (!filled)
      return fail_results(run, "out." + name + ": " + filled.error().message);
    results[name] = std::move(*filled);
  }
  if (model::to_text(results).size() > most_result_bytes)
    return fail_results(run, "out: the results are larger than 1 MiB; put what is large into a "
                             "file, and its name here");
  run.results = std::move(results);
}

/// Its tasks have succeeded, and it has not.
void scheduler_core::fail_results(live_run& run, std::string why) {
  run.has_no_results = true;
  run.error = std::move(why);
}

} // namespace sluice::logic

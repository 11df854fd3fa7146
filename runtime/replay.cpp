#include "runtime/replay.hpp"

namespace sluice::runtime {
namespace {

constexpr std::size_t page_size = 2'000;
constexpr std::size_t most_problems = 20;

void add_problem(replayed_run& replayed, std::string text) {
  if (replayed.problems.size() < most_problems)
    replayed.problems.push_back(std::move(text));
}

expected<void> compare(history& store, const run_view& run, replayed_run& replayed) {
  const auto& folded = replayed.run;
  if (run.state != folded.state)
    add_problem(replayed, "the row of the run says " + std::string{to_string(run.state)}
                            + ", its events " + std::string{to_string(folded.state)});
  if (run.counts != folded.counts)
    add_problem(replayed, "the counts of the run are not those of its events");
  return store.each_task(run, [&](const task_view& task) {
    const auto idx = task.key.task_idx;
    if (idx >= folded.tasks.size())
      add_problem(replayed, "task '" + task.name + "' is in no event");
    else if (task.state != folded.tasks[idx].state || task.attempt != folded.tasks[idx].attempt)
      add_problem(replayed, "the row of task '" + task.name + "' says "
                              + std::string{to_string(task.state)} + ", attempt "
                              + std::to_string(task.attempt) + ", its events "
                              + std::string{to_string(folded.tasks[idx].state)} + ", attempt "
                              + std::to_string(folded.tasks[idx].attempt));
    return replayed.problems.size() < most_problems;
  });
}

} // namespace

expected<replayed_run> replay(history& store, const run_view& run,
                              std::optional<model::wall_time> until) {
  logic::event_fold fold{logic::event_fold::log::of_some_runs};
  replayed_run replayed;
  for (bool goes_on = true; goes_on;) {
    const auto page = store.events(run.run_no, replayed.last_seq, page_size);
    if (!page)
      return tl::unexpected(page.error());
    goes_on = page->size() == page_size;
    for (const auto& event : *page) {
      if (until && event.at > *until) {
        goes_on = false;
        break;
      }
      replayed.last_seq = event.seq;
      if (const auto fits = fold.apply(event); !fits) {
        add_problem(replayed, fits.error().message);
        continue;
      }
      ++replayed.events;
      replayed.at = event.at;
    }
  }
  if (const auto* folded = fold.find(run.run_no))
    replayed.run = *folded;
  if (!until && !run.is_live()) // while it goes on, rows and events are read at two moments
    if (const auto compared = compare(store, run, replayed); !compared)
      return tl::unexpected(compared.error());
  return replayed;
}

} // namespace sluice::runtime

#include "runtime/replay.hpp"

namespace sluice::runtime {
namespace {

constexpr std::size_t page_size = 2'000;
constexpr std::size_t most_problems = 20;

void add_problem(std::vector<std::string>& problems, std::string text) {
  if (problems.size() < most_problems)
    problems.push_back(std::move(text));
}

/// When the run and its tasks came to the states they are in.
struct moments {
  std::optional<model::wall_time> of_run;
  std::vector<std::optional<model::wall_time>> of_tasks;

  void note(const model::event& e) {
    if (e.is_note())
      return;
    if (!e.task_idx) {
      of_run = e.at;
      return;
    }
    if (of_tasks.size() <= *e.task_idx)
      of_tasks.resize(*e.task_idx + std::size_t{1});
    of_tasks[*e.task_idx] = e.at;
  }
};

std::string words_of(model::task_state state, std::uint32_t attempt) {
  return std::string{to_string(state)} + ", attempt " + std::to_string(attempt);
}

expected<void> compare(history& store, const run_view& run, const moments& when,
                       replayed_run& replayed) {
  const auto& folded = replayed.run;
  auto& mended = replayed.mended;
  mended.run_no = run.run_no;
  mended.state = folded.state;
  mended.counts = folded.counts;
  if (is_terminal(folded.state))
    mended.finished_at = when.of_run;
  if (run.state != folded.state)
    add_problem(replayed.problems, "the row of the run says " + std::string{to_string(run.state)}
                                     + ", its events " + std::string{to_string(folded.state)});
  if (run.counts != folded.counts)
    add_problem(replayed.problems, "the counts of the run are not those of its events");
  return store.each_task(run, [&](const task_view& task) {
    const auto idx = task.key.task_idx;
    if (idx >= folded.tasks.size()) {
      add_problem(replayed.misfits, "task '" + task.name + "' is in no event");
      return true;
    }
    const auto& should = folded.tasks[idx];
    if (task.state == should.state && task.attempt == should.attempt)
      return true;
    const auto why = "the row of task '" + task.name + "' says "
                     + words_of(task.state, task.attempt) + ", its events "
                     + words_of(should.state, should.attempt);
    const bool is_decided = is_terminal(should.state) && idx < when.of_tasks.size();
    mended.tasks.push_back(
      {idx, should.state, should.attempt, is_decided ? when.of_tasks[idx] : std::nullopt, why});
    add_problem(replayed.problems, why);
    return true;
  });
}

} // namespace

expected<replayed_run> replay(history& store, const run_view& run,
                              std::optional<model::wall_time> until) {
  logic::event_fold fold{logic::event_fold::log::of_some_runs};
  replayed_run replayed;
  moments when;
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
        add_problem(replayed.misfits, fits.error().message);
        continue;
      }
      ++replayed.events;
      replayed.at = event.at;
      when.note(event);
    }
  }
  if (const auto* folded = fold.find(run.run_no))
    replayed.run = *folded;
  if (!until && !run.is_live()) // while it goes on, rows and events are read at two moments
    if (const auto compared = compare(store, run, when, replayed); !compared)
      return tl::unexpected(compared.error());
  return replayed;
}

expected<replayed_run> repair(const std::filesystem::path& store_dir, model::run_no run,
                              model::wall_time now) {
  const storage::store_paths paths{store_dir};
  const auto lock = storage::store_lock::acquire(paths, {.command = "sluice replay --repair"});
  if (!lock)
    return tl::unexpected(lock.error());
  auto past = history::open(store_dir);
  if (!past)
    return tl::unexpected(past.error());
  auto found = past->run(to_string(run)).and_then([&](const run_view& row) {
    return replay(*past, row, std::nullopt);
  });
  if (!found || found->is_sound())
    return found;
  if (!found->misfits.empty())
    return fail(errc::conflict, "the events do not fit together, so the rows cannot be repaired "
                                "from them: "
                                  + found->misfits.front());
  const auto store = storage::open_store(paths);
  if (!store)
    return tl::unexpected(store.error());
  if (const auto done = (*store)->mend(found->mended, now); !done)
    return tl::unexpected(done.error());
  return found;
}

} // namespace sluice::runtime

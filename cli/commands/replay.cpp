#include "runtime/replay.hpp"

#include "cli/commands/commands.hpp"
#include "cli/found_run.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "model/timestamp.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct replay_options {
  std::string run;
  std::string at;
  std::size_t limit = 1000;
  bool repair = false;
};

/// The states of all tasks by their number: `3 succeeded  1 dispatched`.
std::string count_states(const model::state_counts& counts) {
  std::string text;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      text += (text.empty() ? "" : "  ") + std::to_string(counts[i]) + " "
              + std::string{to_string(model::task_state(i))};
  return text;
}

void print_text(session& s, const runtime::run_view& run, const runtime::replayed_run& replayed,
                const model::task_names& names, const replay_options& options) {
  const auto state = to_string(replayed.run.state);
  s.out.line(s.out.tinted(run.workflow, tint::bold) + " " + to_string(run.run_no) + "  "
             + s.out.tinted(state, tint_of(state)) + "  after " + std::to_string(replayed.events)
             + " events, the last at " + runtime::to_date_and_time(*replayed.at, s.zone));
  s.out.line(count_states(replayed.run.counts));
  table t;
  for (std::uint32_t i = 0; i < std::min(replayed.run.tasks.size(), options.limit); ++i) {
    const auto& task = replayed.run.tasks[i];
    const auto name = to_string(task.state);
    t.row({{i < names.size() ? printable(names.name(i)) : std::to_string(i)},
           {std::string{name}, tint_of(name)},
           {task.attempt == 0 ? "" : "attempt " + std::to_string(task.attempt)}});
  }
  t.print(s.out, "  ");
}

void print_json(session& s, const runtime::run_view& run, const runtime::replayed_run& replayed) {
  model::value v{{"run", to_string(run.run_no)},
                 {"events", replayed.events},
                 {"state", to_string(replayed.run.state)},
                 {"misfits", replayed.misfits},
                 {"problems", replayed.problems}};
  if (replayed.at)
    v["at"] = model::to_rfc3339(*replayed.at);
  auto& tasks = v["tasks"] = model::value::array();
  for (const auto& task : replayed.run.tasks)
    tasks.push_back({{"state", to_string(task.state)}, {"attempt", task.attempt}});
  s.print_json(v);
}

int repair(session& s, model::run_no run) {
  const auto repaired = runtime::repair(s.store_dir, run, s.clock.wall());
  if (!repaired)
    return s.fail(repaired.error());
  const auto tasks = repaired->mended.tasks.size();
  if (s.json()) {
    s.print_json({{"run", to_string(run)}, {"repaired", repaired->problems}, {"tasks", tasks}});
  } else if (s.text()) {
    for (const auto& problem : repaired->problems)
      s.out.line(problem);
    s.out.line(repaired->problems.empty()
                 ? to_string(run) + ": the rows say what the events say; nothing to repair"
                 : to_string(run) + ": repaired, with " + plural(tasks, "row") + " of tasks");
  }
  return exit_done;
}

int replay(session& s, const replay_options& options) {
  const auto until = model::parse_timestamp(options.at);
  if (!options.at.empty() && !until)
    return s.fail("'" + options.at + "' is not a time, write 2026-03-01T07:30:00Z", exit_usage);
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  if (options.repair)
    return repair(s, run.run_no);
  const auto replayed = runtime::replay(store, run, until);
  if (!replayed)
    return s.fail(replayed.error());
  const auto names = store.names(run.run_no);
  if (!names)
    return s.fail(names.error());
  if (!replayed->at)
    return s.fail(to_string(run.run_no) + " was submitted later, at "
                    + model::to_rfc3339(run.submitted_at),
                  exit_not_found);
  if (s.json())
    print_json(s, run, *replayed);
  else if (s.text())
    print_text(s, run, *replayed, *names, options);
  for (const auto& problem : replayed->misfits)
    s.err.line(problem);
  for (const auto& problem : replayed->problems)
    s.err.line(problem);
  if (!replayed->problems.empty() && replayed->misfits.empty())
    s.err.line("repair the rows from the events: "
               + s.hint("replay " + to_string(run.run_no) + " --repair"));
  return replayed->is_sound() ? exit_done : exit_internal;
}

} // namespace

void add_replay(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<replay_options>();
  auto* verb = program.add_subcommand(
    "replay", "Show a run as its events tell it, now or at a moment of the past");
  verb->add_option("RUN", options->run, "r-12, @last or @last-failed")->required();
  auto* at = verb->add_option("--at", options->at, "The moment, such as 2026-03-01T07:30:00Z")
               ->type_name("TIME");
  verb
    ->add_flag("--repair", options->repair,
               "Make the rows of a run that nobody executes say what its events say")
    ->excludes(at);
  verb->add_option("--limit", options->limit, "At most this many tasks")->capture_default_str();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return replay(s, *options); }; });
}

} // namespace sluice::cli

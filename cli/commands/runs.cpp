#include "cli/commands/commands.hpp"
#include "cli/filter.hpp"
#include "cli/table.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"
#include "runtime/history_json.hpp"

#include <CLI/CLI.hpp>

#include <array>

namespace sluice::cli {
namespace {

std::string progress_words(const runtime::run_view& run) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < run.counts.size(); ++i)
    if (model::is_terminal(static_cast<model::task_state>(i)))
      done += run.counts[i];
  return std::to_string(done) + "/" + std::to_string(run.task_count());
}

void print_table(session& s, const std::vector<runtime::run_view>& runs) {
  table t{{"RUN", "WORKFLOW", "STATE", "TASKS", "SUBMITTED", "TIME", "", "", "", ""}};
  const auto now = s.clock.wall();
  for (const auto& run : runs)
    t.row({{to_string(run.run_no)},
           {run.workflow},
           {std::string{run.shown_state()}, tint_of(run.shown_state())},
           {progress_words(run)},
           {runtime::to_date_and_time(run.submitted_at, s.zone)},
           {run_time(run, now)},
           {parent_words(run)},
           {run.is_paused() ? "paused" : "", tint::yellow},
           {generation_words(run.generation)},
           {count_words(run), tint::dim}});
  t.print(s.out);
}

int list_runs(session& s, const list_options& options) {
  constexpr std::array<std::string_view, 2> keys{"state", "workflow"};
  auto filters = read_filters(options.filters, keys);
  if (!filters)
    return s.fail(filters.error());
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto runs = store->runs(
    {.state = (*filters)["state"], .workflow = (*filters)["workflow"], .limit = options.limit});
  if (!runs)
    return s.fail(runs.error());
  for (const auto& run : *runs)
    if (s.json())
      s.print_json(to_json(run));
    else if (s.quiet())
      s.out.line(to_string(run.run_no));
  if (s.text() && !runs->empty())
    print_table(s, *runs);
  else if (s.text())
    s.out.line("no runs");
  return exit_done;
}

} // namespace

void add_runs(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<list_options>();
  auto* verb = program.add_subcommand("runs", "List runs, newest first");
  verb->add_option("--limit", options->limit, "At most this many")->capture_default_str();
  verb->add_option("--filter", options->filters, "state=STATE or workflow=NAME")
    ->allow_extra_args(false);
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return list_runs(s, *options); }; });
}

} // namespace sluice::cli

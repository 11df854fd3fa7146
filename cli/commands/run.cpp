#include "cli/commands/commands.hpp"
#include "cli/run_node.hpp"
#include "cli/workflow_input.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct run_options {
  std::string file;
  std::string resume;              ///< a run to go on with, instead
  std::vector<std::string> params; ///< `name=value`
  std::uint32_t slots = 0;
};

/// Runs that an earlier runtime left in this store are nobody's: say so.
void name_interrupted_runs(session& s) {
  constexpr std::size_t most = 3;
  auto store = runtime::history::open(s.store_dir);
  if (!s.text() || !store)
    return;
  const auto runs = store->runs({.state = "interrupted", .workflow = "", .limit = most});
  if (!runs)
    return;
  for (const auto& run : *runs)
    s.err.line(run.workflow + " " + how_to_go_on(s, run.run_no));
  s.err.flush();
}

int run_file(session& s, const run_options& options) {
  auto loaded = load_workflow(s, options.file);
  if (!loaded)
    return loaded.error();
  auto submission = make_submission(s, std::move(*loaded), options.file, options.params);
  if (!submission)
    return submission.error();
  return run_node(s, {.slots = options.slots, .command = "sluice run " + options.file},
                  [&](runtime::orchestrator& node, signal_watch& signals) {
                    name_interrupted_runs(s);
                    run_tracker tracker{submission->workflow};
                    const auto run = ask_node<model::run_no>(signals, [&](auto done) {
                      node.submit(std::move(*submission), std::move(done));
                    });
                    return run.map([&](model::run_no run_no) {
                      return watched_run{run_no, std::move(tracker), 0};
                    });
                  });
}

/// Goes on with an interrupted run.
int resume_run(session& s, const run_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto last_seq = store->last_seq();
  const auto run = store->run(options.resume);
  if (!run)
    return s.fail(run.error());
  const auto workflow = store->workflow(run->run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, *run};
  const auto command = "sluice run --resume " + to_string(run->run_no);
  return run_node(s, {.slots = options.slots, .command = command, .resume = {run->run_no}},
                  [&](runtime::orchestrator&, signal_watch&) -> expected<watched_run> {
                    if (s.text()) {
                      s.out.line(run->workflow + " " + to_string(run->run_no)
                                 + " goes on: " + std::to_string(tracker.done()) + " of "
                                 + std::to_string(tracker.total()) + " tasks are done");
                      s.out.flush();
                    }
                    return watched_run{run->run_no, std::move(tracker), *last_seq};
                  });
}

int run(session& s, const run_options& options) {
  return options.resume.empty() ? run_file(s, options) : resume_run(s, options);
}

} // namespace

void add_run(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<run_options>();
  auto* verb = program.add_subcommand("run", "Run a workflow file, from start to result");
  auto* what = verb->add_option_group("what")->require_option(1);
  auto* file = what->add_option("FILE", options->file, "The workflow, YAML or JSON");
  what->add_option("--resume", options->resume, "Go on with an interrupted run")->type_name("RUN");
  verb->add_option("-p,--param", options->params, "A parameter, NAME=VALUE; may be repeated")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false)
    ->needs(file);
  verb->add_option("--slots", options->slots, "Tasks at once; by default 4, or the CPUs if fewer")
    ->check(CLI::Range(1u, 100'000u));
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return run(s, *options); }; });
}

} // namespace sluice::cli

#include "cli/awaited.hpp"
#include "cli/commands/commands.hpp"
#include "cli/report.hpp"
#include "cli/run_loop.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"
#include "runtime/footprint.hpp"

#include <CLI/CLI.hpp>

#include <array>

#include <poll.h>

namespace sluice::cli {
namespace {

/// Events between an actor's thread and ours; what does not fit is read from the store.
constexpr std::size_t inbox_capacity = 4'096;

struct run_options {
  std::string file;
  std::vector<std::string> params; ///< `name=value`
  std::uint32_t slots = 0;
};

int code_of_run(const runtime::run_view& run, int cancelled_by) {
  if (run.state == model::run_state::succeeded)
    return exit_done;
  if (run.state == model::run_state::cancelled && cancelled_by != 0)
    return cancelled_by == SIGTERM ? exit_terminated : exit_interrupted;
  return exit_run_failed;
}

int conclude(session& s, model::run_no run_no, int cancelled_by) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error().message, exit_internal);
  const auto run = store->run(to_string(run_no));
  if (!run)
    return s.fail(run.error().message, exit_internal);
  if (s.text())
    if (const auto printed = print_report(s, *store, *run); !printed)
      return s.fail(printed.error().message, exit_internal);
  const int code = code_of_run(*run, cancelled_by);
  if (s.quiet() && code != exit_done)
    return s.fail(run->workflow + " " + to_string(run_no) + " " + std::string{run->shown_state()}
                    + (run->error.empty() ? "" : ": " + run->error)
                    + "\nmore: " + s.hint("show " + to_string(run_no)),
                  code);
  return code;
}

/// Starting a node can fail in ways that are no fault of the command line.
int fail_to_start(session& s, const error& e) {
  return s.fail(e.message, e.code == errc::not_found ? exit_internal : exit_code_of(e.code));
}

/// Waits until the run is durable, or a signal comes first: a store that cannot be written may take
/// for ever. Errors: those of `orchestrator::submit`, `cancelled` after a signal.
expected<model::run_no> submit(runtime::orchestrator& node, model::submission submission,
                               signal_watch& signals) {
  // Shared: the answer may come after we have given up.
  const auto answer = std::make_shared<awaited<expected<model::run_no>>>();
  node.submit(std::move(submission),
              [answer](expected<model::run_no> result) { answer->deliver(std::move(result)); });
  while (true) {
    if (auto result = answer->take())
      return std::move(*result);
    if (signals.take())
      return fail(errc::cancelled, "interrupted before the store had taken the run");
    std::array<pollfd, 2> fds{pollfd{answer->descriptor(), POLLIN, 0},
                              pollfd{signals.descriptor(), POLLIN, 0}};
    ::poll(fds.data(), fds.size(), -1);
  }
}

int run_submission(session& s, model::submission submission, const run_options& options) {
  auto signals = signal_watch::open(); // before the first thread
  if (!signals)
    return s.fail(signals.error());
  runtime::share_heap_arenas();
  // Shared: a call that is under way when the subscription ends may still use it.
  const auto inbox = std::make_shared<event_inbox>(inbox_capacity);
  auto node = runtime::orchestrator::start({
    .store_dir = s.store_dir,
    .slots = options.slots,
    .command = "sluice run " + options.file,
    .on_fatal = [inbox](error why) { inbox->close(std::move(why)); },
  });
  if (!node)
    return fail_to_start(s, node.error());
  const auto workflow = submission.workflow;
  auto watching =
    (*node)->watch([inbox](std::span<const model::event> events) { inbox->push(events); });
  const auto run = submit(**node, std::move(submission), *signals);
  if (!run && run.error().code == errc::cancelled)
    return s.fail(run.error().message, exit_interrupted);
  if (!run)
    return fail_to_start(s, run.error());

  runtime::release_startup_memory();

  run_loop loop{s, **node, *inbox, *signals, workflow, *run};
  const auto ended = loop.run();
  watching = {};
  (*node)->stop();
  if (!ended)
    return s.fail(ended.error().message + "\n" + to_string(*run)
                    + " is interrupted: " + s.hint("show " + to_string(*run)),
                  exit_internal);
  { const auto released = std::move(*signals); } // from here on Ctrl-C ends the program
  return conclude(s, *run, loop.cancelled_by());
}

int run(session& s, const run_options& options) {
  const auto workflow = load_workflow(s, options.file);
  if (!workflow)
    return workflow.error();
  auto submission = make_submission(s, *workflow, options.file, options.params);
  if (!submission)
    return submission.error();
  return run_submission(s, std::move(*submission), options);
}

} // namespace

void add_run(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<run_options>();
  auto* verb = program.add_subcommand("run", "Run a workflow file, from start to result");
  verb->add_option("FILE", options->file, "The workflow, YAML or JSON")->required();
  verb->add_option("-p,--param", options->params, "A parameter, NAME=VALUE; may be repeated")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false);
  verb->add_option("--slots", options->slots, "Tasks at once; by default 4, or the CPUs if fewer")
    ->check(CLI::Range(1u, 100'000u));
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return run(s, *options); }; });
}

} // namespace sluice::cli

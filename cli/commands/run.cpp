#include "api/handlers.hpp"
#include "api/server.hpp"
#include "cli/awaited.hpp"
#include "cli/commands/commands.hpp"
#include "cli/report.hpp"
#include "cli/run_loop.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"
#include "runtime/footprint.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <functional>

#include <poll.h>

namespace sluice::cli {
namespace {

/// Events between an actor's thread and ours; what does not fit is read from the store.
constexpr std::size_t inbox_capacity = 4'096;

struct run_options {
  std::string file;
  std::string resume;              ///< a run to go on with, instead
  std::vector<std::string> params; ///< `name=value`
  std::uint32_t slots = 0;
};

int code_of_run(const runtime::run_view& run, run_loop::outcome how) {
  if (run.state == model::run_state::succeeded)
    return exit_done;
  if (run.state == model::run_state::cancelled && how == run_loop::outcome::cancelled)
    return exit_interrupted;
  return exit_run_failed;
}

std::string how_to_go_on(const session& s, model::run_no run) {
  return to_string(run)
         + " is interrupted; go on with: " + s.hint("run --resume " + to_string(run));
}

int conclude(session& s, model::run_no run_no, run_loop::outcome how) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error().message, exit_internal);
  const auto run = store->run(to_string(run_no));
  if (!run)
    return s.fail(run.error().message, exit_internal);
  if (s.text())
    if (const auto printed = print_report(s, *store, *run); !printed)
      return s.fail(printed.error().message, exit_internal);
  const int code = code_of_run(*run, how);
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

/// Hands requests on to the node. It has to outlive the server.
expected<void> serve(api::server& socket, runtime::orchestrator& node) {
  return socket.serve([calls = api::calls_of(node)](api::request what, api::responder done) {
    api::handle(calls, std::move(what), std::move(done));
  });
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

/// What is to be done with the node: makes its run, or names the one it took up.
using beginning =
  std::function<expected<watched_run>(runtime::orchestrator& node, signal_watch& signals)>;

/// From the start of a node to the end of its run.
int run_node(session& s, runtime::orchestrator_options options, const beginning& begin) {
  auto signals = signal_watch::open(); // before the first thread
  if (!signals)
    return s.fail(signals.error());
  runtime::share_heap_arenas();
  // Shared: a call that is under way when the subscription ends may still use it.
  const auto inbox = std::make_shared<event_inbox>(inbox_capacity);
  options.store_dir = s.store_dir;
  options.on_fatal = [inbox](error why) { inbox->close(std::move(why)); };
  expected<std::unique_ptr<runtime::orchestrator>> node; // outlives what calls it
  std::unique_ptr<api::server> socket;                   // null: the store lies too deep for one
  options.open_socket = [&socket](const std::filesystem::path& at) {
    return api::server::listen({.socket = at}).map([&](auto made) { socket = std::move(made); });
  };
  node = runtime::orchestrator::start(std::move(options));
  if (!node)
    return fail_to_start(s, node.error());
  if (socket)
    if (const auto serving = serve(*socket, **node); !serving)
      return fail_to_start(s, serving.error());
  auto watching =
    (*node)->watch([inbox](std::span<const model::event> events) { inbox->push(events); });
  auto run = begin(**node, *signals);
  if (!run && run.error().code == errc::cancelled)
    return s.fail(run.error().message, exit_interrupted);
  if (!run)
    return fail_to_start(s, run.error());
  const auto run_no = run->run_no;

  runtime::release_unused_memory();

  run_loop loop{s, **node, *inbox, *signals, std::move(*run)};
  const auto ended = loop.run();
  watching = {};
  socket.reset(); // nobody is answered any more; before what it calls ends
  (*node)->stop();
  if (!ended)
    return s.fail(ended.error().message + "\n" + how_to_go_on(s, run_no), exit_internal);
  if (*ended == run_loop::outcome::drained)
    return s.fail(how_to_go_on(s, run_no), exit_terminated);
  { const auto released = std::move(*signals); } // from here on Ctrl-C ends the program
  return conclude(s, run_no, *ended);
}

int run_file(session& s, const run_options& options) {
  auto loaded = load_workflow(s, options.file);
  if (!loaded)
    return loaded.error();
  auto submission = make_submission(s, std::move(*loaded), options.file, options.params);
  if (!submission)
    return submission.error();
  return run_node(
    s, {.slots = options.slots, .command = "sluice run " + options.file},
    [&](runtime::orchestrator& node, signal_watch& signals) {
      name_interrupted_runs(s);
      run_tracker tracker{submission->workflow};
      return submit(node, std::move(*submission), signals).map([&](model::run_no run) {
        return watched_run{run, std::move(tracker), 0};
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

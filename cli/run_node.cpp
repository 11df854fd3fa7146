#include "cli/run_node.hpp"

#include "api/handlers.hpp"
#include "api/server.hpp"
#include "cli/report.hpp"
#include "cli/words.hpp"
#include "runtime/footprint.hpp"

namespace sluice::cli {
namespace {

/// Events between an actor's thread and ours; what does not fit is read from the store.
constexpr std::size_t inbox_capacity = 4'096;

int code_of_run(const runtime::run_view& run, run_loop::outcome how, model::run_state good_end) {
  if (run.state == good_end)
    return exit_done;
  if (run.state == model::run_state::cancelled && how == run_loop::outcome::cancelled)
    return exit_interrupted;
  return exit_run_failed;
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

} // namespace

int conclude(session& s, model::run_no run_no, run_loop::outcome how, model::run_state good_end) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error().message, exit_internal);
  const auto run = store->run(to_string(run_no));
  if (!run)
    return s.fail(run.error().message, exit_internal);
  if (s.text())
    if (const auto printed = print_report(s, *store, *run); !printed)
      return s.fail(printed.error().message, exit_internal);
  const int code = code_of_run(*run, how, good_end);
  if (s.quiet() && code != exit_done)
    return s.fail(run->workflow + " " + to_string(run_no) + " " + std::string{run->shown_state()}
                    + (run->error.empty() ? "" : ": " + run->error)
                    + "\nmore: " + s.hint("show " + to_string(run_no)),
                  code);
  return code;
}

std::string how_to_go_on(const session& s, model::run_no run) {
  return to_string(run)
         + " is interrupted; go on with: " + s.hint("run --resume " + to_string(run));
}

std::string part_of_another(const session& s, runtime::history& store,
                            const runtime::run_view& run) {
  const auto root = store.root_of(run).value_or(run.parent->run_no);
  return to_string(run.run_no) + " is part of " + to_string(root)
         + ", and goes on with it: " + s.hint("run --resume " + to_string(root));
}

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
  const auto good_end = run->good_end;

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
  return conclude(s, run_no, *ended, good_end);
}

} // namespace sluice::cli

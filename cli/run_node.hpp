// A node that lives for one run, from its start to the run's end: what the verbs have in common
// that are runtimes themselves. Blocks on the thread that prints.
#pragma once

#include "cli/awaited.hpp"
#include "cli/run_loop.hpp"

#include <array>
#include <functional>
#include <memory>
#include <string>

#include <poll.h>

namespace sluice::cli {

/// What is to be done with the node: makes its run, or names the one it took up.
using beginning =
  std::function<expected<watched_run>(runtime::orchestrator& node, signal_watch& signals)>;

/// Starts the node, shows the run, serves the socket, and reports how the run ended. Returns the
/// exit code. Signals are taken from before the first thread to the end of the run.
int run_node(session& s, runtime::orchestrator_options options, const beginning& begin);

/// The report of a run that is over, and the exit code for it: 0 for the end that was asked for.
int conclude(session& s, model::run_no run_no, run_loop::outcome how,
             model::run_state good_end = model::run_state::succeeded);

/// That a run goes on with the one it is part of, and how that does.
std::string part_of_another(const session& s, runtime::history& store,
                            const runtime::run_view& run);

/// Says that the run is interrupted, and the command that goes on with it.
std::string how_to_go_on(const session& s, model::run_no run);

/// Waits for what a node calls back with, or until a signal comes first: a store that cannot be
/// written may take for ever. `ask` is given the callback. Errors: `cancelled` after a signal.
template <class T>
expected<T> ask_node(signal_watch& signals,
                     const std::function<void(std::function<void(expected<T>)>)>& ask) {
  // Shared: the answer may come after we have given up.
  const auto answer = std::make_shared<awaited<expected<T>>>();
  ask([answer](expected<T> result) { answer->deliver(std::move(result)); });
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

} // namespace sluice::cli

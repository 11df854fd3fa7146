#include "api/bodies.hpp"
#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/run_node.hpp"
#include "cli/words.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct rollback_options {
  std::string run;
};

/// `r-12 is being rolled back: compensating 2 tasks (load, extract)`
std::string compensation_words(const model::control_result& done) {
  return to_string(done.run_no) + " is being rolled back: compensating "
         + plural(done.tasks.size(), "task") + " (" + some_of(done.tasks) + ")";
}

/// The runtime that holds the store does it.
int roll_back_there(session& s, model::run_no run) {
  const auto done = carry_out(s, {.run = run,
                                  .what = model::rollback_run{},
                                  .verb = "rollback",
                                  .body = model::value::object()});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json(api::to_json(*done));
  else if (s.text())
    s.out.line(compensation_words(*done));
  return exit_done;
}

/// Nobody holds the store: this process does it, and stays until it is done.
int roll_back_here(session& s, runtime::history& store, const runtime::run_view& run) {
  const auto last_seq = store.last_seq();
  const auto workflow = store.workflow(run.run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, run};
  if (auto known = tracker.read_tasks(store, run); !known)
    return s.fail(known.error());
  return run_node(s, {.command = "sluice rollback " + to_string(run.run_no)},
                  [&](runtime::orchestrator& node, signal_watch& signals) {
                    const auto done = ask_node<model::control_result>(signals, [&](auto answer) {
                      node.control(run.run_no, model::rollback_run{}, "operator",
                                   std::move(answer));
                    });
                    if (done && s.text()) {
                      s.out.line(compensation_words(*done));
                      s.out.flush();
                    }
                    return done.map([&](const model::control_result&) {
                      return watched_run{run.run_no, std::move(tracker), *last_seq,
                                         model::run_state::rolled_back};
                    });
                  });
}

int rollback(session& s, const rollback_options& options) {
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  if (run.interrupted)
    return s.fail(how_to_go_on(s, run.run_no), exit_refused);
  return runtime::lock_view::look({s.store_dir}).is_held() ? roll_back_there(s, run.run_no)
                                                           : roll_back_here(s, store, run);
}

} // namespace

void add_rollback(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<rollback_options>();
  auto* verb = program.add_subcommand(
    "rollback", "Compensate the tasks of a run that has ended, the last that succeeded first");
  verb->add_option("RUN", options->run, "The run: r-12, @last, @last-failed")->required();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return rollback(s, *options); }; });
}

} // namespace sluice::cli

#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/remote.hpp"
#include "cli/run_node.hpp"
#include "cli/words.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct cancel_options {
  std::string run;
  bool force = false;
  std::string group; ///< empty: all of it
};

std::string cancelling_words(const std::string& run) {
  return "cancelling " + run;
}

/// The runtime that executes it does it.
int cancel_there(session& s, const std::string& id, const cancel_options& options) {
  const auto answer = ask_holder(
    s, {.verb = api::verb::post,
        .target = "/api/v1/runs/" + id + "/cancel" + (options.force ? "?force=true" : "")});
  if (!answer)
    return answer.error();
  if (s.json())
    s.print_json(*answer);
  else if (s.text())
    s.out.line(options.force ? "killing the tasks of " + id
                             : cancelling_words(id)
                                 + ": waiting for its tasks to end; --force kills "
                                   "them at once");
  return exit_done;
}

/// Nobody executes it: this process takes it up, and starts nothing but what is under `finally`.
int cancel_here(session& s, runtime::history& store, const runtime::run_view& run, bool force) {
  const auto id = to_string(run.run_no);
  if (run.parent)
    return s.fail(part_of_another(s, store, run), exit_refused);
  if (!run.paused) { // else something could start before the cancel is recorded
    const auto paused = carry_out(s, {.run = run.run_no,
                                      .what = model::pause_run{},
                                      .verb = "pause",
                                      .body = model::value::object()});
    if (!paused)
      return paused.error();
  }
  const auto last_seq = store.last_seq();
  const auto workflow = store.workflow(run.run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, run};
  if (auto known = tracker.read_tasks(store, run); !known)
    return s.fail(known.error());
  const auto mode = force ? model::cancel_mode::immediate : model::cancel_mode::graceful;
  return run_node(
    s, {.command = "sluice cancel " + id, .resume = {run.run_no}},
    [&](runtime::orchestrator& node, signal_watch& signals) {
      const auto done = ask_node<model::run_no>(signals, [&](auto answer) {
        node.cancel(run.run_no, mode, "operator", std::move(answer));
      });
      if (done)
        node.control(run.run_no, model::resume_run{}, "operator",
                     [](const auto&) {}); // it may have ended already
      if (done && s.text()) {
        s.out.line(cancelling_words(id));
        s.out.flush();
      }
      return done.map([&](model::run_no run_no) {
        return watched_run{run_no, std::move(tracker), *last_seq, model::run_state::cancelled};
      });
    });
}

/// Only what belongs to a group. The run goes on, so that whoever executes it has to do it.
int cancel_group(session& s, const runtime::run_view& run, const cancel_options& options) {
  const auto mode = options.force ? model::cancel_mode::immediate : model::cancel_mode::graceful;
  const auto done = carry_out(s, {.run = run.run_no,
                                  .what = model::cancel_group{options.group, mode},
                                  .verb = "cancel",
                                  .body = {{"group", options.group}, {"force", options.force}}});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json(
      {{"run", to_string(run.run_no)}, {"group", options.group}, {"tasks", done->tasks}});
  else if (s.text())
    s.out.line("group '" + printable(options.group) + "' of " + to_string(run.run_no) + ": "
               + (done->tasks.empty() ? "all of it is decided already"
                                      : plural(done->tasks.size(), "task") + " cancelled"));
  return exit_done;
}

int cancel(session& s, const cancel_options& options) {
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  const auto id = to_string(run.run_no);
  if (model::is_terminal(run.state))
    return s.fail(id + " has ended: " + std::string{run.shown_state()}, exit_refused);
  if (!options.group.empty())
    return cancel_group(s, run, options);
  return runtime::lock_view::look({s.store_dir}).is_held()
           ? cancel_there(s, id, options)
           : cancel_here(s, store, run, options.force);
}

} // namespace

void add_cancel(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<cancel_options>();
  auto* verb = program.add_subcommand(
    "cancel", "Cancel a run: one that another process executes, or an interrupted one");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->add_flag("--force", options->force, "Kill its tasks at once");
  verb->add_option("--group", options->group, "Only the tasks of this group; the run goes on");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return cancel(s, *options); }; });
}

} // namespace sluice::cli

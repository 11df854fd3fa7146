#include "api/bodies.hpp"
#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/node_flags.hpp"
#include "cli/remote.hpp"
#include "cli/run_node.hpp"
#include "cli/words.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct retry_options {
  std::string id;      ///< of a run, or of a task that is held
  bool failed = false; ///< the default; said aloud
  std::string from, downstream;
  node_flags node;
};

/// `r-12 generation 2: 2 tasks reset (publish, tidy), 11 kept`
std::string words_of(const model::control_result& done) {
  const auto names = some_of(done.tasks);
  return to_string(done.run_no) + " generation " + std::to_string(done.generation) + ": "
         + plural(done.tasks.size(), "task") + " reset" + (names.empty() ? "" : " (" + names + ")")
         + ", " + std::to_string(done.kept) + " kept";
}

expected<model::retry_run> scope_of(runtime::history& store, const runtime::run_view& run,
                                    const retry_options& options) {
  if (options.from.empty() && options.downstream.empty())
    return model::retry_run{};
  const auto& name = options.from.empty() ? options.downstream : options.from;
  return store.task(to_string(run.run_no) + "/" + name).map([&](const runtime::task_ref& found) {
    return model::retry_run{options.from.empty() ? model::retry_scope::downstream
                                                 : model::retry_scope::from,
                            found.task.name};
  });
}

/// The runtime that holds the store goes on with the run.
int retry_there(session& s, model::run_no run, const model::retry_run& what) {
  auto body = model::value::object();
  if (what.scope != model::retry_scope::failed)
    body[what.scope == model::retry_scope::from ? "from" : "downstream"] = what.task;
  const auto answer = ask_holder(s, {.verb = api::verb::post,
                                     .target = "/api/v1/runs/" + to_string(run) + "/retry",
                                     .body = model::to_text(body)});
  if (!answer)
    return answer.error();
  const auto done = api::read_control_result(*answer);
  if (!done)
    return s.fail(done.error().message, exit_internal);
  if (s.json())
    s.print_json(*answer);
  else if (s.text())
    s.out.line(words_of(*done));
  return exit_done;
}

/// Nobody holds the store: this process goes on with the run, as `run --resume` does.
int retry_here(session& s, runtime::history& store, const runtime::run_view& run,
               model::retry_run what, const node_flags& flags) {
  const auto last_seq = store.last_seq();
  const auto workflow = store.workflow(run.run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, run};
  if (auto known = tracker.read_tasks(store, run); !known)
    return s.fail(known.error());
  return run_node(s, node_options(flags, "sluice retry " + to_string(run.run_no)),
                  [&](runtime::orchestrator& node, signal_watch& signals) {
                    const auto done = ask_node<model::control_result>(signals, [&](auto answer) {
                      node.control(run.run_no, std::move(what), "operator", std::move(answer));
                    });
                    if (done && s.text()) {
                      s.out.line(words_of(*done));
                      s.out.flush();
                    }
                    return done.map([&](const model::control_result&) {
                      return watched_run{run.run_no, std::move(tracker), *last_seq};
                    });
                  });
}

int retry_run(session& s, const retry_options& options) {
  auto target = find_run(s, options.id);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  if (run.interrupted)
    return s.fail(how_to_go_on(s, run.run_no), exit_refused);
  auto what = scope_of(store, run, options);
  if (!what)
    return s.fail(what.error());
  return runtime::lock_view::look({s.store_dir}).is_held()
           ? retry_there(s, run.run_no, *what)
           : retry_here(s, store, run, std::move(*what), options.node);
}

std::string words_of(const runtime::task_view& task) {
  return task_id(task.key, task.name) + " is tried again";
}

/// Nobody holds the store: this process goes on with the run of the task, which is interrupted.
int retry_task_here(session& s, runtime::history& store, const runtime::task_ref& found,
                    const node_flags& flags) {
  const auto run_no = found.run.run_no;
  const auto last_seq = store.last_seq();
  const auto workflow = store.workflow(run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, found.run};
  if (auto known = tracker.read_tasks(store, found.run); !known)
    return s.fail(known.error());
  return run_node(s, node_options(flags, "sluice retry " + to_string(found.task.key), {run_no}),
                  [&](runtime::orchestrator& node, signal_watch& signals) {
                    const auto done = ask_node<model::control_result>(signals, [&](auto answer) {
                      node.control(run_no, model::retry_task{found.task.name}, "operator",
                                   std::move(answer));
                    });
                    if (done && s.text()) {
                      s.out.line(words_of(found.task));
                      s.out.flush();
                    }
                    return done.map([&](const model::control_result&) {
                      return watched_run{run_no, std::move(tracker), *last_seq};
                    });
                  });
}

int retry_task(session& s, const retry_options& options) {
  if (!options.from.empty() || !options.downstream.empty() || options.failed)
    return s.fail("--failed, --from and --downstream are about a run, not about one task",
                  exit_usage);
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto found = store->task(options.id);
  if (!found)
    return s.fail(found.error());
  const auto& [run, task, attempt] = *found;
  const auto id = to_string(run.run_no);
  if (model::is_terminal(run.state))
    return s.fail(id + " has ended; start the task and what is downstream of it again with: "
                    + s.hint("retry " + id + " --from " + shell_quoted(task.name)),
                  exit_refused);
  if (task.wait_reason != model::wait_reason::hold)
    return s.fail("task '" + task.name + "' is " + std::string{task.shown_state()}
                    + ", and not held: only a task that is held is tried again alone",
                  exit_refused);
  if (!runtime::lock_view::look({s.store_dir}).is_held())
    return retry_task_here(s, *store, *found, options.node);
  const auto done = carry_out(s, {.run = run.run_no,
                                  .what = model::retry_task{task.name},
                                  .verb = "retry",
                                  .body = {{"task", task.name}}});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json({{"run", id}, {"task", task.name}});
  else if (s.text())
    s.out.line(words_of(task)
               + (run.interrupted ? "; go on with: " + s.hint("run --resume " + id) : ""));
  return exit_done;
}

int retry(session& s, const retry_options& options) {
  return options.id.find('/') == std::string::npos ? retry_run(s, options) : retry_task(s, options);
}

} // namespace

void add_retry(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<retry_options>();
  auto* verb = program.add_subcommand(
    "retry",
    "Start a run that has ended again, where it failed or from a task on; or a task that is held");
  verb
    ->add_option("RUN", options->id,
                 "The run: r-12, @last, @last-failed; or a task that is held: r-12/load")
    ->required();
  auto* what = verb->add_option_group("what")->require_option(0, 1);
  what->add_flag("--failed", options->failed,
                 "What failed or was cancelled, and what was skipped for it; the default");
  what->add_option("--from", options->from, "A task and all that is downstream of it")
    ->type_name("TASK");
  what->add_option("--downstream", options->downstream, "All that is downstream of a task")
    ->type_name("TASK");
  add_node_flags(*verb, options->node);
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return retry(s, *options); }; });
}

} // namespace sluice::cli

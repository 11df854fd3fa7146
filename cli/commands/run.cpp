#include "cli/commands/commands.hpp"
#include "cli/node_flags.hpp"
#include "cli/progress.hpp"
#include "cli/run_node.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"
#include "runtime/config_load.hpp"
#include "runtime/idempotency.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct run_options {
  std::string file;
  std::string resume;              ///< a run to go on with, instead
  std::vector<std::string> params; ///< `name=value`
  std::string key;
  bool has_key = false; ///< an empty one is none, and refused
  node_flags node;
};

/// Runs that an earlier runtime left in this store are nobody's: say so.
void name_interrupted_runs(session& s) {
  constexpr std::size_t most = 3;
  auto store = runtime::history::open(s.store_dir);
  if (!s.text() || !store)
    return;
  const auto runs =
    store->runs({.state = "interrupted", .workflow = "", .limit = most, .whole_only = true});
  if (!runs)
    return;
  for (const auto& run : *runs)
    s.err.line(run.workflow + " " + how_to_go_on(s, run.run_no));
  s.err.flush();
}

/// Names the tasks of a run that are held back: nothing else may happen for a while.
void print_waiting(session& s, model::run_no run, const run_tracker& tracker) {
  const auto& waiting = tracker.waiting();
  for (const auto& [idx, task] : waiting)
    s.out.line("  " + printable(task.name) + "  " + waiting_words(task.what, s.clock.wall()));
  const auto held = std::find_if(waiting.begin(), waiting.end(), [](const auto& task) {
    return std::holds_alternative<model::failure>(task.second.what);
  });
  if (held != waiting.end())
    s.out.line(how_to_answer(s, {run, held->first}, held->second.name));
  for (const auto& [idx, task] : waiting)
    if (const auto* gate = std::get_if<model::awaited>(&task.what))
      if (const auto how = how_to_pass(s, {run, idx}, task.name, *gate, tracker.workflow());
          !how.empty())
        s.out.line(how);
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
  if (run->parent)
    return s.fail(part_of_another(s, *store, *run), exit_refused);
  const auto workflow = store->workflow(run->run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  run_tracker tracker{*workflow, *run};
  if (auto known = tracker.read_tasks(*store, *run); !known)
    return s.fail(known.error());
  const auto command = "sluice run --resume " + to_string(run->run_no);
  return run_node(s, node_options(options.node, command, {run->run_no}),
                  [&](runtime::orchestrator&, signal_watch&) -> expected<watched_run> {
                    if (s.text()) {
                      s.out.line(run->workflow + " " + to_string(run->run_no)
                                 + " goes on: " + std::to_string(tracker.done()) + " of "
                                 + std::to_string(tracker.total()) + " tasks are done");
                      print_waiting(s, run->run_no, tracker);
                      if (run->is_paused())
                        s.out.line("it is paused: nothing starts; go on with: "
                                   + s.hint("resume " + to_string(run->run_no)));
                      s.out.flush();
                    }
                    return watched_run{run->run_no, std::move(tracker), *last_seq};
                  });
}

/// The run that was begun with the key of this request.
expected<runtime::run_view> run_with_key(const session& s, const model::idempotency_key& key) {
  return runtime::history::open(s.store_dir).and_then([&](runtime::history&& store) {
    return store.run_of_key(key, s.clock.wall());
  });
}

/// Shows a run that is over as if this command had run it.
int show_again(session& s, const runtime::run_view& run) {
  constexpr std::size_t page = 1'000;
  if (s.text())
    s.out.line(run.workflow + " " + to_string(run.run_no)
               + " has this key; it is not started again");
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  for (std::int64_t seq = 0; s.json();) {
    const auto events = store->events(run.run_no, seq, page);
    if (!events)
      return s.fail(events.error());
    for (const auto& e : *events) {
      s.print_json(model::to_json(e));
      seq = e.seq;
    }
    if (events->size() < page)
      break;
  }
  return conclude(s, run.run_no, run_loop::outcome::ended);
}

/// Another process, or this command before, began a run with this key.
int run_repeated(session& s, const runtime::run_view& run, run_options options) {
  if (model::is_terminal(run.state))
    return show_again(s, run);
  if (!run.interrupted)
    return s.fail(to_string(run.run_no) + " has this key, and another process executes it",
                  exit_refused);
  options.resume = to_string(run.run_no);
  return resume_run(s, options);
}

int run_file(session& s, const run_options& options) {
  auto loaded = load_workflow(s, options.file);
  if (!loaded)
    return loaded.error();
  auto submission = make_submission(s, std::move(*loaded), options.file, options.params);
  if (!submission)
    return submission.error();
  submission->user = runtime::user_name();
  if (options.has_key) {
    auto key = runtime::key_of(*submission, options.key);
    if (!key)
      return s.fail("--key: " + key.error().message, exit_usage);
    submission->key = std::move(*key);
    const auto begun = run_with_key(s, *submission->key);
    if (begun)
      return run_repeated(s, *begun, options);
    if (begun.error().code != errc::not_found)
      return s.fail(begun.error());
  }
  return run_node(s, node_options(options.node, "sluice run " + options.file),
                  [&](runtime::orchestrator& node, signal_watch& signals) -> expected<watched_run> {
                    // Now that the store is ours, nobody else can give the key to a run.
                    if (submission->key && run_with_key(s, *submission->key))
                      return fail(errc::conflict, "another process has just used this key");
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
  auto* key = verb
                ->add_option("--key", options->key,
                             "Run it once: for 24 hours the same key stands for the run it began")
                ->needs(file);
  add_node_flags(*verb, options->node);
  verb->callback([options, key, &chosen] {
    options->has_key = key->count() != 0;
    chosen = [options](session& s) { return run(s, *options); };
  });
}

} // namespace sluice::cli

#include "api/bodies.hpp"
#include "cli/commands/commands.hpp"
#include "cli/found_run.hpp"
#include "cli/remote.hpp"
#include "cli/run_node.hpp"
#include "cli/words.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct retry_options {
  std::string run;
  bool failed = false; ///< the default; said aloud
  std::string from, downstream;
  std::uint32_t slots = 0;
};

/// `r-12 generation 2: 2 tasks reset (publish, tidy), 11 kept`
std::string words_of(const model::control_result& done) {
  constexpr std::size_t most_names = 5;
  std::string names;
  for (std::size_t i = 0; i < done.tasks.size() && i < most_names; ++i)
    names += (i == 0 ? "" : ", ") + printable(done.tasks[i]);
  if (done.tasks.size() > most_names)
    names += " and " + std::to_string(done.tasks.size() - most_names) + " more";
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
               model::retry_run what, std::uint32_t slots) {
  const auto last_seq = store.last_seq();
  const auto workflow = store.workflow(run.run_no);
  if (!workflow || !last_seq)
    return s.fail(workflow ? last_seq.error() : workflow.error());
  return run_node(s, {.slots = slots, .command = "sluice retry " + to_string(run.run_no)},
                  [&](runtime::orchestrator& node, signal_watch& signals) {
                    const auto done = ask_node<model::control_result>(signals, [&](auto answer) {
                      node.control(run.run_no, std::move(what), "operator", std::move(answer));
                    });
                    if (done && s.text()) {
                      s.out.line(words_of(*done));
                      s.out.flush();
                    }
                    return done.map([&](const model::control_result&) {
                      return watched_run{run.run_no, run_tracker{*workflow, run}, *last_seq};
                    });
                  });
}

int retry(session& s, const retry_options& options) {
  auto target = find_run(s, options.run);
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
           : retry_here(s, store, run, std::move(*what), options.slots);
}

} // namespace

void add_retry(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<retry_options>();
  auto* verb = program.add_subcommand(
    "retry", "Start a run that has ended again, where it failed or from a task on");
  verb->add_option("RUN", options->run, "The run: r-12, @last, @last-failed")->required();
  auto* what = verb->add_option_group("what")->require_option(0, 1);
  what->add_flag("--failed", options->failed,
                 "What failed or was cancelled, and what was skipped for it; the default");
  what->add_option("--from", options->from, "A task and all that is downstream of it")
    ->type_name("TASK");
  what->add_option("--downstream", options->downstream, "All that is downstream of a task")
    ->type_name("TASK");
  verb->add_option("--slots", options->slots, "Tasks at once; by default 4, or the CPUs if fewer")
    ->check(CLI::Range(1u, 100'000u));
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return retry(s, *options); }; });
}

} // namespace sluice::cli

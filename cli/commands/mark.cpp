#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct mark_options {
  std::string task;
  bool succeeded = false, skipped = false, failed = false;

  model::task_state as() const {
    return succeeded ? model::task_state::succeeded
           : skipped ? model::task_state::skipped
                     : model::task_state::failed;
  }
};

int mark(session& s, const mark_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto found = store->task(options.task);
  if (!found)
    return s.fail(found.error());
  const auto& task = found->task;
  const std::string as{to_string(options.as())};
  const auto done = carry_out(s, {.run = task.key.run_no,
                                  .what = model::mark_task{task.name, options.as()},
                                  .verb = "mark",
                                  .body = {{"task", task.name}, {"as", as}}});
  if (!done)
    return done.error();
  const auto id = task_id(task.key, task.name);
  if (s.json())
    s.print_json({{"run", to_string(task.key.run_no)}, {"task", task.name}, {"state", as}});
  else if (s.text())
    s.out.line(id + " is marked " + as + "; it was " + std::string{task.shown_state()});
  const auto run_state = found->run.state;
  if (s.text() && model::is_terminal(run_state)) {
    const bool has_failures =
      run_state == model::run_state::failed || run_state == model::run_state::cancelled;
    s.out.line("go on with: "
               + s.hint("retry " + to_string(task.key.run_no)
                        + (has_failures ? "" : " --downstream " + shell_quoted(task.name))));
  }
  return exit_done;
}

} // namespace

void add_mark(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<mark_options>();
  auto* verb = program.add_subcommand("mark", "Decide a task that does not run by hand");
  verb->add_option("TASK", options->task, "The task: r-12/load, @last/load")->required();
  auto* as = verb->add_option_group("as")->require_option(1);
  as->add_flag("--succeeded", options->succeeded, "It counts as done; it puts nothing out");
  as->add_flag("--skipped", options->skipped, "It counts as skipped");
  as->add_flag("--failed", options->failed, "It counts as failed for good");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return mark(s, *options); }; });
}

} // namespace sluice::cli

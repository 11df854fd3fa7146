#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/words.hpp"
#include "cli/workflow_input.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct addition_options {
  std::string run;
  std::string file;
};

int add_to_run(session& s, const addition_options& options) {
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  auto& [store, run] = *target;
  const auto id = to_string(run.run_no);
  if (is_terminal(run.state))
    return s.fail(id + " has ended: it is " + std::string{to_string(run.state)}, exit_refused);
  const auto names = store.names(run.run_no);
  if (!names)
    return s.fail(names.error());
  const auto loaded = load_added_tasks(s, options.file, {names->workflow(), names->size()});
  if (!loaded)
    return loaded.error();
  const auto done = carry_out(s, {.run = run.run_no,
                                  .what = model::add_tasks{loaded->workflow},
                                  .verb = "add",
                                  .body = {{"workflow", model::to_json(*loaded->workflow)}},
                                  .target = "/api/v1/runs/" + id + "/tasks"});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json(
      {{"run", id}, {"tasks", done->tasks}, {"task_count", done->kept + done->tasks.size()}});
  else if (s.text())
    s.out.line(id + " has " + plural(done->tasks.size(), "task")
               + " more: " + some_of(done->tasks));
  if (s.text() && run.interrupted)
    s.out.line("go on with: " + s.hint("run --resume " + id));
  return exit_done;
}

} // namespace

void add_add(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<addition_options>();
  auto* verb = program.add_subcommand("add", "Give a run in progress further tasks");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->add_option("FILE", options->file, "A file with the tasks, YAML or JSON")->required();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return add_to_run(s, *options); }; });
}

} // namespace sluice::cli

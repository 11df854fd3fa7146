#include "cli/commands/commands.hpp"
#include "cli/found_run.hpp"
#include "cli/remote.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct cancel_options {
  std::string run;
  bool force = false;
};

int cancel(session& s, const cancel_options& options) {
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  const auto& run = target->run;
  const auto id = to_string(run.run_no);
  if (model::is_terminal(run.state))
    return s.fail(id + " has ended: " + std::string{run.shown_state()}, exit_refused);
  const auto answer = ask_holder(
    s, {.verb = api::verb::post,
        .target = "/api/v1/runs/" + id + "/cancel" + (options.force ? "?force=true" : "")});
  if (!answer)
    return answer.error();
  if (s.json())
    s.print_json(*answer);
  else if (s.text())
    s.out.line(options.force ? "killing the tasks of " + id
                             : "cancelling " + id
                                 + ": waiting for its tasks to end; --force kills "
                                   "them at once");
  return exit_done;
}

} // namespace

void add_cancel(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<cancel_options>();
  auto* verb = program.add_subcommand("cancel", "Cancel a run that another process executes");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->add_flag("--force", options->force, "Kill its tasks at once");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return cancel(s, *options); }; });
}

} // namespace sluice::cli

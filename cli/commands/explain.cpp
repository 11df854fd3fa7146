#include "cli/commands/commands.hpp"
#include "cli/explanation.hpp"
#include "cli/remote.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"
#include "runtime/liveness.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct explain_options {
  std::string task;
};

/// The runtime that has the task's run knows; of any other run the store says all there is.
tl::expected<model::value, int> find_out(session& s, const runtime::task_ref& found) {
  const auto& task = found.task;
  if (!found.run.is_live() || !runtime::lock_view::look({s.store_dir}).is_held())
    return explanation_of(found);
  return ask_holder(s, {.target = "/api/v1/runs/" + to_string(task.key.run_no)
                                  + "/explain?task=" + api::percent_encoded(task.name)});
}

int explain(session& s, const explain_options& options) {
  auto store = runtime::history::open(s.store_dir);
  if (!store)
    return s.fail(store.error());
  const auto found = store->task(options.task);
  if (!found)
    return s.fail(found.error());
  const auto answer = find_out(s, *found);
  if (!answer)
    return answer.error();
  if (s.json()) {
    s.print_json(*answer);
    return exit_done;
  }
  for (const auto& line : explanation_lines(*answer))
    s.out.line(line);
  return exit_done;
}

} // namespace

void add_explain(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<explain_options>();
  auto* verb = program.add_subcommand("explain", "Why a task does not run, and what it waits for");
  verb->add_option("TASK", options->task, "r-12/load, or r-12/7")->required();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return explain(s, *options); }; });
}

} // namespace sluice::cli

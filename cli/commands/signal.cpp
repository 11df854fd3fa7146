#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/words.hpp"
#include "runtime/config_load.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct signal_options {
  std::string run;
  std::string name;
  std::string payload = "null";
  std::string by;
};

int send(session& s, const signal_options& options) {
  const auto payload = model::parse_json(options.payload);
  if (!payload)
    return s.fail("the payload is no JSON: " + payload.error().message, exit_usage);
  auto target = find_run(s, options.run);
  if (!target)
    return target.error();
  const auto& run = target->run;
  const auto by = options.by.empty() ? runtime::user_name() : options.by;
  const auto done =
    carry_out(s, {.run = run.run_no,
                  .what = model::send_signal{options.name, *payload, by},
                  .verb = "signal",
                  .body = {{"name", options.name}, {"payload", *payload}, {"by", by}},
                  .target = "/api/v1/runs/" + to_string(run.run_no) + "/signals"});
  if (!done)
    return done.error();
  if (s.json())
    s.print_json({{"run", to_string(run.run_no)}, {"name", options.name}, {"tasks", done->tasks}});
  else if (s.text())
    s.out.line(to_string(run.run_no) + " has the signal '" + printable(options.name) + "'; "
               + (done->tasks.empty() ? "it is kept until a gate takes it"
                                      : some_of(done->tasks) + " goes on"));
  return exit_done;
}

} // namespace

void add_signal(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<signal_options>();
  auto* verb = program.add_subcommand("signal", "Send a run a signal that a gate waits for");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->add_option("NAME", options->name, "The signal, as the gate names it")->required();
  verb->add_option("JSON", options->payload, "What goes with it; by default null");
  verb->add_option("--by", options->by, "Who sends it; by default who you are");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return send(s, *options); }; });
}

} // namespace sluice::cli

#include "cli/commands/commands.hpp"
#include "cli/control.hpp"
#include "cli/found_run.hpp"
#include "cli/words.hpp"
#include "runtime/history.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct pause_options {
  std::string run;
  bool stop = false;
};

/// The order for a run that a person has named, and what to say when it is carried out.
template <class Say>
int change(session& s, const std::string& id, control_order order, const Say& say) {
  auto target = find_run(s, id);
  if (!target)
    return target.error();
  const auto& run = target->run;
  order.run = run.run_no;
  const auto done = carry_out(s, order);
  if (!done)
    return done.error();
  if (s.json())
    s.print_json({{"run", to_string(order.run)}, {"paused", order.verb == "pause"}});
  else if (s.text())
    s.out.line(say(run, *done));
  return exit_done;
}

int pause(session& s, const pause_options& options) {
  const auto mode = options.stop ? model::pause_mode::stop : model::pause_mode::let_end;
  return change(s, options.run,
                {.what = model::pause_run{mode}, .verb = "pause", .body = {{"stop", options.stop}}},
                [&](const runtime::run_view& run, const model::control_result& done) {
                  const auto id = to_string(run.run_no);
                  return id + " is paused"
                         + (done.tasks.empty() ? ""
                                               : ", and stops " + plural(done.tasks.size(), "task"))
                         + "; go on with: " + s.hint("resume " + id);
                });
}

int resume(session& s, const pause_options& options) {
  return change(
    s, options.run, {.what = model::resume_run{}, .verb = "resume", .body = model::value::object()},
    [&](const runtime::run_view& run, const model::control_result&) {
      const auto id = to_string(run.run_no);
      return id + " is not paused any more"
             + (run.interrupted ? "; go on with: " + s.hint("run --resume " + id) : std::string{});
    });
}

} // namespace

void add_pause(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<pause_options>();
  auto* verb =
    program.add_subcommand("pause", "Start nothing of a run any more, until it is resumed");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->add_flag("--stop", options->stop, "Stop what is under way, too; it starts again later");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return pause(s, *options); }; });
}

void add_resume(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<pause_options>();
  auto* verb = program.add_subcommand("resume", "Go on with a run that is paused");
  verb->add_option("RUN", options->run, "The run: r-12, @last")->required();
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return resume(s, *options); }; });
}

} // namespace sluice::cli

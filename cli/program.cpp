#include "cli/program.hpp"

#include "cli/commands/commands.hpp"
#include "cli/words.hpp"
#include "model/nearest_name.hpp"
#include "runtime/clock.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

#include <unistd.h>

namespace sluice::cli {
namespace {

struct global_options {
  std::string store = default_store_dir;
  bool json = false;
  bool quiet = false;
  std::string color = "auto";
  std::string time = "local";
};

console::colour colours_for(int fd, const std::string& choice, const environment_facts& facts) {
  const bool on = choice == "always"
                  || (choice == "auto" && ::isatty(fd) == 1 && !facts.no_color && !facts.is_dumb);
  return on ? console::colour::on : console::colour::off;
}

void add_global_options(CLI::App& program, global_options& options) {
  program.add_option("--store", options.store, "Directory of the store")
    ->type_name("DIR")
    ->capture_default_str();
  auto* json = program.add_flag("--json", options.json, "Print JSON, one object per line");
  program.add_flag("--quiet", options.quiet, "Print ids or nothing")->excludes(json);
  program.add_option("--color", options.color, "Colours")
    ->check(CLI::IsMember({"auto", "always", "never"}))
    ->capture_default_str();
  program.add_option("--time", options.time, "Zone of the times in text")
    ->check(CLI::IsMember({"local", "utc"}))
    ->capture_default_str();
}

void add_verbs(CLI::App& program, action& chosen) {
  add_run(program, chosen);
  add_validate(program, chosen);
  add_plan(program, chosen);
  add_runs(program, chosen);
  add_show(program, chosen);
  add_tasks(program, chosen);
  add_explain(program, chosen);
  add_logs(program, chosen);
  add_events(program, chosen);
  add_doctor(program, chosen);
  add_replay(program, chosen);
  add_prune(program, chosen);
  add_cancel(program, chosen);
  add_add(program, chosen);
  add_retry(program, chosen);
  add_rollback(program, chosen);
  add_mark(program, chosen);
  add_approve(program, chosen);
  add_reject(program, chosen);
  add_signal(program, chosen);
  add_gate(program, chosen);
  add_limits(program, chosen);
  add_pause(program, chosen);
  add_resume(program, chosen);
  add_checkpoint(program, chosen);
  add_heartbeat(program, chosen);
  add_progress(program, chosen);
  add_usage(program, chosen);
  add_output(program, chosen);
  add_version(program, chosen);
  for (auto* verb : program.get_subcommands({})) {
    verb->fallthrough(); // global options may stand behind the verb
    verb->group("Verbs");
  }
}

/// What is wrong with a word that no verb and no option took.
std::string unexpected_word(const CLI::App& program, const std::string& word) {
  if (word.starts_with('-'))
    return "there is no option '" + word + "'";
  if (!program.get_subcommands().empty())
    return "'" + program.get_subcommands().front()->get_name() + "' does not take '" + word + "'";
  std::vector<std::string> verbs;
  for (const auto* verb : program.get_subcommands([](const CLI::App*) { return true; }))
    verbs.push_back(verb->get_name());
  return "there is no verb '" + word + "'" + model::did_you_mean(word, verbs);
}

std::string with_hint(const CLI::App& program, const std::string& problem) {
  const auto verbs = program.get_subcommands();
  return problem + "\nsee: sluice " + (verbs.empty() ? "" : verbs.front()->get_name() + " ")
         + "--help";
}

/// What a command line says. The parser is gone by then: a run may last for days, and all verbs
/// with all their options are not small.
struct command_line {
  global_options options;
  action chosen;
  std::string problem;
  std::optional<int> help_code; ///< help was asked for, and has been printed
};

command_line read_command_line(int argc, const char* const* argv) {
  command_line line;
  CLI::App program{"Sluice runs workflows: graphs of commands, durably.", "sluice"};
  add_global_options(program, line.options);
  add_verbs(program, line.chosen);
  program.allow_extras(); // told apart below, with the nearest verb
  try {
    program.parse(argc, argv);
    if (const auto extra = program.remaining(true); !extra.empty())
      line.problem = with_hint(program, unexpected_word(program, extra.front()));
    else if (!line.chosen)
      line.problem = with_hint(program, "which verb?");
  } catch (const CLI::CallForHelp& help) {
    line.help_code = program.exit(help);
  } catch (const CLI::ParseError& e) {
    line.problem = with_hint(program, e.what());
  }
  return line;
}

} // namespace

int run_program(int argc, const char* const* argv, const environment_facts& environment) {
  const auto line = read_command_line(argc, argv);
  if (line.help_code)
    return *line.help_code;

  const auto& options = line.options;
  console out{STDOUT_FILENO, colours_for(STDOUT_FILENO, options.color, environment)};
  console err{STDERR_FILENO, colours_for(STDERR_FILENO, options.color, environment)};
  session s{
    .store_dir = options.store,
    .form = options.json    ? output_form::json
            : options.quiet ? output_form::quiet
                            : output_form::text,
    .zone = options.time == "utc" ? runtime::zone_choice::utc : runtime::zone_choice::local,
    .out = out,
    .err = err,
    .clock = runtime::system_clock(),
  };
  if (!line.problem.empty())
    return s.fail(line.problem, exit_usage);
  const int code = line.chosen(s);
  out.flush();
  err.flush();
  return code;
}

} // namespace sluice::cli

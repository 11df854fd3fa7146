#include "cli/commands/commands.hpp"
#include "cli/own_attempt.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

struct progress_options {
  double fraction = 0;
  std::string text;
};

int tell_progress(session& s, const progress_options& options) {
  model::value body{{"fraction", options.fraction}};
  if (!options.text.empty())
    body["text"] = options.text;
  return tell_own_runtime(s, {.target = "/api/v1/attempt/progress", .body = model::to_text(body)});
}

} // namespace

void add_progress(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<progress_options>();
  auto* verb = program.add_subcommand("progress", "In a task: say how far it is");
  verb->add_option("FRACTION", options->fraction, "From 0 to 1")
    ->required()
    ->check(CLI::Range(0.0, 1.0));
  verb->add_option("TEXT", options->text, "A few words for whoever looks");
  verb->callback(
    [options, &chosen] { chosen = [options](session& s) { return tell_progress(s, *options); }; });
}

} // namespace sluice::cli

#include "runtime/prune.hpp"

#include "cli/commands/commands.hpp"
#include "cli/words.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {
namespace {

int prune(session& s, const std::string& keep) {
  const auto length = model::parse_duration(keep);
  if (!length)
    return s.fail("--keep: " + length.error().message, exit_usage);
  const auto pruned = runtime::prune(s.store_dir, *length, s.clock.wall());
  if (!pruned)
    return s.fail(pruned.error());
  std::vector<std::string> names;
  for (const auto run : *pruned)
    names.push_back(to_string(run));
  if (s.json())
    s.print_json({{"pruned", names}});
  else if (s.text())
    s.out.line(names.empty() ? "no run ended more than " + keep + " ago"
                             : plural(names.size(), "run") + " pruned: " + some_of(names));
  return exit_done;
}

} // namespace

void add_prune(CLI::App& program, action& chosen) {
  const auto keep = std::make_shared<std::string>();
  auto* verb = program.add_subcommand("prune", "Forget runs that ended long ago, with their logs");
  verb->add_option("--keep", *keep, "Runs that ended within this time are kept, such as 30d")
    ->type_name("DURATION")
    ->required();
  verb->callback([keep, &chosen] { chosen = [keep](session& s) { return prune(s, *keep); }; });
}

} // namespace sluice::cli

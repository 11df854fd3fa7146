#include "cli/commands/commands.hpp"
#include "runtime/config_load.hpp"

#include <CLI/CLI.hpp>

#include <fstream>

namespace sluice::cli {
namespace {

/// Outputs are lines of a file, so that a task can write them without us.
int put_outputs(session& s, const std::vector<std::string>& pairs) {
  std::string lines;
  for (const auto& pair : pairs) {
    if (pair.find('=') == std::string::npos || pair.starts_with('=')
        || pair.find('\n') != std::string::npos)
      return s.fail("'" + pair + "' is no output; write it as name=value, on one line", exit_usage);
    lines += pair + "\n";
  }
  const auto own = runtime::own_output_file();
  if (!own.is_in_task)
    return exit_done;
  if (own.path.empty())
    return s.fail("this task declares no outputs: it has no 'out'", exit_refused);
  std::ofstream file{own.path, std::ios::binary | std::ios::app};
  if (!(file << lines).flush())
    return s.fail("cannot write '" + own.path.string() + "'", exit_internal);
  return exit_done;
}

} // namespace

void add_output(CLI::App& program, action& chosen) {
  const auto pairs = std::make_shared<std::vector<std::string>>();
  auto* verb = program.add_subcommand("output", "In a task: put out values");
  verb->add_option("NAME=VALUE", *pairs, "Such as rows=7; the last one of a name counts")
    ->required();
  verb->callback(
    [pairs, &chosen] { chosen = [pairs](session& s) { return put_outputs(s, *pairs); }; });
}

} // namespace sluice::cli

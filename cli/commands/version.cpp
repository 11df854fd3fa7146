#include "cli/commands/commands.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {

void add_version(CLI::App& program, action& chosen) {
  auto* verb = program.add_subcommand("version", "Print the version");
  verb->callback([&chosen] {
    chosen = [](session& s) {
      if (s.json())
        s.print_json({{"name", "sluice"}, {"version", SLUICE_VERSION}});
      else
        s.out.line(s.quiet() ? SLUICE_VERSION : "sluice " SLUICE_VERSION);
      return exit_done;
    };
  });
}

} // namespace sluice::cli

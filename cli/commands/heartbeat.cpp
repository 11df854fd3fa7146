#include "cli/commands/commands.hpp"
#include "cli/own_attempt.hpp"

#include <CLI/CLI.hpp>

namespace sluice::cli {

void add_heartbeat(CLI::App& program, action& chosen) {
  auto* verb = program.add_subcommand("heartbeat", "In a task: say that it is alive");
  verb->callback([&chosen] {
    chosen = [](session& s) {
      return tell_own_runtime(s, {.target = "/api/v1/attempt/heartbeat"});
    };
  });
}

} // namespace sluice::cli

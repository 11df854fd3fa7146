#include "cli/commands/commands.hpp"
#include "cli/own_attempt.hpp"
#include "runtime/config_load.hpp"

#include <CLI/CLI.hpp>

#include <fstream>
#include <iostream>
#include <iterator>

namespace sluice::cli {
namespace {

struct checkpoint_options {
  std::string token;
  std::string file;
};

int save_checkpoint(session& s, const checkpoint_options& options) {
  if (!runtime::own_task_access())
    return exit_done; // nobody to tell: standard input is left alone
  std::string data;
  if (options.file == "-") {
    data.assign(std::istreambuf_iterator<char>{std::cin}, {});
  } else if (!options.file.empty()) {
    std::ifstream file{options.file, std::ios::binary};
    data.assign(std::istreambuf_iterator<char>{file}, {});
    if (!file.is_open() || file.bad())
      return s.fail("cannot read '" + options.file + "'", exit_usage);
  }
  return tell_own_runtime(
    s, {.target = "/api/v1/attempt/checkpoint?token=" + api::percent_encoded(options.token),
        .body = std::move(data)});
}

} // namespace

void add_checkpoint(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<checkpoint_options>();
  auto* verb =
    program.add_subcommand("checkpoint", "In a task: save progress for its next attempt");
  verb->add_option("TOKEN", options->token, "Where the task is, as it likes to say it")->required();
  verb->add_option("FILE", options->file, "What it needs to go on from there; - is standard input");
  verb->callback([options, &chosen] {
    chosen = [options](session& s) { return save_checkpoint(s, *options); };
  });
}

} // namespace sluice::cli

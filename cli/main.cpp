#include "cli/program.hpp"
#include "runtime/logging.hpp"

#include <csignal>
#include <string_view>

#include <sys/stat.h>

namespace {

sluice::cli::environment_facts facts_of(const char* const* environment) {
  sluice::cli::environment_facts facts{.no_color = false, .is_dumb = true};
  for (; *environment; ++environment) {
    const std::string_view variable{*environment};
    if (variable.starts_with("NO_COLOR=") && variable != "NO_COLOR=")
      facts.no_color = true;
    if (variable.starts_with("TERM="))
      facts.is_dumb = variable == "TERM=" || variable == "TERM=dumb";
  }
  return facts;
}

} // namespace

int main(int argc, char** argv, char** environment) {
  ::umask(022);                  // what tasks inherit; our own files have explicit modes
  std::signal(SIGPIPE, SIG_IGN); // a reader that goes away is an error of write, not our death
  sluice::runtime::log_to_stderr();
  return sluice::cli::run_program(argc, argv, facts_of(environment));
}

// The command line as a whole: global options, verbs, usage errors. Called once, by `main`.
#pragma once

namespace sluice::cli {

/// What the program's environment says about the terminal.
struct environment_facts {
  bool no_color = false; ///< NO_COLOR is set, see no-color.org
  bool is_dumb = false;  ///< TERM is `dumb`, or not set
};

/// Runs the verb that the command line names and returns the exit code.
int run_program(int argc, const char* const* argv, const environment_facts& environment);

} // namespace sluice::cli

// How a task's action becomes a program and its arguments: the shell rules. Pure functions, called
// on the process thread.
#pragma once

#include "model/workflow.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::executors {

/// The words of a single line that means the same with and without a shell: words of letters,
/// digits and `_./,:@%+-`, the first of them no keyword or builtin of a shell (but for echo, true,
/// false, test, printf and pwd, which exist as programs). Nothing when a shell has to read it.
std::optional<std::vector<std::string>> plain_words(std::string_view text);

/// The arguments that hand `text` to a shell: `/bin/sh -e -c TEXT`, `bash -eo pipefail -c TEXT`, or
/// the custom arguments and the text.
std::vector<std::string> shell_command(const std::string& text, const model::shell_spec& shell);

struct command_line {
  std::vector<std::string> argv; ///< argv[0] is what is looked up
  bool skips_shell = false; ///< `run` text without its shell: when the kernel says ENOEXEC, the
                            ///< shell reads it after all
};

/// The command of a `run` or `exec` action. A `call` has none: empty.
command_line command_of(const model::action& action, const model::shell_spec& shell);

/// The shell of the task: its own, its workflow's, or `sh`.
const model::shell_spec& shell_of(const model::workflow_spec& workflow,
                                  const model::task_spec& task);

/// The directory the task runs in; empty when neither it nor the workflow has one: ours.
std::string workdir_of(const model::workflow_spec& workflow, const model::task_spec& task);

} // namespace sluice::executors

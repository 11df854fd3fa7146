#include "executors/command_line.hpp"

#include <algorithm>
#include <array>

namespace sluice::executors {
namespace {

// Keywords and builtins of POSIX sh, dash and bash, sorted; those written in signs alone are no
// plain words anyway. Source: POSIX.1-2017 XCU 2.4, 2.14; dash(1); bash(1) "SHELL BUILTIN
// COMMANDS".
constexpr std::array<std::string_view, 72> shell_words{
  ".",       ":",       "alias",     "bg",       "bind",    "break",    "builtin", "caller",
  "case",    "cd",      "chdir",     "command",  "compgen", "complete", "compopt", "continue",
  "coproc",  "declare", "dirs",      "disown",   "do",      "done",     "elif",    "else",
  "enable",  "esac",    "eval",      "exec",     "exit",    "export",   "fc",      "fg",
  "fi",      "for",     "function",  "getopts",  "hash",    "help",     "history", "if",
  "in",      "jobs",    "kill",      "let",      "local",   "logout",   "mapfile", "popd",
  "pushd",   "read",    "readarray", "readonly", "return",  "select",   "set",     "shift",
  "shopt",   "source",  "suspend",   "then",     "time",    "times",    "trap",    "type",
  "typeset", "ulimit",  "umask",     "unalias",  "unset",   "until",    "wait",    "while"};
static_assert(std::is_sorted(shell_words.begin(), shell_words.end()));

constexpr bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
         || std::string_view{"_./,:@%+-"}.find(c) != std::string_view::npos;
}

bool needs_shell(std::string_view first_word) {
  return first_word.front() == '%' // a job, for bash
         || std::binary_search(shell_words.begin(), shell_words.end(), first_word);
}

} // namespace

std::optional<std::vector<std::string>> plain_words(std::string_view text) {
  constexpr std::string_view blank = " \t\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string_view::npos)
    return std::nullopt;
  text = text.substr(first, text.find_last_not_of(blank) + 1 - first);

  std::vector<std::string> words;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool ends = i == text.size() || text[i] == ' ' || text[i] == '\t';
    if (!ends && !is_plain(text[i]))
      return std::nullopt;
    if (!ends)
      continue;
    if (i > begin) {
      words.emplace_back(text.substr(begin, i - begin));
      if (words.size() == 1 && needs_shell(words.front()))
        return std::nullopt;
    }
    begin = i + 1;
  }
  return words;
}

std::vector<std::string> shell_command(const std::string& text, const model::shell_spec& shell) {
  if (shell.which == model::shell_spec::kind::custom) {
    auto argv = shell.argv;
    argv.push_back(text);
    return argv;
  }
  // A text that begins with a sign would be read as further options; a blank in front changes
  // nothing else.
  const bool looks_like_option = text.starts_with('-') || text.starts_with('+');
  auto safe = looks_like_option ? " " + text : text;
  if (shell.which == model::shell_spec::kind::bash)
    return {"bash", "-eo", "pipefail", "-c", std::move(safe)};
  return {"/bin/sh", "-e", "-c", std::move(safe)};
}

command_line command_of(const model::action& action, const model::shell_spec& shell) {
  if (const auto* exec = std::get_if<model::exec_action>(&action))
    return {.argv = exec->argv};
  const auto* run = std::get_if<model::run_action>(&action);
  if (run == nullptr)
    return {};
  // What a custom shell makes of a plain line is its own business.
  if (shell.which != model::shell_spec::kind::custom)
    if (auto words = plain_words(run->text))
      return {.argv = std::move(*words), .skips_shell = true};
  return {.argv = shell_command(run->text, shell)};
}

std::string workdir_of(const model::workflow_spec& workflow, const model::task_spec& task) {
  const auto& own = model::setting_of(workflow, task, &model::task_settings::workdir);
  if (!own)
    return workflow.base_dir;
  if (own->starts_with('/') || workflow.base_dir.empty())
    return *own;
  return workflow.base_dir + "/" + *own;
}

const model::shell_spec& shell_of(const model::workflow_spec& workflow,
                                  const model::task_spec& task) {
  static const model::shell_spec plain;
  const auto& own = model::setting_of(workflow, task, &model::task_settings::shell);
  return own ? *own : plain;
}

} // namespace sluice::executors

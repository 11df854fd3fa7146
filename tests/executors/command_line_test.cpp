#include "executors/command_line.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::executors;

namespace {

using words = std::vector<std::string>;

} // namespace

TEST_CASE("command_line: a plain line needs no shell", "[executors][command_line]") {
  const auto [text, want] = GENERATE(table<std::string, words>({
    {"true", {"true"}},
    {"  ./build.sh  --all \t x\n", {"./build.sh", "--all", "x"}},
    {"python3 -m http.server 8080\n\n", {"python3", "-m", "http.server", "8080"}},
    {"echo a,b:c@d%e+f_g", {"echo", "a,b:c@d%e+f_g"}},
    {"test -f x", {"test", "-f", "x"}},
    {"/bin/kill -l", {"/bin/kill", "-l"}},
    {"make cd", {"make", "cd"}},
  }));
  CAPTURE(text);
  CHECK(plain_words(text) == want);
}

TEST_CASE("command_line: everything else is left to the shell", "[executors][command_line]") {
  const auto* text =
    GENERATE("", " \n", "a\nb", "a && b", "a | b", "a > b", "echo $X", "echo 'a'", "X=1 make",
             "make X=1", "ls *.c", "cd /tmp", "exit 3", ". ./env", ": nothing", "exec ls",
             "while true", "kill 1", "[ -f x ]", "! true", "# comment", "ls ~", "a;b", "a\\ b",
             "echo \xC3\xA9", "%1", "wait", "time ls", "export A", "umask 0", "local x");
  CAPTURE(text);
  CHECK_FALSE(plain_words(text).has_value());
}

TEST_CASE("command_line: the shell gets the text as it is", "[executors][command_line]") {
  using kind = model::shell_spec::kind;
  const std::string text = "a && b\nc";
  CHECK(shell_command(text, {}) == words{"/bin/sh", "-e", "-c", text});
  CHECK(shell_command(text, {.which = kind::bash}) == words{"bash", "-eo", "pipefail", "-c", text});
  CHECK(shell_command(text, {.which = kind::custom, .argv = {"python3", "-c"}})
        == words{"python3", "-c", text});
  // not an option of the shell
  CHECK(shell_command("-x && y", {}) == words{"/bin/sh", "-e", "-c", " -x && y"});
}

TEST_CASE("command_line: a custom shell reads plain lines too", "[executors][command_line]") {
  const model::shell_spec python{.which = model::shell_spec::kind::custom,
                                 .argv = {"python3", "-c"}};
  const auto custom = command_of(model::run_action{"pass"}, python);
  CHECK(custom.argv == words{"python3", "-c", "pass"});
  CHECK_FALSE(custom.skips_shell);

  const auto plain = command_of(model::run_action{"pass"}, {});
  CHECK(plain.argv == words{"pass"});
  CHECK(plain.skips_shell);

  const auto exec = command_of(model::exec_action{{"a b", "$X"}}, {});
  CHECK(exec.argv == words{"a b", "$X"});
  CHECK_FALSE(exec.skips_shell);
}

TEST_CASE("command_line: the working directory is the task's before the workflow's",
          "[executors][command_line]") {
  model::workflow_spec workflow;
  model::task_spec task;
  CHECK(workdir_of(workflow, task).empty());
  workflow.base_dir = "/base";
  CHECK(workdir_of(workflow, task) == "/base");
  workflow.defaults.workdir = "sub";
  CHECK(workdir_of(workflow, task) == "/base/sub");
  task.settings->workdir = "/abs";
  CHECK(workdir_of(workflow, task) == "/abs");
}

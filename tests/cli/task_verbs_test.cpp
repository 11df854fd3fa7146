#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <sstream>
#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

/// A workflow of one task that runs this with our program on its PATH.
std::string task_that_runs(const std::string& text) {
  return "tasks:\n  a:\n    env: {PATH: '" SLUICE_BINARY_DIR ":/usr/bin:/bin'}\n    run: |\n      "
         + text + "\n";
}

} // namespace

TEST_CASE("checkpoint: a task saves its progress", "[cli][checkpoint]") {
  const workspace here;
  here.write("state.json", R"({"row":7})");
  const auto* command = GENERATE("sluice checkpoint 'step 3' state.json",
                                 "cat state.json | sluice checkpoint 'step 3' -");
  here.write("w.yaml", task_that_runs(command));
  const auto done = here.run({"--json", "run", "w.yaml"});
  CHECK(done.code == 0);
  std::istringstream lines{done.out};
  std::string line;
  while (std::getline(lines, line) && line.find("task_checkpoint") == std::string::npos) {
  }
  const auto event = nlohmann::json::parse(line);
  CHECK(event["task"] == "a");
  CHECK(event["data"] == nlohmann::json{{"token", "step 3"}, {"bytes", 9}});
  CHECK_THAT(here.run({"events", "r-1"}).out, Contains("checkpoint") && Contains("step 3"));
}

TEST_CASE("checkpoint: what is kept is shown, and counted", "[cli][checkpoint]") {
  const workspace here;
  here.write("w.yaml", task_that_runs("printf 12345 | sluice checkpoint 'step 3' -; exit 1"));
  CHECK_THAT(here.run({"run", "w.yaml"}).out, Contains("exit 1"));
  CHECK_THAT(here.run({"show", "r-1/a"}).out, Contains("checkpoint  step 3  5 bytes  saved "));
  const auto shown = nlohmann::json::parse(here.run({"--json", "show", "r-1/a"}).out);
  CHECK(shown["checkpoint"]["token"] == "step 3");
  CHECK(shown["checkpoint"]["bytes"] == 5);
  CHECK(shown["checkpoint"]["attempt"] == 1);
  CHECK_THAT(here.run({"doctor"}).out, Contains("1 kept, 5 bytes in all, 5 on average, 5 on disk"));
}

TEST_CASE("checkpoint: what cannot be saved fails the verb", "[cli][checkpoint]") {
  const workspace here;
  here.write("large", std::string(100 * 1024 + 1, 'x'));
  here.write("huge", std::string(3 * 1024 * 1024, 'x'));
  const auto [command, why] = GENERATE(table<std::string, std::string>({
    {"sluice checkpoint t large", "more than the 102400 that task 'a' may save (checkpoint.max)"},
    {"sluice checkpoint t huge", "larger than this server takes"},
    {"sluice checkpoint t missing", "cannot read 'missing'"},
    {"SLUICE_TOKEN=1.0.1.00 sluice checkpoint t", "of no attempt of this runtime"},
    {"SLUICE_SOCKET=/nowhere/sock sluice checkpoint t", "cannot reach the runtime"},
  }));
  CAPTURE(command);
  here.write("w.yaml", task_that_runs(command));
  CHECK(here.run({"run", "w.yaml"}).code == 1);
  CHECK_THAT(here.run({"logs", "r-1/a"}).out, Contains(why));
}

TEST_CASE("checkpoint: outside a task it does nothing", "[cli][checkpoint]") {
  const workspace here;
  const auto done =
    here.run(GENERATE(std::vector<std::string>{"checkpoint", "step-3"},
                      std::vector<std::string>{"checkpoint", "step-3", "no such file"}));
  CHECK(done.code == 0);
  CHECK((done.out + done.err).empty());
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice"));
}

TEST_CASE("heartbeat: a silent task is stopped", "[cli][heartbeat]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: {exec: [sleep, '600'], heartbeat: 50ms}}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 1);
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("no sign of life"));
}

TEST_CASE("heartbeat: a task says that it lives", "[cli][heartbeat]") {
  const workspace here;
  here.write("w.yaml", task_that_runs("sluice heartbeat"));
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.run({"heartbeat"}).code == 0); // outside a task
}

TEST_CASE("progress and usage: a task says how far it is and what it used", "[cli][progress]") {
  const workspace here;
  here.write("w.yaml",
             task_that_runs("sluice progress 0.4 'row 7'; sluice usage tokens=5 cost=0.5"));
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  const auto events = here.run({"events", "r-1"}).out;
  CHECK_THAT(events, Contains("progress") && Contains("40 %, row 7"));
  CHECK_THAT(events, Contains("cost 0.5, tokens 5"));
  CHECK_THAT(here.run({"show", "r-1/a"}).out, Contains("USAGE") && Contains("cost 0.5  tokens 5"));
  const auto task = nlohmann::json::parse(here.run({"--json", "show", "r-1/a"}).out);
  CHECK(task["attempts"][0]["usage"] == nlohmann::json{{"cost", 0.5}, {"tokens", 5}});
  CHECK(here.run({"progress", "0.4"}).code == 0); // outside a task
  CHECK(here.run({"usage", "tokens=5"}).code == 0);
  CHECK(here.run({"progress", "2"}).code == 2);
  CHECK(here.run({"usage", "tokens=many"}).code == 2);
}

TEST_CASE("output: a task puts out values", "[cli][output]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a:\n    out: {rows: int, name: string}\n"
                       "    env: {PATH: '" SLUICE_BINARY_DIR ":/usr/bin:/bin'}\n"
                       "    run: sluice output rows=1 'name=two words' && sluice output rows=7\n"
                       "  b: {in: {x: '${{ tasks.a.out }}'}, run: 'echo $x'}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.run({"logs", "r-1/b"}).out == "{\"name\":\"two words\",\"rows\":7}\n");
  here.write("none.yaml", task_that_runs("sluice output rows=7"));
  CHECK(here.run({"run", "none.yaml"}).code == 1);
  CHECK_THAT(here.run({"logs", "r-2/a"}).out, Contains("declares no outputs"));
  CHECK(here.run({"output", "rows=7"}).code == 0); // outside a task
  CHECK(here.run({"output", "rows"}).code == 2);
}

TEST_CASE("output: a task puts out values with curl", "[cli][output]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a:\n    out: {rows: int, names: list}\n    run: |\n"
                       "      say() { curl -sf --unix-socket \"$SLUICE_SOCKET\" -d \"$1\""
                       " -H \"Authorization: Bearer $SLUICE_TOKEN\""
                       " http://sluice/api/v1/attempt/output; }\n"
                       "      echo rows=1 > $SLUICE_OUT\n"
                       "      say '{\"rows\": 2, \"names\": [\"x\"]}' && say '{\"rows\": 3}'\n"
                       "  b: {in: {x: '${{ tasks.a.out }}'}, run: 'echo $x'}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.run({"logs", "r-1/b"}).out == "{\"names\":[\"x\"],\"rows\":3}\n");
}

TEST_CASE("checkpoint: a run that was killed goes on from the last one", "[cli][checkpoint]") {
  const workspace here;
  here.write("w.yaml",
             task_that_runs("[ -z \"$SLUICE_CHECKPOINT\" ] || cat \"$SLUICE_CHECKPOINT\" > given\n"
                            "      [ -n \"$SLUICE_CHECKPOINT\" ] && exit 0\n"
                            "      echo 'row 7' | sluice checkpoint 'step 3' -\n"
                            "      sleep 600"));
  {
    running_program program{here.directory(), {"--json", "run", "w.yaml"}};
    program.read_until("task_checkpoint");
    program.signal(SIGKILL);
    program.wait();
  }
  const auto resumed = here.run({"run", "--resume", "r-1"});
  CHECK(resumed.code == 0);
  CHECK(here.read("given") == "row 7\n");
}

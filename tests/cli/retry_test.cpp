#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

/// Fails until somebody makes the file `fixed`.
constexpr const char* broken_workflow =
  "tasks:\n"
  "  extract: echo once >> ledger\n"
  "  load: {after: [extract], run: 'echo $SLUICE_ATTEMPT; test -e fixed'}\n"
  "  report: {after: [load], run: echo reported}\n";

} // namespace

TEST_CASE("retry: what failed starts again, what succeeded is kept", "[cli][retry]") {
  const workspace here;
  here.write("w.yaml", broken_workflow);
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  const auto failed = here.run({"retry", "@last-failed"});
  CHECK(failed.code == 1);
  CHECK_THAT(failed.out, Contains("r-1 generation 2: 2 tasks reset (load, report), 1 kept"));
  here.write("fixed", "");
  const auto done = here.run({"retry", "r-1", "--failed"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("r-1 generation 3: 2 tasks reset (load, report), 1 kept"));
  CHECK_THAT(done.out, Contains("reported"));
  CHECK(here.read("ledger") == "once\n");
  CHECK(here.run({"logs", "r-1/load"}).out == "3\n");
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("succeeded") && Contains("generation 3"));
  CHECK_THAT(here.run({"runs"}).out, Contains("generation 3"));
  const auto attempts = here.run({"show", "r-1/load"}).out;
  CHECK_THAT(attempts, Contains("#2  generation 2") && Contains("#3  generation 3"));
  const auto run = nlohmann::json::parse(here.run({"--json", "show", "r-1"}).out);
  CHECK(run["generation"] == 3);
  CHECK_THAT(here.run({"events", "r-1"}).out, Contains("generation 2, 2 reset"));
  CHECK(here.run({"replay", "r-1"}).code == 0); // the rows are what the events say
}

TEST_CASE("retry: from a task on, and downstream of one", "[cli][retry]") {
  const workspace here;
  here.write("w.yaml", broken_workflow);
  here.write("fixed", "");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto refused = here.run({"retry", "@last"});
  CHECK(refused.code == 4);
  CHECK_THAT(refused.err, Contains("run r-1 is succeeded: name the task to start again from"));
  CHECK_THAT(here.run({"retry", "@last", "--from", "load"}).out,
             Contains("generation 2: 2 tasks reset (load, report), 1 kept"));
  CHECK_THAT(here.run({"retry", "@last", "--downstream", "load"}).out,
             Contains("generation 3: 1 task reset (report), 2 kept"));
  CHECK(here.run({"retry", "@last", "--downstream", "report"}).code == 4);
  const auto unknown = here.run({"retry", "@last", "--from", "laod"});
  CHECK(unknown.code == 3);
  CHECK_THAT(unknown.err, Contains("did you mean 'load'?"));
  CHECK(here.run({"retry", "@last", "--from", "load", "--downstream", "load"}).code == 2);
  CHECK(here.run({"retry", "r-9"}).code == 3);
}

TEST_CASE("retry: a run that is killed in its second generation goes on with that",
          "[cli][retry]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: 'true'\n  b: {after: [a], run: 'test -e fixed && sleep 600'}\n"
                       "  c: {after: [b], run: 'true'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  here.write("fixed", "");
  {
    running_program program{here.directory(), {"--json", "retry", "r-1"}};
    program.read_until("task_dispatched");
    const auto busy = here.run({"retry", "r-1"}); // by the one who holds the store
    CHECK(busy.code == 4);
    CHECK_THAT(busy.err, Contains("run r-1 has not ended: it is running"));
  } // killed
  const auto interrupted = here.run({"retry", "r-1"});
  CHECK(interrupted.code == 4);
  CHECK_THAT(interrupted.err, Contains("run --resume r-1"));
  running_program program{here.directory(), {"--json", "run", "--resume", "r-1"}};
  program.read_until("task_dispatched");
  const auto run = nlohmann::json::parse(here.run({"--json", "show", "r-1"}).out);
  CHECK(run["generation"] == 2);
  CHECK(run["tasks"]["pending"] == 1);
  CHECK(run["tasks"]["succeeded"] == 1);
  CHECK(here.run({"cancel", "r-1"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 1);
}

TEST_CASE("retry: a runtime that holds the store goes on with another run", "[cli][retry]") {
  const workspace here;
  here.write("w.yaml", broken_workflow);
  here.write("endless.yaml", "tasks: {wait: {exec: [sleep, '600']}}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  here.write("fixed", "");
  running_program program{here.directory(), {"--json", "run", "endless.yaml"}};
  program.read_until("task_dispatched");
  const auto asked = here.run({"--json", "retry", "r-1"});
  CHECK(asked.code == 0);
  const auto answer = nlohmann::json::parse(asked.out);
  CHECK(answer["generation"] == 2);
  CHECK(answer["tasks"] == nlohmann::json{"load", "report"});
  CHECK_THAT(here.run({"events", "r-1", "-f"}).out, Contains("succeeded"));
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "succeeded\n");
  CHECK(here.run({"cancel", "r-2"}).code == 0);
  program.read_all();
}

#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

constexpr const char* broken = "tasks:\n"
                               "  load: 'false'\n"
                               "  report: {after: [load], run: echo reported}\n";

} // namespace

TEST_CASE("mark: a task of a run that has ended is decided by hand, and used by a retry",
          "[cli][mark]") {
  const workspace here;
  here.write("w.yaml", broken);
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  const auto marked = here.run({"mark", "@last/load", "--succeeded"});
  CHECK(marked.code == 0);
  CHECK_THAT(marked.out, Contains("r-1/load is marked succeeded; it was failed")
                           && Contains("sluice retry r-1"));
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "failed\n");
  CHECK(here.run({"show", "r-1/load", "--quiet"}).out == "succeeded\n");
  CHECK_THAT(here.run({"--json", "events", "r-1"}).out,
             Contains(R"("actor":"operator")") && Contains(R"("type":"task_marked")"));
  const auto retried = here.run({"retry", "r-1", "--downstream", "load"});
  CHECK(retried.code == 0);
  CHECK_THAT(retried.out, Contains("reported"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("mark: after a run that succeeded, what depends on the task can start again",
          "[cli][mark]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  load: {run: 'false', allow_failure: true}\n"
                       "  report: {after: [load], run: echo reported}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  CHECK_THAT(here.run({"mark", "r-1/load", "--succeeded"}).out,
             Contains("sluice retry r-1 --downstream load"));
  CHECK(here.run({"retry", "r-1", "--downstream", "load"}).code == 0);
}

TEST_CASE("mark: what cannot be marked is refused", "[cli][mark]") {
  const workspace here;
  here.write("w.yaml", broken);
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  CHECK(here.run({"mark", "r-1/load"}).code == 2);
  CHECK(here.run({"mark", "r-1/load", "--failed", "--skipped"}).code == 2);
  const auto again = here.run({"mark", "r-1/load", "--failed"});
  CHECK(again.code == 4);
  CHECK_THAT(again.err, Contains("task 'load' is failed, and cannot be marked failed"));
  const auto unknown = here.run({"mark", "r-1/laod", "--failed"});
  CHECK(unknown.code == 3);
  CHECK_THAT(unknown.err, Contains("did you mean 'load'?"));
}

TEST_CASE("mark: in a run that goes on, dependents are judged", "[cli][mark]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  first: {exec: [sleep, '600']}\n"
                       "  second: {after: [first], run: 'true'}\n"
                       "  third: {after: [second], run: echo third ran}\n");
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  program.read_until("task_dispatched");
  const auto running = here.run({"mark", "r-1/first", "--succeeded"});
  CHECK(running.code == 4);
  CHECK_THAT(running.err, Contains("what runs has to be cancelled first"));
  const auto marked = here.run({"--json", "mark", "r-1/second", "--succeeded"});
  CHECK(marked.code == 0);
  CHECK(nlohmann::json::parse(marked.out)["state"] == "succeeded");
  const auto third = program.read_until("task_finished");
  CHECK_THAT(third, Contains(R"("task":"third")") && Contains(R"("to":"succeeded")"));
  CHECK(here.run({"cancel", "r-1"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 1);
}

TEST_CASE("mark: when nothing has failed any more, a retry ends the run well", "[cli][mark]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'true', b: exit 3}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 1);
  REQUIRE(here.run({"mark", "r-1/b", "--succeeded"}).code == 0);
  const auto retried = here.run({"retry", "r-1"});
  CHECK(retried.code == 0);
  CHECK_THAT(retried.out,
             Contains("r-1 generation 2: 0 tasks reset, 2 kept\n") && Contains("r-1  succeeded"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
  CHECK(here.run({"retry", "r-1"}).code == 4);
}

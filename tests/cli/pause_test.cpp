#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

/// The first task runs until somebody writes to `gate`.
constexpr const char* gated = "tasks:\n"
                              "  first: read line < gate\n"
                              "  second: {after: [first], run: echo second ran}\n";

} // namespace

TEST_CASE("pause: nothing starts until the run is resumed", "[cli][pause]") {
  const workspace here;
  here.write("w.yaml", gated);
  const auto gate = here.fifo("gate");
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("started");
  const auto paused = here.run({"pause", "@last"});
  CHECK(paused.code == 0);
  CHECK_THAT(paused.out, Contains("r-1 is paused; go on with: sluice resume r-1"));
  CHECK_THAT(program.read_until("paused"), Contains("sluice resume r-1"));
  std::ofstream{gate} << "go" << std::endl;
  CHECK_THAT(program.read_until("first"), Contains("succeeded"));
  const auto tasks = here.run({"tasks", "r-1"}).out;
  CHECK_THAT(tasks, Contains("ready") && Contains("waits: its run is paused"));
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("(paused)"));
  CHECK_THAT(here.run({"runs"}).out, Contains("paused"));
  CHECK(nlohmann::json::parse(here.run({"--json", "show", "r-1"}).out)["paused"] == true);
  const auto again = here.run({"pause", "r-1"});
  CHECK(again.code == 4);
  CHECK_THAT(again.err, Contains("run r-1 is paused already"));
  CHECK(here.run({"--json", "resume", "r-1"}).out == "{\"paused\":false,\"run\":\"r-1\"}\n");
  CHECK_THAT(program.read_all(), Contains("second ran"));
  CHECK(program.wait() == 0);
  CHECK(here.run({"resume", "r-1"}).code == 4); // it has ended
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("pause: what runs is stopped too, and a pause outlives its runtime", "[cli][pause]") {
  const workspace here;
  here.write("w.yaml", "tasks: {wait: 'test -e done || sleep 600'}\n");
  {
    running_program program{here.directory(), {"--json", "run", "w.yaml"}};
    program.read_until("task_dispatched");
    CHECK_THAT(here.run({"pause", "r-1", "--stop"}).out, Contains("stops 1 task"));
    CHECK_THAT(program.read_until("task_lost"), Contains(R"("code":"paused")"));
    CHECK_THAT(here.run({"events", "r-1"}).out, Contains("given back: stopped because"));
  }                                            // killed
  CHECK(here.run({"pause", "r-1"}).code == 4); // nobody holds the store: it is paused all the same
  running_program program{here.directory(), {"run", "--resume", "r-1"}};
  CHECK_THAT(program.read_until("paused"), Contains("sluice resume r-1"));
  here.write("done", "");
  CHECK(here.run({"resume", "r-1"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 0);
  CHECK(nlohmann::json::parse(here.run({"--json", "show", "r-1/wait"}).out)["attempt"] == 2);
}

TEST_CASE("pause: one task does not start until it is resumed", "[cli][pause]") {
  const workspace here;
  here.write("w.yaml", gated);
  const auto gate = here.fifo("gate");
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("started");
  const auto running = here.run({"pause", "r-1/first"});
  CHECK(running.code == 4);
  CHECK_THAT(running.err, Contains("task 'first' is ") && Contains("what runs ends by itself"));
  CHECK(here.run({"pause", "r-1/second", "--stop"}).code == 2);
  CHECK_THAT(here.run({"pause", "@last/second"}).out,
             Contains("r-1/second is paused; go on with: sluice resume r-1/second"));
  CHECK_THAT(program.read_until("second"), Contains("paused"));
  std::ofstream{gate} << "go" << std::endl;
  CHECK_THAT(program.read_until("first"), Contains("succeeded"));
  const auto task = nlohmann::json::parse(here.run({"--json", "show", "r-1/second"}).out);
  CHECK(task["state"] == "paused");
  CHECK(task["wait_reason"] == "paused");
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("does not start until it is resumed"));
  CHECK(here.run({"--json", "resume", "r-1/second"}).out
        == "{\"paused\":false,\"run\":\"r-1\",\"task\":\"second\"}\n");
  CHECK_THAT(program.read_all(), Contains("second ran"));
  CHECK(program.wait() == 0);
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("pause: a paused task is still paused when its runtime was killed", "[cli][pause]") {
  const workspace here;
  here.write("w.yaml", "tasks: {first: sleep 600, second: {after: [first], run: echo ran}}\n");
  {
    running_program program{here.directory(), {"--json", "run", "w.yaml"}};
    program.read_until("task_dispatched");
    CHECK(here.run({"pause", "r-1/second"}).code == 0);
  }                                                                // killed
  CHECK(here.run({"mark", "r-1/first", "--succeeded"}).code == 4); // it counts as running
  const auto resumed = here.run({"resume", "r-1"});
  CHECK(resumed.code == 4);
  CHECK_THAT(resumed.err,
             Contains("not paused but interrupted; go on with: sluice run --resume r-1"));
  running_program program{here.directory(), {"run", "--resume", "r-1"}};
  CHECK_THAT(program.read_until("second"), Contains("paused"));
  CHECK(here.run({"resume", "r-1/second"}).code == 0);
  CHECK_THAT(program.read_until("second"), Contains("resumed"));
  CHECK(here.run({"cancel", "r-1"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 1);
}

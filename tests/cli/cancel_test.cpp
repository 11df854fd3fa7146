#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

constexpr const char* endless = "tasks: {wait: {exec: [sleep, '600']}}\n";

} // namespace

TEST_CASE("cancel: a run is cancelled from a second terminal", "[cli][cancel]") {
  const workspace here;
  here.write("w.yaml", endless);
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  program.read_until("task_dispatched");
  const auto cancelled = here.run({"cancel", "@last"});
  CHECK(cancelled.code == 0);
  CHECK_THAT(cancelled.out, Contains("cancelling r-1"));
  program.read_until("task_cancelled");
  program.read_all();
  CHECK(program.wait() == 1); // not by its own terminal
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "cancelled\n");
  const auto again = here.run({"cancel", "r-1"});
  CHECK(again.code == 4);
  CHECK_THAT(again.err, Contains("r-1 has ended: cancelled"));
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice" / "sock"));
}

TEST_CASE("cancel: with force what ignores TERM is killed at once", "[cli][cancel]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  deaf:\n    run: |\n      trap '' TERM\n      echo > ready\n"
                       "      while :; do sleep 600; done\n");
  const auto ready = here.fifo("ready");
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  std::string line;
  std::getline(std::ifstream{ready}, line); // waits for the trap to be set
  const auto killed = here.run({"--json", "cancel", "r-1", "--force"});
  CHECK(killed.code == 0);
  CHECK(nlohmann::json::parse(killed.out)["state"] == "cancelling");
  CHECK_THAT(program.read_until("task_cancelled"), Contains("SIGKILL"));
  program.read_all();
  CHECK(program.wait() == 1);
}

TEST_CASE("cancel: an interrupted run is cancelled by the verb itself", "[cli][cancel]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  wait: sleep 600\n  other: {run: echo ran >> ledger}\n"
                       "  next: {after: [wait], run: echo ran >> ledger}\n"
                       "finally: {tidy: echo tidied}\n");
  {
    running_program program{here.directory(), {"--json", "run", "--slots", "1", "w.yaml"}};
    program.read_until("task_dispatched");
  } // killed
  const bool is_paused = GENERATE(false, true);
  if (is_paused)
    REQUIRE(here.run({"pause", "r-1"}).code == 0);
  const auto done = here.run({"cancel", "r-1"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("cancelling r-1") && Contains("r-1  cancelled"));
  CHECK_FALSE(std::filesystem::exists(here.directory() / "ledger")); // nothing else was started
  CHECK(here.run({"logs", "r-1/tidy"}).out == "tidied\n");
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "cancelled\n");
  CHECK(here.run({"replay", "r-1"}).code == 0);
  CHECK(here.run({"cancel", "r-2"}).code == 3);
}

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

TEST_CASE("cancel: a store that nobody holds is said", "[cli][cancel]") {
  const workspace here;
  here.write("w.yaml", endless);
  {
    running_program program{here.directory(), {"--json", "run", "w.yaml"}};
    program.read_until("task_dispatched");
  } // killed
  const auto done = here.run({"cancel", "r-1"});
  CHECK(done.code == 5);
  CHECK_THAT(done.err, Contains("no runtime holds the store '.sluice'"));
  CHECK(here.run({"cancel", "r-2"}).code == 3);
}

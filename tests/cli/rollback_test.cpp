#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

namespace {

/// Each task writes its name to a ledger, and its compensation that it is undone.
std::string booking(const std::string& on_failure, const std::string& pay) {
  return "on_failure: " + on_failure
         + "\n"
           "tasks:\n"
           "  flight:\n"
           "    in: {day: monday}\n"
           "    out: {seat: string}\n"
           "    run: 'echo flight >> ledger; echo seat=7a > $SLUICE_OUT'\n"
           "    compensate: 'echo no flight on $day: $(cat $SLUICE_RESULT) >> ledger'\n"
           "  hotel:\n"
           "    after: [flight]\n"
           "    run: 'echo hotel >> ledger'\n"
           "    compensate: 'echo no hotel >> ledger; test ! -e locked'\n"
           "  pay: {after: [hotel], run: '"
         + pay + "'}\n";
}

} // namespace

TEST_CASE("rollback: a run that fails undoes what succeeded", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", booking("compensate", "exit 3"));
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 1);
  CHECK(here.read("ledger") == "flight\nhotel\nno hotel\nno flight on monday: {\"seat\":\"7a\"}\n");
  CHECK_THAT(done.out, Contains("rolling back") && Contains("w r-1  rolled_back")
                         && Contains("1 failed  2 rolled back")
                         && Contains("task 'pay' failed: exit 3"));
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "rolled_back\n");
  CHECK_THAT(here.run({"show", "r-1/flight"}).out, Contains("compensate"));
  CHECK(here.run({"replay", "r-1"}).code == 0); // the rows are what the events say
  const auto again = here.run({"retry", "r-1", "--from", "pay"});
  CHECK(again.code == 1);
  CHECK_THAT(again.out, Contains("3 tasks reset (flight, hotel, pay), 0 kept"));
}

TEST_CASE("rollback: what failed for good is listed though it was undone", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", "on_failure: compensate\ntasks:\n"
                       "  flight: {run: 'true', compensate: 'true'}\n"
                       "  pay: {after: [flight], run: exit 3, rollback: 'true'}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 1);
  const auto dead = here.run({"tasks", "r-1", "--dead"}).out;
  CHECK_THAT(dead, Contains("pay") && Contains("exit 3") && !Contains("flight"));
}

TEST_CASE("rollback: an ended run is rolled back on demand", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", booking("stop", "true"));
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto done = here.run({"rollback", "@last"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("r-1 is being rolled back: compensating 2 tasks (hotel, flight)"));
  CHECK_THAT(done.out, Contains("w r-1  rolled_back"));
  const auto again = here.run({"rollback", "r-1"});
  CHECK(again.code == 4);
  CHECK_THAT(again.err, Contains("run r-1 is rolled_back"));
  CHECK(here.run({"rollback", "r-9"}).code == 3);
  CHECK(here.run({"rollback", "@last-failed"}).code == 3);
  here.write("plain.yaml", "tasks: {a: 'true'}\n");
  REQUIRE(here.run({"run", "plain.yaml"}).code == 0);
  const auto nothing = here.run({"rollback", "r-2"});
  CHECK(nothing.code == 4);
  CHECK_THAT(nothing.err, Contains("nothing of run r-2 can be compensated"));
  CHECK(here.run({"show", "r-2", "--quiet"}).out == "succeeded\n");
}

TEST_CASE("rollback: what could not be compensated is named, and tried again", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", booking("compensate", "exit 3"));
  here.write("locked", "");
  const auto failed = here.run({"run", "w.yaml"});
  CHECK(failed.code == 1);
  CHECK_THAT(failed.out,
             Contains("not compensated: 'hotel'") && Contains("its compensation failed"));
  CHECK_THAT(here.read("ledger"), Contains("no flight"));
  std::filesystem::remove(here.directory() / "locked");
  const auto done = here.run({"--json", "rollback", "@last-failed"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("run_rolling_back"));
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "rolled_back\n");
}

TEST_CASE("rollback: one that is killed goes on where it was", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml",
             "on_failure: compensate\n"
             "tasks:\n"
             "  a: {run: 'true', compensate: 'echo a >> ledger'}\n"
             "  b: {after: [a], run: 'true', compensate: 'test -e quick || exec sleep 600; "
             "echo b >> ledger'}\n"
             "  c: {after: [b], run: 'false'}\n");
  {
    running_program program{here.directory(), {"--json", "run", "w.yaml"}};
    program.read_until("\"role\":\"compensate\"");
    const auto busy = here.run({"rollback", "r-1"}); // by the one who holds the store
    CHECK(busy.code == 4);
    CHECK_THAT(busy.err, Contains("run r-1 has not ended: it is rolling_back"));
  } // killed
  CHECK_THAT(here.run({"rollback", "r-1"}).err, Contains("run --resume r-1"));
  here.write("quick", "");
  CHECK(here.run({"run", "--resume", "r-1"}).code == 1);
  CHECK(here.read("ledger") == "b\na\n");
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "rolled_back\n");
}

TEST_CASE("rollback: a cancel says what is left", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  a: {run: 'true', compensate: 'true'}\n"
                       "  b: {after: [a], run: 'true', compensate: 'exec sleep 600'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  running_program program{here.directory(), {"--json", "rollback", "r-1"}};
  program.read_until("\"role\":\"compensate\"");
  CHECK(here.run({"cancel", "r-1"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 1);
  CHECK_THAT(here.run({"show", "r-1"}).out,
             Contains("cancelled before it was compensated: 'b', 'a'"));
}

TEST_CASE("rollback: a runtime that holds the store rolls back another run", "[cli][rollback]") {
  const workspace here;
  here.write("w.yaml", booking("stop", "true"));
  here.write("endless.yaml", "tasks: {wait: {exec: [sleep, '600']}}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  running_program program{here.directory(), {"--json", "run", "endless.yaml"}};
  program.read_until("task_dispatched");
  const auto asked = here.run({"--json", "rollback", "r-1"});
  CHECK(asked.code == 0);
  CHECK(nlohmann::json::parse(asked.out)["tasks"] == nlohmann::json{"hotel", "flight"});
  CHECK_THAT(here.run({"events", "r-1", "-f"}).out, Contains("rolled_back"));
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "rolled_back\n");
  CHECK(here.run({"cancel", "r-2"}).code == 0);
  program.read_all();
}

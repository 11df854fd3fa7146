#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>

using namespace sluice::cli_test;
using Catch::Contains;

TEST_CASE("doctor: says that all is well, before and after a run", "[cli][doctor]") {
  const workspace here;
  CHECK(here.run({"doctor"}).code == 0);
  here.write("w.yaml", "tasks: {a: 'true'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto found = here.run({"doctor"});
  CHECK(found.code == 0);
  CHECK_THAT(found.out, Contains("in use by nobody") && Contains("sound")
                          && Contains("events and rows agree") && Contains("free of")
                          && Contains("attempts are held to mem"));
}

TEST_CASE("doctor: names an interrupted run and how to go on", "[cli][doctor]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: sleep 600}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  CHECK_THAT(here.run({"doctor"}).out, Contains("sluice run w.yaml"));
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  const auto found = here.run({"doctor"});
  CHECK(found.code == 0);
  CHECK_THAT(found.out, Contains("r-1 is interrupted") && Contains("sluice run --resume r-1"));
}

TEST_CASE("doctor: a database that is damaged is a problem", "[cli][doctor]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'true'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto file = here.directory() / ".sluice/sluice.db";
  std::fstream database{file, std::ios::binary | std::ios::in | std::ios::out};
  database.seekp(3 * 4096);
  for (int i = 0; i < 20'000; ++i)
    database.put('x');
  database.close();
  const auto found = here.run({"doctor"});
  CHECK(found.code == 70);
  CHECK_THAT(found.out, Contains("problem") && Contains("restore a backup"));
}

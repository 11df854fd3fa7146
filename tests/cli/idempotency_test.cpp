#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fstream>
#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

TEST_CASE("idempotency: a task is done once however often it is asked for", "[cli][idempotency]") {
  const workspace here;
  here.write("w.yaml", "workflow: books\n"
                       "tasks:\n"
                       "  close:\n"
                       "    idempotency: march\n"
                       "    run: |\n"
                       "      echo once >> ledger\n"
                       "      echo total=7 > $SLUICE_OUT\n"
                       "    out: {total: int}\n"
                       "  tell: {in: {n: '${{ tasks.close.out.total }}'}, run: echo total $n}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.read("ledger") == "once\n");
  CHECK(here.run({"logs", "r-2/tell"}).out == "total 7\n");
  CHECK_THAT(here.run({"events", "r-2"}).out,
             Contains("the result of r-1/0, which has the same key"));
  const auto task = nlohmann::json::parse(here.run({"--json", "show", "r-2/close"}).out);
  CHECK(task["state"] == "succeeded");
  CHECK(task["attempt"] == 0);
  CHECK(here.run({"replay", "r-2"}).code == 0);

  CHECK(here.run({"retry", "r-1", "--from", "close"}).code == 0); // just that is asked for
  CHECK(here.read("ledger") == "once\nonce\n");
}

TEST_CASE("idempotency: an empty key is refused", "[cli][idempotency]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'true'}\n");
  const auto done = here.run({"run", "w.yaml", "--key", ""}); // of a variable that is not set
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("--key: "));
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice"));
}

TEST_CASE("idempotency: a run that was killed keeps no key", "[cli][idempotency]") {
  const workspace here;
  here.write("w.yaml", "tasks: {close: {idempotency: march, run: 'test -e done || sleep 600'}}\n");
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("started");
  } // killed
  here.write("done", "");
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  CHECK(here.run({"run", "--resume", "r-1"}).code == 0);
  CHECK_THAT(here.run({"events", "r-1"}).out,
             Contains("the result of r-2/0, which has the same key"));
}

#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// Fails until somebody makes the file `fixed`.
constexpr const char* held = "tasks:\n"
                             "  pay: {run: 'test -e fixed || exit 3', on_exhausted: hold}\n"
                             "  report: {after: [pay], run: echo reported}\n";

} // namespace

TEST_CASE("hold: a run stays open until somebody answers, and says how", "[cli][hold]") {
  const workspace here;
  here.write("w.yaml", held);
  running_program program{here.directory(), {"run", "w.yaml"}};
  CHECK_THAT(program.read_until("pay"), Contains("held") && Contains("exit 3"));
  const auto how = program.read_until("answer");
  CHECK_THAT(how, Contains("sluice retry r-1/pay") && Contains("sluice mark r-1/pay --succeeded"));

  CHECK_THAT(here.run({"show", "r-1"}).out,
             Contains("running") && Contains("held after exit 3; retry, or mark it"));
  const auto task = json::parse(here.run({"--json", "show", "r-1/pay"}).out);
  CHECK(task["state"] == "waiting");
  CHECK(task["wait_reason"] == "hold");
  CHECK(task["failure"]["code"] == "3");
  CHECK_THAT(here.run({"tasks", "r-1", "--dead"}).out, Contains("pay"));
  CHECK(here.run({"replay", "r-1"}).code == 0);

  const auto busy = here.run({"retry", "r-1/report"});
  CHECK(busy.code == 4);
  CHECK_THAT(busy.err, Contains("task 'report' is pending, and not held"));
  CHECK(here.run({"retry", "r-1/pay", "--failed"}).code == 2);
  here.write("fixed", "");
  const auto again = here.run({"--json", "retry", "r-1/pay"});
  CHECK(again.code == 0);
  CHECK(json::parse(again.out) == json{{"run", "r-1"}, {"task", "pay"}});
  CHECK_THAT(program.read_all(), Contains("reported"));
  CHECK(program.wait() == 0);
  CHECK(here.run({"replay", "r-1"}).code == 0);
  const auto over = here.run({"retry", "r-1/pay"});
  CHECK(over.code == 4);
  CHECK_THAT(over.err, Contains("r-1 has ended") && Contains("retry r-1 --from pay"));
}

TEST_CASE("hold: a held task is marked failed, and fails by what it was held for",
          "[cli][hold][mark]") {
  const workspace here;
  here.write("w.yaml", held);
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("answer");
  CHECK_THAT(here.run({"mark", "r-1/pay", "--failed"}).out, Contains("it was waiting"));
  CHECK_THAT(program.read_all(), Contains("pay  failed: exit 3"));
  CHECK(program.wait() == 1);
}

TEST_CASE("hold: a runtime that is killed leaves the decision open", "[cli][hold]") {
  const workspace here;
  here.write("w.yaml", held);
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("answer");
  } // killed
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("held after exit 3; retry, or mark it"));
  SECTION("a resumed run asks again") {
    running_program resumed{here.directory(), {"run", "--resume", "r-1"}};
    CHECK_THAT(resumed.read_until("pay"), Contains("held after exit 3"));
    CHECK_THAT(resumed.read_until("answer"), Contains("sluice retry r-1/pay"));
    CHECK(here.run({"mark", "r-1/pay", "--succeeded"}).code == 0);
    CHECK_THAT(resumed.read_all(), Contains("reported"));
    CHECK(resumed.wait() == 0);
  }
  SECTION("a mark counts when the run is resumed") {
    CHECK(here.run({"mark", "r-1/pay", "--succeeded"}).code == 0);
    CHECK(here.run({"run", "--resume", "r-1"}).code == 0);
  }
  SECTION("a retry goes on with the run") {
    here.write("fixed", "");
    const auto done = here.run({"retry", "@last/pay"});
    CHECK(done.code == 0);
    CHECK_THAT(done.out, Contains("r-1/pay is tried again") && Contains("reported"));
    CHECK(json::parse(here.run({"--json", "show", "r-1/pay"}).out)["attempt"] == 2);
  }
  SECTION("but not with one whose task is not held") {
    CHECK(here.run({"retry", "r-1/report"}).code == 4);
    CHECK(here.run({"show", "r-1", "--quiet"}).out == "interrupted\n");
  }
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("hold: the file says which values there are", "[cli][hold]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: {run: x, on_exhausted: holt}\n");
  const auto checked = here.run({"validate", "w.yaml"});
  CHECK(checked.code == 2);
  CHECK_THAT(checked.err + checked.out,
             Contains("2:29: tasks.a.on_exhausted: unknown value 'holt'; did you mean 'hold'?"));
  here.write("w.yaml", "tasks:\n  a: {run: x, on_exhaustet: hold}\n");
  const auto unknown = here.run({"validate", "w.yaml"});
  CHECK_THAT(unknown.err + unknown.out, Contains("did you mean 'on_exhausted'?"));
}

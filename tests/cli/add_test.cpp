#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// A run that goes on until it gets a signal.
constexpr const char* slow = R"(workflow: demo
tasks:
  load: {run: 'echo rows=7 > "$SLUICE_OUT"', out: {rows: int}}
  hold: {after: [load], gate: signal, name: go}
finally:
  tidy: {run: echo tidied}
)";

constexpr const char* more = R"(tasks:
  check: {in: {n: "${{ tasks.load.out.rows }}"}, run: 'echo "checked $n"'}
  last: {after: [hold, check], run: echo all done}
)";

std::size_t position(const std::string& text, const std::string& part) {
  INFO(part);
  const auto at = text.find(part);
  REQUIRE(at != std::string::npos);
  return at;
}

/// A workspace with both files.
struct added_workspace : workspace {
  added_workspace() {
    write("w.yaml", slow);
    write("more.yaml", more);
  }
};

} // namespace

TEST_CASE("add: a run is given tasks while it goes on", "[cli][add]") {
  const added_workspace here;
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("waiting");
  const auto done = here.run({"add", "r-1", "more.yaml"});
  CHECK(done.err == "");
  CHECK(done.code == 0);
  CHECK(done.out == "r-1 has 2 tasks more: check, last\n");
  CHECK_THAT(program.read_until("added"), Contains("added 2 tasks: check, last"));
  program.read_until("check");
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("2/5") && Contains("last"));
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("check") && Contains("last"));
  CHECK_THAT(here.run({"explain", "r-1/last"}).out, Contains("hold"));
  CHECK_THAT(here.run({"logs", "r-1/check"}).out, Contains("checked 7"));
  CHECK_THAT(here.run({"events", "r-1"}).out,
             Contains("added") && Contains("2 tasks: check, last"));
  CHECK(here.run({"signal", "r-1", "go"}).code == 0);
  const auto rest = program.read_all();
  CHECK(program.wait() == 0);
  CHECK(position(rest, "last") < position(rest, "tidy"));
  CHECK_THAT(rest, Contains("5 of 5 tasks") || Contains("5/5") || Contains("5 succeeded"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
  CHECK(here.run({"add", "r-1", "more.yaml"}).code == 4);
}

TEST_CASE("add: what is wrong is refused and changes nothing", "[cli][add]") {
  const added_workspace here;
  here.write("bad.yaml", "tasks:\n  load: x\n  a: {after: [hodl], run: x}\n");
  here.write("cycle.yaml", "tasks:\n  a: {after: [b], run: x}\n  b: {after: [a], run: x}\n");
  here.write("large.yaml", "params: {n: 1}\ntasks: {a: x}\n");
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("waiting");
  const auto bad = here.run({"add", "r-1", "bad.yaml"});
  CHECK(bad.code == 2);
  CHECK(bad.err
        == "bad.yaml:2:3: tasks.load: the run has a task 'load' already\n"
           "bad.yaml:3:15: tasks.a.after[0]: no task 'hodl'; did you mean 'hold'?\n");
  const auto cycle = here.run({"add", "r-1", "cycle.yaml"});
  CHECK(cycle.code == 2);
  CHECK_THAT(cycle.err, Contains("cycle.yaml:2:3") && Contains("a -> b -> a"));
  const auto large = here.run({"--json", "add", "r-1", "large.yaml"});
  CHECK(large.code == 2);
  CHECK(json::parse(large.out)["problems"][0]["path"] == "params");
  CHECK(here.run({"add", "r-1", "none.yaml"}).code == 2);
  CHECK(here.run({"add", "r-9", "more.yaml"}).code == 3);
  CHECK(here.run({"signal", "r-1", "go"}).code == 0);
  CHECK_THAT(program.read_all(), !Contains("checked"));
  CHECK(program.wait() == 0);
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("3/3"));
}

TEST_CASE("add: a gate that is added says how to answer it", "[cli][add]") {
  const added_workspace here;
  here.write("gate.yaml",
             "tasks:\n"
             "  ok: {gate: approval, prompt: Where to, form: {where: {type: string}}}\n"
             "  there: {in: {w: '${{ tasks.ok.out.where }}'}, run: 'echo \"at $w\"'}\n");
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("waiting");
  CHECK(here.run({"add", "r-1", "gate.yaml"}).code == 0);
  CHECK_THAT(program.read_until("approve r-1/ok"), Contains("-i where=VALUE"));
  CHECK(here.run({"approve", "r-1/ok", "-i", "where=sea"}).code == 0);
  CHECK(here.run({"signal", "r-1", "go"}).code == 0);
  program.read_all();
  CHECK(program.wait() == 0);
  CHECK_THAT(here.run({"logs", "r-1/there"}).out, Contains("at sea"));
}

TEST_CASE("add: what was added survives the death of the runtime", "[cli][add]") {
  const added_workspace here;
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("waiting");
    CHECK(here.run({"add", "r-1", "more.yaml"}).code == 0);
  } // killed
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("check") && Contains("last"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
  CHECK(here.run({"signal", "r-1", "go"}).code == 0);
  const auto resumed = here.run({"run", "--resume", "r-1"});
  CHECK(resumed.code == 0);
  CHECK_THAT(here.run({"logs", "r-1/check"}).out, Contains("checked 7"));
  CHECK(position(resumed.out, "last") < position(resumed.out, "tidy"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
  const auto again = here.run({"retry", "r-1", "--from", "check"});
  CHECK(again.code == 0);
}

TEST_CASE("add: a run that nobody executes is given tasks", "[cli][add]") {
  const added_workspace here;
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("waiting");
  } // killed
  const auto done = here.run({"add", "r-1", "more.yaml"});
  CHECK(done.err == "");
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("2 tasks more") && Contains("sluice run --resume r-1"));
  CHECK(here.run({"signal", "r-1", "go"}).code == 0);
  const auto resumed = here.run({"run", "--resume", "r-1"});
  CHECK(resumed.code == 0);
  CHECK_THAT(here.run({"logs", "r-1/check"}).out, Contains("checked 7"));
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("5/5"));
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

constexpr const char* publish = R"(tasks:
  build: {run: 'echo version=7 > "$SLUICE_OUT"', out: {version: int}}
  approve:
    gate: approval
    prompt: "Publish ${{ tasks.build.out.version }}?"
    form: {target: {enum: [staging, production]}, replicas: 2}
  publish:
    in: {target: "${{ tasks.approve.out.target }}", by: "${{ tasks.approve.out.by }}"}
    run: 'echo "$target by $by"'
)";

constexpr const char* signalled = R"(tasks:
  go: {gate: signal}
  tell: {in: {it: "${{ tasks.go.out.payload.x }}"}, run: 'echo "got $it"'}
)";

} // namespace

TEST_CASE("gates: a run waits for an approval, and says how to give it", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", publish);
  running_program program{here.directory(), {"run", "w.yaml"}};
  CHECK_THAT(program.read_until("waiting"), Contains("waits for an approval: Publish 7?"));
  CHECK_THAT(program.read_until("waits for a person"),
             Contains("sluice approve r-1/approve -i target=VALUE")
               && Contains("sluice reject r-1/approve"));
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("waits for an approval: Publish 7?"));
  CHECK_THAT(here.run({"gate", "list"}).out,
             Contains("r-1/approve") && Contains("approval") && Contains("Publish 7?"));
  const auto listed = json::parse(here.run({"gate", "list", "--json"}).out);
  CHECK(listed["task"] == "approve");
  CHECK(listed["wait_reason"] == "approval");
  CHECK(listed["prompt"] == "Publish 7?");

  const auto missing = here.run({"approve", "r-1/approve"});
  CHECK(missing.code == 2);
  CHECK_THAT(missing.err, Contains("form value 'target' is missing"));
  CHECK(here.run({"approve", "r-1/approve", "-i", "target=moon"}).code == 2);
  const auto unknown = here.run({"approve", "r-1/approve", "-i", "tarjet=staging"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Contains("did you mean 'target'?"));
  CHECK(here.run({"approve", "r-1/approve", "-i", "target=staging", "-i", "replicas=x"}).code == 2);
  CHECK(here.run({"approve", "r-1/publish"}).code == 2);

  const auto done =
    here.run({"approve", "r-1/approve", "-i", "target=staging", "--by", "ana", "--note", "fine"});
  CHECK(done.code == 0);
  CHECK(done.out == "r-1/approve is approved\n");
  CHECK_THAT(program.read_all(), Contains("approved by ana: fine") && Contains("staging by ana"));
  CHECK(program.wait() == 0);
  CHECK_THAT(here.run({"gate", "list"}).out, Contains("nothing waits at a gate"));
  CHECK(here.run({"approve", "r-1/approve"}).code == 4);
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("gates: a rejection fails the run", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", publish);
  running_program program{here.directory(), {"run", "w.yaml"}};
  program.read_until("waits for a person");
  const auto done =
    here.run({"--json", "reject", "@last/approve", "--by", "ana", "--note", "not today"});
  CHECK(done.code == 0);
  CHECK(json::parse(done.out)
        == json{{"run", "r-1"}, {"task", "approve"}, {"decision", "rejected"}, {"by", "ana"}});
  CHECK_THAT(program.read_all(), Contains("gate (rejected): rejected by ana: not today"));
  CHECK(program.wait() == 1);
}

TEST_CASE("gates: a runtime that is killed leaves the approval open", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", publish);
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("waits for a person");
  } // killed
  CHECK_THAT(here.run({"tasks", "r-1"}).out, Contains("waits for an approval: Publish 7?"));
  SECTION("a resumed run asks again") {
    running_program resumed{here.directory(), {"run", "--resume", "r-1"}};
    CHECK_THAT(resumed.read_until("waits for a person"), Contains("sluice approve r-1/approve"));
    CHECK(here.run({"approve", "r-1/approve", "-i", "target=staging"}).code == 0);
    CHECK_THAT(resumed.read_all(), Contains("staging by"));
    CHECK(resumed.wait() == 0);
  }
  SECTION("an approval counts when the run is resumed") {
    const auto done =
      here.run({"approve", "r-1/approve", "-i", "target=production", "--by", "ana"});
    CHECK(done.code == 0);
    CHECK_THAT(done.out, Contains("sluice run --resume r-1"));
    const auto resumed = here.run({"run", "--resume", "r-1"});
    CHECK(resumed.code == 0);
    CHECK_THAT(resumed.out, Contains("production by ana"));
  }
  SECTION("and so does a rejection") {
    CHECK(here.run({"reject", "r-1/approve"}).code == 0);
    CHECK(here.run({"run", "--resume", "r-1"}).code == 1);
  }
}

TEST_CASE("gates: a signal lets a run go on", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", signalled);
  running_program program{here.directory(), {"run", "w.yaml"}};
  CHECK_THAT(program.read_until("waits for a signal"), Contains("sluice signal r-1 go"));
  const auto wrong = here.run({"signal", "r-1", "og"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("did you mean 'go'?"));
  CHECK(here.run({"signal", "r-1", "go", "{x"}).code == 2);
  const auto sent = here.run({"signal", "r-1", "go", R"({"x": 5})"});
  CHECK(sent.code == 0);
  CHECK_THAT(sent.out, Contains("r-1 has the signal 'go'; go goes on"));
  CHECK_THAT(program.read_all(), Contains("got 5"));
  CHECK(program.wait() == 0);
  CHECK_THAT(here.run({"events", "r-1"}).out, Contains("signal") && Contains("'go' by"));
  CHECK(here.run({"signal", "r-1", "go"}).code == 4);
}

TEST_CASE("gates: a signal to a run that nobody executes is kept", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", signalled);
  {
    running_program program{here.directory(), {"run", "w.yaml"}};
    program.read_until("waits for a signal");
  } // killed
  const auto sent = here.run({"signal", "r-1", "go", R"({"x": 6})"});
  CHECK(sent.code == 0);
  CHECK_THAT(sent.out, Contains("it is kept until a gate takes it"));
  CHECK_THAT(here.run({"run", "--resume", "r-1"}).out, Contains("got 6"));
}

TEST_CASE("gates: a wait that is over when the run goes on", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  nap: {wait: 50ms}\n  tell: {after: [nap], run: echo awake}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("nap") && Contains("waits, 50ms left") && Contains("awake"));
}

TEST_CASE("gates: a switch that is closed keeps tasks from starting", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  open: {gate: switch, name: warehouse}\n"
                       "  load: {after: [open], gates: [net], run: echo loaded}\n");
  const auto closed =
    here.run({"gate", "close", "warehouse", "--reason", "stocktaking", "--by", "ana"});
  CHECK(closed.code == 0); // without a runtime, and before the first run
  CHECK(closed.out == "gate 'warehouse' is closed\n");
  CHECK(here.run({"gate", "close", "warehouse"}).code == 4);
  running_program program{here.directory(), {"run", "w.yaml"}};
  CHECK_THAT(program.read_until("waiting"), Contains("waits: the gate 'warehouse' is closed"));
  CHECK_THAT(program.read_until("waits for a gate"), Contains("sluice gate open warehouse"));
  CHECK(here.run({"gate", "close", "net"}).code == 0);
  CHECK_THAT(here.run({"gate", "list"}).out, Contains("warehouse") && Contains("closed")
                                               && Contains("stocktaking") && Contains("r-1/open"));
  CHECK_THAT(here.run({"gate", "open", "warehouse"}).out, Contains("r-1/open goes on"));
  program.read_until("waits: the gate 'net' is closed");
  CHECK_THAT(here.run({"gate", "open", "net"}).out, Contains("r-1/load goes on"));
  CHECK_THAT(program.read_all(), Contains("loaded"));
  CHECK(program.wait() == 0);
  const auto history = here.run({"gate", "list", "--history"}).out;
  CHECK(history.find("net") < history.find("warehouse"));
  CHECK_THAT(history, Contains("ana") && Contains("stocktaking"));
  CHECK(here.run({"gate", "open", "net"}).code == 4);
  CHECK(here.run({"replay", "r-1"}).code == 0);
}

TEST_CASE("gates: a quota spaces what passes", "[cli][gates]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  mail: {gate: quota, max: 1, per: 100ms, shard: 3}\n"
                       "  sent: {after: [mail], run: echo sent}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("waits for room in the quota 'mail'") && Contains("sent"));
}

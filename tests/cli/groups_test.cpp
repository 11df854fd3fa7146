#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;

TEST_CASE("cancel: a group is cancelled and its run goes on", "[cli][cancel][group]") {
  const workspace here;
  here.write("w.yaml", "groups: {slow: {limits: {active_tasks: 1}}}\n"
                       "tasks:\n"
                       "  wait: {group: slow, exec: [sleep, '600']}\n"
                       "  other: {group: slow, exec: [sleep, '600']}\n"
                       "  more: {group: slow, after: [wait], run: echo more}\n"
                       "  then: {after: [more], join: all_done, run: echo then}\n");
  running_program program{here.directory(), {"--json", "run", "w.yaml", "--slots", "4"}};
  program.read_until("task_dispatched");
  const auto wrong = here.run({"cancel", "@last", "--group", "slwo"});
  CHECK(wrong.code == 3);
  CHECK_THAT(wrong.err, Contains("did you mean 'slow'?"));
  const auto listed = here.run({"tasks", "@last", "--filter", "group=slow", "--quiet"});
  CHECK(listed.out == "r-1/0\nr-1/1\nr-1/2\n");
  CHECK_THAT(here.run({"tasks", "@last"}).out,
             Contains("waits for room under limits.active_tasks"));
  const auto done = here.run({"cancel", "@last", "--group", "slow"});
  CHECK(done.code == 0);
  CHECK(done.out == "group 'slow' of r-1: 3 tasks cancelled\n");
  program.read_all();
  CHECK(program.wait() == 0);
  CHECK(here.run({"show", "r-1/wait", "--quiet"}).out == "cancelled\n");
  CHECK(here.run({"show", "r-1/then", "--quiet"}).out == "succeeded\n");
  const auto late = here.run({"cancel", "r-1", "--group", "slow"});
  CHECK(late.code == 4);
  CHECK_THAT(late.err, Contains("r-1 has ended"));
}

TEST_CASE("cancel: a group of a run that nobody executes is left alone", "[cli][cancel][group]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  wait: {group: slow, exec: [sleep, '600']}\n");
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  program.read_until("task_dispatched");
  program.signal(SIGKILL);
  program.close_output();
  program.wait();
  const auto refused = here.run({"cancel", "r-1", "--group", "slow"});
  CHECK(refused.code == 4);
  CHECK_THAT(refused.err, Contains("is not in progress"));
}

TEST_CASE("plan: the limit of a group counts", "[cli][plan][group]") {
  const workspace here;
  here.write("w.yaml", "groups: {g: {limits: {active_tasks: 2}}}\n"
                       "tasks:\n"
                       "  a: {group: g, run: echo a}\n"
                       "  b: {group: g, shard: 3, run: echo b}\n"
                       "  c: echo c\n");
  const auto json = nlohmann::json::parse(here.run({"plan", "w.yaml", "--json"}).out);
  CHECK(json["width"] == 5);
  CHECK(json["stages"][0]["max_parallel"] == 3);
}

TEST_CASE("show: what is used of a budget and what there is", "[cli][show][budget]") {
  const workspace here;
  here.write("w.yaml",
             "env: {PATH: '" SLUICE_BINARY_DIR ":/usr/bin:/bin'}\n"
             "budget: {cost: 25.0, tokens: 1000}\n"
             "groups: {ask: {budget: {cost: 1}}}\n"
             "tasks:\n"
             "  a: {group: ask, run: sluice usage cost=0.75 tokens=12}\n"
             "  b: {after: [a], run: 'sluice usage cost=0.25; echo $SLUICE_BUDGET_COST'}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 0);
  const auto shown = here.run({"show", "@last"});
  CHECK_THAT(shown.out, Contains("cost 1.00 / 25.00  tokens 12 / 1000\n"));
  CHECK_THAT(shown.out, Contains("group 'ask'  cost 0.75 / 1.00\n"));
  CHECK_THAT(here.run({"logs", "@last/b"}).out, Contains("24.25"));
  const auto json = nlohmann::json::parse(here.run({"show", "@last", "--json"}).out);
  CHECK(json["budgets"][0]["cost"] == nlohmann::json{{"used", 1.0}, {"limit", 25.0}});
  CHECK(json["budgets"][1]["group"] == "ask");
}

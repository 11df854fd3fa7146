#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// A store with a run that succeeded and one that failed.
struct two_runs : workspace {
  two_runs() {
    write("good.yaml", "tasks:\n"
                       "  a: {run: 'echo rows=3 > \"$SLUICE_OUT\"; echo a', out: {rows: int}}\n"
                       "  b: {after: [a], run: echo b}\n");
    write("bad.yaml", "tasks:\n"
                      "  boom: {run: 'echo about to fail; exit 7'}\n"
                      "  next: {after: [boom], run: echo never}\n"
                      "  'odd name': echo odd\n");
    REQUIRE(run({"run", "good.yaml"}).code == 0);
    REQUIRE(run({"run", "bad.yaml"}).code == 1);
  }
};

} // namespace

TEST_CASE_METHOD(two_runs, "runs: newest first and filtered", "[cli][runs]") {
  const auto all = run({"runs"});
  CHECK(all.code == 0);
  CHECK_THAT(all.out, Catch::StartsWith("RUN  WORKFLOW  STATE"));
  CHECK(all.out.find("r-2") < all.out.find("r-1"));
  CHECK(run({"runs", "--quiet"}).out == "r-2\nr-1\n");
  CHECK(run({"runs", "--quiet", "--limit", "1"}).out == "r-2\n");
  CHECK(run({"runs", "--quiet", "--filter", "state=succeeded"}).out == "r-1\n");
  CHECK(run({"runs", "--quiet", "--filter", "workflow=bad"}).out == "r-2\n");
  CHECK(run({"runs", "--filter", "state=cancelled"}).out == "no runs\n");
  CHECK(run({"runs", "--filter", "state=purple"}).code == 2);
  const auto json_line = json::parse(run({"runs", "--json", "--limit", "1"}).out);
  CHECK(json_line["run"] == "r-2");
  CHECK(json_line["state"] == "failed");
  CHECK(json_line["tasks"]["failed"] == 1);
}

TEST_CASE_METHOD(two_runs, "tasks: those that failed for good, with why", "[cli][tasks]") {
  const auto dead = run({"tasks", "r-2", "--dead"});
  CHECK(dead.code == 0);
  CHECK_THAT(dead.out, Catch::StartsWith("ID     TASK  CLASS  CODE  ATTEMPTS"));
  CHECK_THAT(dead.out, Contains("r-2/0  boom  exit   7     1"));
  CHECK_THAT(dead.out, Contains("again: sluice retry r-2"));
  CHECK(dead.out.find("odd name") == std::string::npos);
  const auto v = json::parse(run({"tasks", "r-2", "--dead", "--json"}).out);
  CHECK(v["task"] == "boom");
  CHECK(v["failure"]["class"] == "exit");
  CHECK(run({"tasks", "r-1", "--dead"}).out == "no tasks\n");
}

TEST_CASE_METHOD(two_runs, "show: a run with what failed first", "[cli][show]") {
  const auto shown = run({"show", "@last-failed"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Catch::StartsWith("bad r-2  failed"));
  CHECK_THAT(shown.out, Contains("3/3   1 failed  1 skipped"));
  CHECK_THAT(shown.out, Contains("boom  failed: exit 7"));
  CHECK_THAT(shown.out, Contains("| about to fail\n"));
  CHECK_THAT(shown.out, Contains("sluice logs r-2/boom"));
  CHECK(shown.out.find("boom") < shown.out.find("odd name"));
  CHECK(run({"show", "2", "--quiet"}).out == "failed\n");
  const auto v = json::parse(run({"show", "r-1", "--json"}).out);
  CHECK(v["state"] == "succeeded");
  CHECK(v["task_list"].size() == 2);
  CHECK_THAT(run({"show", "r-1", "--limit", "1"}).out, Contains("and 1 more"));
}

TEST_CASE_METHOD(two_runs, "show: a task with its attempts and outputs", "[cli][show]") {
  const auto shown = run({"show", "r-1/a"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Catch::StartsWith("r-1/a  succeeded"));
  CHECK_THAT(shown.out, Contains("out  rows = 3"));
  CHECK_THAT(shown.out, Contains("r-1/0#1") && Contains(".sluice/logs/r-1/0/0.1.log"));
  const auto v = json::parse(run({"show", "r-1/a", "--json"}).out);
  CHECK(v["outputs"]["rows"] == 3);
  CHECK(v["attempts"].size() == 1);
}

TEST_CASE_METHOD(two_runs, "tasks: the tasks of a run", "[cli][tasks]") {
  const auto listed = run({"tasks", "r-2"});
  CHECK(listed.code == 0);
  CHECK_THAT(listed.out, Contains("r-2/0  boom") && Contains("exit 7"));
  CHECK_THAT(listed.out, Contains("skipped"));
  CHECK(run({"tasks", "r-2", "--quiet"}).out == "r-2/0\nr-2/1\nr-2/2\n");
  CHECK(run({"tasks", "r-2", "--quiet", "--filter", "state=skipped"}).out == "r-2/1\n");
  CHECK(run({"tasks", "r-2", "--quiet", "--filter", "name=odd"}).out == "r-2/2\n");
  CHECK(run({"tasks", "r-2", "--filter", "state=purple"}).code == 2);
  CHECK_THAT(run({"tasks", "r-2", "--limit", "1"}).out, Contains("and 2 more"));
  const auto first = json::parse(run({"tasks", "r-2", "--json", "--limit", "1"}).out);
  CHECK(first["task"] == "boom");
  CHECK(first["failure"]["code"] == "7");
}

TEST_CASE_METHOD(two_runs, "logs: of a task and of a run", "[cli][logs]") {
  CHECK(run({"logs", "r-1/a"}).out == "a\n");
  CHECK(run({"logs", "r-2/bo"}).out == "about to fail\n");
  CHECK(run({"logs", "r-1/a#1"}).out == "a\n");
  CHECK(run({"logs", "r-1/a", "--attempt", "1"}).out == "a\n");
  CHECK(run({"logs", "r-1/a", "--attempt", "2"}).code == 3);
  const auto skipped = run({"logs", "r-2/next"});
  CHECK(skipped.code == 0);
  CHECK(skipped.out.empty());
  CHECK_THAT(skipped.err, Contains("did not run"));
  const auto whole = run({"logs", "r-2"}).out;
  CHECK_THAT(whole, Contains("==> r-2/boom <==") && Contains("about to fail\n"));
  CHECK_THAT(whole, Contains("==> r-2/2 <==") && Contains("odd\n"));
  CHECK(run({"logs", "r-2", "--quiet"}).out == "about to fail\nodd\n");
  CHECK(json::parse(run({"logs", "r-1/a", "--json"}).out)["line"] == "a");
  const auto misspelt = run({"logs", "r-2/bomo"});
  CHECK(misspelt.code == 3);
  CHECK_THAT(misspelt.err, Contains("did you mean 'boom'?"));
}

TEST_CASE_METHOD(two_runs, "events: in order and filtered", "[cli][events]") {
  const auto printed = run({"events", "r-1", "--time", "utc"});
  CHECK(printed.code == 0);
  CHECK_THAT(printed.out, Contains("r-1/a#1") && Contains("dispatched"));
  CHECK(printed.out.find("r-1/a#1") < printed.out.find("r-1/b#1"));
  const auto failed = json::parse(
    run({"events", "r-2", "--json", "--filter", "type=task_finished", "--filter", "task=boom"})
      .out);
  CHECK(failed["data"]["code"] == "7");
  CHECK(run({"events", "r-1", "--filter", "type=purple"}).code == 2);
  CHECK(json::parse(run({"events", "r-1", "--json", "--limit", "1"}).out)["type"]
        == "run_submitted");
}

TEST_CASE_METHOD(two_runs, "show: colours when asked for", "[cli][show]") {
  CHECK_THAT(run({"show", "@last", "--color", "always"}).out, Contains("\033[31mfailed\033[0m"));
  CHECK_THAT(run({"show", "@last"}).out, !Contains("\033["));
}

TEST_CASE("tasks and show: why a task does not run", "[cli][tasks][show]") {
  const auto [slots, limits, reason, words] =
    GENERATE(table<std::string, std::string, std::string, std::string>({
      {"1", "", "slot", "waits for a slot"},
      {"2", "limits: {active_tasks: 1}\n", "limit", "waits for room under limits.active_tasks"},
    }));
  CAPTURE(reason);
  const workspace here;
  const auto go = here.fifo("go");
  here.write("w.yaml", limits
                         + "tasks:\n"
                           "  busy: cat go\n"
                           "  free: 'true'\n"
                           "  next: {after: [busy], run: 'true'}\n");
  running_program program{here.directory(), {"run", "--json", "--slots", slots, "w.yaml"}};
  program.read_until("task_dispatched");
  const auto reason_of = [&](const std::string& id) {
    return json::parse(here.run({"show", id, "--json"}).out).value("wait_reason", "none");
  };

  const auto listed = here.run({"tasks", "@last", "--json", "--filter", "name=free"}).out;
  CHECK(json::parse(listed)["wait_reason"] == reason);
  const auto run = json::parse(here.run({"show", "@last", "--json"}).out);
  CHECK(run["task_list"][1]["wait_reason"] == reason);
  CHECK(reason_of("@last/free") == reason);
  CHECK(reason_of("@last/next") == "upstream");
  CHECK(reason_of("@last/busy") == "none");
  for (const auto& verb : {"tasks", "show"})
    CHECK_THAT(here.run({verb, "@last"}).out,
               Contains(words + "\n") && Contains("waits for busy\n"));
  CHECK_THAT(here.run({"show", "@last/free"}).out, Contains("ready") && Contains("  " + words));

  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  CHECK(reason_of("@last/free") == "none"); // nothing hands out slots any more
  CHECK(reason_of("@last/next") == "upstream");
}

TEST_CASE("tasks and show: a task that waits for its retry", "[cli][tasks][show]") {
  const workspace here;
  here.write(
    "w.yaml",
    "tasks:\n"
    "  flaky: {run: 'echo try $SLUICE_ATTEMPT; exit 3', retry: {max: 2, base: 1h, cap: 1h}}\n"
    "  next: {after: [flaky], run: 'true'}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  const auto event = json::parse(program.read_until("task_retrying"));
  CHECK(event["data"]["class"] == "exit");
  CHECK(event["data"]["retry"] == 1);

  const auto task = json::parse(here.run({"tasks", "@last", "--json", "--limit", "1"}).out);
  CHECK(task["state"] == "retry_wait");
  CHECK(task["wait_reason"] == "retry");
  CHECK(task["failure"]["code"] == "3");
  CHECK(task["retry_at"].get<std::string>() > task["started_at"].get<std::string>());
  for (const auto& id : {"@last", "@last/flaky"})
    CHECK_THAT(here.run({"show", id}).out, Contains("exit 3, retry 1 in 5")); // 54 to 60 minutes
  CHECK_THAT(here.run({"tasks", "@last"}).out, Contains("retry_wait"));
  CHECK_THAT(here.run({"show", "@last"}).out, Contains("1 retrying  1 pending"));
  CHECK(here.run({"logs", "@last/flaky"}).out == "try 1\n");

  program.signal(SIGINT); // ends the wait, not only what runs
  program.read_all();
  CHECK(program.wait() == 130);
  CHECK(here.run({"tasks", "@last", "--quiet", "--filter", "state=cancelled"}).out
        == "r-1/0\nr-1/1\n");
}

TEST_CASE("tasks and show: a task that keeps failing waits for its breaker", "[cli][tasks][show]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  flaky: {run: 'test -e mended', retry: {max: 6, base: 1ms}}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  CHECK_THAT(json::parse(program.read_until("task_warning"))["data"]["message"].get<std::string>(),
             Contains("5 attempts in a row failed"));
  CHECK(json::parse(program.read_until("task_waiting"))["data"]["breaker"]["failures"] == 5);

  const auto task = json::parse(here.run({"tasks", "@last", "--json"}).out);
  CHECK(task["state"] == "waiting");
  CHECK(task["wait_reason"] == "breaker");
  CHECK(task["attempt"] == 5);
  CHECK(task["breaker"]["failures"] == 5);
  CHECK(task["breaker"]["open_until"].get<std::string>() > task["started_at"].get<std::string>());
  for (const auto& id : {"@last", "@last/flaky"})
    CHECK_THAT(here.run({"show", id}).out,
               Contains("waits for its breaker, ") && Contains(" left (5 failures in a row)"));
  CHECK_THAT(here.run({"show", "@last"}).out, Contains("1 waiting"));
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  CHECK_FALSE(json::parse(here.run({"tasks", "@last", "--json"}).out).contains("wait_reason"));

  running_program resumed{here.directory(), {"run", "--resume", "@last"}};
  CHECK_THAT(resumed.read_until("flaky"), Contains("waits for its breaker, "));
  resumed.signal(SIGINT);
  resumed.read_all();
  CHECK(resumed.wait() == 130);

  here.write("mended", "");
  running_program later{here.directory(), {"run", "--json", "w.yaml"}}; // another run finds it open
  later.read_until("task_waiting");
  later.signal(SIGINT);
  later.read_all();
  CHECK(later.wait() == 130);
}

TEST_CASE("show: what a rollback is to put back", "[cli][show]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  a:\n"
                       "    snapshot: printf old > $SLUICE_SNAPSHOT\n"
                       "    run: test ! -s $SLUICE_SNAPSHOT; exit 3\n"
                       "    rollback: cat $SLUICE_SNAPSHOT; exit 4\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("its rollback failed (exit 4)"));
  CHECK(here.run({"logs", "@last/a"}).out == "old\n");
  CHECK_THAT(here.run({"show", "@last/a"}).out, Contains("snapshot  3 bytes  saved 20"));
  const auto v = json::parse(here.run({"show", "@last/a", "--json"}).out);
  CHECK(v["snapshot"]["bytes"] == 3);
  CHECK(v["snapshot"].contains("saved_at"));
  CHECK_THAT(here.run({"events", "@last"}).out, Contains("  snapshot"));
}

TEST_CASE("show: every attempt of a task with its class", "[cli][show]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  flaky:\n"
                       "    run: 'echo try $SLUICE_ATTEMPT; exit $((75 * (SLUICE_ATTEMPT < 2)))'\n"
                       "    retry: {max: 1, base: 1ms}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("retrying") && Contains("transient (75): exit 75, retry 1 in"));
  const auto shown = here.run({"show", "@last/flaky"}).out;
  CHECK_THAT(shown, Contains("r-1/0#1") && Contains("transient (75)") && Contains("r-1/0#2"));
  const auto v = json::parse(here.run({"show", "@last/flaky", "--json"}).out);
  CHECK(v["retries"] == 1);
  REQUIRE(v["attempts"].size() == 2);
  CHECK(v["attempts"][0]["failure"]["class"] == "transient");
  CHECK(v["attempts"][1]["state"] == "succeeded");
  CHECK(here.run({"logs", "r-1/flaky#1"}).out == "try 1\n");
  CHECK(here.run({"logs", "r-1/flaky"}).out == "try 2\n");
}

TEST_CASE("logs: a log is followed while it grows", "[cli][logs]") {
  const workspace here;
  const auto go = here.fifo("go");
  here.write("w.yaml", "tasks:\n"
                       "  a: 'echo one; cat go'\n"
                       "  b: {after: [a], run: echo three}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  running_program task{here.directory(), {"logs", "-f", "@last/a"}};
  running_program whole{here.directory(), {"logs", "-f", "@last"}};
  CHECK(task.read_line() == "one");
  CHECK(whole.read_line() == "a | one");
  std::ofstream{go} << "two\n";
  CHECK(task.read_all() == "two\n");
  CHECK(task.wait() == 0);
  CHECK(whole.read_all() == "a | two\nb | three\n");
  CHECK(whole.wait() == 0);
  program.read_all();
  CHECK(program.wait() == 0);
}

TEST_CASE("logs: following ends when the runtime is killed", "[cli][logs]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'echo one; sleep 600'}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  running_program follower{here.directory(), {"logs", "-f", "@last/a"}};
  CHECK(follower.read_line() == "one");
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  CHECK(follower.read_all().empty());
  CHECK(follower.wait() == 0);
}

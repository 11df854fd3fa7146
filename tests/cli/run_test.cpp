#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <regex>
#include <sstream>
#include <string>
#include <vector>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

constexpr const char* failing = "workflow: etl\n"
                                "tasks:\n"
                                "  extract: echo 3 rows\n"
                                "  load: {after: [extract], run: 'echo row 2 is bad; exit 3'}\n"
                                "  report: {after: [load], run: echo done}\n";

std::vector<json> parse_lines(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    lines.push_back(json::parse(line));
  return lines;
}

} // namespace

TEST_CASE("run: a workflow from file to result", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "params: {name: world}\n"
                       "tasks:\n"
                       "  hello: {in: {name: '${{ params.name }}'}, run: 'echo hello $name'}\n");
  const auto done = here.run({"run", "w.yaml", "-p", "name=Ada"});
  CHECK(done.code == 0);
  CHECK(done.err.empty());
  CHECK_THAT(done.out, Contains("w r-1  started  1 task\n"));
  CHECK(std::regex_search(done.out, std::regex{R"(\d\d:\d\d:\d\d  hello  succeeded +[<\d])"}));
  CHECK_THAT(done.out, Contains("w r-1  succeeded  1 of 1 task succeeded"));
  CHECK_THAT(done.out, Contains("sluice show r-1"));
  CHECK(here.run({"logs", "r-1/hello"}).out == "hello Ada\n");
  CHECK(here.run({"logs", "@last/0"}).out == "hello Ada\n");
  CHECK_THAT(here.run({"show", "r-1"}).out, Contains("params  name=Ada"));
}

TEST_CASE("run: the log of the task all others lead to is the result", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  a: echo from a\n"
                       "  b: echo from b\n"
                       "  sum: {after: [a, b], run: 'echo the sum'}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK_THAT(done.out, Contains("\n\nthe sum\n\nw r-1  succeeded"));
  CHECK_THAT(done.out, !Contains("from a"));

  here.write("two.yaml", "tasks:\n  a: echo from a\n  b: echo from b\n");
  CHECK_THAT(here.run({"run", "two.yaml"}).out, !Contains("from a")); // no single last task
}

TEST_CASE("run: a wrong parameter stops before anything starts", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "params: {count: 3}\ntasks:\n  a: echo a\n");
  const auto done = here.run({"run", "w.yaml", "-p", "cuont=5"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("w.yaml: ") && Contains("did you mean 'count'?"));
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice"));
}

TEST_CASE("run: a failure is reported so that one knows where to look", "[cli][run]") {
  const workspace here;
  here.write("etl.yaml", failing);
  const auto done = here.run({"--store", "my store", "run", "etl.yaml"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out, Contains("load  failed: exit 3"));
  CHECK_THAT(done.out, Contains("| row 2 is bad\n"));
  CHECK_THAT(done.out, Contains("log   my store/logs/r-1/0/1.1.log\n"));
  CHECK_THAT(done.out, Contains("more  sluice --store 'my store' logs r-1/load\n"));
  CHECK_THAT(done.out, Contains("etl r-1  failed  1 of 3 tasks succeeded  1 failed  1 skipped"));
  CHECK_THAT(here.run({"--store", "my store", "show", "@last-failed"}).out,
             Contains("| row 2 is bad\n"));
}

TEST_CASE("run: a run that is not done by its deadline fails and says so", "[cli][run]") {
  const workspace here;
  here.write("w.yaml",
             "deadline: 200ms\ntasks:\n  slow: sleep 600\n  next: {after: [slow], run: 'true'}\n");
  const auto done = here.run({"run", "w.yaml"});
  CHECK(done.code == 1);
  CHECK_THAT(done.out,
             Contains("slow  failed: deadline (SIGTERM): the deadline of its run has passed")
               && Contains("not done within its deadline of 200ms")
               && Contains("1 failed  1 cancelled"));
  CHECK_THAT(here.run({"tasks", "@last"}).out, Contains("cancelled") && Contains("deadline"));
}

TEST_CASE("run: with json each line is a committed event", "[cli][run]") {
  const workspace here;
  here.write("etl.yaml", failing);
  const auto done = here.run({"--json", "run", "etl.yaml"});
  CHECK(done.code == 1);
  const auto lines = parse_lines(done.out);
  REQUIRE(lines.size() >= 6);
  CHECK(lines.front()["type"] == "run_submitted");
  CHECK(lines.back()["type"] == "run_finished");
  CHECK(lines.back()["to"] == "failed");
  for (std::size_t i = 1; i < lines.size(); ++i)
    CHECK(lines[i]["seq"] > lines[i - 1]["seq"]);
  CHECK(here.run({"events", "r-1", "--json"}).out == done.out);
}

TEST_CASE("run: quiet says only what went wrong", "[cli][run]") {
  const workspace here;
  here.write("good.yaml", "tasks: {a: echo a}\n");
  here.write("etl.yaml", failing);
  const auto good = here.run({"--quiet", "run", "good.yaml"});
  CHECK(good.code == 0);
  CHECK((good.out + good.err).empty());
  const auto bad = here.run({"run", "--quiet", "etl.yaml"});
  CHECK(bad.code == 1);
  CHECK(bad.out.empty());
  CHECK_THAT(bad.err, Contains("etl r-2 failed") && Contains("sluice show r-2"));
}

TEST_CASE("run: a reader that goes away does not disturb the run", "[cli][run]") {
  const workspace here;
  std::string text = "tasks:\n";
  for (int i = 0; i < 50; ++i)
    text += "  t" + std::to_string(i) + ": 'true'\n";
  here.write("w.yaml", text);
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  program.read_line();
  program.close_output();
  CHECK(program.wait() == 0);
  CHECK(here.run({"show", "@last", "--quiet"}).out == "succeeded\n");
}

TEST_CASE("run: a reader that is slow misses nothing", "[cli][run]") {
  const workspace here;
  std::string text = "tasks:\n";
  for (int i = 0; i < 4'000; ++i)
    text += "  t" + std::to_string(i) + ": {call: noop}\n";
  here.write("w.yaml", text);
  running_program program{here.directory(), {"--json", "run", "w.yaml"}};
  program.read_until("run_submitted");
  // Nobody reads on: the run has to end all the same.
  const auto followed = here.run({"events", "-f", "@last", "--filter", "type=run_finished"});
  CHECK_THAT(followed.out, Contains("succeeded"));
  const auto rest = program.read_all();
  CHECK(program.wait() == 0);
  const auto all = here.run({"events", "@last", "--json"}).out;
  CHECK(all.substr(all.find('\n') + 1) == rest);
}

TEST_CASE("run: Ctrl-C cancels", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: sleep 600\n  b: {after: [a], run: echo b}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  program.signal(SIGINT);
  const auto end = program.read_until("run_finished");
  CHECK(json::parse(end)["to"] == "cancelled");
  program.read_all();
  CHECK(program.wait() == 130);
  CHECK_THAT(program.errors(), Contains("cancelling r-1"));
  CHECK_THAT(here.run({"events", "--json", "@last"}).out, Contains("\"ctrl-c\""));
  CHECK_THAT(here.run({"tasks", "@last"}).out, Contains("cancelled"));
}

TEST_CASE("run: SIGTERM lets what runs end and starts nothing more", "[cli][run]") {
  const workspace here;
  const auto go = here.fifo("go");
  here.write("w.yaml", "tasks:\n  a: cat go\n  b: {after: [a], run: echo b}\n");
  running_program program{
    here.directory(), {"run", "--json", "w.yaml"}, running_program::stdout_to::pipe_with_errors};
  program.read_until("task_dispatched");
  program.signal(SIGTERM);
  program.read_until("stopping: what runs may end");
  SECTION("once") {
    std::ofstream{go} << "x";
    CHECK_THAT(program.read_until("task_finished"), Contains("succeeded"));
  }
  SECTION("a second one does not wait") {
    program.signal(SIGTERM);
  }
  const auto rest = program.read_all();
  CHECK(rest.find("run_finished") == std::string::npos);
  CHECK(program.wait() == 143);
  CHECK(here.run({"show", "@last", "--quiet"}).out == "interrupted\n");
  running_program again{here.directory(), {"run", "--json", "--resume", "@last"}};
  again.read_until("task_dispatched"); // until then the first one's process may still be there
  if (here.run({"tasks", "@last", "--filter", "name=a"}).out.find("succeeded") == std::string::npos)
    std::ofstream{go} << "x";
  CHECK_THAT(again.read_until("run_finished"), Contains("succeeded"));
  again.read_all();
  CHECK(again.wait() == 0);
}

TEST_CASE("run: a second Ctrl-C does not wait for the tasks", "[cli][run]") {
  const workspace here;
  const auto ready = here.fifo("ready");
  here.write("w.yaml", "tasks:\n  a: \"trap '' TERM; echo > ready; sleep 600; sleep 600\"\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  std::ifstream{ready}.get(); // the task ignores TERM from here on
  program.signal(SIGINT);
  program.read_until("task_cancelling");
  program.signal(SIGINT);
  CHECK_THAT(program.read_until("task_cancelled"), Contains("SIGKILL"));
  program.read_all();
  CHECK(program.wait() == 130);
}

TEST_CASE("run: a held store is refused and its holder named", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: sleep 600}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  const auto second = here.run({"run", "w.yaml"});
  CHECK(second.code == 4);
  CHECK_THAT(second.err, Contains("sluice run w.yaml") && Contains(".sluice"));
  CHECK(here.run({"show", "@last", "--quiet"}).out == "running\n");
}

TEST_CASE("run: a killed runtime leaves an interrupted run", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: sleep 600, b: {after: [a], run: echo b}}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  program.signal(SIGKILL);
  program.read_all();
  CHECK(program.wait() == 256 + SIGKILL);
  CHECK_THAT(here.run({"runs"}).out, Contains("interrupted"));
  CHECK_THAT(here.run({"show", "@last"}).out, Contains("its runtime is gone"));
  CHECK(here.run({"runs", "--quiet", "--filter", "state=interrupted"}).out == "r-1\n");
  // A later runtime on the same store does not make it look alive.
  here.write("good.yaml", "tasks: {a: echo a}\n");
  CHECK(here.run({"run", "good.yaml"}).code == 0);
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "interrupted\n");
}

TEST_CASE("run: an interrupted run goes on", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", R"(
workflow: demo
tasks:
  first: {run: "echo x >>first.txt; echo v=7 >$SLUICE_OUT", out: {v: int}}
  second: {in: {v: "${{ tasks.first.out.v }}"}, run: "echo $v >>second.txt; test $SLUICE_ATTEMPT = 2 || { echo >sync; sleep 600; }"}
  third: {after: [second], run: echo third}
)");
  const auto sync = here.fifo("sync");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  std::ifstream{sync}.get(); // the second task runs
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  CHECK_THAT(here.run({"show", "@last"}).out, Contains("sluice run --resume r-1"));

  const auto resumed = here.run({"run", "--resume", "r-1"});
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.out, Contains("demo r-1 goes on: 1 of 3 tasks are done")
                            && Contains("its runtime died") && Contains("third"));
  CHECK(here.read("first.txt") == "x\n"); // what had succeeded is not done again
  CHECK(here.read("second.txt") == "7\n7\n");
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "succeeded\n");

  const auto again = here.run({"run", "--resume", "r-1"});
  CHECK(again.code == 4);
  CHECK_THAT(again.err, Contains("run r-1 has ended: it succeeded"));
  CHECK(here.run({"run", "--resume", "r-2"}).code == 3);
  CHECK(here.run({"run", "w.yaml", "--resume", "r-1"}).code == 2);
}

TEST_CASE("run: a wait for a retry goes on with its run", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", R"(
tasks:
  flaky: {run: "echo try $SLUICE_ATTEMPT; test $SLUICE_ATTEMPT = 2", retry: {max: 1, base: 500ms}}
  next: {after: [flaky], run: "true"}
)");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_retrying");
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  CHECK(json::parse(here.run({"show", "@last/flaky", "--json"}).out)["state"] == "retry_wait");
  CHECK(here.run({"run", "--resume", "r-1"}).code == 0);
  const auto task = json::parse(here.run({"show", "@last/flaky", "--json"}).out);
  CHECK(task["retries"] == 1);
  REQUIRE(task["attempts"].size() == 2);
  CHECK(task["attempts"][0]["failure"]["class"] == "exit");
  CHECK(task["attempts"][1]["state"] == "succeeded");
}

TEST_CASE("run: what is never repeated fails when its runtime dies", "[cli][run]") {
  const workspace here;
  const auto sync = here.fifo("sync");
  here.write("w.yaml",
             "tasks: {pay: {run: 'echo x >>paid; echo >sync; sleep 600', retry: never}}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  std::ifstream{sync}.get(); // it runs
  program.signal(SIGKILL);
  program.read_all();
  program.wait();
  const auto resumed = here.run({"run", "--resume", "r-1"});
  CHECK(resumed.code == 1);
  CHECK_THAT(resumed.out, Contains("pay  failed: lost: lost, and never repeated"));
  CHECK(here.read("paid") == "x\n");
}

TEST_CASE("run: a run that another one took up is not interrupted", "[cli][run]") {
  const workspace here;
  const auto go = here.fifo("go");
  here.write("w.yaml", "tasks: {a: cat go, b: {after: [a], run: echo b}}\n");
  {
    running_program program{here.directory(), {"run", "--json", "w.yaml"}};
    program.read_until("task_dispatched");
    program.signal(SIGKILL);
    program.wait();
  }
  here.write("good.yaml", "tasks: {a: echo a}\n");
  CHECK_THAT(here.run({"run", "good.yaml"}).err, Contains("r-1 is interrupted"));
  running_program program{here.directory(), {"run", "--json", "--resume", "r-1"}};
  program.read_until("task_dispatched");
  CHECK(here.run({"show", "r-1", "--quiet"}).out == "running\n");
  std::ofstream{go} << "x";
  program.read_all();
  CHECK(program.wait() == 0);
}

TEST_CASE("run: a terminal shows progress in place", "[cli][run]") {
  const workspace here;
  const auto go = here.fifo("go");
  here.write("w.yaml", "tasks: {a: cat go, b: {after: [a], run: 'true'}}\n");
  running_program program{
    here.directory(), {"run", "w.yaml"}, running_program::stdout_to::terminal};
  program.read_until("0/2  1 running");
  std::ofstream{go} << "x";
  const auto rest = program.read_all();
  CHECK(program.wait() == 0);
  CHECK_THAT(rest, Contains("\033[") && Contains("A\r\033[J"));
  CHECK_THAT(rest, Contains("2 of 2 tasks succeeded"));
}

TEST_CASE("run: a key makes a repeated command the same run", "[cli][run]") {
  const workspace here;
  here.write("w.yaml", "params: {day: monday}\n"
                       "tasks:\n"
                       "  a: echo >> ledger\n"
                       "  b: {after: [a], in: {day: '${{ params.day }}'}, "
                       "run: 'echo from $day; test $day = monday'}\n");
  REQUIRE(here.run({"run", "w.yaml", "--key", "k1"}).code == 0);
  const auto again = here.run({"run", "w.yaml", "--key", "k1"});
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("w r-1 has this key; it is not started again\n"));
  CHECK_THAT(again.out, Contains("w r-1  succeeded  2 of 2 tasks succeeded"));
  const auto lines = parse_lines(here.run({"--json", "run", "w.yaml", "--key", "k1"}).out);
  REQUIRE(lines.size() == 6);
  CHECK(lines.back()["type"] == "run_finished");
  CHECK(here.read("ledger") == "\n");

  const auto other = here.run({"run", "w.yaml", "--key", "k1", "-p", "day=tuesday"});
  CHECK(other.code == 4);
  CHECK_THAT(other.err, Contains("this key stands for run r-1, which has other parameters"));
  CHECK(here.run({"run", "w.yaml", "--key", "k2", "-p", "day=tuesday"}).code == 1);
  CHECK(here.run({"run", "w.yaml", "--key", "k2", "-p", "day=tuesday"}).code == 1);
  CHECK(here.read("ledger") == "\n\n");

  const auto empty = here.run({"run", "w.yaml", "--key", "a\nb"});
  CHECK(empty.code == 2);
  CHECK_THAT(empty.err, Contains("--key: a key is a text of 1 to 200 bytes"));
}

// Workflows that start workflows, on the command line.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

struct two_files : workspace {
  two_files() {
    write("inner.yaml", "params: {n: {type: int}}\n"
                        "tasks:\n"
                        "  count:\n"
                        "    in: {n: '${{ params.n }}'}\n"
                        "    run: |\n"
                        "      echo counting\n"
                        "      test $n -lt 10 || test -e mended || exit 7\n"
                        "      echo m=$((n + 1)) > $SLUICE_OUT\n"
                        "    out: {m: int}\n"
                        "  check: {run: echo fine, after: [count]}\n"
                        "out: {m: '${{ tasks.count.out.m }}'}\n");
    write("w.yaml", "params: {n: 1}\n"
                    "tasks:\n"
                    "  load: {workflow: {file: inner.yaml, params: {n: '${{ params.n }}'}}}\n"
                    "  show: {run: echo got $m, in: {m: '${{ tasks.load.out.m }}'}}\n"
                    "out: {twice: '${{ tasks.load.out.m * 2 }}'}\n");
  }
};

} // namespace

TEST_CASE_METHOD(two_files, "children: a run in a run and what it comes to", "[cli][children]") {
  const auto done = run({"run", "w.yaml"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("twice = 4") && Contains("2 of 2 tasks succeeded"));
  CHECK_THAT(done.out, !Contains("count"));
  CHECK_THAT(run({"runs"}).out, Contains("of r-1/load"));
  CHECK_THAT(run({"show", "r-1"}).out, Contains("out  twice = 4"));
  CHECK_THAT(run({"show", "r-1/load"}).out, Contains("run r-2") && Contains("in   n = 1"));
  CHECK_THAT(run({"show", "r-2"}).out, Contains("of r-1/load") && Contains("out  m = 2"));
  CHECK_THAT(run({"show", "@last"}).out, Contains("r-1"));
  CHECK_THAT(run({"tasks", "r-2"}).out, Contains("count") && Contains("check"));
  CHECK_THAT(run({"logs", "r-2/count"}).out, Contains("counting"));
  const auto whole = json::parse(run({"--json", "show", "r-1"}).out);
  CHECK(whole["out"] == json{{"twice", 4}});
  const auto part = json::parse(run({"--json", "show", "r-2"}).out);
  CHECK(part["parent"] == "r-1/0#1");
  CHECK(part["parent_task"] == "load");
  CHECK(json::parse(run({"--json", "show", "r-1/load"}).out)["attempts"][0]["child_run"] == "r-2");
  CHECK_THAT(run({"replay", "r-2"}).out, Contains("count  succeeded"));
}

TEST_CASE_METHOD(two_files, "children: one that fails is told and begins anew with the whole",
                 "[cli][children]") {
  const auto failed = run({"run", "w.yaml", "-p", "n=10"});
  CHECK(failed.code == 1);
  CHECK_THAT(failed.out, Contains("run r-2 failed: task 'count' failed: exit 7"));
  CHECK_THAT(failed.out, Contains("show r-2"));
  const auto alone = run({"retry", "r-2", "--failed"});
  CHECK(alone.code == 4);
  CHECK_THAT(alone.err, Contains("part of run r-1"));
  write("mended", "");
  const auto again = run({"retry", "r-1", "--failed"});
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("twice = 22"));
  CHECK_THAT(run({"show", "r-3"}).out, Contains("of r-1/load") && Contains("succeeded"));
  CHECK_THAT(run({"show", "r-2"}).out, Contains("failed"));
}

TEST_CASE_METHOD(two_files, "children: validate and plan count their tasks", "[cli][children]") {
  CHECK_THAT(run({"validate", "w.yaml"}).out,
             Contains("2 tasks, and 2 tasks in the workflows that it starts"));
  CHECK_THAT(run({"plan", "w.yaml"}).out, Contains("load (inner: 2 tasks)"));
  const auto plan = json::parse(run({"--json", "plan", "w.yaml"}).out);
  CHECK(plan["children"]["load"] == json{{"workflow", "inner"}, {"task_count", 2}});
}

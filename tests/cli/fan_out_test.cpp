#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

/// Ten items, of which the fourth fails until the file `mended` is there.
struct ten_items : workspace {
  ten_items() {
    write("w.yaml", "tasks:\n"
                    "  load:\n"
                    "    foreach: 10\n"
                    "    max_parallel: 1\n"
                    "    run: |\n"
                    "      test $SLUICE_INDEX != 3 || test -e mended || exit 7\n"
                    "      echo n=$SLUICE_INDEX > $SLUICE_OUT\n"
                    "    out: {n: int}\n"
                    "  sum:\n"
                    "    in: {sum: '${{ sum(tasks.load.out.n) }}'}\n"
                    "    run: echo $sum\n");
    first = run({"run", "w.yaml"});
  }
  result first;
};

} // namespace

TEST_CASE_METHOD(ten_items, "fan out: an instance that fails is told by its name",
                 "[cli][fan_out]") {
  CHECK(first.code == 1);
  CHECK_THAT(first.out, Contains("load[3]  failed"));
  CHECK_THAT(first.out,
             Contains("task 'load' failed: 1 of 10 instances failed, the first one 'load[3]'"));
  CHECK_THAT(first.out, Contains("3 of 11 tasks succeeded  1 failed  7 skipped"));
  CHECK_THAT(run({"tasks", "r-1"}).out, Contains("load[9]") && Contains("siblings_failed"));
  CHECK_THAT(run({"show", "r-1/load[2]"}).out,
             Contains("r-1/4  load[2]  succeeded") && Contains("out  n = 2"));
  CHECK_THAT(run({"show", "r-1/load"}).out, Contains("out  n = [0,1,2]"));
  CHECK_THAT(run({"events", "r-1"}).out, Contains("10 instances") && Contains("r-1/2#1"));
  CHECK_THAT(run({"replay", "r-1"}).out, Contains("load[3]  failed"));
  const auto task = json::parse(run({"--json", "show", "r-1/load[3]"}).out);
  CHECK(task["instance_of"] == "load");
  CHECK(json::parse(run({"--json", "show", "r-1/load"}).out)["instances"] == 10);
}

TEST_CASE_METHOD(ten_items, "fan out: a retry does again what is missing", "[cli][fan_out]") {
  write("mended", "");
  const auto again = run({"retry", "r-1", "--failed"});
  CHECK(again.code == 0);
  CHECK_THAT(again.out, Contains("generation 2: 8 tasks reset") && Contains("3 kept"));
  CHECK_THAT(again.out, Contains("45"));
  CHECK_THAT(again.out, Contains("11 of 11 tasks succeeded"));
  CHECK(json::parse(run({"--json", "show", "r-1/load[0]"}).out)["attempt"] == 1);
  const auto anew = run({"retry", "r-1", "--from", "load"});
  CHECK_THAT(anew.out, Contains("2 tasks reset (load, sum), 0 kept"));
  CHECK_THAT(anew.out, Contains("11 of 11 tasks succeeded"));
}

TEST_CASE("fan out: what is wrong with its keys has a place", "[cli][fan_out]") {
  const workspace here;
  const auto [keys, why] = GENERATE(table<const char*, const char*>({
    {"foreach: [a, a]", "w.yaml:3:5: tasks.a.foreach: items 0 and 1 would both be named 'a'"},
    {"foreach: true", "tasks.a.foreach: must be a list, a map, a number"},
    {"foreach: 5-3", "tasks.a.foreach: \"5-3\" is no range"},
    {"forech: [a]", "tasks.a.forech: unknown key 'forech'; did you mean 'foreach'?"},
    {"max_parallel: 2", "tasks.a.max_parallel: 'max_parallel' goes with foreach, matrix or shard"},
    {"foreach: 2, matrix: {x: [1]}", "foreach, matrix and shard exclude each other"},
    {"foreach: 2, max_parallel: 0", "tasks.a.max_parallel: must be at least 1"},
    {"foreach: 2, as: params", "tasks.a.as: 'params' is no name for an item"},
    {"foreach: 2, key: x", "tasks.a.key: must hold an expression with item"},
    {"shard: 0", "tasks.a.shard: must be from 1 to 1000000"},
    {"matrix: {}", "tasks.a.matrix: has no axis"},
    {"matrix: {x: 1}", "tasks.a.matrix.x: must be a list"},
    {"matrix: {x: [1], exclude: [{y: 1}]}", "matrix.exclude: the matrix has no 'y'"},
    {"foreach: '${{ item }}'", "'item' is known when the task is fanned out"},
    {"in: {x: '${{ item }}'}", "'item' is known in a task with foreach, matrix or shard only"},
    {"foreach: 2, idempotency: k", "tasks.a.idempotency: names no item"},
  }));
  CAPTURE(keys);
  here.write("w.yaml", std::string{"tasks:\n  a: {run: x,\n    "} + keys + "}\n");
  const auto done = here.run({"validate", "w.yaml"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains(why));
}

TEST_CASE("fan out: instances of another task have to be there", "[cli][fan_out]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: x\n  b:\n    in: {s: '${{ tasks.a.states }}', "
                       "o: \"${{ tasks.a['k'].state }}\"}\n    run: x\n");
  const auto done = here.run({"validate", "w.yaml"});
  CHECK(done.code == 2);
  CHECK_THAT(done.err, Contains("tasks.b.in.s: task 'a' is not fanned out, it has no instances"));
  CHECK_THAT(done.err, Contains("tasks.b.in.o: task 'a' is not fanned out, it has no instances"));
}

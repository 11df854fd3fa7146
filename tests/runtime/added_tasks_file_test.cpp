// Files whose tasks a run in progress is given.
#include "runtime/workflow_file.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::runtime;
using namespace std::chrono_literals;

namespace {

bool has_handler(std::string_view name) {
  return name == "noop";
}

auto added(std::string_view text) {
  const auto run = parse_workflow("workflow: sales\n"
                                  "params: {day: monday}\n"
                                  "tasks:\n"
                                  "  load: {run: ./load, out: {rows: int}}\n"
                                  "  report: {after: [load], run: ./report}\n"
                                  "finally: {tidy: ./tidy}\n",
                                  file_format::yaml, "run", "/base", has_handler);
  REQUIRE(run);
  return parse_added_tasks(text, format_of(text), "/other", {run->workflow, 7}, has_handler);
}

std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> lines;
  if (const auto result = added(text); !result)
    for (const auto& problem : result.error())
      lines.push_back(to_string("f", problem));
  return lines;
}

using lines = std::vector<std::string>;

} // namespace

TEST_CASE("added_tasks_file: its tasks may name those of the run", "[runtime][added_tasks]") {
  const auto loaded =
    added("workflow: sales\n"
          "defaults: {timeout: 5m}\n"
          "tasks:\n"
          "  check:\n"
          "    in: {n: \"${{ tasks.load.out.rows }}\", day: \"${{ params.day }}\"}\n"
          "    run: ./check\n"
          "  mail: {after: [check, report], call: noop}\n");
  REQUIRE(loaded);
  const auto& tasks = *loaded->workflow;
  CHECK(tasks.tasks.size() == 2); // and none of the run
  CHECK(tasks.name == "sales");
  CHECK(tasks.defaults.timeout == 5min);
  CHECK(tasks.base_dir == "/other");
  CHECK(added(R"({"tasks": {"mail": {"after": ["load"], "run": "./mail"}}})"));
}

TEST_CASE("added_tasks_file: what is wrong has its place", "[runtime][added_tasks]") {
  CHECK(
    problems_of("tasks:\n"
                "  load: ./again\n"
                "  a: {after: [laod], run: ./a}\n"
                "  b: {after: [c], run: ./b}\n"
                "  c: {after: [b], run: ./c}\n"
                "  d: {in: {x: \"${{ tasks.load.out.row }}\"}, run: ./d}\n")
    == lines{"f:2:3: tasks.load: the run has a task 'load' already",
             "f:3:15: tasks.a.after[0]: no task 'laod'; did you mean 'load'?",
             "f:4:3: tasks.b: these tasks wait for each other: b -> c -> b",
             "f:6:20: tasks.d.in.x: task 'load' declares no output 'row'; did you mean 'rows'?"});
}

TEST_CASE("added_tasks_file: it says nothing about the run", "[runtime][added_tasks]") {
  CHECK(problems_of("workflow: sale\n"
                    "params: {n: 1}\n"
                    "timeout: 5m\n"
                    "finally: {x: ./x}\n"
                    "tsks: {}\n"
                    "tasks: {a: ./a}\n")
        == lines{"f:1:11: workflow: the run is one of workflow 'sales', not of 'sale'",
                 "f:2:1: params: is of the run, which has begun: only tasks and their defaults can "
                 "be added",
                 "f:3:1: timeout: stands under 'defaults' in a file of tasks that are added",
                 "f:4:1: finally: is of the run, which has begun: only tasks and their defaults "
                 "can be added",
                 "f:5:1: tsks: unknown key 'tsks'; did you mean 'tasks'?"});
  CHECK(problems_of("defaults: {timeout: 5m}\n").size() == 1);
}

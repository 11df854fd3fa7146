#include "logic/compiled_workflow.hpp"
#include "logic/spec_path.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <ostream>

using namespace sluice;
using namespace sluice::logic;
using model::join_rule;
using model::task_spec;
using model::value;
using model::value_type;
using model::workflow_spec;
using indices = std::vector<std::uint32_t>;

namespace sluice::logic {

bool operator==(const spec_problem& a, const spec_problem& b) {
  return a.path == b.path && a.message == b.message && a.offset == b.offset;
}
std::ostream& operator<<(std::ostream& out, const spec_problem& p) {
  return out << p.path << "+" << p.offset << ": " << p.message;
}

} // namespace sluice::logic

namespace {

using problems = std::vector<spec_problem>;
using change = std::function<void(workflow_spec&)>;

task_spec a_task(std::string name, std::vector<std::string> after = {}) {
  task_spec task;
  task.name = std::move(name);
  task.action = model::run_action{"true"};
  task.after = std::move(after);
  return task;
}

/// extract (out: rows, file) -> load -> report, with the parameter `day`.
workflow_spec an_etl() {
  workflow_spec spec;
  spec.name = "etl";
  spec.params.push_back({.name = "day", .type = value_type::date, .default_value = "2026-03-01"});
  spec.tasks = {a_task("extract"), a_task("load", {"extract"}), a_task("report", {"load"})};
  spec.tasks[0].out = {{"rows", value_type::integer}, {"file", value_type::file}};
  return spec;
}

bool has_handler(std::string_view name) {
  return name == "noop" || name == "sleep" || name == "mine";
}

auto compiled(workflow_spec spec) {
  return compile(std::make_shared<const workflow_spec>(std::move(spec)), has_handler);
}

problems problems_after(const change& edit) {
  auto spec = an_etl();
  edit(spec);
  auto result = compiled(std::move(spec));
  return result ? problems{} : std::move(result.error());
}

constexpr auto npos = std::string::npos;

} // namespace

TEST_CASE("compile: the graph holds what is named and what is mentioned",
          "[logic][compiled_workflow]") {
  auto spec = an_etl();
  spec.tasks.push_back(a_task("check"));
  spec.tasks[3].in = {{"rows", "${{ tasks.extract.out.rows }}"},
                      {"nested", {{"a", {1, "${{ tasks.load.state }}"}}}}};
  spec.tasks.push_back(a_task("alarm"));
  spec.tasks[4].join = {join_rule::expression, "tasks.check.state == 'failed'"};
  spec.tasks[4].when = "tasks.extract.out.rows > 0";
  const auto workflow = compiled(std::move(spec));
  REQUIRE(workflow);
  const auto& w = **workflow;

  const auto upstreams = [&](std::uint32_t task) {
    const auto part = w.graph().upstreams(task);
    return indices{part.begin(), part.end()};
  };
  CHECK(upstreams(2) == indices{1});
  CHECK(upstreams(3) == indices{0, 1});
  CHECK(upstreams(4) == indices{0, 3});

  CHECK(w.expressions(0) == nullptr);
  REQUIRE(w.expressions(3) != nullptr);
  CHECK(w.expressions(3)->output_reads == indices{0});
  CHECK(w.expressions(3)->state_reads.empty()); // an input is no condition
  CHECK(w.expressions(4)->state_reads == indices{3});
  CHECK(w.expressions(4)->output_reads == indices{0});

  CHECK(w.mentioned_task("check") == 3u);
  CHECK_FALSE(w.mentioned_task("report"));
  CHECK(w.outputs_are_read(0));
  CHECK_FALSE(w.outputs_are_read(1));
  CHECK(w.handles_failure(4, 3));
  CHECK_FALSE(w.handles_failure(4, 0));
  CHECK_FALSE(w.handles_failure(2, 1));
}

TEST_CASE("compile: constant inputs and the workflow's environment are templates too",
          "[logic][compiled_workflow]") {
  auto spec = an_etl();
  spec.defaults.env = {{"DAY", "${{ params.day }}"}, {"RUN", "${{ run.id }}"}};
  spec.tasks[0].in = {{"limit", 5}};
  const auto workflow = compiled(std::move(spec));
  REQUIRE(workflow);
  REQUIRE((*workflow)->env().size() == 2);
  CHECK((*workflow)->env()[0].first == "DAY");
  REQUIRE((*workflow)->expressions(0) != nullptr);
  CHECK((*workflow)->expressions(0)->in[0].second.is_constant());
}

TEST_CASE("compile: a join of failures handles them", "[logic][compiled_workflow]") {
  const auto rule = GENERATE(join_rule::one_failed, join_rule::all_failed);
  auto spec = an_etl();
  spec.tasks[1].join.rule = rule;
  const auto workflow = compiled(std::move(spec));
  REQUIRE(workflow);
  CHECK((*workflow)->handles_failure(1, 0));
}

TEST_CASE("compile: every kind of problem is found and placed", "[logic][compiled_workflow]") {
  const auto [edit, want] = GENERATE(table<change, problems>({
    {[](auto&) {}, {}},
    {[](auto& s) { s.tasks.clear(); }, {{"tasks", "there is no task"}}},
    {[](auto& s) { s.name = ""; }, {{"workflow", "'' is no name of a workflow"}}},
    {[](auto& s) { s.tasks[0].name = s.tasks[1].name = "a b"; },
     {{"tasks['a b']", "the task 'a b' stands twice"},
      {"tasks['a b'].after[0]", "no task 'extract'"},
      {"tasks.report.after[0]", "no task 'load'"}}},
    {[](auto& s) { s.tasks[2].name = ""; }, {{"tasks['']", "'' is no name of a task"}}},
    {[](auto& s) {
       s.tasks[1].after = {"extract", "extrct", "other"};
     },
     {{"tasks.load.after[1]", "no task 'extrct'; did you mean 'extract'?"},
      {"tasks.load.after[2]", "no task 'other'"}}},
    {[](auto& s) { s.tasks[1].after = {"load"}; },
     {{"tasks.load.after[0]", "the task waits for itself"}}},
    {[](auto& s) { s.tasks[0].after = {"report"}; },
     {{"tasks.extract", "these tasks wait for each other: extract -> load -> report -> extract"}}},
    {[](auto& s) {
       s.tasks[0].in = {{"x", "${{ tasks.load.state }}"}};
     },
     {{"tasks.extract", "these tasks wait for each other: extract -> load -> extract"}}},
    {[](auto& s) { s.tasks[1].when = "tasks.load.state == 'failed'"; },
     {{"tasks.load.when", "the task refers to itself", 0}}},
    {[](auto& s) { s.tasks[1].when = "true || tasks.extrat.out.rows > 1"; },
     {{"tasks.load.when", "no task 'extrat'; did you mean 'extract'?", 8}}},
    {[](auto& s) {
       s.tasks[1].in = {{"n", "rows: ${{ tasks.extract.out.row }}"}};
     },
     {{"tasks.load.in.n", "task 'extract' declares no output 'row'; did you mean 'rows'?", 10}}},
    {[](auto& s) {
       s.tasks[2].in = {{"n", "${{ tasks.load.out.rows }}"}};
     },
     {{"tasks.report.in.n", "task 'load' declares no outputs", 4}}},
    {[](auto& s) {
       s.tasks[2].in = {{"n", {{"list", {"${{ params.dya }}", "${{ 1 }}", "${{ tasks.x.out }}"}}}}};
     },
     {{"tasks.report.in.n.list[0]", "no parameter 'dya'; did you mean 'day'?", 4},
      {"tasks.report.in.n.list[2]", "no task 'x'", 4}}},
    {[](auto& s) {
       s.defaults.env = {{"N", "${{ tasks.extract.out.rows }}"}};
     },
     {{"defaults.env.N", "what holds for all tasks can name only params and run, no tasks", 4}}},
    {[](auto& s) { s.tasks[2].when = "1 + 1"; },
     {{"tasks.report.when", "must be true or false, and is 2"}}},
    {[](auto& s) {
       s.tasks[0].join.rule = join_rule::one_success;
       s.tasks[1].join = {join_rule::expression, "true"};
       s.tasks[1].after.clear();
     },
     {{"tasks.extract.join", "'one_success' needs upstream tasks, and this task has none"},
      {"tasks.load.join", "an expression needs upstream tasks, and this task has none"}}},
    {[](auto& s) { s.tasks[0].join.rule = join_rule::all_done; }, {}},
    {[](auto& s) {
       s.tasks[0].in = {{"PATH", "x"}, {"LD_PRELOAD", 1}, {"SLUICE_RUN", 1}, {"a-b", 1}};
     },
     {{"tasks.extract.in.PATH",
       "'PATH' cannot be an input: PATH, LD_* and SLUICE_* have meanings of their own"},
      {"tasks.extract.in.LD_PRELOAD",
       "'LD_PRELOAD' cannot be an input: PATH, LD_* and SLUICE_* have meanings of their own"},
      {"tasks.extract.in.SLUICE_RUN",
       "'SLUICE_RUN' cannot be an input: PATH, LD_* and SLUICE_* have meanings of their own"},
      {"tasks.extract.in['a-b']",
       "'a-b' is no name of a variable: letters, digits and _, no digit first"}}},
    {[](auto& s) {
       s.tasks[0].settings->env = {{"PATH", "/bin"}, {"LD_PRELOAD", "x"}};
     },
     {}},
    {[](auto& s) {
       s.tasks[0].settings->env = {{"SLUICE_RUN", "1"}, {"L", value::array()}};
     },
     {{"tasks.extract.env.SLUICE_RUN", "'SLUICE_RUN': names with SLUICE_ are set by sluice"},
      {"tasks.extract.env.L", "must be a single value, not a list or a map"}}},
    {[](auto& s) {
       s.tasks[0].in = {{"x", 1}, {"x", 2}};
     },
     {{"tasks.extract.in.x", "the input 'x' stands twice"}}},
    {[](auto& s) { s.tasks[1].action = model::call_action{"slep"}; },
     {{"tasks.load.call", "no handler 'slep'; did you mean 'sleep'?"}}},
    {[](auto& s) { s.tasks[1].action = model::call_action{"mine"}; }, {}},
    {[](auto& s) { s.tasks[1].action = model::exec_action{}; },
     {{"tasks.load.exec", "the list is empty; its first element is the program"}}},
    {[](auto& s) {
       s.tasks[1].action = model::exec_action{{"a", std::string{"b\0", 2}}};
       s.tasks[2].action = model::run_action{std::string{"\0", 1}};
     },
     {{"tasks.load.exec[1]", "holds a NUL character"},
      {"tasks.report.run", "holds a NUL character"}}},
    {[](auto& s) { s.tasks[1].action = model::run_action{" \n"}; },
     {{"tasks.load.run", "the command is empty"}}},
    {[](auto& s) {
       s.tasks[1].action = model::run_action{"load ${{ params.day }}"};
       s.tasks[2].action = model::exec_action{{"report", "--day=${{ params.day }}"}};
     },
     {{"tasks.load.run",
       "expressions are not replaced in commands: say 'in: {NAME: \"${{ ... }}\"}', "
       "and use the variable NAME"},
      {"tasks.report.exec[1]",
       "expressions are not replaced in commands: say 'in: {NAME: \"${{ ... "
       "}}\"}', and use the variable NAME"}}},
    {[](auto& s) {
       s.defaults.timeout = model::milliseconds{-1};
       s.tasks[1].settings->timeout = model::milliseconds{0};
     },
     {{"defaults.timeout", "must be longer than nothing"},
      {"tasks.load.timeout", "must be longer than nothing"}}},
    {[](auto& s) { s.tasks[1].fan_out->items = model::foreach_items{"${{ sized(1) }}"}; },
     {{"tasks.load.foreach", "unknown function 'sized'; did you mean 'size'?", 4}}},
    {[](auto& s) {
       s.tasks[1].fan_out->items = model::foreach_items{{"x", "x"}};
     },
     {{"tasks.load.foreach", "items 0 and 1 would both be named 'x'; tell them apart with `key`"}}},
    {[](auto& s) { s.active_tasks = 0; }, {{"limits.active_tasks", "must be at least 1"}}},
    {[](auto& s) {
       s.tasks[0].out.push_back({"rows", value_type::list});
     },
     {{"tasks.extract.out.rows", "the output 'rows' stands twice"}}},
    {[](auto& s) {
       s.params[0].default_value = "yesterday";
       s.params.push_back({.name = "f", .type = value_type::file});
       s.params.push_back(
         {.name = "n", .type = value_type::integer, .default_value = 3, .choices = {1, 2, "x"}});
       s.params.push_back({.name = "f"});
     },
     {{"params.f", "the parameter 'f' stands twice"},
      {"params.day.default", "\"yesterday\" is not of type date"},
      {"params.f.type", "a parameter cannot be of type file; use string"},
      {"params.n.enum[2]", "\"x\" is not of type int"},
      {"params.n.default", "3 is not one of the values of enum"}}},
  }));
  CHECK(problems_after(edit) == want);
}

TEST_CASE("compile: syntax errors carry their offset", "[logic][compiled_workflow]") {
  const auto found = problems_after([](auto& s) {
    s.tasks[1].when = "tasks.extract.out.rows >";
    s.tasks[2].join = {join_rule::expression, ") == 1"};
    s.tasks[2].in = {{"a", "x ${{ 1 + }}"}, {"b", {1, "${{ run.state }}"}}};
  });
  REQUIRE(found.size() == 4);
  CHECK(found[0].path == "tasks.load.when");
  CHECK(found[0].offset == 24);
  CHECK(found[1].path == "tasks.report.join");
  CHECK(found[1].offset == 0);
  CHECK(found[2].path == "tasks.report.in.a");
  CHECK(found[2].offset >= 6);
  CHECK(found[3].path == "tasks.report.in.b[1]"); // `run.state` exists in `finally` only
}

TEST_CASE("compile: a long cycle is shown without its middle", "[logic][compiled_workflow]") {
  workflow_spec spec;
  spec.name = "ring";
  for (int i = 0; i < 1000; ++i)
    spec.tasks.push_back(a_task("t" + std::to_string(i), {"t" + std::to_string((i + 999) % 1000)}));
  const auto result = compiled(std::move(spec));
  REQUIRE_FALSE(result);
  REQUIRE(result.error().size() == 1);
  const auto& text = result.error()[0].message;
  CHECK(text.find("t0 -> t1 -> ") != npos);
  CHECK(text.find(" -> ... 981 more ... -> t991 -> ") != npos);
  CHECK(text.substr(text.size() - 10) == "t999 -> t0");
}

TEST_CASE("compile: a graph of a hundred thousand tasks", "[logic][compiled_workflow]") {
  constexpr std::uint32_t size = 100'000;
  workflow_spec spec;
  spec.name = "large";
  for (std::uint32_t i = 0; i < size; ++i) {
    spec.tasks.push_back(a_task("task-" + std::to_string(i)));
    for (std::uint32_t k = 1; k <= 10 && k <= i; ++k)
      spec.tasks.back().after.push_back("task-" + std::to_string((i * 7919u + k * 104729u) % i));
  }
  const auto workflow = compiled(std::move(spec));
  REQUIRE(workflow);
  CHECK((*workflow)->graph().edge_count() > 900'000);
  CHECK((*workflow)->expressions(size - 1) == nullptr);
}

TEST_CASE("compile: without a look-up no handler is unknown", "[logic][compiled_workflow]") {
  auto spec = an_etl();
  spec.tasks[0].action = model::call_action{"anything"};
  CHECK(compile(std::make_shared<const workflow_spec>(std::move(spec))));
}

TEST_CASE("spec_path: a path is taken apart as it was put together", "[logic][spec_path]") {
  const auto path = path_of(path_of(path_of(path_of("tasks", "a.b[c]"), "in"), "x"), 2);
  CHECK(path == "tasks['a.b[c]'].in.x[2]");
  const auto steps = split_path(path);
  REQUIRE(steps.size() == 5);
  CHECK(steps[0].key == "tasks");
  CHECK(steps[1].key == "a.b[c]");
  CHECK(steps[3].key == "x");
  CHECK(steps[4].index == 2u);
  CHECK(split_path("").empty());
  CHECK(split_path("a[")[1].key.empty());
  CHECK(path_of("", "top") == "top");
}

TEST_CASE("compile: finally sees all other tasks without an edge", "[logic][compiled_workflow]") {
  auto spec = an_etl();
  spec.tasks.push_back(a_task("tidy"));
  spec.tasks.push_back(a_task("last", {"tidy"}));
  spec.finally_count = 2;
  spec.tasks[3].in = {{"rows", "${{ tasks.extract.out.rows }}"}, {"failed", "${{ run.failed }}"}};
  spec.tasks[4].join = {join_rule::expression, "run.state == 'failed'"};
  const auto workflow = compiled(std::move(spec));
  REQUIRE(workflow);
  const auto& w = **workflow;
  CHECK(w.graph().upstreams(3).empty());
  CHECK(w.graph().upstreams(4).size() == 1);
  REQUIRE(w.readers_in_finally(0).size() == 1);
  CHECK(w.readers_in_finally(0)[0] == 3);
  CHECK(w.readers_in_finally(1).empty());
  CHECK(w.mentioned_task("extract") == 0u);
}

TEST_CASE("compile: finally and the other tasks keep apart", "[logic][compiled_workflow]") {
  const auto [edit, path, message] = GENERATE(table<change, std::string, std::string>({
    {[](auto& s) { s.tasks[3].after = {"load"}; }, "finally.tidy.after[0]",
     "'load' stands in tasks: all of finally comes after it anyway"},
    {[](auto& s) { s.tasks[1].after = {"tidy"}; }, "tasks.load.after[0]",
     "'tidy' stands in finally, which comes after all tasks"},
    {[](auto& s) { s.tasks[1].when = "tasks.tidy.state == 'failed'"; }, "tasks.load.when",
     "'tidy' stands in finally, which comes after all tasks"},
    {[](auto& s) {
       s.tasks[1].in = {{"x", "${{ run.state }}"}};
     },
     "tasks.load.in.x", "'run.state' is known in finally only"},
    {[](auto& s) {
       s.defaults.env = {{"X", "${{ run.failed }}"}};
     },
     "defaults.env.X", "'run.failed' is known in finally only"},
    {[](auto& s) {
       s.tasks[3].join.rule = join_rule::one_failed;
       s.tasks[3].when = "tasks.load.state == 'failed'";
     },
     "finally.tidy.join", "'one_failed' needs upstream tasks, and this task has none"},
    {[](auto& s) { s.tasks[3].name = "load"; }, "finally.load", "the task 'load' stands twice"},
    {[](auto& s) { s.finally_count = 4; }, "tasks", "there is no task"},
  }));
  CAPTURE(path);
  auto spec = an_etl();
  spec.tasks.push_back(a_task("tidy"));
  spec.finally_count = 1;
  edit(spec);
  const auto result = compiled(std::move(spec));
  REQUIRE_FALSE(result);
  const auto& all = result.error();
  CHECK(std::any_of(all.begin(), all.end(), [&](const spec_problem& p) {
    CAPTURE(p.path, p.message);
    return p.path == path && p.message == message;
  }));
}

namespace {

/// `inner`: x (out: n), with the required parameter `day` and the optional `limit`.
workflow_spec an_inner() {
  workflow_spec spec;
  spec.name = "inner";
  spec.params.push_back({.name = "day", .type = value_type::date});
  spec.params.push_back({.name = "limit", .type = value_type::integer, .default_value = 10});
  spec.tasks = {a_task("x")};
  spec.tasks[0].out = {{"n", value_type::integer}};
  spec.out = {{"total", "${{ tasks.x.out.n + params.limit }}"}};
  return spec;
}

problems problems_with_child(
  workflow_spec inner, const model::named_values& params,
  const change& edit = [](workflow_spec&) {}) {
  return problems_after([&](workflow_spec& spec) {
    spec.tasks.push_back(a_task("c", {"extract"}));
    spec.tasks.back().action =
      model::workflow_action{std::make_shared<const workflow_spec>(std::move(inner)), params};
    spec.tasks.push_back(a_task("z"));
    edit(spec);
  });
}

} // namespace

TEST_CASE("compile: results name tasks and their outputs", "[logic][compile]") {
  CHECK(compiled(an_inner())->get()->result_reads() == indices{0});
  CHECK(compiled(an_inner())->get()->outputs_are_read(0));
  const auto [text, want] = GENERATE(table<std::string, problems>({
    {"${{ tasks.x.out.n }} ${{ tasks.x.state }} ${{ params.day }} ${{ run.id }}", {}},
    {"${{ tasks.y.state }}", {{"out.total", "no task 'y'", 10}}},
    {"${{ tasks.x.out.m }}", {{"out.total", "task 'x' declares no output 'm'", 10}}},
    {"${{ params.dya }}", {{"out.total", "no parameter 'dya'; did you mean 'day'?", 4}}},
    {"${{ item }}",
     {{"out.total", "'item' is known in a task with foreach, matrix or shard only", 4}}},
    {"${{ 1 + }}", {{"out.total", "", 0}}},
  }));
  CAPTURE(text);
  auto spec = an_inner();
  spec.out = {{"total", text}};
  const auto found = compiled(spec);
  REQUIRE(found.has_value() == want.empty());
  if (!found) {
    REQUIRE(found.error().size() == 1);
    CHECK(found.error()[0].path == want[0].path);
    if (!want[0].message.empty())
      CHECK(found.error()[0].message.substr(0, want[0].message.size()) == want[0].message);
  }
}

TEST_CASE("compile: a result has a name, once", "[logic][compile]") {
  auto spec = an_inner();
  spec.out = {{"a", 1}, {"a", 2}, {"", 3}};
  const auto found = compiled(spec);
  REQUIRE_FALSE(found);
  CHECK(found.error()
        == problems{{"out.a", "the output 'a' stands twice"},
                    {"out['']", "'' is no name of an output"}});
}

TEST_CASE("compile: a workflow in a task is compiled with it", "[logic][compile]") {
  auto spec = an_etl();
  spec.tasks.push_back(a_task("c"));
  spec.tasks.back().action =
    model::workflow_action{std::make_shared<const workflow_spec>(an_inner()),
                           model::named_values{{"day", "${{ params.day }}"}}};
  spec.tasks.push_back(a_task("z"));
  spec.tasks.back().in = {{"n", "${{ tasks.c.out.total }}"}};
  const auto done = compiled(spec);
  REQUIRE(done);
  CHECK((*done)->child(3)->spec().name == "inner");
  CHECK((*done)->child(0) == nullptr);
  CHECK((*done)->expressions(3)->in.size() == 1);
}

TEST_CASE("compile: the parameters of a workflow in a task", "[logic][compile]") {
  const auto [params, want] = GENERATE(table<model::named_values, problems>({
    {{{"day", "2026-03-01"}}, {}},
    {{{"day", "${{ params.day }}"}, {"limit", "${{ 1 + 1 }}"}}, {}},
    {{}, {{"tasks.c.workflow", "parameter 'day' is missing: it has no default"}}},
    {{{"day", "today"}},
     {{"tasks.c.workflow.params.day", "parameter 'day': \"today\" is not of type date"}}},
    {{{"day", "2026-03-01"}, {"limit", "${{ 1.5 }}"}},
     {{"tasks.c.workflow.params.limit", "parameter 'limit': 1.5 is not of type int"}}},
    {{{"day", "2026-03-01"}, {"limt", 1}},
     {{"tasks.c.workflow.params.limt",
       "workflow 'inner' has no parameter 'limt'; did you mean 'limit'?"}}},
    {{{"day", "${{ tasks.gone.out.day }}"}},
     {{"tasks.c.workflow.params.day", "no task 'gone'", 4}}},
  }));
  CHECK(problems_with_child(an_inner(), params) == want);
}

TEST_CASE("compile: what a task that is a workflow cannot say", "[logic][compile]") {
  const auto found =
    problems_with_child(an_inner(), {{"day", "2026-03-01"}}, [](workflow_spec& spec) {
      auto& task = spec.tasks[3];
      task.in = {{"a", 1}};
      task.out = {{"b", value_type::integer}};
      task.settings->workdir = "x";
      task.settings->heartbeat = model::milliseconds{1'000};
      set_command(*task.settings, model::command_role::validate, model::run_action{"true"});
    });
  std::vector<std::string> paths;
  for (const auto& problem : found)
    paths.push_back(problem.path);
  CHECK(paths
        == std::vector<std::string>{"tasks.c.in", "tasks.c.out", "tasks.c.workdir",
                                    "tasks.c.heartbeat", "tasks.c.validate"});
}

TEST_CASE("compile: an output that the workflow of a task does not have", "[logic][compile]") {
  const auto found =
    problems_with_child(an_inner(), {{"day", "2026-03-01"}}, [](workflow_spec& spec) {
      spec.tasks[4].in = {{"n", "${{ tasks.c.out.totl }}"}};
    });
  REQUIRE(found.size() == 1);
  CHECK(found[0].message == "task 'c' declares no output 'totl'; did you mean 'total'?");
}

TEST_CASE("compile: problems of a workflow in a task are told with its name", "[logic][compile]") {
  auto inner = an_inner();
  inner.tasks[0].after = {"gone"};
  const auto found = problems_with_child(inner, {{"day", "2026-03-01"}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == "tasks.c.workflow");
  CHECK(found[0].message == "workflow 'inner': tasks.x.after[0]: no task 'gone'");
}

TEST_CASE("compile: how deep workflows may be nested", "[logic][compile]") {
  const auto levels = GENERATE(8, 9);
  auto spec = std::make_shared<const workflow_spec>([] {
    auto innermost = an_etl();
    innermost.name = "level 0";
    return innermost;
  }());
  for (int level = 1; level <= levels; ++level) {
    workflow_spec around;
    around.name = "level " + std::to_string(level);
    around.tasks = {a_task("c")};
    around.tasks[0].action = model::workflow_action{spec, {}};
    spec = std::make_shared<const workflow_spec>(std::move(around));
  }
  const auto done = compile(spec);
  REQUIRE(done.has_value() == (levels == 8));
  if (!done)
    CHECK(done.error() == problems{{"tasks", "workflows are nested more than 8 levels deep"}});
}

TEST_CASE("compile: a workflow is no part of one with its name", "[logic][compile]") {
  auto inner = an_inner();
  inner.name = "etl";
  const auto found = problems_with_child(inner, {{"day", "2026-03-01"}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].message.find("'etl' starts one of the same name") != std::string::npos);
}

TEST_CASE("compile: how many tasks workflows may have together", "[logic][compile]") {
  auto spec = std::make_shared<const workflow_spec>(an_etl());
  for (int level = 1; level <= 5; ++level) { // each starts the one below a hundred times
    workflow_spec around;
    around.name = "level " + std::to_string(level);
    for (int i = 0; i < 100; ++i) {
      around.tasks.push_back(a_task("c" + std::to_string(i)));
      around.tasks.back().action = model::workflow_action{spec, {}};
    }
    spec = std::make_shared<const workflow_spec>(std::move(around));
  }
  const auto done = compile(spec);
  REQUIRE_FALSE(done);
  CHECK(done.error().size() == 1);
  CHECK(done.error()[0].message.find("more than the limit of 1000000") != std::string::npos);
}

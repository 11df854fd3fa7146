#include "runtime/document.hpp"
#include "runtime/workflow_file.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <ostream>

#include <unistd.h>

using namespace sluice;
using namespace sluice::runtime;
using model::value_type;
using namespace std::chrono_literals;

namespace {

bool has_handler(std::string_view name) {
  return name == "noop" || name == "sleep" || name == "echo" || name == "fail";
}

auto parsed(std::string_view text) {
  return parse_workflow(text, format_of(text), "file-name", "/base", has_handler);
}

/// The problems as they are printed, without the name of the file.
std::vector<std::string> problems_of(std::string_view text) {
  std::vector<std::string> lines;
  const auto result = parsed(text);
  if (!result)
    for (const auto& problem : result.error())
      lines.push_back(to_string("", problem).substr(1));
  return lines;
}

model::workflow_spec spec_of(std::string_view text) {
  const auto result = parsed(text);
  for (const auto& line : problems_of(text))
    UNSCOPED_INFO(line);
  REQUIRE(result);
  return *result->workflow;
}

using lines = std::vector<std::string>;

constexpr auto npos = std::string::npos;

/// A directory of its own, removed at the end.
class temporary_directory {
public:
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, std::string_view text) const {
    std::ofstream{path_ / name, std::ios::binary} << text;
    return path_ / name;
  }

private:
  std::filesystem::path path_;
};

constexpr std::string_view all_keys_yaml = R"(
workflow: all
description: Everything this version has
labels: {team: data, tier: 1}
params:
  day: {type: date, default: "2026-03-01", description: which day}
  count: 5
  ratio: {type: double, default: 1}
  mode: {enum: [fast, slow], default: fast}
  regions: [eu, us]
  required: {type: int}
  extra: {type: map, default: {a: 1}}
env: {A: outer, B: outer}
workdir: data
shell: bash
timeout: 1h
defaults:
  env: {B: inner, C: 1.10}
  timeout: 20m
  allow_failure: true
on_failure: continue
limits: {active_tasks: 8}
tasks:
  short: echo hi
  extract:
    run: |
      first
      second
    out: {rows: int, file: file}
    in: {n: 1, r: 1.5, b: true, z: ~, l: [1, "2"], m: {k: "${{ params.day }}"}}
    env: {DAY: "${{ params.day }}"}
    workdir: /tmp
    shell: [/bin/zsh, -c]
    timeout: 90s
    allow_failure: false
  exec-one:
    exec: [./check, --min, 1000, 1.0]
    after: [short, extract]
    join: all_done
  handler:
    call: echo
    in: {rows: "${{ tasks.extract.out.rows }}"}
    join: ${{ tasks.extract.state == 'succeeded' }}
    when: "${{ tasks.extract.out.rows > 0 }}"
)";

constexpr std::string_view all_keys_json = R"({
  "workflow": "all",
  "description": "Everything this version has",
  "labels": {"team": "data", "tier": 1},
  "params": {
    "day": {"type": "date", "default": "2026-03-01", "description": "which day"},
    "count": 5,
    "ratio": {"type": "double", "default": 1},
    "mode": {"enum": ["fast", "slow"], "default": "fast"},
    "regions": ["eu", "us"],
    "required": {"type": "int"},
    "extra": {"type": "map", "default": {"a": 1}}
  },
  "env": {"A": "outer", "B": "outer"},
  "workdir": "data",
  "shell": "bash",
  "timeout": "1h",
  "defaults": {"env": {"B": "inner", "C": "1.10"}, "timeout": "20m", "allow_failure": true},
  "on_failure": "continue",
  "limits": {"active_tasks": 8},
  "tasks": {
    "short": "echo hi",
    "extract": {
      "run": "first\nsecond\n",
      "out": {"rows": "int", "file": "file"},
      "in": {"n": 1, "r": 1.5, "b": true, "z": null, "l": [1, "2"], "m": {"k": "${{ params.day }}"}},
      "env": {"DAY": "${{ params.day }}"},
      "workdir": "/tmp",
      "shell": ["/bin/zsh", "-c"],
      "timeout": "90s",
      "allow_failure": false
    },
    "exec-one": {"exec": ["./check", "--min", 1000, 1.0], "after": ["short", "extract"],
                 "join": "all_done"},
    "handler": {
      "call": "echo",
      "in": {"rows": "${{ tasks.extract.out.rows }}"},
      "join": "${{ tasks.extract.state == 'succeeded' }}",
      "when": "${{ tasks.extract.out.rows > 0 }}"
    }
  }
})";

} // namespace

TEST_CASE("workflow_file: the smallest file", "[runtime][workflow_file]") {
  const auto spec = spec_of("tasks:\n  hello: echo hi\n");
  CHECK(spec.name == "file-name");
  CHECK(spec.base_dir == "/base");
  REQUIRE(spec.tasks.size() == 1);
  CHECK(spec.tasks[0].name == "hello");
  CHECK(std::get<model::run_action>(spec.tasks[0].action).text == "echo hi");
}

TEST_CASE("workflow_file: every key of this version is read", "[runtime][workflow_file]") {
  const auto spec = spec_of(all_keys_yaml);
  CHECK(spec.name == "all");
  CHECK(spec.description == "Everything this version has");
  CHECK(spec.labels
        == std::vector<std::pair<std::string, std::string>>{{"team", "data"}, {"tier", "1"}});
  CHECK(spec.on_failure == model::on_failure::carry_on);
  CHECK(spec.active_tasks == 8u);

  const auto param = [&](std::size_t i) { return spec.params[i]; };
  REQUIRE(spec.params.size() == 7);
  CHECK(param(0).type == value_type::date);
  CHECK(param(0).description == "which day");
  CHECK(param(1).type == value_type::integer);
  CHECK(param(2).default_value == model::value(1.0));
  CHECK(param(2).default_value->is_number_float());
  CHECK(param(3).type == value_type::text);
  CHECK(param(3).choices == std::vector<model::value>{"fast", "slow"});
  CHECK(param(4).type == value_type::list);
  CHECK_FALSE(param(5).default_value);
  CHECK(param(6).default_value == model::value{{"a", 1}});

  const auto& defaults = spec.defaults;
  CHECK(defaults.env == model::named_values{{"A", "outer"}, {"B", "inner"}, {"C", "1.10"}});
  CHECK(defaults.workdir == "data");
  CHECK(defaults.shell == model::shell_spec{model::shell_spec::kind::bash, {}});
  CHECK(defaults.timeout == model::milliseconds{20min});
  CHECK(defaults.allow_failure == true);

  REQUIRE(spec.tasks.size() == 4);
  const auto& extract = spec.tasks[1];
  CHECK(std::get<model::run_action>(extract.action).text == "first\nsecond\n");
  CHECK(
    extract.out
    == std::vector<model::output_spec>{{"rows", value_type::integer}, {"file", value_type::file}});
  CHECK(extract.in
        == model::named_values{{"n", 1},
                               {"r", 1.5},
                               {"b", true},
                               {"z", nullptr},
                               {"l", {1, "2"}},
                               {"m", {{"k", "${{ params.day }}"}}}});
  CHECK(extract.settings->shell->argv == lines{"/bin/zsh", "-c"});
  CHECK(extract.settings->timeout == model::milliseconds{90s});
  CHECK(extract.settings->allow_failure == false);
  CHECK(std::get<model::exec_action>(spec.tasks[2].action).argv
        == lines{"./check", "--min", "1000", "1.0"});
  CHECK(spec.tasks[2].after == lines{"short", "extract"});
  CHECK(spec.tasks[2].join.rule == model::join_rule::all_done);
  CHECK(std::get<model::call_action>(spec.tasks[3].action).handler == "echo");
  CHECK(spec.tasks[3].join.expression == " tasks.extract.state == 'succeeded' ");
  CHECK(spec.tasks[3].when == " tasks.extract.out.rows > 0 ");
}

TEST_CASE("workflow_file: YAML and JSON are the same model", "[runtime][workflow_file]") {
  const auto yaml = parsed(all_keys_yaml);
  const auto json = parsed(all_keys_json);
  REQUIRE(yaml);
  REQUIRE(json);
  CHECK(*yaml->workflow == *json->workflow);
  CHECK(yaml->content_hash == json->content_hash);
  CHECK(yaml->content_hash.size() == 64);
  CHECK(yaml->source == all_keys_yaml);
  CHECK(json->source == all_keys_json);
}

TEST_CASE("workflow_file: what a task is fanned out over", "[runtime][workflow_file]") {
  const auto spec = spec_of("tasks:\n"
                            "  a: {run: x, foreach: 1-3, as: n, max_parallel: 2, min_success: 1}\n"
                            "  b: {run: x, foreach: [p, {q: 1}], key: 'k${{ size(item) }}'}\n"
                            "  c: {run: x, shard: 4, max_failures: 3}\n"
                            "  d:\n"
                            "    run: x\n"
                            "    matrix: {z: [1], a: '${{ params.l }}', exclude: [{z: 1}]}\n"
                            "  e: {run: x, foreach: 12}\n"
                            "params: {l: [u, v]}\n");
  const auto& a = *spec.tasks[0].fan_out;
  CHECK(std::get<model::foreach_items>(a.items).over == "1-3");
  CHECK(a.as == "n");
  CHECK(a.max_parallel == 2);
  CHECK(a.min_success == 1);
  CHECK(spec.tasks[1].fan_out->key == "k${{ size(item) }}");
  CHECK(std::get<model::shard_items>(spec.tasks[2].fan_out->items).count == 4);
  CHECK(spec.tasks[2].fan_out->max_failures == 3);
  const auto& matrix = std::get<model::matrix_items>(spec.tasks[3].fan_out->items);
  CHECK(matrix.axes == model::matrix_axes{{"z", {1}}, {"a", "${{ params.l }}"}});
  CHECK(matrix.exclude == model::value::array({{{"z", 1}}}));
  CHECK(std::get<model::foreach_items>(spec.tasks[4].fan_out->items).over == 12);
}

TEST_CASE("workflow_file: tasks of finally come last, wherever they stand",
          "[runtime][workflow_file]") {
  const auto spec = spec_of("finally:\n  tidy: rm x\n  last: {run: y, after: [tidy]}\n"
                            "tasks:\n  a: z\n");
  REQUIRE(spec.tasks.size() == 3);
  CHECK(spec.tasks[0].name == "a");
  CHECK(spec.tasks[2].after == std::vector<std::string>{"tidy"});
  CHECK(spec.finally_count == 2);
  CHECK(spec.first_finally() == 1);
}

TEST_CASE("workflow_file: commands beside the action are texts or maps",
          "[runtime][workflow_file]") {
  using enum model::command_role;
  const auto spec =
    spec_of("defaults: {validate: ./check.sh, rollback: ./undo.sh}\n"
            "tasks:\n"
            "  a: {run: x, fallback: {call: noop}, validate: {exec: [test, -f, y]}}\n"
            "  b: {run: x, fallback: ./other.sh, snapshot: ./keep.sh}\n");
  const auto command = [&](std::size_t task, model::command_role role) {
    return *command_for(spec, spec.tasks[task], role);
  };
  CHECK(command(0, action) == model::action{model::run_action{"x"}});
  CHECK(command(0, fallback) == model::action{model::call_action{"noop"}});
  CHECK(command(0, validate) == model::action{model::exec_action{{"test", "-f", "y"}}});
  CHECK(command(1, fallback) == model::action{model::run_action{"./other.sh"}});
  CHECK(command(1, validate) == model::action{model::run_action{"./check.sh"}});
  CHECK(command(1, snapshot) == model::action{model::run_action{"./keep.sh"}});
  CHECK(command(1, rollback) == model::action{model::run_action{"./undo.sh"}});
}

TEST_CASE("workflow_file: problems of commands have their place", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"{run: x, fallback: [y]}",
     {"1:31: tasks.a.fallback: must be a command, or a map with run, exec or call"}},
    {"{run: x, fallback: {rn: y}}",
     {"1:32: tasks.a.fallback.rn: unknown key 'rn'; did you mean 'run'?"}},
    {"{run: x, fallback: {run: y, call: noop}}",
     {"1:31: tasks.a.fallback: needs one of run, exec, call"}},
    {"{run: x, fallback: {call: nop}}",
     {"1:38: tasks.a.fallback.call: no handler 'nop'; did you mean 'noop'?"}},
    {"{run: x, fallback: ''}", {"1:31: tasks.a.fallback.run: the command is empty"}},
    {"{run: x, validate: {call: noop}}",
     {"1:21: tasks.a.validate: must be a command, run or exec"}},
    {"{call: noop, validate: y}",
     {"1:35: tasks.a.validate: goes with run and exec; a handler checks itself"}},
    {"{run: x, snapshot: y}",
     {"1:31: tasks.a.snapshot: is for a rollback: give it one, or leave it out"}},
    {"{run: x, snapsot: y, rollback: z}",
     {"1:21: tasks.a.snapsot: unknown key 'snapsot'; did you mean 'snapshot'?"}},
    {"{call: noop, rollback: y, snapshot: z}", {"1:48: tasks.a.snapshot: goes with run and exec"}},
  }));
  CAPTURE(text);
  CHECK(problems_of("tasks: {a: " + text + "}") == want);
}

TEST_CASE("workflow_file: problems of finally have their place", "[runtime][workflow_file]") {
  const auto [finally, want] = GENERATE(table<std::string, lines>({
    {"{t: {run: x, afer: [a]}}",
     {"2:23: finally.t.afer: unknown key 'afer'; did you mean 'after'?"}},
    {"{t: {run: x, when: '${{ tasks.b.state == 1 }}'}}",
     {"2:34: finally.t.when: no task 'b'; did you mean 'a'?"}},
    {"{t: {run: x, after: [a]}}",
     {"2:31: finally.t.after[0]: 'a' stands in tasks: all of finally comes after it anyway"}},
    {"[]", {"2:10: finally: must be a map of tasks"}},
  }));
  CAPTURE(finally);
  CHECK(problems_of("tasks: {a: x}\nfinally: " + finally + "\n") == want);
}

TEST_CASE("workflow_file: plain scalars follow the core schema of YAML 1.2",
          "[runtime][workflow_file]") {
  const auto [written, want] = GENERATE(table<std::string, model::value>({
    {"yes", "yes"},
    {"on", "on"},
    {"'1'", "1"},
    {"\"true\"", "true"},
    {"True", true},
    {"FALSE", false},
    {"tRue", "tRue"},
    {"~", nullptr},
    {"Null", nullptr},
    {"", nullptr},
    {"0x1F", 31},
    {"0o17", 15},
    {"017", 17},
    {"-12", -12},
    {"+5", 5},
    {"1_000", "1_000"},
    {"1.5", 1.5},
    {".5", 0.5},
    {"-2.", -2.0},
    {"1e3", 1000.0},
    {"+1.5E-1", 0.15},
    {"1e", "1e"},
    {".", "."},
    {"12:30", "12:30"},
    {"2026-03-01", "2026-03-01"},
    {"0x", "0x"},
    {"!!str 5", "5"},
    {"!!float 5", 5.0},
    {"! 5", "5"},
    {"1.2.3", "1.2.3"},
    {"|\n        x", "x\n"},
    {"9223372036854775807", 9223372036854775807},
  }));
  CAPTURE(written);
  const auto spec = spec_of("tasks:\n  t:\n    run: x\n    in:\n      v: " + written + "\n");
  CHECK(spec.tasks[0].in[0].second == want);
  CHECK(spec.tasks[0].in[0].second.type() == model::value(want).type());
}

TEST_CASE("workflow_file: syntax and structure problems have their place",
          "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"", {"1:1: the file is empty"}},
    {"# only a comment\n", {"1:1: the file is empty"}},
    {"tasks: {a: x}\n---\ntasks: {}\n", {"2:1: a second document; a file holds one"}},
    {"- a\n- b\n", {"1:1: the file must be a map with the key 'tasks'"}},
    {"text", {"1:1: the file must be a map with the key 'tasks'"}},
    {"tasks:\n  a: x: y\n", {"2:7: invalid YAML: illegal map value"}},
    {"tasks:\n\ta: x\n", {"2:1: invalid YAML: a tab in the indentation; only spaces indent"}},
    {"tasks: {a: *b}\n", {"1:12: invalid YAML: the referenced anchor is not defined"}},
    {"tasks: {a: {run: x, in: &a {x: *a}}}\n", {"1:32: the alias stands within what it repeats"}},
    {"tasks:\n  a: x\n  b: y\n  a: z\n", {"4:3: tasks.a: the key stands twice, first in line 2"}},
    {"tasks:\n  a: {run: x, in: {k: [{q: 1, q: 2}]}}\n",
     {"2:31: tasks.a.in.k[0].q: the key stands twice, first in line 2"}},
    {"tasks:\n  ? [a]\n  : x\n  b: y\n", {"2:5: tasks: a key must be a name, not a list or a map"}},
    {"tasks:\n  ~: x\n  b: y\n", {"2:3: tasks: the key is empty; write a name, or null in quotes"}},
    {"tasks:\n  a: !cmd x\n", {"2:6: tasks.a: the tag '!cmd' does not fit here"}},
    {"tasks:\n  a: !!int x\n", {"2:6: tasks.a: the tag 'tag:yaml.org,2002:int' does not fit here"}},
    {"tasks:\n  a: \"x\x01\"\n", {"2:8: control character 1"}},
    {"tasks:\n  ä: \"\xff\"\n", {"2:7: is no UTF-8 text"}},
    {"{\"tasks\": {\"a\": \"x\", \"a\": \"y\"}}",
     {"1:22: tasks.a: the key stands twice, first in line 1"}},
    {"{\"tasks\": }",
     {"1:11: invalid JSON: syntax error while parsing value - unexpected '}'; "
      "expected '[', '{', or a literal"}},
    {"{\n  \"tasks\": {\"a\": 1 \"b\"}\n}",
     {"2:20: invalid JSON: syntax error while parsing object - unexpected string literal; "
      "expected '}'"}},
    {"{\"tasks\": [\n",
     {"2:1: invalid JSON: syntax error while parsing value - unexpected end of "
      "input; expected '[', '{', or a literal"}},
    {"{\"tasks\":\n  {\"a\": tru}}",
     {"2:9: invalid JSON: syntax error while parsing value - invalid literal"}},
  }));
  CAPTURE(text);
  CHECK(problems_of(text) == want);
}

TEST_CASE("workflow_file: values of the wrong form have their place", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"workflow: x\n", {"1:1: tasks: there is no task"}},
    {"tasks:\nworkflow: x\n", {"1:1: tasks: there is no task"}},
    {"tasks: [a]\n", {"1:8: tasks: must be a map of tasks"}},
    {"taks:\n  a: x\ntasks: {a: x}\n", {"1:1: taks: unknown key 'taks'; did you mean 'tasks'?"}},
    {"tasks: {a: x}\nfoobar: 1\n", {"2:1: foobar: unknown key 'foobar'"}},
    {"name: x\ntasks:\n  a: {run: x}\n  b: {command: x, needs: [a]}\n",
     {"1:1: name: unknown key 'name'; it is 'workflow' here",
      "4:7: tasks.b.command: unknown key 'command'; it is 'run' here",
      "4:19: tasks.b.needs: unknown key 'needs'; it is 'after' here"}},
    {"tasks: {a: {run: x, jobs: 3}}", {"1:21: tasks.a.jobs: unknown key 'jobs'"}},
    {"workflow: [x]\ntasks: {a: x}\n", {"1:11: workflow: must be a text"}},
    {"workflow:\ntasks: {a: x}\n", {"1:1: workflow: is empty; it must be a text"}},
    {"tasks:\n  a:\n    run: x\n    tiemout: 5s\n",
     {"4:5: tasks.a.tiemout: unknown key 'tiemout'; did you mean 'timeout'?"}},
    {"tasks:\n  a:\n    <<: {run: x}\n",
     {"3:5: tasks.a['<<']: merge keys are no part of YAML 1.2; use 'defaults'"}},
    {"tasks:\n  a:\n  b: x\n", {"2:3: tasks.a: must be a command, or a map of the task's keys"}},
    {"tasks:\n  a: [x]\n", {"2:3: tasks.a: must be a command, or a map of the task's keys"}},
    {"tasks:\n  a: {after: [b]}\n  b: x\n",
     {"2:3: tasks.a: has no action; it needs one of run, exec, call, workflow, gate, wait"}},
    {"tasks:\n  a: {run: x, call: noop}\n",
     {"2:3: tasks.a: has more than one action; run, exec, call, workflow, gate and wait exclude "
      "each other"}},
    {"tasks:\n  a: {exec: ls -l}\n",
     {"2:13: tasks.a.exec: must be a list of texts: a program and its arguments"}},
    {"tasks:\n  a: {exec: [ls, [x], ~]}\n",
     {"2:18: tasks.a.exec[1]: must be a text",
      "2:23: tasks.a.exec[2]: is empty; it must be a text"}},
    {"tasks:\n  a: {exec: []}\n",
     {"2:7: tasks.a.exec: the list is empty; its first element is the program"}},
    {"tasks:\n  a: {call: {name: noop}}\n",
     {"2:13: tasks.a.call: must be the name of a handler; its inputs stand in 'in'"}},
    {"tasks:\n  a: {call: nop}\n", {"2:13: tasks.a.call: no handler 'nop'; did you mean 'noop'?"}},
    {"tasks:\n  a: {run: x, timeout: 5}\n",
     {"2:24: tasks.a.timeout: '5' is not a duration: the unit is missing, write 500ms, 90s, 20m, "
      "2h or 1d"}},
    {"tasks:\n  a: {run: x, timeout: 0s}\n",
     {"2:24: tasks.a.timeout: must be longer than nothing"}},
    {"tasks:\n  a: {run: x, allow_failure: yes}\n",
     {"2:30: tasks.a.allow_failure: must be true or false"}},
    {"tasks:\n  a: {run: x, on_exhausted: holt}\n",
     {"2:29: tasks.a.on_exhausted: unknown value 'holt'; did you mean 'hold'?"}},
    {"tasks:\n  a: {run: x, on_exhausted: ask}\n",
     {"2:29: tasks.a.on_exhausted: unknown value 'ask'; there are fail, hold"}},
    {"tasks:\n  a: {run: x, shell: zsh}\n",
     {"2:22: tasks.a.shell: must be sh, bash, or a list: a program and its arguments"}},
    {"tasks:\n  a: {run: x, out: {n: integer}}\n",
     {"2:24: tasks.a.out.n: unknown type 'integer'; there are int, double, bool, string, date, "
      "timestamp, list, map, file"}},
    {"tasks:\n  a: {run: x, out: {n: strin}}\n",
     {"2:24: tasks.a.out.n: unknown type 'strin'; did you mean 'string'?"}},
    {"tasks:\n  a: {run: x, after: b}\n  b: y\n",
     {"2:22: tasks.a.after: must be a list of names of tasks"}},
    {"tasks:\n  a: {run: x, env: {E: [1]}}\n",
     {"2:24: tasks.a.env.E: must be a single value, not a list or a map"}},
    {"tasks:\n  a: {run: x, env: {a-b: 1}}\n",
     {"2:21: tasks.a.env['a-b']: 'a-b' is no name of a variable: letters, digits and _, no digit "
      "first"}},
    {"env: {SLUICE_X: 1}\ntasks: {a: x}\n",
     {"1:7: env.SLUICE_X: 'SLUICE_X': names with SLUICE_ are set by sluice"}},
    {"tasks:\n  a: {run: x, in: {n: 99999999999999999999}}\n",
     {"2:23: tasks.a.in.n: number 99999999999999999999 is outside the range of 64-bit integers and "
      "finite doubles"}},
    {"tasks:\n  a: {run: x, in: {n: [.inf]}}\n",
     {"2:24: tasks.a.in.n: number .inf is outside the range of 64-bit integers and finite "
      "doubles"}},
    {"on_failure: halt\ntasks: {a: x}\n",
     {"1:13: on_failure: unknown value 'halt'; there are stop, continue, compensate"}},
    {"on_failure: compenste\ntasks: {a: x}\n",
     {"1:13: on_failure: unknown value 'compenste'; did you mean 'compensate'?"}},
    {"limits: {active_runs: 0, active_tasks: 0}\ntasks: {a: x}\n",
     {"1:23: limits.active_runs: must be at least 1",
      "1:40: limits.active_tasks: must be at least 1"}},
    {"limits: {active_tasks: many}\ntasks: {a: x}\n",
     {"1:24: limits.active_tasks: must be a number of tasks, at least 1"}},
    {"tasks:\n  a: {run: x, cache: {key: 3}, join: none_faild}\n  b: {run: y, join: most}\n",
     {"2:15: tasks.a.cache: 'cache' is not in this version",
      "2:38: tasks.a.join: unknown rule 'none_faild'; did you mean 'none_failed'?",
      "3:21: tasks.b.join: unknown rule 'most'; there are all_success, none_failed, all_failed, "
      "all_done, one_success, one_failed, or an expression in ${{ }}"}},
    {"tasks:\n  a: {run: x, retry: 3}\n  b: {run: x, retry: always}\n",
     {"2:22: tasks.a.retry: must be never, or a map such as {max: 3}",
      "3:22: tasks.b.retry: must be never, or a map such as {max: 3}"}},
    {"tasks:\n  a: {run: x, retry: {max: -1, bse: 1s, factor: fast, cap: 5}}\n",
     {"2:28: tasks.a.retry.max: must be a number of attempts, 0 or more",
      "2:32: tasks.a.retry.bse: unknown key 'bse'; did you mean 'base'?",
      "2:49: tasks.a.retry.factor: must be a number",
      "2:60: tasks.a.retry.cap: '5' is not a duration: the unit is missing, write 500ms, 90s, 20m, "
      "2h or 1d"}},
    {"tasks:\n  a: {run: x, retry: {on: [transiet, \"exit:\"], stop_on: exit}}\n",
     {"2:28: tasks.a.retry.on[0]: unknown class 'transiet'; did you mean 'transient'?",
      "2:38: tasks.a.retry.on[1]: 'exit:' has no code behind the colon",
      "2:57: tasks.a.retry.stop_on: must be a list of classes, such as [transient, \"exit:75\"]"}},
    {"defaults: {retry: {max: 1, factor: 0.5, jitter: 2, on: [lost, cancelled]}}\n"
     "tasks:\n  a: {run: x, retry: {cap: 0s}, crash_limit: 255}\n",
     {"1:36: defaults.retry.factor: must be from 1 to 1000",
      "1:49: defaults.retry.jitter: must be from 0 to 1",
      "1:57: defaults.retry.on[0]: lost attempts are repeated by themselves, see crash_limit",
      "1:63: defaults.retry.on[1]: class 'cancelled' is final",
      "3:28: tasks.a.retry.cap: must be longer than nothing",
      "3:46: tasks.a.crash_limit: must be at most 254"}},
    {"defaults: {idempotency: \"${{ tasks.a.out.v }}\"}\n"
     "tasks:\n  a: {run: x, idempotency: \"\"}\n  b: {run: x, idempotency: \"${{ params.dya }}\"}\n"
     "params: {day: 1}\n",
     {"1:30: defaults.idempotency: what holds for all tasks can name only params and run, no tasks",
      "3:28: tasks.a.idempotency: a key is a text of 1 to 200 bytes without control characters",
      "4:33: tasks.b.idempotency: no parameter 'dya'; did you mean 'day'?"}},
    {"tasks:\n  a: {run: x, when: true}\n  b: {run: x, when: a > 1}\n",
     {"2:21: tasks.a.when: must be one expression, written ${{ ... }}",
      "3:21: tasks.b.when: must be one expression, written ${{ ... }}"}},
  }));
  CAPTURE(text);
  CHECK(problems_of(text) == want);
}

TEST_CASE("workflow_file: retries are read, and a task's own replace the defaults",
          "[runtime][workflow_file]") {
  using model::failure_class;
  const auto spec = spec_of(R"(defaults:
  retry: {max: 3, base: 250ms, factor: 1.5, cap: 1m, jitter: 0}
  crash_limit: 2
tasks:
  a: x
  b: {run: x, retry: {max: 5, on: [transient, "exit:75"], stop_on: ["exit:2"]}, crash_limit: 0}
  c: {run: x, retry: never}
)");
  CHECK(
    spec.defaults.retry
    == model::retry_policy{
      .max = 3, .base = 250ms, .factor = 1.5, .cap = 1min, .jitter = 0, .on = {}, .stop_on = {}});
  CHECK(spec.defaults.crash_limit == 2);
  CHECK_FALSE(spec.tasks[0].settings->retry);
  CHECK(spec.tasks[1].settings->retry
        == model::retry_policy{.max = 5,
                               .on = {{failure_class::transient, ""}, {failure_class::exit, "75"}},
                               .stop_on = {{failure_class::exit, "2"}}});
  CHECK(spec.tasks[1].settings->crash_limit == 0);
  CHECK(spec.tasks[2].settings->retry == model::retry_policy{.never = true});
}

TEST_CASE("workflow_file: priorities are names or numbers", "[runtime][workflow_file]") {
  const auto spec = spec_of(R"(priority: low
tasks:
  a: {run: x, priority: high}
  b: {run: x, priority: 7}
  c: {run: x, priority: critical}
  d: x
)");
  CHECK(spec.defaults.priority == 25);
  CHECK(spec.tasks[0].settings->priority == 75);
  CHECK(spec.tasks[1].settings->priority == 7);
  CHECK(spec.tasks[2].settings->priority == 100);
  CHECK_FALSE(spec.tasks[3].settings->priority);
  CHECK(problems_of("priority: hihg\ndefaults: {priority: 101}\n"
                    "tasks:\n  a: {run: x, priority: -1}\n  b: {run: x, priority: [1]}\n")
        == lines{
          "1:11: priority: unknown value 'hihg'; did you mean 'high'?",
          "2:22: defaults.priority: must be low, normal, high, critical, or a number from 0 to 100",
          "4:25: tasks.a.priority: must be low, normal, high, critical, or a number from 0 to 100",
          "5:25: tasks.b.priority: must be a text"});
}

TEST_CASE("workflow_file: groups and what holds for them", "[runtime][workflow_file]") {
  const auto spec = spec_of(R"(group: rest
groups:
  load:
    timebox: 2h
    limits: {active_tasks: 4}
    budget: {cost: 2.5, tokens: 1000, on_exceeded: warn, split: even}
  rest:
budget: {time: 10h, split: {a: 2}}
tasks:
  a: {run: x, group: load}
  b: x
)");
  CHECK(spec.defaults.group == "rest");
  CHECK(spec.tasks[0].settings->group == "load");
  REQUIRE(spec.groups.size() == 2);
  CHECK(spec.groups[0].name == "load");
  CHECK(spec.groups[0].timebox == 2h);
  CHECK(spec.groups[0].active_tasks == 4);
  model::budget_spec budget;
  budget.limits = {2'500'000, 1'000'000'000, std::nullopt};
  budget.on_exceeded = model::on_exceeded::warn;
  budget.is_split = true;
  CHECK(spec.groups[0].budget == budget);
  CHECK_FALSE(spec.groups[1].budget);
  REQUIRE(spec.budget);
  CHECK(spec.budget->limits[2] == model::microseconds{10h}.count());
  CHECK(spec.budget->weights
        == std::vector<std::pair<std::string, model::amount>>{{"a", 2'000'000}});
}

TEST_CASE("workflow_file: problems of groups and budgets have their place",
          "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"tasks:\n  a: {run: x, group: laod}\n  b: {run: x, group: load}\ngroups: {load: {}}\n",
     {"2:22: tasks.a.group: 'groups' has no group 'laod'; did you mean 'load'?"}},
    {"tasks:\n  a: {run: x, group: other}\n  b: {run: x, group: load}\ngroups: {load: {}}\n", {}},
    {"tasks: {a: x}\ngroups: {load: {timebox: 0s, limits: {active_tasks: 0}}}\n",
     {"2:10: groups.load: no task is in the group 'load'",
      "2:26: groups.load.timebox: must be longer than nothing",
      "2:53: groups.load.limits.active_tasks: must be at least 1"}},
    {"tasks: {a: {run: x, group: load}}\ngroups: {load: {timbox: 1h, budget: {}}}\n",
     {"2:17: groups.load.timbox: unknown key 'timbox'; did you mean 'timebox'?",
      "2:29: groups.load.budget: limits nothing; it needs cost, tokens or time"}},
    {"tasks: {load: x}\nbudget: {cost: 0, time: 5, on_exceeded: wran}\n",
     {"2:16: budget.cost: must be more than nothing",
      "2:25: budget.time: '5' is not a duration: the unit is missing, write 500ms, 90s, 20m, 2h or "
      "1d",
      "2:41: budget.on_exceeded: unknown value 'wran'; did you mean 'warn'?"}},
    {"tasks: {load: x}\nbudget: {cost: 1, split: {laod: 2}}\n",
     {"2:27: budget.split.laod: no task 'laod' uses this budget; did you mean 'load'?"}},
    {"tasks: {load: x}\nbudget: {cost: 1, split: odd}\n",
     {"2:26: budget.split: must be even, or a map of tasks and their weights, such as {load: 2}"}},
  }));
  CAPTURE(text);
  if (want.empty())
    CHECK(spec_of(text).tasks.size() == 2);
  else
    CHECK(problems_of(text) == want);
}

TEST_CASE("workflow_file: a deadline of the workflow is the run's, a default each task's own",
          "[runtime][workflow_file]") {
  const auto spec = spec_of(R"(deadline: 3h
queue_timeout: 10m
defaults: {deadline: 1h, timeout: 5m}
tasks:
  a: x
  b: {run: x, deadline: 30m, queue_timeout: 1m}
)");
  CHECK(spec.deadline == 3h);
  CHECK(spec.defaults.deadline == 1h);
  CHECK(spec.defaults.queue_timeout == 10min);
  CHECK(spec.tasks[1].settings->deadline == 30min);
  CHECK(spec.tasks[1].settings->queue_timeout == 1min);
  CHECK(
    problems_of("deadline: 0s\ndefaults: {deadline: 5}\n"
                "tasks:\n  a: {run: x, queue_timeout: 0m}\n")
    == lines{"1:11: deadline: must be longer than nothing",
             "2:22: defaults.deadline: '5' is not a duration: the unit is missing, write 500ms, "
             "90s, 20m, 2h or 1d",
             "4:30: tasks.a.queue_timeout: must be longer than nothing"});
}

TEST_CASE("workflow_file: problems of parameters have their place", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"{p: }", {"1:10: params.p: needs a default, or a map with its type"}},
    {"{p: {description: x}}", {"1:13: params.p: needs a type or a default"}},
    {"{p: {type: num}}",
     {"1:20: params.p.type: unknown type 'num'; there are int, double, bool, "
      "string, date, timestamp, list, map, file"}},
    {"{p: {type: file}}", {"1:20: params.p.type: a parameter cannot be of type file; use string"}},
    {"{p: {type: int, default: x}}", {"1:34: params.p.default: \"x\" is not of type int"}},
    {"{p: {type: int, defalt: 1}}",
     {"1:25: params.p.defalt: unknown key 'defalt'; did you mean 'default'?"}},
    {"{p: {type: int, enum: [1, x], default: 3}}",
     {"1:35: params.p.enum[1]: \"x\" is not of type int",
      "1:48: params.p.default: 3 is not one of the values of enum"}},
    {"{p: {enum: a}}",
     {"1:20: params.p.enum: must be a list of the values that are allowed",
      "1:13: params.p: needs a type or a default"}},
    {"{p: {type: date, default: \"${{ run.submitted }}\"}}",
     {"1:35: params.p.default: an expression in a default is not in this version"}},
  }));
  CAPTURE(text);
  auto found = problems_of("params: " + text + "\ntasks: {a: x}\n");
  auto sorted = want;
  std::sort(sorted.begin(), sorted.end());
  std::sort(found.begin(), found.end());
  CHECK(found == sorted);
}

TEST_CASE("workflow_file: problems of expressions and of the graph have their place",
          "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"tasks:\n  a: x\n  b:\n    run: y\n    when: ${{ tasks.gone.state == 'failed' }}\n",
     {"5:15: tasks.b.when: no task 'gone'"}},
    {"tasks:\n  a: x\n  b:\n    run: y\n    when: \"${{ tasks.gone.state == 'failed' }}\"\n",
     {"5:16: tasks.b.when: no task 'gone'"}},
    {"tasks:\n  a: x\n  b:\n    run: y\n    in: {v: \"ü ${{ params.q }}\"}\n",
     {"5:20: tasks.b.in.v: no parameter 'q'"}},
    {"{\"tasks\": {\"a\": {\"run\": \"x\", \"in\": {\"v\": [\"${{ params.q }}\"]}}}}",
     {"1:48: tasks.a.in.v[0]: no parameter 'q'"}},
    {"tasks:\n  a:\n    run: x\n    in:\n      v: >-\n        ${{ params.q }}\n",
     {"5:10: tasks.a.in.v: no parameter 'q'"}},
    {"env: {V: \"${{ tasks.a.state }}\"}\ntasks: {a: x}\n",
     {"1:15: env.V: what holds for all tasks can name only params and run, no tasks"}},
    {"env: {V: \"${{ params.x }}\"}\ndefaults:\n  env: {V: \"${{ params.y }}\"}\ntasks: {a: x}\n",
     {"3:17: defaults.env.V: no parameter 'y'"}},
    {"tasks:\n  a: {run: x, after: [b]}\n  b:\n    run: y\n    after: [a]\n",
     {"2:3: tasks.a: these tasks wait for each other: a -> b -> a"}},
    {"tasks:\n  load-all:\n    run: y\n    after: [a, 'source-redy', 1234]\n  source-ready: x\n  "
     "a: "
     "x\n",
     {"4:16: tasks['load-all'].after[1]: no task 'source-redy'; did you mean 'source-ready'?",
      "4:31: tasks['load-all'].after[2]: no task '1234'"}},
    {"tasks:\n  a:\n    run: x\n    in:\n      PATH: here\n",
     {"5:7: tasks.a.in.PATH: 'PATH' cannot be an input: PATH, LD_* and SLUICE_* have meanings of "
      "their own"}},
    {"tasks:\n  a:\n    run: x\n    join: one_success\n",
     {"4:11: tasks.a.join: 'one_success' needs upstream tasks, and this task has none"}},
    {"tasks:\n  a: ''\n", {"2:6: tasks.a.run: the command is empty"}},
    {"workflow: w\ntasks:\n  a: x\n  b: {run: \"x\\0y\"}\n",
     {"4:12: tasks.b.run: holds a NUL character"}},
  }));
  CAPTURE(text);
  CHECK(problems_of(text) == want);
}

TEST_CASE("workflow_file: a broken expression is shown where it breaks",
          "[runtime][workflow_file]") {
  const auto found =
    problems_of("tasks:\n  a: x\n  b: {run: y, when: \"${{ tasks.a.state = 1 }}\"}\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].substr(0, 19) == "3:40: tasks.b.when:");
}

TEST_CASE("workflow_file: all problems are reported and sorted by place",
          "[runtime][workflow_file]") {
  CHECK(problems_of(R"(tasks:
  b: {run: x, after: [zz]}
  a: {rnu: x}
  c: {run: x, timeout: soon, timeout: 5s}
  d: {run: x, in: {v: "${{ tasks.a.out.n }}"}}
notify: {}
)")
        == lines{"2:23: tasks.b.after[0]: no task 'zz'",
                 "3:7: tasks.a.rnu: unknown key 'rnu'; did you mean 'run'?",
                 "4:24: tasks.c.timeout: 'soon' is not a duration, write 500ms, 90s, 20m, 2h or 1d",
                 "4:30: tasks.c.timeout: the key stands twice, first in line 4",
                 "6:1: notify: 'notify' is not in this version"});
}

TEST_CASE("workflow_file: tasks that only wait", "[runtime][workflow_file]") {
  const auto spec = spec_of(R"(tasks:
  pause: {wait: 10m}
  until: {wait: "2026-12-01T08:00:00Z"}
  approve:
    gate: approval
    prompt: "Publish ${{ run.id }}?"
    form: {target: {enum: [staging, production]}, replicas: 2}
    expires: 8h
    on_expire: skip
    on_closed: skip
  go: {gate: signal, name: ready}
  open: {gate: switch, on_closed: fail}
  night: {gate: time, between: "22:00-06:00", days: [mon, sun], zone: local}
  mail: {gate: quota, max: 5, per: 1m}
  load: {run: x, gates: [db, net], on_closed: skip}
)");
  CHECK(std::get<model::gate_action>(spec.tasks[4].action).what->on_closed
        == model::on_closed::fail);
  CHECK(std::get<model::gate_action>(spec.tasks[5].action).what->hours
        == model::opening_hours{22 * 60, 6 * 60, 0x41, true});
  CHECK(std::get<model::gate_action>(spec.tasks[6].action).what->quota
        == model::quota_limit{5, std::chrono::minutes{1}});
  CHECK(spec.tasks[7].settings->gates == std::vector<std::string>{"db", "net"});
  CHECK(spec.tasks[7].settings->on_closed == model::on_closed::skip);
  CHECK(spec.tasks[0].action == model::action{model::wait_action{"10m"}});
  CHECK(spec.tasks[1].action == model::action{model::wait_action{"2026-12-01T08:00:00Z"}});
  const auto& approve = *std::get<model::gate_action>(spec.tasks[2].action).what;
  CHECK(approve.which == model::gate_kind::approval);
  CHECK(approve.prompt == "Publish ${{ run.id }}?");
  REQUIRE(approve.form.size() == 2);
  CHECK(approve.form[0].choices == std::vector<model::value>{"staging", "production"});
  CHECK(approve.form[1].default_value == model::value(2));
  CHECK(approve.expires == std::chrono::hours{8});
  CHECK(approve.on_expire == model::on_expire::skip);
  CHECK(approve.on_closed == model::on_closed::skip);
  const auto& go = *std::get<model::gate_action>(spec.tasks[3].action).what;
  CHECK(go.which == model::gate_kind::signal);
  CHECK(go.name == "ready");
}

TEST_CASE("workflow_file: what is wrong with tasks that only wait", "[runtime][workflow_file]") {
  const auto [text, want] = GENERATE(table<std::string, lines>({
    {"tasks:\n  a: {gate: aproval}\n",
     {"2:13: tasks.a.gate: unknown kind of gate 'aproval'; did you mean 'approval'?"}},
    {"tasks:\n  a: {gate: approval, on_closed: maybe}\n",
     {"2:34: tasks.a.on_closed: unknown value 'maybe'; there are wait, fail, skip"}},
    {"tasks:\n  a: {gate: approval, on_closed: wait}\n",
     {"2:34: tasks.a.on_closed: a decision stands: it is fail or skip"}},
    {"tasks:\n  a: {run: x, prompt: y}\n", {"2:15: tasks.a.prompt: 'prompt' goes with gate"}},
    {"tasks:\n  a: {run: x, on_closed: fail}\n",
     {"2:15: tasks.a.on_closed: 'on_closed' goes with gate, or with gates"}},
    {"tasks:\n  a: {gate: time}\n",
     {"2:13: tasks.a.gate: needs 'between', such as \"22:00-06:00\""}},
    {"tasks:\n  a: {gate: time, between: \"22-06\"}\n",
     {"2:28: tasks.a.between: '22-06' are no hours, write such as 22:00-06:00"}},
    {"tasks:\n  a: {gate: time, between: \"22:00-06:00\", zone: Europe/Madrid}\n",
     {"2:49: tasks.a.zone: zone 'Europe/Madrid' is not in this version; there are utc and local"}},
    {"tasks:\n  a: {gate: quota, max: 0, per: 1m}\n",
     {"2:25: tasks.a.max: must be from 1 to 10000"}},
    {"tasks:\n  a: {gate: quota, max: 1}\n", {"2:3: tasks.a.per: must be longer than nothing"}},
    {"tasks:\n  a: {wait: {approval: yes}}\n",
     {"2:13: tasks.a.wait: must be a time; people, signals and switches are waited for with "
      "'gate'"}},
    {"tasks:\n  a: {wait: 1m, gates: [x]}\n",
     {"2:17: tasks.a.gates: goes with tasks that run something; this one only waits"}},
    {"tasks:\n  a: {wait: soon}\n",
     {"2:13: tasks.a.wait: \"soon\" is neither a length of time, such as 10m, nor a time, such as "
      "2026-12-01T08:00:00Z"}},
    {"tasks:\n  a: {wait: 10m, run: x}\n",
     {"2:3: tasks.a: has more than one action; run, exec, call, workflow, gate and wait exclude "
      "each other"}},
    {"tasks:\n  a: {wait: 10m, retry: {max: 3}}\n",
     {"2:18: tasks.a.retry: goes with tasks that run something; this one only waits"}},
    {"tasks:\n  a: {gate: approval, form: {x: }}\n",
     {"2:30: tasks.a.form.x: needs a default, or a map with its type"}},
    {"tasks:\n  a: {gate: approval, expires: 1h, on_expire: rejct}\n",
     {"2:47: tasks.a.on_expire: unknown value 'rejct'; did you mean 'reject'?"}},
  }));
  CAPTURE(text);
  CHECK(problems_of(text) == want);
}

TEST_CASE("workflow_file: aliases repeat what they name", "[runtime][workflow_file]") {
  const auto spec = spec_of("tasks:\n  a:\n    run: &cmd echo\n    env: &env {K: v}\n"
                            "  b:\n    run: *cmd\n    env: *env\n");
  CHECK(spec.tasks[0].action == spec.tasks[1].action);
  CHECK(spec.tasks[1].settings->env == model::named_values{{"K", "v"}});
}

TEST_CASE("workflow_file: texts that mean something huge are refused", "[runtime][workflow_file]") {
  std::string laughs = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c <= 'i'; ++c) {
    laughs += std::string{c} + ": &" + c + " [";
    for (int i = 0; i < 10; ++i)
      laughs += std::string{i ? ", " : ""} + "*" + char(c - 1);
    laughs += "]\n";
  }
  const auto [text, want] = GENERATE_COPY(table<std::string, std::string>({
    {laughs, "more than 5000000 keys and values, counting what aliases repeat"},
    {"a: " + std::string(100, '[') + std::string(100, ']'), "1:67: nested deeper than 64 levels"},
    {"{\"a\": " + std::string(100, '['), "1:70: nested deeper than 64 levels"},
  }));
  const auto found = problems_of(text);
  REQUIRE(found.size() == 1);
  CAPTURE(found[0]);
  CHECK(found[0].find(want) != npos);
}

TEST_CASE("workflow_file: a byte order mark and Windows line ends do no harm",
          "[runtime][workflow_file]") {
  CHECK(spec_of("\xEF\xBB\xBFtasks:\r\n  a: x\r\n").tasks.size() == 1);
  CHECK(spec_of("\xEF\xBB\xBF{\"tasks\": {\"a\": \"x\"}}").tasks.size() == 1);
  CHECK(problems_of("tasks:\r\n  a: x\r\n  b: {run: y, after: [gone]}\r\n")
        == lines{"3:23: tasks.b.after[0]: no task 'gone'"});
}

TEST_CASE("workflow_file: the complete example of the format lacks only what comes later",
          "[runtime][workflow_file]") {
  const auto loaded = load_workflow_file(
    std::filesystem::path{SLUICE_SOURCE_DIR} / "tests/runtime/complete_example.yaml", has_handler);
  REQUIRE_FALSE(loaded);
  std::vector<std::string> later;
  for (const auto& problem : loaded.error()) {
    CAPTURE(problem.path, problem.message);
    CHECK(problem.message.find("is not in this version") != npos);
    CHECK(problem.line > 0);
    later.push_back(problem.path);
  }
  for (const char* path : {"params.day.default", "schedule", "notify", "tasks.report.cloudrun"})
    CHECK(std::count(later.begin(), later.end(), path) == 1);
}

TEST_CASE("load_workflow_file: name, directory and format come from the file",
          "[runtime][workflow_file]") {
  const temporary_directory directory;
  const auto yaml = load_workflow_file(directory.write("one.yaml", "tasks: {a: x}"), has_handler);
  REQUIRE(yaml);
  CHECK(yaml->workflow->name == "one");
  CHECK(yaml->workflow->base_dir == directory.path().string());
  CHECK(yaml->source == "tasks: {a: x}");
  CHECK(load_workflow_file(directory.write("two.json", R"({"tasks": {"a": "x"}})"), has_handler));
  CHECK(
    load_workflow_file(directory.write("three", "\n {\"tasks\":\n\t{\"a\": \"x\"}}"), has_handler));
  const auto not_json =
    load_workflow_file(directory.write("four.json", "tasks: {a: x}"), has_handler);
  REQUIRE_FALSE(not_json);
  CHECK(not_json.error()[0].message.find("invalid JSON") == 0);
}

TEST_CASE("load_workflow_file: a file that cannot be read is one problem without a line",
          "[runtime][workflow_file]") {
  const temporary_directory directory;
  const auto missing = load_workflow_file(directory.path() / "none.yaml", has_handler);
  REQUIRE_FALSE(missing);
  CHECK(
    missing.error()
    == std::vector<file_problem>{{0, 0, "", "cannot read the file: No such file or directory"}});
  CHECK(to_string("none.yaml", missing.error()[0])
        == "none.yaml: cannot read the file: No such file or directory");
  const auto a_directory = load_workflow_file(directory.path(), has_handler);
  REQUIRE_FALSE(a_directory);
  CHECK(a_directory.error()[0].message == "cannot read the file: it is a directory");
  const auto large = directory.write("large.yaml", "tasks: {a: x}\n");
  std::filesystem::resize_file(large, (64u << 20) + 1);
  const auto too_large = load_workflow_file(large, has_handler);
  REQUIRE_FALSE(too_large);
  CHECK(too_large.error()[0]
        == file_problem{0, 0, "", "the file is larger than the limit of 67108864 bytes"});
}

TEST_CASE("to_string: a problem is printed as compilers do", "[runtime][workflow_file]") {
  CHECK(to_string("a.yaml", {3, 7, "tasks.a", "is wrong"}) == "a.yaml:3:7: tasks.a: is wrong");
  CHECK(to_string("a.yaml", {3, 7, "", "is wrong"}) == "a.yaml:3:7: is wrong");
}

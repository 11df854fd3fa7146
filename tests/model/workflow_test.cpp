#include "model/workflow.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using namespace sluice::model;

namespace {

workflow_spec full_workflow() {
  workflow_spec spec;
  spec.name = "etl";
  spec.description = "all there is";
  spec.labels = {{"team", "data"}, {"area", "sales"}};
  spec.params = {{.name = "day", .type = value_type::date},
                 {.name = "env",
                  .type = value_type::text,
                  .default_value = value("dev"),
                  .choices = {"dev", "prod"},
                  .description = "where"},
                 {.name = "nothing", .type = value_type::map, .default_value = value(nullptr)}};
  task_spec shell_task;
  shell_task.name = "z-first";
  shell_task.action = run_action{"echo hi"};
  task_spec exec_task;
  exec_task.name = "check";
  exec_task.action = exec_action{{"./check", "--min", "1000"}};
  exec_task.after = {"z-first"};
  exec_task.join = {join_rule::expression, "tasks.x.state == 'failed'"};
  exec_task.when = "params.day > '2020-01-01'";
  exec_task.in = {{"rows", "${{ 1 }}"}, {"a", value{{"k", value::array({1, 2.0})}}}};
  exec_task.out = {{"score", value_type::real}, {"list", value_type::list}};
  exec_task.settings = task_settings{
    .env = {{"B", 1}, {"A", "x"}},
    .workdir = "sub",
    .shell = shell_spec{shell_spec::kind::custom, {"/bin/zsh", "-c"}},
    .timeout = milliseconds{90'000},
    .queue_timeout = milliseconds{60'000},
    .deadline = milliseconds{7'200'000},
    .allow_failure = false,
    .retry = retry_policy{.max = 5,
                          .base = milliseconds{250},
                          .factor = 1.5,
                          .cap = milliseconds{9'000},
                          .jitter = 0.25,
                          .on = {{failure_class::transient, ""}, {failure_class::exit, "75"}},
                          .stop_on = {{failure_class::exit, "2"}}},
    .crash_limit = 7,
    .on_exhausted = on_exhausted::hold,
    .priority = model::priority{75},
    .preemptible = true,
    .resources = {{{{"cpu", 500}}, {{"gpu", 1'000}, {"mem", 1 << 20}}}},
    .pool = "db",
    .concurrency = model::concurrency_spec{"k", 2},
    .rate = model::rate_spec{std::nullopt, 3, milliseconds{60'000}},
    .idempotency = "${{ params.day }}",
    .group = "load"};
  set_command(*exec_task.settings, command_role::validate, exec_action{{"test", "-f", "x"}});
  set_command(*exec_task.settings, command_role::fallback, call_action{"noop"});
  task_spec call_task;
  call_task.name = "nap";
  call_task.action = call_action{"sleep"};
  call_task.join.rule = join_rule::none_failed;
  call_task.settings->shell = shell_spec{shell_spec::kind::sh, {}};
  call_task.settings->retry = retry_policy{.never = true};
  call_task.fan_out->items =
    matrix_items{{{"b", {1, 2}}, {"a", "${{ params.list }}"}}, {}, value::array({{{"b", 1}}})};
  call_task.fan_out->as = "one";
  shell_task.fan_out->items = foreach_items{"1-100"};
  shell_task.fan_out->key = "${{ item }}";
  shell_task.fan_out->max_parallel = 3;
  shell_task.fan_out->max_failures = 2;
  shell_task.fan_out->min_success = 1;
  exec_task.fan_out->items = shard_items{7};
  auto inner = std::make_shared<workflow_spec>();
  inner->name = "inner";
  inner->tasks = {{.name = "hello", .action = run_action{"echo hi"}}};
  inner->out = {{"n", 1}};
  task_spec child_task;
  child_task.name = "child";
  child_task.action = workflow_action{inner, named_values{{"day", "${{ params.day }}"}, {"b", 2}}};
  task_spec bare_child;
  bare_child.name = "bare";
  bare_child.action = workflow_action{inner, {}};
  task_spec wait_task;
  wait_task.name = "rest";
  wait_task.action = wait_action{"10m"};
  task_spec gate_task;
  gate_task.name = "approve";
  gate_spec gate;
  gate.prompt = "publish ${{ params.day }}?";
  gate.form = {{.name = "target", .type = value_type::text, .choices = {"staging", "production"}},
               {.name = "replicas", .type = value_type::integer, .default_value = 2}};
  gate.expires = milliseconds{28'800'000};
  gate.on_expire = on_expire::skip;
  gate.on_closed = on_closed::skip;
  gate_task.action = gate_action{gate};
  task_spec signal_task;
  signal_task.name = "signal";
  signal_task.action = gate_action{gate_spec{.which = gate_kind::signal, .name = "go"}};
  task_spec hours_task;
  hours_task.name = "night";
  hours_task.action =
    gate_action{gate_spec{.which = gate_kind::time, .hours = opening_hours{1320, 360, 3, true}}};
  task_spec quota_task;
  quota_task.name = "mail";
  quota_task.action = gate_action{
    gate_spec{.which = gate_kind::quota, .quota = quota_limit{5, milliseconds{60'000}}}};
  shell_task.settings->gates = {{"db", "net"}};
  shell_task.settings->on_closed = on_closed::skip;
  shell_task.settings->secrets = {{"TOKEN", "env:API_TOKEN"}, {"KEY", "file:key.pem"}};
  spec.tasks = {shell_task, exec_task,   child_task, bare_child, wait_task,
                gate_task,  signal_task, hours_task, quota_task, call_task};
  spec.out = {{"score", "${{ tasks.check.out.score }}"}, {"a", value::array({1})}};
  spec.defaults = {.env = {{"A", "w"}, {"C", "c"}},
                   .shell = shell_spec{shell_spec::kind::bash, {}},
                   .timeout = milliseconds{5'000},
                   .retry = retry_policy{.max = 3}};
  spec.finally_count = 1;
  spec.on_failure = on_failure::carry_on;
  spec.deadline = milliseconds{10'800'000};
  spec.active_tasks = 8;
  budget_spec budget;
  budget.limits = {to_amount(25), std::nullopt, to_amount(36'000)};
  spec.budget = budget;
  budget.on_exceeded = on_exceeded::warn;
  budget.is_split = true;
  budget.weights = {{"nap", to_amount(2.5)}};
  spec.groups = {
    {.name = "load", .timebox = milliseconds{60'000}, .active_tasks = 4, .budget = budget},
    {.name = "more", .timebox = {}, .active_tasks = {}, .budget = {}}};
  spec.base_dir = "/srv/etl";
  return spec;
}

} // namespace

TEST_CASE("workflow: a specification survives its stored form", "[model][workflow]") {
  const auto spec = full_workflow();
  const auto text = to_text(to_json(spec));
  const auto parsed = parse_json(text);
  REQUIRE(parsed);
  const auto back = workflow_from_json(*parsed);
  REQUIRE(back);
  CHECK(**back == spec);
  CHECK(to_text(to_json(**back)) == text);
}

TEST_CASE("workflow: a task puts out what it declares or what its workflow does",
          "[model][workflow]") {
  const auto spec = full_workflow();
  CHECK(output_names(spec.tasks[1]) == std::vector<std::string>{"score", "list"});
  CHECK(output_names(spec.tasks[2]) == std::vector<std::string>{"n"});
  CHECK(declares_output(spec.tasks[2], "n"));
  CHECK(declares_output(spec.tasks[2], ""));
  CHECK_FALSE(declares_output(spec.tasks[2], "m"));
  CHECK_FALSE(declares_output(spec.tasks[0], ""));
  CHECK(count_child_tasks(spec) == 2);
}

TEST_CASE("workflow: the stored form leaves out defaults", "[model][workflow]") {
  workflow_spec spec;
  spec.name = "w";
  spec.tasks = {{.name = "hello", .action = run_action{"echo hi"}}};
  CHECK(to_text(to_json(spec)) == R"({"name":"w","tasks":[{"name":"hello","run":"echo hi"}]})");
}

TEST_CASE("workflow: a damaged stored form is corrupt", "[model][workflow]") {
  const std::string text =
    GENERATE("null", "[]", "{}", R"({"name":"w"})", R"({"name":1,"tasks":[]})",
             R"({"name":"w","tasks":[{"name":"a"}]})", R"({"name":"w","tasks":[1]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","join":"sometimes"}]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","out":[["o"]]}]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","settings":{"shell":"fish"}}]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","settings":{"retry":"always"}}]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","settings":{"retry":{"max":-1}}}]})",
             R"({"name":"w","tasks":[],"defaults":{"retry":{"max":1,"on":["exits"]}}})",
             R"({"name":"w","tasks":[{"name":"a","run":"x"}],"finally_count":2})",
             R"({"name":"w","tasks":[],"active_tasks":-1})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","fan_out":{}}]})",
             R"({"name":"w","tasks":[{"name":"a","run":"x","fan_out":{"shard":-1}}]})");
  CAPTURE(text);
  const auto read = workflow_from_json(value::parse(text));
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::corrupt);
}

TEST_CASE("workflow: a task's setting wins over the workflow's", "[model][workflow]") {
  const auto spec = full_workflow();
  const auto& own = spec.tasks[1];
  CHECK(setting_of(spec, own, &task_settings::workdir) == "sub");
  CHECK(setting_of(spec, own, &task_settings::shell)->which == shell_spec::kind::custom);
  CHECK(setting_of(spec, own, &task_settings::timeout) == milliseconds{90'000});
  CHECK(setting_of(spec, own, &task_settings::allow_failure) == false);
  const auto& plain = spec.tasks[0];
  CHECK(setting_of(spec, plain, &task_settings::workdir) == spec.defaults.workdir);
  CHECK(setting_of(spec, plain, &task_settings::timeout) == spec.defaults.timeout);
}

TEST_CASE("workflow: a task's command wins over the workflow's", "[model][workflow]") {
  workflow_spec spec;
  spec.tasks = {{.name = "a", .action = run_action{"x"}}};
  const auto text = [&](command_role role) {
    const auto* found = command_for(spec, spec.tasks[0], role);
    return found == nullptr ? "(none)" : std::get<run_action>(*found).text;
  };
  CHECK(text(command_role::action) == "x");
  CHECK(text(command_role::fallback) == "(none)");
  set_command(spec.defaults, command_role::fallback, run_action{"default"});
  CHECK(text(command_role::fallback) == "default");
  set_command(*spec.tasks[0].settings, command_role::fallback, run_action{"own"});
  set_command(*spec.tasks[0].settings, command_role::fallback, run_action{"later"});
  CHECK(text(command_role::fallback) == "later");
  CHECK(text(command_role::validate) == "(none)");
}

TEST_CASE("workflow: the stored form of a retry has only what is set", "[model][workflow]") {
  workflow_spec spec;
  spec.name = "w";
  spec.defaults.retry = retry_policy{.max = 3, .stop_on = {{failure_class::exit, "2"}}};
  CHECK(to_json(spec)["defaults"] == value{{"retry", {{"max", 3}, {"stop_on", {"exit:2"}}}}});
}

TEST_CASE("workflow: a failure is named by class and code", "[model][workflow]") {
  const auto [text, want] = GENERATE(table<std::string, std::optional<failure_pattern>>({
    {"transient", failure_pattern{failure_class::transient, ""}},
    {"exit:75", failure_pattern{failure_class::exit, "75"}},
    {"exit:SIGKILL", failure_pattern{failure_class::exit, "SIGKILL"}},
    {"exit:", std::nullopt},
    {"exits", std::nullopt},
    {":75", std::nullopt},
    {"", std::nullopt},
  }));
  CAPTURE(text);
  const auto read = parse_failure_pattern(text);
  CHECK(read == want);
  if (read)
    CHECK(to_string(*read) == text);
}

TEST_CASE("workflow: identifiers", "[model][workflow]") {
  const std::string good = GENERATE("a", "_", "load_2", "Z9");
  CHECK(is_identifier(good));
  const std::string bad = GENERATE("", "2a", "a-b", "a b", "\xC3\xA4", "a.b");
  CHECK_FALSE(is_identifier(bad));
}

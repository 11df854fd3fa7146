// The stored form of a specification. Lists of pairs stand for maps whose order matters; what has
// its default value is left out, so that a large graph of small tasks stays small.
#include "model/overloaded.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <limits>

namespace sluice::model {
namespace {

value pairs_to_json(const named_values& pairs) {
  auto list = value::array();
  for (const auto& [name, v] : pairs)
    list.push_back(value::array({name, v}));
  return list;
}

value to_json(const shell_spec& shell) {
  if (shell.which == shell_spec::kind::custom)
    return shell.argv;
  return shell.which == shell_spec::kind::bash ? "bash" : "sh";
}

value to_json(const std::vector<failure_pattern>& patterns) {
  auto list = value::array();
  for (const auto& pattern : patterns)
    list.push_back(to_string(pattern));
  return list;
}

value to_json(const retry_policy& retry) {
  if (retry.never)
    return "never";
  const retry_policy standard;
  value v{{"max", retry.max}};
  if (retry.base != standard.base)
    v["base_ms"] = retry.base.count();
  if (retry.factor != standard.factor)
    v["factor"] = retry.factor;
  if (retry.cap != standard.cap)
    v["cap_ms"] = retry.cap.count();
  if (retry.jitter != standard.jitter)
    v["jitter"] = retry.jitter;
  if (!retry.on.empty())
    v["on"] = to_json(retry.on);
  if (!retry.stop_on.empty())
    v["stop_on"] = to_json(retry.stop_on);
  return v;
}

value to_json(const workflow_action& child) {
  value v{{"spec", to_json(*child.spec)}};
  if (!child.params->empty())
    v["params"] = pairs_to_json(*child.params);
  return v;
}

value to_json(const param_spec& param) {
  value v{{"name", param.name}, {"type", to_string(param.type)}};
  if (param.default_value)
    v["default"] = *param.default_value;
  if (!param.choices.empty())
    v["choices"] = param.choices;
  if (!param.description.empty())
    v["description"] = param.description;
  return v;
}

value to_json(const gate_spec& gate) {
  value v{{"kind", to_string(gate.which)}};
  if (!gate.name.empty())
    v["name"] = gate.name;
  if (!gate.prompt.empty())
    v["prompt"] = gate.prompt;
  for (const auto& asked : gate.form)
    v["form"].push_back(to_json(asked));
  if (gate.expires)
    v["expires_ms"] = gate.expires->count();
  if (gate.on_expire != on_expire::reject)
    v["on_expire"] = to_string(gate.on_expire);
  if (gate.on_closed)
    v["on_closed"] = to_string(*gate.on_closed);
  if (gate.hours)
    v["hours"] = {{"from", gate.hours->from},
                  {"to", gate.hours->to},
                  {"days", gate.hours->days},
                  {"is_local", gate.hours->is_local}};
  if (gate.quota)
    v["quota"] = {{"max", gate.quota->max}, {"per_ms", gate.quota->per.count()}};
  return v;
}

void put_action(value& v, const action& a) {
  std::visit(overloaded{
               [&](const run_action& run) { v["run"] = run.text; },
               [&](const exec_action& exec) { v["exec"] = exec.argv; },
               [&](const call_action& call) { v["call"] = call.handler; },
               [&](const workflow_action& child) { v["workflow"] = to_json(child); },
               [&](const wait_action& wait) { v["wait"] = wait.until; },
               [&](const gate_action& gate) { v["gate"] = to_json(*gate.what); },
             },
             a);
}

value to_json(const std::vector<resource_amounts>& alternatives) {
  auto list = value::array();
  for (const auto& amounts : alternatives) {
    auto pairs = value::array();
    for (const auto& [name, amount] : amounts)
      pairs.push_back(value::array({name, amount}));
    list.push_back(std::move(pairs));
  }
  return list;
}

value to_json(const concurrency_spec& concurrency) {
  value v{{"max", concurrency.max}};
  if (concurrency.key)
    v["key"] = *concurrency.key;
  return v;
}

value to_json(const rate_spec& rate) {
  value v{{"max", rate.max}, {"per_ms", rate.per.count()}};
  if (rate.key)
    v["key"] = *rate.key;
  return v;
}

value to_json(const task_settings& settings) {
  auto v = value::object();
  if (!settings.env.empty())
    v["env"] = pairs_to_json(settings.env);
  if (settings.workdir)
    v["workdir"] = *settings.workdir;
  if (settings.shell)
    v["shell"] = to_json(*settings.shell);
  if (settings.timeout)
    v["timeout_ms"] = settings.timeout->count();
  if (settings.heartbeat)
    v["heartbeat_ms"] = settings.heartbeat->count();
  if (settings.queue_timeout)
    v["queue_timeout_ms"] = settings.queue_timeout->count();
  if (settings.deadline)
    v["deadline_ms"] = settings.deadline->count();
  if (settings.allow_failure)
    v["allow_failure"] = *settings.allow_failure;
  if (settings.retry)
    v["retry"] = to_json(*settings.retry);
  if (settings.crash_limit)
    v["crash_limit"] = *settings.crash_limit;
  if (settings.on_exhausted)
    v["on_exhausted"] = to_string(*settings.on_exhausted);
  if (settings.checkpoint_bytes)
    v["checkpoint_bytes"] = *settings.checkpoint_bytes;
  if (settings.priority)
    v["priority"] = *settings.priority;
  if (settings.preemptible)
    v["preemptible"] = *settings.preemptible;
  if (settings.resources)
    v["resources"] = to_json(*settings.resources);
  if (settings.pool)
    v["pool"] = *settings.pool;
  if (settings.concurrency)
    v["concurrency"] = to_json(*settings.concurrency);
  if (settings.rate)
    v["rate"] = to_json(*settings.rate);
  if (settings.idempotency)
    v["idempotency"] = *settings.idempotency;
  if (settings.group)
    v["group"] = *settings.group;
  if (settings.gates)
    v["gates"] = *settings.gates;
  if (settings.on_closed)
    v["on_closed"] = to_string(*settings.on_closed);
  for (const auto& [name, reference] : settings.secrets)
    v["secrets"].push_back(value::array({name, reference}));
  for (const auto& command : settings.extra)
    put_action(v[std::string{to_string(command.role)}], command.what);
  return v;
}

/// Amounts are in millionths, see model/budget.
value to_json(const budget_spec& budget) {
  auto v = value::object();
  for (std::size_t i = 0; i < budget_kind_count; ++i)
    if (budget.limits[i])
      v[std::string{to_string(budget_kind(i))}] = *budget.limits[i];
  if (budget.on_exceeded != on_exceeded::stop)
    v["on_exceeded"] = to_string(budget.on_exceeded);
  if (budget.is_split) {
    auto& weights = v["split"] = value::array();
    for (const auto& [task, weight] : budget.weights)
      weights.push_back(value::array({task, weight}));
  }
  return v;
}

value to_json(const group_spec& group) {
  value v{{"name", group.name}};
  if (group.timebox)
    v["timebox_ms"] = group.timebox->count();
  if (group.active_tasks)
    v["active_tasks"] = *group.active_tasks;
  if (group.budget)
    v["budget"] = to_json(*group.budget);
  return v;
}

value to_json(const fan_out_spec& fan_out) {
  auto v = std::visit(overloaded{
                        [](const std::monostate&) { return value::object(); },
                        [](const foreach_items& items) {
                          return value{{"foreach", items.over}};
                        },
                        [](const matrix_items& items) {
                          value matrix{{"axes", pairs_to_json(items.axes)}};
                          if (!items.include.is_null())
                            matrix["include"] = items.include;
                          if (!items.exclude.is_null())
                            matrix["exclude"] = items.exclude;
                          return value{{"matrix", std::move(matrix)}};
                        },
                        [](const shard_items& items) {
                          return value{{"shard", items.count}};
                        },
                      },
                      fan_out.items);
  if (!fan_out.as.empty())
    v["as"] = fan_out.as;
  if (fan_out.key)
    v["key"] = *fan_out.key;
  if (fan_out.max_parallel)
    v["max_parallel"] = *fan_out.max_parallel;
  if (fan_out.max_failures != 0)
    v["max_failures"] = fan_out.max_failures;
  if (fan_out.min_success)
    v["min_success"] = *fan_out.min_success;
  return v;
}

value to_json(const task_spec& task) {
  value v{{"name", task.name}};
  put_action(v, task.action);
  if (!task.after.empty())
    v["after"] = task.after;
  if (task.join.rule != join_rule::all_success)
    v["join"] = to_string(task.join.rule);
  if (!task.join.expression.empty())
    v["join_expression"] = task.join.expression;
  if (task.when)
    v["when"] = *task.when;
  if (!task.in.empty())
    v["in"] = pairs_to_json(task.in);
  for (const auto& out : task.out)
    v["out"].push_back(value::array({out.name, to_string(out.type)}));
  if (auto settings = to_json(*task.settings); !settings.empty())
    v["settings"] = std::move(settings);
  if (task.fans_out())
    v["fan_out"] = to_json(*task.fan_out);
  return v;
}

/// Thrown and caught in this file only, like the exceptions of the JSON library beside it.
struct malformed {
  std::string message;
};

template <class T, class Parse>
T named(const value& v, Parse parse) {
  const auto& name = v.get_ref<const std::string&>();
  if (const auto found = parse(name))
    return *found;
  throw malformed{"unknown name '" + name + "'"};
}

/// The member called `name`, or nothing.
const value* member(const value& v, const char* name) {
  const auto it = v.find(name);
  return it == v.end() ? nullptr : &*it;
}

std::uint32_t count_from(const value& v, const char* name) {
  const auto number = v.get<std::int64_t>();
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max())
    throw malformed{std::string{name} + " is out of range"};
  return static_cast<std::uint32_t>(number);
}

priority priority_from(const value& v) {
  const auto number = count_from(v, "priority");
  if (number > critical_priority)
    throw malformed{"priority is out of range"};
  return static_cast<priority>(number);
}

std::optional<milliseconds> length_from(const value& v, const char* name) {
  const auto* found = member(v, name);
  return found ? std::optional{milliseconds{found->get<std::int64_t>()}} : std::nullopt;
}

std::string text_or_empty(const value& v, const char* name) {
  const auto* found = member(v, name);
  return found ? found->get<std::string>() : std::string{};
}

named_values pairs_from(const value* v) {
  named_values pairs;
  if (v)
    for (const auto& pair : *v)
      pairs.emplace_back(pair.at(0).get<std::string>(), pair.at(1));
  return pairs;
}

shell_spec shell_from(const value& v) {
  if (v.is_array())
    return {shell_spec::kind::custom, v.get<std::vector<std::string>>()};
  const auto& name = v.get_ref<const std::string&>();
  if (name != "sh" && name != "bash")
    throw malformed{"unknown shell '" + name + "'"};
  return {name == "sh" ? shell_spec::kind::sh : shell_spec::kind::bash, {}};
}

std::vector<failure_pattern> patterns_from(const value* v) {
  std::vector<failure_pattern> patterns;
  if (v)
    for (const auto& pattern : *v)
      patterns.push_back(named<failure_pattern>(pattern, parse_failure_pattern));
  return patterns;
}

retry_policy retry_from(const value& v) {
  retry_policy retry;
  if (v.is_string()) {
    retry.never = v == "never";
    if (!retry.never)
      throw malformed{"unknown retry " + to_text(v)};
    return retry;
  }
  retry.max = count_from(v.at("max"), "retry.max");
  retry.base = length_from(v, "base_ms").value_or(retry.base);
  if (const auto* factor = member(v, "factor"))
    retry.factor = factor->get<double>();
  retry.cap = length_from(v, "cap_ms").value_or(retry.cap);
  if (const auto* jitter = member(v, "jitter"))
    retry.jitter = jitter->get<double>();
  retry.on = patterns_from(member(v, "on"));
  retry.stop_on = patterns_from(member(v, "stop_on"));
  return retry;
}

std::shared_ptr<const workflow_spec> spec_from(const value& v);

param_spec param_from(const value& v) {
  param_spec param;
  param.name = v.at("name").get<std::string>();
  param.type = named<value_type>(v.at("type"), parse_value_type);
  if (const auto* standard = member(v, "default"))
    param.default_value = *standard;
  if (const auto* choices = member(v, "choices"))
    param.choices = choices->get_ref<const value::array_t&>();
  param.description = text_or_empty(v, "description");
  return param;
}

gate_spec gate_from(const value& v) {
  gate_spec gate;
  gate.which = named<gate_kind>(v.at("kind"), parse_gate_kind);
  gate.name = text_or_empty(v, "name");
  gate.prompt = text_or_empty(v, "prompt");
  if (const auto* form = member(v, "form"))
    for (const auto& asked : *form)
      gate.form.push_back(param_from(asked));
  gate.expires = length_from(v, "expires_ms");
  if (const auto* rule = member(v, "on_expire"))
    gate.on_expire = named<on_expire>(*rule, parse_on_expire);
  if (const auto* rule = member(v, "on_closed"))
    gate.on_closed = named<on_closed>(*rule, parse_on_closed);
  if (const auto* hours = member(v, "hours"))
    gate.hours =
      opening_hours{hours->at("from").get<std::uint16_t>(), hours->at("to").get<std::uint16_t>(),
                    hours->at("days").get<std::uint8_t>(), hours->at("is_local").get<bool>()};
  if (const auto* quota = member(v, "quota"))
    gate.quota = quota_limit{count_from(quota->at("max"), "quota.max"),
                             milliseconds{quota->at("per_ms").get<std::int64_t>()}};
  return gate;
}

action action_from(const value& v) {
  if (const auto* run = member(v, "run"))
    return run_action{run->get<std::string>()};
  if (const auto* exec = member(v, "exec"))
    return exec_action{exec->get<std::vector<std::string>>()};
  if (const auto* child = member(v, "workflow"))
    return workflow_action{spec_from(child->at("spec")), pairs_from(member(*child, "params"))};
  if (const auto* wait = member(v, "wait"))
    return wait_action{wait->get<std::string>()};
  if (const auto* gate = member(v, "gate"))
    return gate_action{gate_from(*gate)};
  return call_action{v.at("call").get<std::string>()};
}

std::optional<std::string> text_from(const value& v, const char* name) {
  const auto* found = member(v, name);
  return found ? std::optional{found->get<std::string>()} : std::nullopt;
}

std::vector<resource_amounts> alternatives_from(const value& v) {
  std::vector<resource_amounts> alternatives;
  for (const auto& pairs : v) {
    auto& amounts = alternatives.emplace_back();
    for (const auto& pair : pairs)
      amounts.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::int64_t>());
  }
  return alternatives;
}

task_settings settings_from(const value* v) {
  task_settings settings;
  if (!v)
    return settings;
  settings.env = pairs_from(member(*v, "env"));
  if (const auto* workdir = member(*v, "workdir"))
    settings.workdir = workdir->get<std::string>();
  if (const auto* shell = member(*v, "shell"))
    settings.shell = shell_from(*shell);
  settings.timeout = length_from(*v, "timeout_ms");
  settings.queue_timeout = length_from(*v, "queue_timeout_ms");
  settings.deadline = length_from(*v, "deadline_ms");
  settings.heartbeat = length_from(*v, "heartbeat_ms");
  if (const auto* allow = member(*v, "allow_failure"))
    settings.allow_failure = allow->get<bool>();
  if (const auto* retry = member(*v, "retry"))
    settings.retry = retry_from(*retry);
  if (const auto* limit = member(*v, "crash_limit"))
    settings.crash_limit = count_from(*limit, "crash_limit");
  if (const auto* rule = member(*v, "on_exhausted"))
    settings.on_exhausted = named<on_exhausted>(*rule, parse_on_exhausted);
  if (const auto* bytes = member(*v, "checkpoint_bytes"))
    settings.checkpoint_bytes = bytes->get<std::uint32_t>();
  if (const auto* priority = member(*v, "priority"))
    settings.priority = priority_from(*priority);
  if (const auto* preemptible = member(*v, "preemptible"))
    settings.preemptible = preemptible->get<bool>();
  if (const auto* alternatives = member(*v, "resources"))
    settings.resources = alternatives_from(*alternatives);
  settings.pool = text_from(*v, "pool");
  if (const auto* own = member(*v, "concurrency"))
    settings.concurrency =
      concurrency_spec{text_from(*own, "key"), count_from(own->at("max"), "concurrency.max")};
  if (const auto* own = member(*v, "rate"))
    settings.rate = rate_spec{text_from(*own, "key"), count_from(own->at("max"), "rate.max"),
                              milliseconds{own->at("per_ms").get<std::int64_t>()}};
  settings.idempotency = text_from(*v, "idempotency");
  settings.group = text_from(*v, "group");
  if (const auto* gates = member(*v, "gates"))
    settings.gates = gates->get<std::vector<std::string>>();
  if (const auto* rule = member(*v, "on_closed"))
    settings.on_closed = named<on_closed>(*rule, parse_on_closed);
  if (const auto* secrets = member(*v, "secrets"))
    for (const auto& pair : *secrets)
      settings.secrets.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
  for (const auto name : command_role_names())
    if (const auto* command = member(*v, std::string{name}.c_str()))
      set_command(settings, *parse_command_role(name), action_from(*command));
  return settings;
}

amount amount_from(const value& v) {
  const auto number = v.get<amount>();
  if (number < 0 || number > most_amount)
    throw malformed{"an amount is out of range"};
  return number;
}

budget_spec budget_from(const value& v) {
  budget_spec budget;
  for (std::size_t i = 0; i < budget_kind_count; ++i)
    if (const auto* limit = member(v, std::string{to_string(budget_kind(i))}.c_str()))
      budget.limits[i] = amount_from(*limit);
  if (const auto* rule = member(v, "on_exceeded"))
    budget.on_exceeded = named<on_exceeded>(*rule, parse_on_exceeded);
  if (const auto* weights = member(v, "split")) {
    budget.is_split = true;
    for (const auto& pair : *weights)
      budget.weights.emplace_back(pair.at(0).get<std::string>(), amount_from(pair.at(1)));
  }
  return budget;
}

group_spec group_from(const value& v) {
  group_spec group;
  group.name = v.at("name").get<std::string>();
  group.timebox = length_from(v, "timebox_ms");
  if (const auto* limit = member(v, "active_tasks"))
    group.active_tasks = count_from(*limit, "active_tasks");
  if (const auto* budget = member(v, "budget"))
    group.budget = budget_from(*budget);
  return group;
}

fan_out_spec fan_out_from(const value& v) {
  fan_out_spec fan_out;
  if (const auto* over = member(v, "foreach")) {
    fan_out.items = foreach_items{*over};
  } else if (const auto* matrix = member(v, "matrix")) {
    fan_out.items = matrix_items{pairs_from(&matrix->at("axes")), matrix->value("include", value{}),
                                 matrix->value("exclude", value{})};
  } else {
    fan_out.items = shard_items{count_from(v.at("shard"), "shard")};
  }
  fan_out.as = text_or_empty(v, "as");
  if (const auto* key = member(v, "key"))
    fan_out.key = key->get<std::string>();
  if (const auto* limit = member(v, "max_parallel"))
    fan_out.max_parallel = count_from(*limit, "max_parallel");
  if (const auto* limit = member(v, "max_failures"))
    fan_out.max_failures = count_from(*limit, "max_failures");
  if (const auto* limit = member(v, "min_success"))
    fan_out.min_success = count_from(*limit, "min_success");
  return fan_out;
}

task_spec task_from(const value& v) {
  task_spec task;
  task.name = v.at("name").get<std::string>();
  task.action = action_from(v);
  if (const auto* after = member(v, "after"))
    task.after = after->get<std::vector<std::string>>();
  if (const auto* join = member(v, "join"))
    task.join.rule = named<join_rule>(*join, parse_join_rule);
  task.join.expression = text_or_empty(v, "join_expression");
  if (const auto* when = member(v, "when"))
    task.when = when->get<std::string>();
  task.in = pairs_from(member(v, "in"));
  if (const auto* out = member(v, "out"))
    for (const auto& pair : *out)
      task.out.push_back(
        {pair.at(0).get<std::string>(), named<value_type>(pair.at(1), parse_value_type)});
  task.settings = settings_from(member(v, "settings"));
  if (const auto* fan_out = member(v, "fan_out"))
    task.fan_out = fan_out_from(*fan_out);
  return task;
}

/// Behind the tasks that it has, with indices behind theirs.
void add_tasks(workflow_spec& spec, const value& v) {
  const auto& tasks = v.at("tasks");
  task_addition made{
    count_from(v.at("first"), "first"), static_cast<std::uint32_t>(spec.tasks.size()),
    static_cast<std::uint32_t>(tasks.size()), settings_from(member(v, "defaults"))};
  if (made.first < spec.index_end() || made.count == 0)
    throw malformed{"first is out of range"};
  spec.additions.push_back(std::move(made));
  for (const auto& task : tasks) {
    spec.tasks.push_back(task_from(task));
    spec.tasks.back().addition = static_cast<std::uint32_t>(spec.additions.size());
  }
}

std::shared_ptr<const workflow_spec> spec_from(const value& v) {
  auto spec = std::make_shared<workflow_spec>();
  spec->name = v.at("name").get<std::string>();
  spec->description = text_or_empty(v, "description");
  if (const auto* labels = member(v, "labels"))
    for (const auto& pair : *labels)
      spec->labels.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<std::string>());
  if (const auto* params = member(v, "params"))
    for (const auto& param : *params)
      spec->params.push_back(param_from(param));
  const auto& tasks = v.at("tasks");
  spec->tasks.reserve(tasks.size());
  for (const auto& task : tasks)
    spec->tasks.push_back(task_from(task));
  if (const auto* count = member(v, "finally_count"))
    spec->finally_count = count_from(*count, "finally_count");
  if (spec->finally_count > spec->tasks.size())
    throw malformed{"finally_count is out of range"};
  spec->defaults = settings_from(member(v, "defaults"));
  if (const auto* rule = member(v, "on_failure"))
    spec->on_failure = named<on_failure>(*rule, parse_on_failure);
  spec->deadline = length_from(v, "deadline_ms");
  if (const auto* limit = member(v, "active_tasks"))
    spec->active_tasks = count_from(*limit, "active_tasks");
  if (const auto* limit = member(v, "active_runs"))
    spec->active_runs = count_from(*limit, "active_runs");
  spec->out = pairs_from(member(v, "out"));
  if (const auto* groups = member(v, "groups"))
    for (const auto& group : *groups)
      spec->groups.push_back(group_from(group));
  if (const auto* budget = member(v, "budget"))
    spec->budget = budget_from(*budget);
  spec->base_dir = text_or_empty(v, "base_dir");
  if (const auto* additions = member(v, "additions"))
    for (const auto& addition : *additions)
      add_tasks(*spec, addition);
  return spec;
}

value addition_to_json(const workflow_spec& spec, const task_addition& addition) {
  value v{{"first", addition.first}, {"tasks", value::array()}};
  for (auto i = addition.position; i < addition.position + addition.count; ++i)
    v["tasks"].push_back(to_json(spec.tasks[i]));
  if (auto defaults = to_json(addition.defaults); !defaults.empty())
    v["defaults"] = std::move(defaults);
  return v;
}

} // namespace

value to_json(const workflow_spec& spec) {
  value v{{"name", spec.name}};
  if (!spec.description.empty())
    v["description"] = spec.description;
  for (const auto& [name, text] : spec.labels)
    v["labels"].push_back(value::array({name, text}));
  for (const auto& param : spec.params)
    v["params"].push_back(to_json(param));
  auto& tasks = v["tasks"] = value::array();
  for (std::uint32_t i = 0; i < spec.planned_count(); ++i)
    tasks.push_back(to_json(spec.tasks[i]));
  if (spec.finally_count != 0)
    v["finally_count"] = spec.finally_count;
  if (auto defaults = to_json(spec.defaults); !defaults.empty())
    v["defaults"] = std::move(defaults);
  if (spec.on_failure != on_failure::stop)
    v["on_failure"] = to_string(spec.on_failure);
  if (spec.deadline)
    v["deadline_ms"] = spec.deadline->count();
  if (spec.active_tasks)
    v["active_tasks"] = *spec.active_tasks;
  if (spec.active_runs)
    v["active_runs"] = *spec.active_runs;
  if (!spec.out.empty())
    v["out"] = pairs_to_json(spec.out);
  for (const auto& group : spec.groups)
    v["groups"].push_back(to_json(group));
  if (spec.budget)
    v["budget"] = to_json(*spec.budget);
  if (!spec.base_dir.empty())
    v["base_dir"] = spec.base_dir;
  for (const auto& addition : spec.additions)
    v["additions"].push_back(addition_to_json(spec, addition));
  return v;
}

expected<std::shared_ptr<const workflow_spec>> workflow_from_json(const value& v) {
  const std::string what = "cannot read a stored workflow: ";
  try {
    return spec_from(v);
  } catch (const malformed& problem) {
    return fail(errc::corrupt, what + problem.message);
  } catch (const value::exception& problem) {
    return fail(errc::corrupt, what + problem.what());
  }
}

} // namespace sluice::model

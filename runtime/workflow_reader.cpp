#include "runtime/workflow_reader.hpp"

#include "logic/spec_path.hpp"
#include "model/nearest_name.hpp"
#include "runtime/capacity_reader.hpp"
#include "runtime/fan_out_reader.hpp"
#include "runtime/gate_reader.hpp"
#include "runtime/group_reader.hpp"
#include "runtime/node_reader.hpp"
#include "runtime/param_reader.hpp"

#include <algorithm>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

template <class T>
void assign(T& target, std::optional<T> value) {
  if (value)
    target = std::move(*value);
}

template <class T>
void assign(std::optional<T>& target, std::optional<T> value) {
  if (value)
    target = std::move(value);
}

bool is_action(file_key key) {
  return key == file_key::run || key == file_key::exec || key == file_key::call
         || key == file_key::gate || key == file_key::wait || key == file_key::child;
}

bool has_key(const document_node& map, std::string_view name) {
  return std::any_of(map.items.begin(), map.items.end(),
                     [&](const auto& key) { return key.text == name; });
}

class workflow_reader {
public:
  workflow_reader(model::workflow_spec& workflow, const child_loader& load_child)
    : workflow_(workflow), load_child_(load_child) {}

  void read(const document_node& root);

  std::vector<document_problem>& problems() { return nodes_.problems(); }
  std::vector<std::uint32_t>& read_in_part() { return read_in_part_; }
  bool has_bad_children() const { return bad_children_ > 0; }

private:
  bool read_setting(file_key key, const placed_node& at, model::task_settings& settings);
  void read_command(const placed_node& at, model::command_role role,
                    model::task_settings& settings);
  std::optional<model::retry_policy> read_retry(const placed_node& at);
  std::vector<model::failure_pattern> read_failures(const placed_node& at);
  void read_workflow_key(file_key key, const placed_node& at);
  void read_on_failure(const placed_node& at);
  std::optional<model::on_exhausted> read_on_exhausted(const placed_node& at);
  std::optional<model::priority> read_priority(const placed_node& at);
  void read_limits(const placed_node& at);
  void read_tasks(const placed_node& at);
  model::task_spec read_task(const placed_entry& entry);
  std::optional<model::action> read_action(file_key key, const placed_node& at);
  void read_task_key(file_key key, const placed_node& at, model::task_spec& task);
  void check_fan_out(const placed_entry& entry, const model::fan_out_spec& fan_out,
                     const placed_node& task);
  void check_action(const placed_entry& entry, int actions);
  std::optional<model::join_spec> read_join(const placed_node& at);
  model::named_values read_inputs(const placed_node& at);
  model::named_values read_environment(const placed_node& at);
  model::secret_references read_secrets(const placed_node& at);
  std::vector<model::output_spec> read_outputs(const placed_node& at);

  model::workflow_spec& workflow_;
  const child_loader& load_child_;
  node_reader nodes_;
  std::size_t bad_children_ = 0;
  model::task_settings own_settings_, defaults_;
  std::vector<std::uint32_t> read_in_part_;
};

void workflow_reader::read(const document_node& root) {
  if (!root.is_map())
    return nodes_.report(placed_node{root, {}}, "the file must be a map with the key 'tasks'");
  std::optional<placed_node> finally_at; // read last, wherever it stands: so are its tasks counted
  for (const auto& [key, entry] : nodes_.known_entries({root, {}}, key_level::workflow, "keys"))
    if (key == file_key::deadline) // of the run; as a default it is each task's own
      assign(workflow_.deadline, nodes_.duration(entry.value));
    else if (key == file_key::finally)
      finally_at.emplace(entry.value);
    else if (!read_setting(key, entry.value, own_settings_))
      read_workflow_key(key, entry.value);
  workflow_.defaults = std::move(own_settings_);
  lay_over(workflow_.defaults, std::move(defaults_));
  if (!finally_at)
    return;
  const auto others = workflow_.tasks.size();
  read_tasks(*finally_at);
  workflow_.finally_count = static_cast<std::uint32_t>(workflow_.tasks.size() - others);
}

/// What a task, the defaults and the workflow have in common.
bool workflow_reader::read_setting(file_key key, const placed_node& at,
                                   model::task_settings& settings) {
  if (is_capacity_key(key)) {
    read_capacity_key(nodes_, key, at, settings);
    return true;
  }
  switch (key) {
  case file_key::env:
    settings.env = read_environment(at);
    return true;
  case file_key::secrets:
    settings.secrets = read_secrets(at);
    return true;
  case file_key::workdir:
    settings.workdir = nodes_.text(at);
    return true;
  case file_key::shell:
    settings.shell = nodes_.shell(at);
    return true;
  case file_key::timeout:
    settings.timeout = nodes_.duration(at);
    return true;
  case file_key::heartbeat:
    settings.heartbeat = nodes_.duration(at);
    return true;
  case file_key::queue_timeout:
    settings.queue_timeout = nodes_.duration(at);
    return true;
  case file_key::deadline:
    settings.deadline = nodes_.duration(at);
    return true;
  case file_key::retry:
    settings.retry = read_retry(at);
    return true;
  case file_key::crash_limit:
    settings.crash_limit = nodes_.count(at, "a number of lost attempts, 0 or more");
    return true;
  case file_key::priority:
    settings.priority = read_priority(at);
    return true;
  case file_key::preemptible:
    settings.preemptible = nodes_.boolean(at);
    return true;
  case file_key::gates:
    settings.gates = nodes_.texts(at, "names of switches");
    return true;
  case file_key::idempotency:
    settings.idempotency = nodes_.text(at);
    return true;
  case file_key::group:
    settings.group = nodes_.text(at);
    return true;
  case file_key::on_exhausted:
    settings.on_exhausted = read_on_exhausted(at);
    return true;
  case file_key::allow_failure:
    settings.allow_failure = nodes_.boolean(at);
    return true;
  case file_key::checkpoint:
    for (const auto& [part, entry] : nodes_.known_entries(at, key_level::checkpoint, "max"))
      settings.checkpoint_bytes = nodes_.bytes(entry.value);
    return true;
  case file_key::fallback:
    read_command(at, model::command_role::fallback, settings);
    return true;
  case file_key::validate:
    read_command(at, model::command_role::validate, settings);
    return true;
  case file_key::rollback:
    read_command(at, model::command_role::rollback, settings);
    return true;
  case file_key::snapshot:
    read_command(at, model::command_role::snapshot, settings);
    return true;
  case file_key::compensate:
    read_command(at, model::command_role::compensate, settings);
    return true;
  default:
    return false;
  }
}

/// A command beside the action: shell text, or a map with one action.
void workflow_reader::read_command(const placed_node& at, model::command_role role,
                                   model::task_settings& settings) {
  if (at.node.is_scalar()) {
    if (auto text = nodes_.text(at))
      set_command(settings, role, model::run_action{std::move(*text)});
    return;
  }
  if (!at.node.is_map())
    return nodes_.report(at, "must be a command, or a map with run, exec or call");
  const auto known = nodes_.known_entries(at, key_level::command, "an action");
  for (const auto& [key, entry] : known)
    if (auto what = read_action(key, entry.value))
      set_command(settings, role, std::move(*what));
  if (known.size() != 1 && 2 * known.size() == at.node.items.size())
    nodes_.report(at, "needs one of run, exec, call");
}

std::optional<model::retry_policy> workflow_reader::read_retry(const placed_node& at) {
  model::retry_policy retry;
  if (at.node.is_scalar() && at.node.text == "never") {
    retry.never = true;
    return retry;
  }
  if (!at.node.is_map()) {
    nodes_.report(at, "must be never, or a map such as {max: 3}");
    return std::nullopt;
  }
  for (const auto& [key, entry] : nodes_.known_entries(at, key_level::retry, "settings")) {
    const auto& value = entry.value;
    if (key == file_key::max)
      assign(retry.max, nodes_.count(value, "a number of attempts, 0 or more"));
    else if (key == file_key::base)
      assign(retry.base, nodes_.duration(value));
    else if (key == file_key::factor)
      assign(retry.factor, nodes_.number(value));
    else if (key == file_key::cap)
      assign(retry.cap, nodes_.duration(value));
    else if (key == file_key::jitter)
      assign(retry.jitter, nodes_.number(value));
    else if (key == file_key::on)
      retry.on = read_failures(value);
    else
      retry.stop_on = read_failures(value);
  }
  return retry;
}

std::vector<model::failure_pattern> workflow_reader::read_failures(const placed_node& at) {
  std::vector<model::failure_pattern> patterns;
  if (!at.node.is_list() || at.node.items.empty())
    nodes_.report(at, "must be a list of classes, such as [transient, \"exit:75\"]");
  else
    for (std::size_t i = 0; i < at.node.items.size(); ++i)
      if (auto pattern = nodes_.failure(at.item(i)))
        patterns.push_back(std::move(*pattern));
  return patterns;
}

void workflow_reader::read_workflow_key(file_key key, const placed_node& at) {
  switch (key) {
  case file_key::workflow:
    return assign(workflow_.name, nodes_.text(at));
  case file_key::description:
    return assign(workflow_.description, nodes_.text(at));
  case file_key::labels:
    for (const auto& entry : nodes_.map(at, "names and texts"))
      if (auto text = nodes_.text(entry.value))
        workflow_.labels.emplace_back(entry.key.text, std::move(*text));
    return;
  case file_key::params:
    workflow_.params = read_params(nodes_, at, "parameters");
    return;
  case file_key::defaults:
    for (const auto& [setting, entry] : nodes_.known_entries(at, key_level::defaults, "settings"))
      read_setting(setting, entry.value, defaults_);
    return;
  case file_key::on_failure:
    return read_on_failure(at);
  case file_key::limits:
    return read_limits(at);
  case file_key::out:
    workflow_.out = read_inputs(at);
    return;
  case file_key::groups:
    workflow_.groups = read_groups(nodes_, at);
    return;
  case file_key::budget:
    workflow_.budget = read_budget(nodes_, at);
    return;
  default:
    return read_tasks(at);
  }
}

std::optional<model::on_exhausted> workflow_reader::read_on_exhausted(const placed_node& at) {
  const auto name = nodes_.text(at);
  if (!name)
    return std::nullopt;
  const auto rule = model::parse_on_exhausted(*name);
  if (!rule) {
    const std::array<std::string, 2> rules{"fail", "hold"};
    const auto nearest = model::did_you_mean(*name, rules);
    nodes_.report(at, "unknown value '" + *name + "'"
                        + (nearest.empty() ? "; there are fail, hold" : nearest));
  }
  return rule;
}

std::optional<model::priority> workflow_reader::read_priority(const placed_node& at) {
  constexpr auto wanted = "low, normal, high, critical, or a number from 0 to 100";
  if (at.node.what == kind::integer) {
    const auto number = nodes_.count(at, wanted);
    if (!number)
      return std::nullopt;
    if (*number <= model::critical_priority)
      return static_cast<model::priority>(*number);
    nodes_.report(at, std::string{"must be "} + wanted);
    return std::nullopt;
  }
  const auto name = nodes_.text(at);
  if (!name)
    return std::nullopt;
  const auto found = model::parse_priority(*name);
  if (!found) {
    const std::array<std::string, 4> names{"low", "normal", "high", "critical"};
    const auto nearest = model::did_you_mean(*name, names);
    nodes_.report(at, "unknown value '" + *name + "'"
                        + (nearest.empty() ? std::string{"; there are "} + wanted : nearest));
  }
  return found;
}

void workflow_reader::read_on_failure(const placed_node& at) {
  const auto name = nodes_.text(at);
  if (!name)
    return;
  if (const auto rule = model::parse_on_failure(*name)) {
    workflow_.on_failure = *rule;
    return;
  }
  std::vector<std::string> names;
  std::string all;
  for (const auto known : model::on_failure_names()) {
    names.emplace_back(known);
    all += (all.empty() ? "" : ", ") + names.back();
  }
  const auto nearest = model::did_you_mean(*name, names);
  nodes_.report(at, "unknown value '" + *name + "'"
                      + (nearest.empty() ? "; there are " + all : nearest));
}

void workflow_reader::read_limits(const placed_node& at) {
  for (const auto& [key, entry] : nodes_.known_entries(at, key_level::limits, "limits"))
    if (key == file_key::active_runs)
      assign(workflow_.active_runs, nodes_.count(entry.value, "a number of runs, at least 1"));
    else
      assign(workflow_.active_tasks, nodes_.count(entry.value, "a number of tasks, at least 1"));
}

void workflow_reader::read_tasks(const placed_node& at) {
  const auto entries = nodes_.map(at, "tasks");
  workflow_.tasks.reserve(workflow_.tasks.size() + entries.size());
  for (const auto& entry : entries) {
    const auto problems_before = nodes_.problems().size() + bad_children_;
    workflow_.tasks.push_back(read_task(entry));
    if (nodes_.problems().size() + bad_children_ > problems_before)
      read_in_part_.push_back(static_cast<std::uint32_t>(workflow_.tasks.size() - 1));
  }
}

model::task_spec workflow_reader::read_task(const placed_entry& entry) {
  const auto& at = entry.value;
  model::task_spec task;
  task.name = entry.key.text;
  if (at.node.is_scalar() && at.node.what != kind::null) {
    task.action = model::run_action{at.node.text};
    return task;
  }
  task.action = model::run_action{"true"}; // stands in until there is one
  if (!at.node.is_map()) {
    nodes_.report(entry, "must be a command, or a map of the task's keys");
    return task;
  }
  const auto known = nodes_.known_entries(at, key_level::task, "keys");
  int actions = 0;
  model::task_settings settings;
  model::fan_out_spec fan_out;
  const placed_entry* of_instances = nullptr; // a key that is about them
  gate_reader gate{nodes_};
  const placed_entry* of_gate = nullptr; // likewise
  for (const auto& [key, member] : known) {
    if (is_action(key)) {
      ++actions;
      assign(task.action, read_action(key, member.value));
    } else if (is_fan_out_key(key)) {
      of_instances = &member;
      read_fan_out_key(nodes_, key, member, fan_out);
    } else if (is_gate_key(key)) {
      of_gate = gate.is_of_gate() ? of_gate : &member;
      gate.read(key, member.value);
    } else if (!read_setting(key, member.value, settings))
      read_task_key(key, member.value, task);
  }
  task.settings = std::move(settings);
  if (of_instances != nullptr)
    check_fan_out(*of_instances, fan_out, at);
  if (!std::holds_alternative<std::monostate>(fan_out.items))
    task.fan_out = std::move(fan_out);
  if (const auto* wanted = std::get_if<model::gate_action>(&task.action)) {
    task.action = model::gate_action{gate.take(wanted->what->which)};
  } else if (of_gate != nullptr && !has_key(at.node, "gate")) {
    const bool has_switches = task.settings->gates || own_settings_.gates || defaults_.gates;
    if (gate.is_of_gate() || !has_switches)
      nodes_.report(*of_gate, "'" + of_gate->key.text + "' goes with gate"
                                + (gate.is_of_gate() ? "" : ", or with gates"));
    else
      task.settings->on_closed = gate.on_closed();
  }
  // Perhaps the action is what is unknown, or of a later version: then that has been said.
  if (actions != 0 || 2 * known.size() == at.node.items.size())
    check_action(entry, actions);
  return task;
}

/// A key about instances says nothing of a task that has none.
void workflow_reader::check_fan_out(const placed_entry& entry, const model::fan_out_spec& fan_out,
                                    const placed_node& task) {
  if (std::holds_alternative<std::monostate>(fan_out.items) && !has_key(task.node, "foreach")
      && !has_key(task.node, "matrix") && !has_key(task.node, "shard"))
    nodes_.report(entry, "'" + entry.key.text + "' goes with foreach, matrix or shard");
}

void workflow_reader::check_action(const placed_entry& entry, int actions) {
  if (actions == 0)
    nodes_.report(entry, "has no action; it needs one of run, exec, call, workflow, gate, wait");
  else if (actions > 1)
    nodes_.report(entry, "has more than one action; run, exec, call, workflow, gate and wait "
                         "exclude each other");
}

std::optional<model::action> workflow_reader::read_action(file_key key, const placed_node& at) {
  if (key == file_key::run) {
    if (auto text = nodes_.text(at))
      return model::run_action{std::move(*text)};
  } else if (key == file_key::exec) {
    if (auto argv = nodes_.texts(at, "texts: a program and its arguments"))
      return model::exec_action{std::move(*argv)};
  } else if (key == file_key::child) {
    const auto told = nodes_.problems().size();
    if (auto child = read_child(nodes_, at, load_child_))
      return std::move(*child);
    bad_children_ += nodes_.problems().size() == told ? 1 : 0; // told of its own file
  } else if (key == file_key::wait) {
    if (!at.node.is_scalar())
      nodes_.report(at, "must be a time; people, signals and switches are waited for with 'gate'");
    else if (auto text = nodes_.text(at))
      return model::wait_action{std::move(*text)};
  } else if (key == file_key::gate) {
    if (const auto kind = read_gate_kind(nodes_, at))
      return model::gate_action{model::gate_spec{.which = *kind}};
  } else if (!at.node.is_scalar()) {
    nodes_.report(at, "must be the name of a handler; its inputs stand in 'in'");
  } else if (auto name = nodes_.text(at)) {
    return model::call_action{std::move(*name)};
  }
  return std::nullopt;
}

void workflow_reader::read_task_key(file_key key, const placed_node& at, model::task_spec& task) {
  switch (key) {
  case file_key::in:
    task.in = read_inputs(at);
    return;
  case file_key::out:
    task.out = read_outputs(at);
    return;
  case file_key::after:
    return assign(task.after, nodes_.texts(at, "names of tasks"));
  case file_key::join:
    return assign(task.join, read_join(at));
  default:
    return assign(task.when, nodes_.expression(at));
  }
}

std::optional<model::join_spec> workflow_reader::read_join(const placed_node& at) {
  if (at.node.is_scalar() && at.node.text.find("${{") != std::string::npos) {
    auto text = nodes_.expression(at);
    return text ? std::optional{model::join_spec{model::join_rule::expression, std::move(*text)}}
                : std::nullopt;
  }
  const auto name = nodes_.text(at);
  if (!name)
    return std::nullopt;
  const auto rule = model::parse_join_rule(*name);
  if (rule && *rule != model::join_rule::expression)
    return model::join_spec{*rule, {}};
  std::vector<std::string> rules;
  std::string all;
  for (const auto known : model::join_rule_names())
    if (known != to_string(model::join_rule::expression)) {
      rules.emplace_back(known);
      all += rules.back() + ", ";
    }
  const auto nearest = model::did_you_mean(*name, rules);
  nodes_.report(
    at, "unknown rule '" + *name + "'"
          + (nearest.empty() ? "; there are " + all + "or an expression in ${{ }}" : nearest));
  return std::nullopt;
}

model::named_values workflow_reader::read_inputs(const placed_node& at) {
  model::named_values inputs;
  for (const auto& entry : nodes_.map(at, "names and values"))
    inputs.emplace_back(entry.key.text, nodes_.value(entry.value));
  return inputs;
}

model::secret_references workflow_reader::read_secrets(const placed_node& at) {
  model::secret_references secrets;
  for (const auto& [key, value] : nodes_.map(at, "names and references"))
    if (auto reference = nodes_.text(value))
      secrets.emplace_back(key.text, std::move(*reference));
  return secrets;
}

/// The environment is text: a number stays as it is written, `1.10` does not become `1.1`.
model::named_values workflow_reader::read_environment(const placed_node& at) {
  model::named_values env;
  for (const auto& [key, value] : nodes_.map(at, "names and values")) {
    if (!value.node.is_scalar())
      nodes_.report(value, "must be a single value, not a list or a map");
    else if (value.node.what == kind::null)
      env.emplace_back(key.text, nullptr);
    else
      env.emplace_back(key.text, value.node.text);
  }
  return env;
}

std::vector<model::output_spec> workflow_reader::read_outputs(const placed_node& at) {
  std::vector<model::output_spec> outputs;
  for (const auto& entry : nodes_.map(at, "names and types"))
    if (const auto type = nodes_.type(entry.value))
      outputs.push_back({entry.key.text, *type});
  return outputs;
}

} // namespace

workflow_reading read_workflow(const document_node& root, const std::string& default_name,
                               const std::string& base_dir, const child_loader& load_child) {
  workflow_reading reading;
  reading.workflow = std::make_shared<model::workflow_spec>();
  reading.workflow->name = default_name;
  reading.workflow->base_dir = base_dir;
  workflow_reader reader{*reading.workflow, load_child};
  reader.read(root);
  reading.problems = std::move(reader.problems());
  reading.read_in_part = std::move(reader.read_in_part());
  reading.has_bad_children = reader.has_bad_children();
  return reading;
}

} // namespace sluice::runtime

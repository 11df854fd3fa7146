#include "logic/spec_checks.hpp"

#include "logic/command_text.hpp"
#include "logic/expression_names.hpp"
#include "logic/fan_out.hpp"
#include "logic/gate.hpp"
#include "logic/gate_checks.hpp"
#include "logic/retry.hpp"
#include "logic/spec_path.hpp"
#include "model/checkpoint.hpp"
#include "model/idempotency.hpp"
#include "model/nearest_name.hpp"
#include "model/params.hpp"

#include <algorithm>
#include <unordered_set>

namespace sluice::logic {
namespace {

using problems_t = std::vector<spec_problem>;

void report(problems_t& problems, std::string path, std::string message) {
  problems.push_back({std::move(path), std::move(message), 0});
}

/// A name is wrong, not what it stands for.
void report_name(problems_t& problems, std::string path, std::string message) {
  problems.push_back({std::move(path), std::move(message), 0, true});
}

std::string in_quotes(std::string_view text) {
  return "'" + std::string{text} + "'";
}

bool has_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

/// Names that stand in listings, on command lines and in ids stay on one line.
bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Reports every name that stands a second time in a list of things with names.
template <class List, class NameOf>
void check_distinct(const List& list, NameOf name_of, const std::string& path, const char* what,
                    problems_t& problems) {
  if (list.size() < 2)
    return;
  std::unordered_set<std::string_view> seen;
  for (const auto& item : list)
    if (const std::string& name = name_of(item); !seen.insert(name).second)
      report_name(problems, path_of(path, name),
                  std::string{what} + " " + in_quotes(name) + " stands twice");
}

void check_argv(const std::vector<std::string>& argv, const std::string& path,
                problems_t& problems) {
  if (argv.empty())
    return report(problems, path, "the list is empty; its first element is the program");
  if (argv.front().empty())
    report(problems, path_of(path, 0), "the program is empty");
  for (std::size_t i = 0; i < argv.size(); ++i)
    if (has_nul(argv[i]))
      report(problems, path_of(path, i), "holds a NUL character");
}

const std::string& name_of_pair(const std::pair<std::string, model::value>& pair) {
  return pair.first;
}

/// A text that no expression changes is checked here; what an expression makes, when it is made.
bool holds_nul(const model::value& v) {
  if (v.is_string())
    return has_nul(std::string_view{v.get_ref<const std::string&>()});
  return v.is_structured()
         && std::any_of(v.begin(), v.end(), [](const auto& child) { return holds_nul(child); });
}

void check_variable_name(const std::string& name, const std::string& path, problems_t& problems) {
  if (!model::is_identifier(name))
    report_name(problems, path,
                in_quotes(name)
                  + " is no name of a variable: letters, digits and _, no digit first");
}

void check_environment(const model::named_values& env, const std::string& path,
                       problems_t& problems) {
  check_distinct(env, name_of_pair, path, "the variable", problems);
  for (const auto& [name, v] : env) {
    const auto here = path_of(path, name);
    check_variable_name(name, here, problems);
    if (name.starts_with("SLUICE_") && !name.starts_with("SLUICE_CFG_"))
      report_name(problems, here, in_quotes(name) + ": names with SLUICE_ are set by sluice");
    if (v.is_structured())
      report(problems, here, "must be a single value, not a list or a map");
    else if (holds_nul(v))
      report(problems, here, "holds a NUL character");
  }
}

bool is_of_system(std::string_view name) {
  return name == "PATH" || name.starts_with("SLUICE_") || name.starts_with("LD_");
}

void check_secrets(const model::secret_references& secrets, const std::string& path,
                   problems_t& problems) {
  check_distinct(
    secrets, [](const auto& pair) -> const std::string& { return pair.first; }, path, "the secret",
    problems);
  for (const auto& [name, reference] : secrets) {
    const auto here = path_of(path, name);
    check_variable_name(name, here, problems);
    if (is_of_system(name))
      report_name(problems, here,
                  in_quotes(name)
                    + " cannot be a secret: PATH, LD_* and SLUICE_* have meanings of their own");
    if (const auto parsed = model::parse_secret_reference(reference); !parsed)
      report(problems, here, parsed.error().message);
  }
}

template <class Pairs>
bool has_name(const Pairs& pairs, const std::string& name) {
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const auto& pair) { return pair.first == name; });
}

/// One variable cannot be both: what is shown, and what is not.
template <class Pairs, class IsOther>
void check_one_meaning(const Pairs& pairs, const IsOther& is_other, const char* other,
                       const std::string& path, problems_t& problems) {
  for (const auto& pair : pairs)
    if (is_other(pair.first))
      report_name(problems, path_of(path, pair.first),
                  in_quotes(pair.first) + " is the name of " + other
                    + " too; give one of them another name");
}

void check_inputs(const model::named_values& in, const std::string& path, problems_t& problems) {
  check_distinct(in, name_of_pair, path, "the input", problems);
  for (const auto& [name, v] : in) {
    const auto here = path_of(path, name);
    check_variable_name(name, here, problems);
    if (is_of_system(name))
      report_name(problems, here,
                  in_quotes(name)
                    + " cannot be an input: PATH, LD_* and SLUICE_* have meanings of their own");
    if (holds_nul(v))
      report(problems, here, "holds a NUL character");
  }
}

void check_length(const std::optional<model::milliseconds>& length, const std::string& path,
                  problems_t& problems) {
  if (length && length->count() <= 0)
    report(problems, path, "must be longer than nothing");
}

void check_retry(const model::retry_policy& retry, const std::string& path, problems_t& problems) {
  if (retry.base.count() < 0)
    report(problems, path_of(path, "base"), "must not be negative");
  if (!(retry.factor >= 1 && retry.factor <= 1000))
    report(problems, path_of(path, "factor"), "must be from 1 to 1000");
  check_length(retry.cap, path_of(path, "cap"), problems);
  if (!(retry.jitter >= 0 && retry.jitter <= 1))
    report(problems, path_of(path, "jitter"), "must be from 0 to 1");
  for (std::size_t i = 0; i < retry.on.size(); ++i)
    if (const auto as = retry.on[i].failure_class; !may_be_repeated(as))
      report(problems, path_of(path_of(path, "on"), i),
             as == model::failure_class::lost
               ? "lost attempts are repeated by themselves, see crash_limit"
               : "class " + in_quotes(to_string(as)) + " is final");
}

void check_amounts(const model::resource_amounts& amounts, const std::string& path,
                   problems_t& problems) {
  check_distinct(
    amounts, [](const auto& amount) -> const std::string& { return amount.first; }, path,
    "the resource", problems);
  constexpr std::int64_t whole = 1'000;
  for (const auto& [name, amount] : amounts) {
    if (amount <= 0)
      report(problems, path_of(path, name), "must be more than nothing");
    else if (model::has_indices(name) && amount > whole && amount % whole != 0)
      report(problems, path_of(path, name), "must be a whole number, or a part of one");
  }
}

void check_limit(std::uint32_t max, const std::string& path, problems_t& problems) {
  constexpr std::uint32_t most = 100'000;
  if (max == 0 || max > most)
    report(problems, path_of(path, "max"), "must be from 1 to " + std::to_string(most));
}

/// What a task needs beside a slot.
void check_needs(const model::task_settings& settings, const std::string& path,
                 problems_t& problems) {
  if (settings.resources) {
    const auto here = path_of(path, "resources");
    constexpr std::size_t most = 16;
    if (settings.resources->size() > most)
      report(problems, here, "has more than " + std::to_string(most) + " alternatives");
    for (std::size_t i = 0; i < settings.resources->size(); ++i)
      check_amounts((*settings.resources)[i],
                    settings.resources->size() == 1 ? here : path_of(here, i), problems);
  }
  if (settings.pool && !model::is_capacity_name(*settings.pool))
    report(problems, path_of(path, "pool"), in_quotes(*settings.pool) + " is no name of a pool");
  if (settings.concurrency)
    check_limit(settings.concurrency->max, path_of(path, "concurrency"), problems);
  if (settings.rate) {
    check_limit(settings.rate->max, path_of(path, "rate"), problems);
    const auto here = path_of(path_of(path, "rate"), "per");
    check_length(settings.rate->per, here, problems);
    if (settings.rate->per > model::longest_rate)
      report(problems, here, "must be at most 1d");
  }
}

void check_settings(const model::task_settings& settings, const std::string& path,
                    problems_t& problems) {
  check_environment(settings.env, path_of(path, "env"), problems);
  if (!settings.secrets.empty())
    check_secrets(settings.secrets, path_of(path, "secrets"), problems);
  if (settings.workdir && settings.workdir->empty())
    report(problems, path_of(path, "workdir"), "is empty");
  if (settings.workdir && has_nul(*settings.workdir))
    report(problems, path_of(path, "workdir"), "holds a NUL character");
  if (settings.shell && settings.shell->which == model::shell_spec::kind::custom)
    check_argv(settings.shell->argv, path_of(path, "shell"), problems);
  check_length(settings.timeout, path_of(path, "timeout"), problems);
  check_length(settings.heartbeat, path_of(path, "heartbeat"), problems);
  check_length(settings.queue_timeout, path_of(path, "queue_timeout"), problems);
  check_length(settings.deadline, path_of(path, "deadline"), problems);
  check_needs(settings, path, problems);
  if (settings.retry)
    check_retry(*settings.retry, path_of(path, "retry"), problems);
  const bool is_text =
    settings.idempotency && settings.idempotency->find("${{") == std::string::npos;
  if (const auto key = is_text ? model::check_key(*settings.idempotency) : expected<void>{}; !key)
    report(problems, path_of(path, "idempotency"), key.error().message);
  if (settings.gates)
    for (std::size_t i = 0; i < settings.gates->size(); ++i)
      if (const auto valid = check_gate_name((*settings.gates)[i]); !valid)
        report(problems, path_of(path_of(path, "gates"), i), valid.error().message);
  if (settings.crash_limit && *settings.crash_limit > most_losses)
    report(problems, path_of(path, "crash_limit"),
           "must be at most " + std::to_string(most_losses));
  if (settings.checkpoint_bytes
      && (*settings.checkpoint_bytes == 0
          || *settings.checkpoint_bytes > model::most_checkpoint_bytes))
    report(
      problems, path_of(path_of(path, "checkpoint"), "max"),
      "must be more than nothing and at most 1Mi; write what is larger to a file, and save its "
      "name");
}

void check_param_value(const model::param_spec& param, const model::value& v,
                       const std::string& path, problems_t& problems) {
  if (!model::has_type(v, param.type))
    report(problems, path,
           model::to_text(v) + " is not of type " + std::string{to_string(param.type)});
}

void check_param(const model::param_spec& param, const std::string& path, problems_t& problems) {
  if (param.name.empty() || has_control_character(param.name)
      || param.name.find('=') != std::string::npos)
    report_name(problems, path, in_quotes(param.name) + " is no name of a parameter");
  if (param.type == model::value_type::file)
    report(problems, path_of(path, "type"), "a parameter cannot be of type file; use string");
  for (std::size_t i = 0; i < param.choices.size(); ++i)
    check_param_value(param, param.choices[i], path_of(path_of(path, "enum"), i), problems);
  if (!param.default_value)
    return;
  const auto here = path_of(path, "default");
  check_param_value(param, *param.default_value, here, problems);
  if (!param.choices.empty()
      && std::find(param.choices.begin(), param.choices.end(), *param.default_value)
           == param.choices.end())
    report(problems, here,
           model::to_text(*param.default_value) + " is not one of the values of enum");
}

template <class List, class NameOf>
void check_names_of_outputs(const List& out, NameOf name_of, const std::string& path,
                            problems_t& problems) {
  check_distinct(out, name_of, path, "the output", problems);
  for (const auto& output : out)
    if (const std::string& name = name_of(output);
        name.empty() || has_control_character(name) || name.find('=') != std::string::npos)
      report_name(problems, path_of(path, name), in_quotes(name) + " is no name of an output");
}

void check_outputs(const std::vector<model::output_spec>& out, const std::string& path,
                   problems_t& problems) {
  check_names_of_outputs(
    out, [](const model::output_spec& o) -> const std::string& { return o.name; }, path, problems);
}

void check_handler(const std::string& name, const std::string& path,
                   const handler_lookup& has_handler, problems_t& problems) {
  if (!has_handler || has_handler(name))
    return;
  std::vector<std::string> known; // a look-up cannot be listed, but the built-in ones are known
  for (const char* builtin : {"noop", "sleep", "echo", "fail"})
    if (has_handler(builtin))
      known.emplace_back(builtin);
  report(problems, path, "no handler " + in_quotes(name) + model::did_you_mean(name, known));
}

constexpr auto not_replaced = "expressions are not replaced in commands: say 'in: {NAME: \"${{ ... "
                              "}}\"}', and use the variable "
                              "NAME";

void check_action(const model::action& action, const std::string& path,
                  const handler_lookup& has_handler, problems_t& problems) {
  if (const auto* run = std::get_if<model::run_action>(&action)) {
    const auto here = path_of(path, "run");
    if (is_blank(run->text))
      report(problems, here, "the command is empty");
    else if (has_nul(run->text))
      report(problems, here, "holds a NUL character");
    else if (has_expression(run->text))
      report(problems, here, not_replaced);
  } else if (const auto* exec = std::get_if<model::exec_action>(&action)) {
    const auto here = path_of(path, "exec");
    check_argv(exec->argv, here, problems);
    for (std::size_t i = 0; i < exec->argv.size(); ++i)
      if (exec->argv[i].find("${{") != std::string::npos)
        report(problems, path_of(here, i), not_replaced);
  } else if (const auto* call = std::get_if<model::call_action>(&action)) {
    check_handler(call->handler, path_of(path, "call"), has_handler, problems);
  } else if (const auto* child = std::get_if<model::workflow_action>(&action);
             child != nullptr && child->spec == nullptr) {
    report(problems, path_of(path, "workflow"), "there is no workflow");
  }
}

/// What a task that is a run of its own cannot say: its tasks say it, or its parameters do.
void check_child(const model::task_spec& task, const std::string& path, problems_t& problems) {
  const auto refuse = [&](bool is_said, const char* key, const char* why) {
    if (is_said)
      report_name(problems, path_of(path, key), why);
  };
  const auto& own = *task.settings;
  refuse(!task.in.empty(), "in", "a workflow gets no inputs but its 'params'");
  refuse(!task.out.empty(), "out",
         "its outputs are those of its workflow, which says 'out' itself");
  constexpr auto of_commands = "goes with run, exec and call; the workflow's own tasks may say it";
  refuse(!own.env.empty(), "env", of_commands);
  refuse(own.workdir.has_value(), "workdir", of_commands);
  refuse(own.shell.has_value(), "shell", of_commands);
  refuse(own.heartbeat.has_value(), "heartbeat", of_commands);
  refuse(own.checkpoint_bytes.has_value(), "checkpoint", of_commands);
  refuse(own.resources.has_value(), "resources", of_commands);
  refuse(own.pool.has_value(), "pool", of_commands);
  refuse(!own.secrets.empty(), "secrets",
         "goes with run and exec; the workflow's own tasks may say it");
  refuse(own.preemptible.has_value(), "preemptible", of_commands);
}

/// Goes down through workflows that others start, until something is wrong.
class nesting_check {
public:
  /// A sentence about what is wrong; empty: nothing.
  std::string find_problem(const model::workflow_spec& workflow) {
    look(workflow);
    return std::move(problem_);
  }

private:
  void look(const model::workflow_spec& workflow) {
    const auto& name = workflow.name;
    if (names_.size() > most_levels)
      problem_ = "workflows are nested more than " + std::to_string(most_levels) + " levels deep";
    else if (std::find(names_.begin(), names_.end(), name) != names_.end())
      problem_ = "workflow " + in_quotes(name)
                 + " starts one of the same name: their tasks would wait for each other where they "
                   "share a breaker or a key";
    if (!names_.empty() && !workflow.additions.empty())
      problem_ = "workflow " + in_quotes(name) + " has tasks that were added to a run of it";
    tasks_ += workflow.tasks.size();
    if (tasks_ > max_tasks && !names_.empty())
      problem_ =
        "the tasks of this workflow and of those that it starts are more than the limit of "
        + std::to_string(max_tasks);
    names_.push_back(name);
    for (const auto& task : workflow.tasks)
      if (const auto* child = child_of(task);
          problem_.empty() && child != nullptr && child->spec != nullptr)
        look(*child->spec);
    names_.pop_back();
  }

  std::vector<std::string> names_; ///< the outermost first
  std::size_t tasks_ = 0;
  std::string problem_;
};

void check_extra(const model::task_settings& settings, const std::string& path,
                 const handler_lookup& has_handler, problems_t& problems) {
  for (const auto& [role, what] : settings.extra) {
    const auto here = path_of(path, to_string(role));
    check_action(what, here, has_handler, problems);
    if (is_gate(what) || executor_of(what) == model::executor_kind::workflow)
      report(problems, here, "must be a command: run, exec or call");
    else if (role != model::command_role::fallback
             && executor_of(what) != model::executor_kind::process)
      report(problems, here, "must be a command, run or exec");
  }
}

/// A snapshot is for a rollback, which stands beside it or in the defaults.
void check_snapshot(const model::task_settings& settings, const model::task_settings& defaults,
                    const std::string& path, problems_t& problems) {
  using enum model::command_role;
  if (has_command(settings, snapshot) && !has_command(settings, rollback)
      && !has_command(defaults, rollback))
    report(problems, path_of(path, "snapshot"), "is for a rollback: give it one, or leave it out");
}

/// Secrets are for processes, and their names for nothing else.
void check_secret_names(const model::task_spec& task, const model::task_settings& defaults,
                        const std::string& path, problems_t& problems) {
  const auto& own = *task.settings;
  if (is_gate(task.action) || executor_of(task.action) == model::executor_kind::workflow)
    return; // what they say of their own is refused elsewhere
  if (executor_of(task.action) != model::executor_kind::process) {
    if (!own.secrets.empty())
      report_name(problems, path_of(path, "secrets"),
                  "goes with run and exec; a handler has no environment of its own");
    return;
  }
  const auto is_secret = [&](const auto& name) {
    return has_name(own.secrets, name) || has_name(defaults.secrets, name);
  };
  const auto is_variable = [&](const auto& name) { return has_name(defaults.env, name); };
  check_one_meaning(own.env, is_secret, "a secret", path_of(path, "env"), problems);
  check_one_meaning(task.in, is_secret, "a secret", path_of(path, "in"), problems);
  check_one_meaning(own.secrets, is_variable, "a variable of env", path_of(path, "secrets"),
                    problems);
}

void check_fan_out(const model::fan_out_spec& fan_out, const std::string& path,
                   problems_t& problems) {
  if (!fan_out.as.empty() && (!model::is_identifier(fan_out.as) || is_known_word(fan_out.as)))
    report(problems, path_of(path, "as"),
           in_quotes(fan_out.as)
             + " is no name for an item: it must be an identifier, and none "
               "that expressions know already");
  if (fan_out.max_parallel && *fan_out.max_parallel == 0)
    report(problems, path_of(path, "max_parallel"), "must be at least 1");
  if (fan_out.key && fan_out.key->find("${{") == std::string::npos)
    report(problems, path_of(path, "key"),
           "must hold an expression with item, such as ${{ item.id }}");
  const auto* matrix = std::get_if<model::matrix_items>(&fan_out.items);
  if (matrix != nullptr && matrix->axes.empty())
    report(problems, path_of(path, "matrix"), "has no axis; write such as {model: [a, b]}");
  if (const auto* shard = std::get_if<model::shard_items>(&fan_out.items);
      shard != nullptr && (shard->count == 0 || shard->count > model::max_items))
    report(problems, path_of(path, "shard"),
           "must be from 1 to " + std::to_string(model::max_items));
}

} // namespace

void check_form(const std::vector<model::param_spec>& form, const std::string& path,
                problems_t& problems) {
  check_distinct(
    form, [](const model::param_spec& p) -> const std::string& { return p.name; }, path,
    "the value", problems);
  for (const auto& asked : form)
    check_param(asked, path_of(path, asked.name), problems);
}

void check_items(const model::task_spec& task, const fan_out_expressions& items,
                 const std::string& path, problems_t& problems) {
  const auto* matrix = std::get_if<model::matrix_items>(&task.fan_out->items);
  const bool is_known =
    matrix == nullptr
      ? items.over.is_constant()
      : items.include.is_constant() && items.exclude.is_constant()
          && std::all_of(items.axes.begin(), items.axes.end(),
                         [](const auto& axis) { return axis.second.is_constant(); });
  if (!is_known)
    return; // found out when it is evaluated
  if (const auto found = list_items(task, items, empty_scope{}); !found)
    report(problems, path_of(path, matrix == nullptr ? "foreach" : "matrix"),
           found.error().message);
  else if (const auto same = task.fan_out->key ? std::nullopt : found->duplicate())
    report(problems, path_of(path, matrix == nullptr ? "foreach" : "matrix"),
           text_of_duplicate(*found, *same));
}

void check_nesting(const model::workflow_spec& workflow, problems_t& problems) {
  if (auto problem = nesting_check{}.find_problem(workflow); !problem.empty())
    report(problems, "tasks", std::move(problem));
}

void check_child_params(const model::workflow_action& child, const std::string& path,
                        problems_t& problems) {
  std::vector<std::string> names;
  for (const auto& param : child.spec->params) {
    names.push_back(param.name);
    const auto given = std::find_if(child.params->begin(), child.params->end(),
                                    [&](const auto& pair) { return pair.first == param.name; });
    if (given == child.params->end()) {
      if (!param.default_value)
        report(problems, path,
               "parameter " + in_quotes(param.name) + " is missing: it has no default");
      continue;
    }
    const auto parsed = value_template::parse(given->second);
    if (!parsed || !parsed->references().empty())
      continue;
    if (const auto v = parsed->fill(empty_scope{}))
      if (const auto typed = model::typed_param(param, *v); !typed)
        report(problems, path_of(path_of(path, "params"), param.name), typed.error());
  }
  check_distinct(*child.params, name_of_pair, path_of(path, "params"), "the parameter", problems);
  for (const auto& [name, v] : *child.params)
    if (std::find(names.begin(), names.end(), name) == names.end())
      report_name(problems, path_of(path_of(path, "params"), name),
                  "workflow " + in_quotes(child.spec->name) + " has no parameter " + in_quotes(name)
                    + model::did_you_mean(name, names));
}

namespace {

void check_defaults(const model::task_settings& defaults, const handler_lookup& has_handler,
                    problems_t& problems) {
  check_settings(defaults, "defaults", problems);
  check_extra(defaults, "defaults", has_handler, problems);
  check_snapshot(defaults, {}, "defaults", problems);
  const auto is_variable = [&](const auto& name) { return has_name(defaults.env, name); };
  check_one_meaning(defaults.secrets, is_variable, "a variable of env", "defaults.secrets",
                    problems);
}

} // namespace

void check_workflow(const model::workflow_spec& workflow, const handler_lookup& has_handler,
                    problems_t& problems) {
  if (workflow.name.empty() || has_control_character(workflow.name))
    report(problems, "workflow", in_quotes(workflow.name) + " is no name of a workflow");
  check_distinct(
    workflow.params, [](const model::param_spec& p) -> const std::string& { return p.name; },
    "params", "the parameter", problems);
  for (const auto& param : workflow.params)
    check_param(param, path_of("params", param.name), problems);
  check_defaults(workflow.defaults, has_handler, problems);
  for (const auto& addition : workflow.additions)
    check_defaults(addition.defaults, has_handler, problems);
  check_length(workflow.deadline, "deadline", problems);
  if (workflow.active_tasks && *workflow.active_tasks == 0)
    report(problems, "limits.active_tasks", "must be at least 1");
  if (workflow.active_runs && *workflow.active_runs == 0)
    report(problems, "limits.active_runs", "must be at least 1");
  check_names_of_outputs(workflow.out, name_of_pair, "out", problems);
  if (workflow.first_finally() == 0)
    report(problems, "tasks", "there is no task");
  if (workflow.tasks.size() > max_tasks)
    report(problems, "tasks",
           std::to_string(workflow.tasks.size()) + " tasks are more than the limit of "
             + std::to_string(max_tasks));
  else
    check_groups(workflow, problems);
}

void check_task(const model::task_spec& task, const model::task_settings& defaults,
                const std::string& path, const handler_lookup& has_handler, problems_t& problems) {
  check_action(task.action, path, has_handler, problems);
  // Most tasks have few of these, and a workflow may have a million tasks: no paths for nothing.
  if (!task.in.empty())
    check_inputs(task.in, path_of(path, "in"), problems);
  if (!task.out.empty())
    check_outputs(task.out, path_of(path, "out"), problems);
  if (task.fans_out())
    check_fan_out(*task.fan_out, path, problems);
  if (child_of(task) != nullptr)
    check_child(task, path, problems);
  if (is_gate(task.action))
    check_gate(task, path, problems);
  if (!defaults.secrets.empty() || !task.settings->secrets.empty())
    check_secret_names(task, defaults, path, problems);
  if (!task.settings.is_set())
    return;
  check_settings(*task.settings, path, problems);
  check_extra(*task.settings, path, has_handler, problems);
  check_snapshot(*task.settings, defaults, path, problems);
  if (is_gate(task.action) || executor_of(task.action) == model::executor_kind::process)
    return;
  for (const auto& [role, what] : task.settings->extra)
    if (role == model::command_role::validate)
      report(problems, path_of(path, "validate"),
             child_of(task) != nullptr ? "goes with run and exec; a workflow checks itself"
                                       : "goes with run and exec; a handler checks itself");
    else if (role == model::command_role::snapshot)
      report(problems, path_of(path, "snapshot"), "goes with run and exec");
}

} // namespace sluice::logic

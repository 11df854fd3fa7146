// Workflows for tests, from a compact text.
#pragma once

#include "model/workflow.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

inline std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string{text}};
  std::vector<std::string> out;
  for (std::string word; in >> word;)
    out.push_back(word);
  return out;
}

/// Edits one task of a `flow`.
class task_editor {
public:
  explicit task_editor(model::task_spec& spec) : spec_(spec) {}
  task_editor& after(std::string_view names) {
    for (auto& name : words(names))
      spec_.after.push_back(std::move(name));
    return *this;
  }
  /// The name of a rule, or an expression.
  task_editor& join(const std::string& rule) {
    const auto named = model::parse_join_rule(rule);
    spec_.join =
      named ? model::join_spec{*named, ""} : model::join_spec{model::join_rule::expression, rule};
    return *this;
  }
  task_editor& when(std::string text) {
    spec_.when = std::move(text);
    return *this;
  }
  task_editor& in(std::string name, model::value v) {
    spec_.in.emplace_back(std::move(name), std::move(v));
    return *this;
  }
  task_editor& env(std::string name, model::value v) {
    spec_.settings->env.emplace_back(std::move(name), std::move(v));
    return *this;
  }
  task_editor& group(std::string name) {
    spec_.settings->group = std::move(name);
    return *this;
  }
  task_editor& out(std::string name, model::value_type type = model::value_type::integer) {
    spec_.out.push_back({std::move(name), type});
    return *this;
  }
  task_editor& priority(model::priority priority) {
    spec_.settings->priority = priority;
    return *this;
  }
  task_editor& preemptible() {
    spec_.settings->preemptible = true;
    return *this;
  }
  task_editor& needs(std::vector<model::resource_amounts> alternatives) {
    spec_.settings->resources = std::move(alternatives);
    return *this;
  }
  task_editor& pool(std::string name) {
    spec_.settings->pool = std::move(name);
    return *this;
  }
  task_editor& concurrency(std::uint32_t max, std::optional<std::string> key = std::nullopt) {
    spec_.settings->concurrency = model::concurrency_spec{std::move(key), max};
    return *this;
  }
  task_editor& rate(std::uint32_t max, model::milliseconds per,
                    std::optional<std::string> key = std::nullopt) {
    spec_.settings->rate = model::rate_spec{std::move(key), max, per};
    return *this;
  }
  task_editor& allow_failure(bool allowed = true) {
    spec_.settings->allow_failure = allowed;
    return *this;
  }
  task_editor& retry(model::retry_policy policy) {
    spec_.settings->retry = std::move(policy);
    return *this;
  }
  task_editor& never_again() {
    model::retry_policy never;
    never.never = true;
    return retry(std::move(never));
  }
  task_editor& crash_limit(std::uint32_t losses) {
    spec_.settings->crash_limit = losses;
    return *this;
  }
  task_editor& deadline(model::milliseconds from_submission) {
    spec_.settings->deadline = from_submission;
    return *this;
  }
  task_editor& queue_timeout(model::milliseconds from_ready) {
    spec_.settings->queue_timeout = from_ready;
    return *this;
  }
  task_editor& idempotency(std::string key) {
    spec_.settings->idempotency = std::move(key);
    return *this;
  }
  task_editor& fallback(model::action what = model::run_action{"true"}) {
    set_command(*spec_.settings, model::command_role::fallback, std::move(what));
    return *this;
  }
  task_editor& rollback() {
    set_command(*spec_.settings, model::command_role::rollback, model::run_action{"true"});
    return *this;
  }
  task_editor& snapshot() {
    set_command(*spec_.settings, model::command_role::snapshot, model::run_action{"true"});
    return *this;
  }
  /// A person decides when its last attempt has failed.
  task_editor& hold() {
    spec_.settings->on_exhausted = model::on_exhausted::hold;
    return *this;
  }
  task_editor& compensate() {
    set_command(*spec_.settings, model::command_role::compensate, model::run_action{"true"});
    return *this;
  }
  task_editor& validate() {
    set_command(*spec_.settings, model::command_role::validate, model::run_action{"true"});
    return *this;
  }
  task_editor& foreach (model::value over) {
    spec_.fan_out->items = model::foreach_items{std::move(over)};
    return *this;
  }
  task_editor& key(std::string name_of_item) {
    spec_.fan_out->key = std::move(name_of_item);
    return *this;
  }
  task_editor& as(std::string other_name_of_item) {
    spec_.fan_out->as = std::move(other_name_of_item);
    return *this;
  }
  task_editor& max_parallel(std::uint32_t attempts) {
    spec_.fan_out->max_parallel = attempts;
    return *this;
  }
  task_editor& max_failures(std::uint32_t instances) {
    spec_.fan_out->max_failures = instances;
    return *this;
  }
  task_editor& min_success(std::uint32_t instances) {
    spec_.fan_out->min_success = instances;
    return *this;
  }
  task_editor& gates(std::string_view names,
                     std::optional<model::on_closed> on_closed = std::nullopt) {
    spec_.settings->gates = words(names);
    spec_.settings->on_closed = on_closed;
    return *this;
  }
  task_editor& wait(std::string until) {
    spec_.action = model::wait_action{std::move(until)};
    return *this;
  }
  task_editor& gate(model::gate_spec what) {
    spec_.action = model::gate_action{std::move(what)};
    return *this;
  }
  task_editor& call(std::string handler) {
    spec_.action = model::call_action{std::move(handler)};
    return *this;
  }

  task_editor& timeout(model::milliseconds of_each_attempt) {
    spec_.settings->timeout = of_each_attempt;
    return *this;
  }
  /// Each attempt is a run of another workflow.
  task_editor& child(const model::workflow_spec& of, model::named_values params = {}) {
    spec_.action =
      model::workflow_action{std::make_shared<const model::workflow_spec>(of), std::move(params)};
    return *this;
  }

private:
  model::task_spec& spec_;
};

/// A workflow, from text such as `a; b! < a; c < a b | one_failed`: tasks with their upstreams and
/// join rule; `!` allows the task to fail. What else they need is set by `flow["c"].when(...)`.
class flow {
public:
  model::workflow_spec spec;
  model::value params = model::value::object();

  explicit flow(std::string_view text = "") {
    spec.name = "flow";
    std::istringstream in{std::string{text}};
    for (std::string part; std::getline(in, part, ';');)
      add(part);
  }
  task_editor operator[](std::string_view name) {
    const auto found = std::find_if(spec.tasks.begin(), spec.tasks.end(),
                                    [&](const auto& t) { return t.name == name; });
    REQUIRE(found != spec.tasks.end());
    return task_editor{*found};
  }
  task_editor add_task(std::string name) {
    spec.tasks.emplace_back().name = std::move(name);
    spec.tasks.back().action = model::run_action{"true"};
    return task_editor{spec.tasks.back()};
  }
  /// The tasks that run when all others are decided, in the same text form. Comes last.
  flow& finally(std::string_view text) {
    const auto before = spec.tasks.size();
    std::istringstream in{std::string{text}};
    for (std::string part; std::getline(in, part, ';');)
      add(part);
    spec.finally_count += static_cast<std::uint32_t>(spec.tasks.size() - before);
    return *this;
  }
  flow& carry_on() {
    spec.on_failure = model::on_failure::carry_on;
    return *this;
  }
  flow& compensate() {
    spec.on_failure = model::on_failure::compensate;
    return *this;
  }
  flow& active_tasks(std::uint32_t limit) {
    spec.active_tasks = limit;
    return *this;
  }
  /// What holds for the tasks of a group.
  flow& declare(model::group_spec group) {
    spec.groups.push_back(std::move(group));
    return *this;
  }
  flow& budget(model::budget_spec budget) {
    spec.budget = std::move(budget);
    return *this;
  }
  flow& deadline(model::milliseconds from_submission) {
    spec.deadline = from_submission;
    return *this;
  }
  flow& named(std::string name) {
    spec.name = std::move(name);
    return *this;
  }
  /// What a run comes to.
  flow& result(std::string name, model::value v) {
    spec.out.emplace_back(std::move(name), std::move(v));
    return *this;
  }
  flow& env(std::string name, model::value v) {
    spec.defaults.env.emplace_back(std::move(name), std::move(v));
    return *this;
  }
  /// Declares a parameter of the value's type, and gives it.
  flow& param(const std::string& name, const model::value& v) {
    using model::value_type;
    const auto type = v.is_boolean()          ? value_type::boolean
                      : v.is_number_integer() ? value_type::integer
                      : v.is_number()         ? value_type::real
                      : v.is_array()          ? value_type::list
                      : v.is_object()         ? value_type::map
                                              : value_type::text;
    model::param_spec declared;
    declared.name = name;
    declared.type = type;
    spec.params.push_back(std::move(declared));
    params[name] = v;
    return *this;
  }

private:
  void add(const std::string& part) {
    std::string upstreams, rule;
    std::string* reading = nullptr;
    std::optional<task_editor> made;
    for (auto& word : words(part)) {
      if (!made) {
        const bool allowed = word.back() == '!';
        if (allowed)
          word.pop_back();
        made.emplace(add_task(word));
        if (allowed)
          made->allow_failure();
      } else if (word == "<") {
        reading = &upstreams;
      } else if (word == "|") {
        reading = &rule;
      } else {
        REQUIRE(reading != nullptr);
        *reading += word + " ";
      }
    }
    if (made)
      made->after(upstreams);
    if (!rule.empty())
      made->join(words(rule).at(0));
  }
};

inline flow operator""_flow(const char* text, std::size_t size) {
  return flow{std::string_view{text, size}};
}

} // namespace sluice::logic

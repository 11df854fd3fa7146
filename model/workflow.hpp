// A workflow as written: the parsed form of a file, of JSON or of a program's own making. Plain
// values; immutable once stored, then shared by const pointer between all that use it.
#pragma once

#include "model/budget.hpp"
#include "model/capacity.hpp"
#include "model/gate.hpp"
#include "model/item_list.hpp"
#include "model/json.hpp"
#include "model/rarely.hpp"
#include "model/secret.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::model {

/// How the text of `run` is interpreted.
struct shell_spec {
  enum class kind : std::uint8_t { sh, bash, custom };
  kind which = kind::sh;
  std::vector<std::string> argv; ///< of a custom shell; the text is appended as last argument

  friend bool operator==(const shell_spec&, const shell_spec&) = default;
};

struct param_spec {
  std::string name;
  value_type type = value_type::text; ///< never `file`
  std::optional<value> default_value; ///< none: the parameter is required
  std::vector<value> choices;         ///< empty: any value of the type
  std::string description;
  friend bool operator==(const param_spec&, const param_spec&) = default;
};

struct run_action {
  std::string text; ///< shell text, never templated
  friend bool operator==(const run_action&, const run_action&) = default;
};
struct exec_action {
  std::vector<std::string> argv; ///< not empty; argv[0] is looked up on the task's PATH
  friend bool operator==(const exec_action&, const exec_action&) = default;
};
struct call_action {
  std::string handler; ///< name in the function registry
  friend bool operator==(const call_action&, const call_action&) = default;
};
/// Name and value; strings in the value may hold `${{ }}`. In order of the file.
using named_values = std::vector<std::pair<std::string, value>>;

struct workflow_spec;

/// A workflow of its own: each attempt is a run of it.
struct workflow_action {
  std::shared_ptr<const workflow_spec> spec; ///< never null
  rarely<named_values> params;               ///< those that are given
  /// Whether they say the same, wherever they lie.
  friend bool operator==(const workflow_action& a, const workflow_action& b);
};
/// Waits for a while or until a time, and does nothing else.
struct wait_action {
  std::string until; ///< a length of time, a time, or `${{ }}` that comes to either
  friend bool operator==(const wait_action&, const wait_action&) = default;
};
struct gate_spec {
  gate_kind which = gate_kind::approval;
  std::string name;             ///< of the signal, the switch or the quota; empty: the task's
  std::string prompt;           ///< of an approval, with `${{ }}`
  std::vector<param_spec> form; ///< what an approval says beside yes, and puts out
  std::optional<milliseconds> expires; ///< so long it can be decided; none: for ever
  model::on_expire on_expire = model::on_expire::reject;
  std::optional<model::on_closed> on_closed; ///< none: as the kind has it
  std::optional<opening_hours> hours;        ///< of a time
  std::optional<quota_limit> quota;          ///< of a quota
  friend bool operator==(const gate_spec&, const gate_spec&) = default;
};
/// Waits until it is let through, and does nothing else.
struct gate_action {
  rarely<gate_spec> what;
  friend bool operator==(const gate_action&, const gate_action&) = default;
};
using action =
  std::variant<run_action, exec_action, call_action, workflow_action, wait_action, gate_action>;

/// Whether it only waits: such a task has no attempts, and needs no executor.
inline bool is_gate(const action& a) {
  return std::holds_alternative<wait_action>(a) || std::holds_alternative<gate_action>(a);
}

/// When a task may start, seen from its upstreams.
struct join_spec {
  join_rule rule = join_rule::all_success;
  std::string expression; ///< the text between `${{` and `}}` when the rule is `expression`
  friend bool operator==(const join_spec&, const join_spec&) = default;
};

struct output_spec {
  std::string name;
  value_type type = value_type::text;
  friend bool operator==(const output_spec&, const output_spec&) = default;
};

/// An entry of `retry.on` and `retry.stop_on`: a class, or a class with one code, `exit:75`.
struct failure_pattern {
  model::failure_class failure_class = failure_class::exit;
  std::string code; ///< empty: any
  friend bool operator==(const failure_pattern&, const failure_pattern&) = default;
};
std::string to_string(const failure_pattern& pattern);
/// The inverse; nothing when there is no such class or the code is missing.
std::optional<failure_pattern> parse_failure_pattern(std::string_view text);

/// Which failures of an attempt are followed by another attempt, and after which wait.
struct retry_policy {
  bool never = false;    ///< no other attempt, not even after a loss
  std::uint32_t max = 0; ///< attempts that may follow failed ones; losses do not count
  milliseconds base{1'000};
  double factor = 2;
  milliseconds cap{300'000};
  double jitter = 0.1;                  ///< by how much of itself a wait may be shorter
  std::vector<failure_pattern> on;      ///< empty: the classes that may pass, see logic/retry
  std::vector<failure_pattern> stop_on; ///< wins over `on`
  friend bool operator==(const retry_policy&, const retry_policy&) = default;
};

/// Who goes first, from 0 to 100. Nothing overtakes what is critical, however long it waits.
using priority = std::uint8_t;
inline constexpr priority normal_priority = 50, critical_priority = 100;
/// `low`, `normal`, `high` and `critical` are 25, 50, 75 and 100.
std::optional<priority> parse_priority(std::string_view name);

/// A command of a task beside its action.
struct extra_command {
  command_role role = command_role::fallback;
  action what;
  friend bool operator==(const extra_command&, const extra_command&) = default;
};

/// What `env`, `workdir` and the like may be set for: a task, or all tasks of a workflow.
struct task_settings {
  named_values env;
  std::optional<std::string> workdir; ///< relative ones are relative to `workflow_spec::base_dir`
  std::optional<shell_spec> shell;
  std::optional<milliseconds> timeout;       ///< of each attempt; none: no limit
  std::optional<milliseconds> queue_timeout; ///< from ready to dispatched
  std::optional<milliseconds> deadline;      ///< from the run's submission to the task's end
  std::optional<milliseconds> heartbeat; ///< it has to say that it is alive so often; none: never
  std::optional<bool> allow_failure;
  std::optional<retry_policy> retry;               ///< none: a failed attempt is the last
  std::optional<std::uint32_t> crash_limit;        ///< lost attempts that are started again
  std::optional<model::on_exhausted> on_exhausted; ///< none: the task fails
  std::optional<std::uint32_t> checkpoint_bytes;   ///< the largest checkpoint it may save
  std::optional<model::priority> priority;         ///< none: normal
  std::optional<bool> preemptible; ///< it may be stopped for one with a higher priority; none: no
  std::optional<std::vector<resource_amounts>> resources; ///< alternatives, the first that fits
  std::optional<std::string> pool;
  std::optional<concurrency_spec> concurrency;
  std::optional<rate_spec> rate;
  std::optional<std::string> idempotency; ///< its key, with `${{ }}`: what has succeeded with it
                                          ///< is not done again
  std::optional<std::string> group;       ///< the name of what it belongs to; none: to nothing
  std::optional<std::vector<std::string>> gates; ///< switches that have to be open
  std::optional<model::on_closed> on_closed; ///< what becomes of it when one is not; none: it waits
  secret_references secrets;                 ///< merged by name; see `secrets_of`
  std::vector<extra_command> extra;          ///< at most one of each role; few tasks have any
  friend bool operator==(const task_settings&, const task_settings&) = default;
};

/// What a task is fanned out over, as written: strings may hold `${{ }}`.
struct foreach_items {
  value over; ///< list, map, number or range, see `item_list::of`
  friend bool operator==(const foreach_items&, const foreach_items&) = default;
};
struct matrix_items {
  matrix_axes axes;
  value include, exclude; ///< lists of maps, or null
  friend bool operator==(const matrix_items&, const matrix_items&) = default;
};
struct shard_items {
  std::uint32_t count = 1; ///< items are the numbers below it
  friend bool operator==(const shard_items&, const shard_items&) = default;
};

/// That a task is done once for each of some items, by an instance of it.
struct fan_out_spec {
  std::variant<std::monostate, foreach_items, matrix_items, shard_items> items; ///< first: it isn't
  std::string as;                 ///< another name of `item` in its expressions; empty: none
  std::optional<std::string> key; ///< what names an instance, with `${{ }}`; none: its item
  std::optional<std::uint32_t> max_parallel; ///< attempts at once; none: slots alone bound them
  std::uint32_t max_failures = 0;           ///< so many instances may fail without the task failing
  std::optional<std::uint32_t> min_success; ///< so many must succeed
  friend bool operator==(const fan_out_spec&, const fan_out_spec&) = default;
};

struct task_spec {
  std::string name;
  model::action action;
  std::vector<std::string> after; ///< upstreams named outright; mentions in expressions come on top
  join_spec join;
  std::optional<std::string> when; ///< text between `${{` and `}}`
  named_values in;
  std::vector<output_spec> out;
  rarely<task_settings> settings; ///< its own; `defaults_of` fills in what is not set
  rarely<fan_out_spec> fan_out;
  std::uint32_t addition = 0; ///< the one that it came with, from 1; 0: it was there from the start

  bool fans_out() const { return fan_out.is_set(); }
  friend bool operator==(const task_spec&, const task_spec&) = default;
};

/// What holds for the tasks of a group together.
struct group_spec {
  std::string name;
  std::optional<milliseconds> timebox;       ///< from its first attempt to its last one's end
  std::optional<std::uint32_t> active_tasks; ///< at most this many attempts at once; none: slots
  std::optional<budget_spec> budget;
  friend bool operator==(const group_spec&, const group_spec&) = default;
};

/// Tasks that a run was given while it was in progress. Their indices come after those of all that
/// the run had then, instances too, so that nothing gets another index.
struct task_addition {
  std::uint32_t first = 0;    ///< index of the first one
  std::uint32_t position = 0; ///< of that one in `workflow_spec::tasks`
  std::uint32_t count = 0;
  task_settings defaults; ///< that hold for them, in the place of the workflow's
  friend bool operator==(const task_addition&, const task_addition&) = default;
};

/// A run is given tasks at most so many times: each time its workflow is stored anew.
inline constexpr std::size_t most_additions = 1'000;

class task_indices;

struct workflow_spec {
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<param_spec> params;
  std::vector<task_spec> tasks;    ///< position = task_idx of a run, but for those that were added
  std::uint32_t finally_count = 0; ///< the last so many, before added ones, run after all others
  task_settings defaults;          ///< of the workflow and its `defaults`, merged; the latter wins
  model::on_failure on_failure = model::on_failure::stop;
  std::optional<milliseconds> deadline;      ///< of a run, counted from its submission
  std::optional<std::uint32_t> active_runs;  ///< at most this many of its runs at once; none: all
  std::optional<std::uint32_t> active_tasks; ///< at most this many attempts at once; none: slots
  named_values out;                          ///< what a run comes to once it has succeeded
  std::vector<group_spec> groups;    ///< those of which something holds; tasks may name others
  std::optional<budget_spec> budget; ///< of a run
  std::string base_dir;              ///< absolute; directory of the file, the default of `workdir`
  std::vector<task_addition> additions; ///< of a run, in order; their tasks are the last ones

  /// How many tasks there were from the start.
  std::uint32_t planned_count() const {
    return additions.empty() ? static_cast<std::uint32_t>(tasks.size())
                             : additions.front().position;
  }
  /// Index of the first task of `finally`; that behind the tasks from the start when it has none.
  std::uint32_t first_finally() const {
    const auto size = planned_count();
    return size - std::min(finally_count, size);
  }
  /// @pre `has(task)`
  bool is_finally(std::uint32_t task) const {
    return task >= first_finally() && task < planned_count();
  }
  /// Whether there is a task with this index; other ones are of instances.
  bool has(std::uint32_t task) const {
    return task < planned_count() || (!additions.empty() && addition_of(task) != nullptr);
  }
  /// The index behind that of its last task.
  std::uint32_t index_end() const {
    return additions.empty() ? planned_count() : additions.back().first + additions.back().count;
  }
  /// Where the task with an index stands in `tasks`. @pre `has(task)`
  std::uint32_t position_of(std::uint32_t task) const {
    return task < planned_count() ? task : position_of_added(task);
  }
  std::uint32_t index_at(std::uint32_t position) const;
  /// The task with an index. @pre `has(task)`
  const task_spec& task(std::uint32_t task) const { return tasks[position_of(task)]; }
  /// The indices of all tasks, ascending.
  task_indices indices() const;
  friend bool operator==(const workflow_spec&, const workflow_spec&) = default;

private:
  const task_addition* addition_of(std::uint32_t task) const;
  std::uint32_t position_of_added(std::uint32_t task) const;
};

/// For a loop over the indices of a workflow's tasks, which it borrows.
class task_indices {
public:
  class iterator {
  public:
    using iterator_category = std::input_iterator_tag;
    using value_type = std::uint32_t;
    using difference_type = std::ptrdiff_t;
    using pointer = const std::uint32_t*;
    using reference = std::uint32_t;

    iterator(const workflow_spec& workflow, std::uint32_t position)
      : workflow_(&workflow), position_(position) {}
    std::uint32_t operator*() const { return workflow_->index_at(position_); }
    iterator& operator++() {
      ++position_;
      return *this;
    }
    friend bool operator==(const iterator& a, const iterator& b) {
      return a.position_ == b.position_;
    }

  private:
    const workflow_spec* workflow_;
    std::uint32_t position_;
  };

  explicit task_indices(const workflow_spec& workflow) : workflow_(workflow) {}
  iterator begin() const { return {workflow_, 0}; }
  iterator end() const { return {workflow_, static_cast<std::uint32_t>(workflow_.tasks.size())}; }

private:
  const workflow_spec& workflow_;
};

inline task_indices workflow_spec::indices() const {
  return task_indices{*this};
}

inline std::uint32_t workflow_spec::index_at(std::uint32_t position) const {
  const auto addition = tasks[position].addition;
  return addition == 0
           ? position
           : additions[addition - 1].first + (position - additions[addition - 1].position);
}

/// What holds for a task that says nothing itself.
inline const task_settings& defaults_of(const workflow_spec& workflow, const task_spec& task) {
  return task.addition == 0 ? workflow.defaults : workflow.additions[task.addition - 1].defaults;
}

/// The names of what a task puts out when it succeeds: what it declares, or its workflow does;
/// those of a gate come with its kind.
std::vector<std::string> output_names(const task_spec& task);

/// What a gate stands for under a name, such as a signal: its own, else the task's. @pre it is a
/// gate
const std::string& gate_name(const task_spec& task);

/// @pre it is no gate
inline executor_kind executor_of(const action& a) {
  return std::holds_alternative<call_action>(a)       ? executor_kind::function
         : std::holds_alternative<workflow_action>(a) ? executor_kind::workflow
                                                      : executor_kind::process;
}

/// The workflow that each attempt of a task is a run of; null when its action is another one.
const workflow_action* child_of(const task_spec& task);

/// How many tasks the workflows have that a workflow starts, and those that they start; each as
/// often as it is started, instances not counted.
std::size_t count_child_tasks(const workflow_spec& workflow);

/// Whether a task puts out something of this name; empty: anything at all.
bool declares_output(const task_spec& task, const std::string& name);

/// What a task runs for something: its own command, else the workflow's default; null when there is
/// none. There is always an action. A gate has nothing else.
const action* command_for(const workflow_spec& workflow, const task_spec& task, command_role role);

/// Whether there is one, of its runs or of a group.
bool has_budget(const workflow_spec& workflow);

/// Whether these settings themselves have a command for it.
bool has_command(const task_settings& settings, command_role role);

/// Gives a task, or all that say nothing of it, a command; in the place of what it had for that.
void set_command(task_settings& settings, command_role role, action what);

/// Lays settings over others: the later ones win, and environments are merged by name.
void lay_over(task_settings& settings, task_settings over);

/// A setting of a task: its own, else the default. Not for `env`, which is merged by
/// name when it is evaluated.
template <class T>
const std::optional<T>& setting_of(const workflow_spec& workflow, const task_spec& task,
                                   std::optional<T> task_settings::*setting) {
  const auto& own = (*task.settings).*setting;
  return own ? own : defaults_of(workflow, task).*setting;
}

/// Reads a size: `512`, `100Ki`, `1Mi`, `2Gi`. Errors: `invalid_argument`.
expected<std::int64_t> parse_bytes(std::string_view text);

/// Whether `text` has the form of an identifier, `[A-Za-z_][A-Za-z0-9_]*`.
bool is_identifier(std::string_view text);

} // namespace sluice::model

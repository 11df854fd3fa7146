// A run in memory: one small flat entry per task, and beside it only what is in use now. Owned by
// scheduler_core.
#pragma once

#include "logic/budget.hpp"
#include "logic/compiled_workflow.hpp"
#include "logic/join.hpp"
#include "logic/ready_order.hpp"
#include "logic/spec_checks.hpp"
#include "model/gate.hpp"
#include "model/run.hpp"
#include "model/task_names.hpp"
#include "model/timer.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sluice::logic {

/// What bounds how many attempts run at once. Of those that are runs there is a pool for each level
/// at which they are begun: were there one for all, runs could fill it that wait for those which
/// they are to begin.
enum class capacity_pool : std::uint8_t { slots, asynchronous_calls, child_runs };
inline constexpr std::size_t capacity_pool_count =
  std::size_t(capacity_pool::child_runs) + most_levels;
constexpr capacity_pool pool_of_children(std::uint32_t level) {
  return capacity_pool(std::uint32_t(capacity_pool::child_runs) + level);
}

/// 16 bytes: a run may have a million of them.
struct live_task {
  model::task_state state = model::task_state::pending;
  model::stop_reason stop = model::stop_reason::none; ///< while `cancelling`
  std::uint8_t losses = 0;
  bool judged : 1 = false;       ///< the join rule has fired or can no longer hold
  bool released : 1 = false;     ///< needs the outputs of its upstreams no longer
  bool pinning : 1 = false;      ///< holds outputs that were read back for it
  bool settled : 1 = false;      ///< terminal, and its dependents know
  bool was_started : 1 = false;  ///< or held back, before a restart; and not evaluated since
  bool checkpointed : 1 = false; ///< a checkpoint of it may be stored
  bool kept : 1 = false;         ///< decided in an earlier generation of its run
  bool fell_back : 1 = false;    ///< its fallback has taken over
  std::uint32_t attempt = 0;
  std::uint32_t undecided = 0;  ///< upstreams that are not terminal
  std::uint32_t loads : 24 = 0; ///< outputs it waits for to be read back
  bool has_started : 1 = false; ///< an attempt, in this generation of its run
  bool rolls_back : 1 = false;  ///< what it did is undone: it has failed, or its run is rolled back
  bool completed : 1 = false;   ///< it succeeded by an attempt, and can be compensated

  /// Rather than its fallback, or what undoes it.
  bool does_its_action() const { return !fell_back && !rolls_back; }
  /// Its failure is that of its action; else what undoes a success has failed, or been done.
  bool has_failed() const {
    return (state == model::task_state::failed || state == model::task_state::rolled_back)
           && !completed;
  }
};

static_assert(sizeof(live_task) == 16);

/// What a task's expressions came to, from ready until the task is decided.
struct prepared_values {
  model::value inputs;
  std::vector<std::pair<std::string, std::string>> env;
};

/// Of a task whose attempts failed, until it is decided.
struct retry_progress {
  std::uint32_t done = 0; ///< retries, the one that is waited for counted
  model::failure last;    ///< of the attempt that it follows, while it is waited for; or of the
                          ///< last one of all, while the task is held
};

/// What a timer is for: a task, a group, or the run when it is neither; and which of its timers.
struct timer_slot {
  std::optional<std::uint32_t> task;
  model::timer_kind kind = model::timer_kind::retry;
  std::optional<std::uint32_t> group = std::nullopt;
  friend auto operator<=>(const timer_slot&, const timer_slot&) = default;
};

/// Outputs that undecided tasks may still read.
struct kept_outputs {
  model::value values;
  std::vector<std::uint32_t> instances; ///< that they are of, in a list; of one fanned out only
  std::size_t bytes = 0;
  std::uint32_t readers = 0;          ///< tasks that have not evaluated their inputs yet
  bool in_store_only = false;         ///< too large to keep: read back when needed
  std::uint32_t pins = 0;             ///< tasks that need what was, or is to be, read back
  std::vector<std::uint32_t> waiting; ///< those of them that wait for it; some may be decided
  bool is_for_results = false;        ///< the run has asked for it, as it is about to end
};

/// In the place of a task that waits for outputs: the run itself does, for its results.
inline constexpr std::uint32_t of_results = std::numeric_limits<std::uint32_t>::max();

/// The instances of a task that is fanned out.
struct instance_group {
  model::instance_range range;
  std::uint32_t next = 0; ///< those before it need not be looked at for one that is to be admitted
  std::uint32_t undecided = 0;
  std::uint32_t active = 0;                               ///< attempts that hold capacity
  std::uint32_t succeeded = 0, failed = 0, cancelled = 0; ///< of those that are decided
  bool given_up = false;   ///< some were skipped, because so many others had failed
  bool stopped = false;    ///< some were skipped, because the run had failed
  std::string failed_with; ///< the sentence about the first failure
  std::uint32_t first_failed = 0;
  std::unordered_set<std::uint32_t> queued;  ///< ready, and in the queue
  std::unordered_set<std::uint32_t> waiting; ///< admitted: for their breaker or key
  std::deque<std::uint32_t> parked;          ///< ready, but too many run; may hold others

  std::uint32_t size() const { return range.end() - range.first; }
  /// Admitted, and not started: only so many have their inputs worked out.
  std::size_t admitted() const { return queued.size() + waiting.size() + parked.size(); }
};

/// Upstreams and the states they had, in ascending order.
using undecided_upstreams = std::vector<std::pair<std::uint32_t, model::task_state>>;

/// The state of one of them, or a null pointer.
const model::task_state* state_in(const undecided_upstreams& upstreams, std::uint32_t task);

/// Whether there is a snapshot to be taken before the task's action, for its rollback.
bool needs_snapshot(const model::workflow_spec& workflow, const model::task_spec& task);

/// A ready task, and the queue it comes from.
struct put_off_task {
  model::priority base = model::normal_priority;
  ready_entry entry;
  friend bool operator<(const put_off_task& a, const put_off_task& b) {
    const auto points = [](const put_off_task& t) {
      return points_of(t.base, t.entry.since, t.entry.due);
    };
    const auto one = points(a), other = points(b);
    return one != other ? one > other : a.entry.is_before(b.entry);
  }
};

/// Of the tasks of a group that is declared, as things are.
struct task_group {
  std::uint32_t active = 0; ///< attempts that hold capacity
  /// Ready tasks that had their turn while so many were active as may be. May hold decided ones.
  std::array<std::set<put_off_task>, capacity_pool_count> put_off;
};

class live_run {
public:
  model::run_no run_no;
  std::shared_ptr<const compiled_workflow> workflow;
  std::string user;                  ///< whose it is
  std::set<std::uint32_t> warned_of; ///< tasks of which people know that they are ready for long
  model::value params;
  model::value facts;                                   ///< what `run.` names in expressions
  std::vector<std::pair<std::string, std::string>> env; ///< of the workflow, evaluated

  std::optional<model::attempt_key> parent; ///< the attempt that it is; none: it was submitted
  std::uint32_t level = 0;                  ///< so many runs it is nested in
  model::priority base_priority = model::normal_priority; ///< of tasks that say none
  bool parent_paused = false;                             ///< a run that it is nested in is
  model::wall_time submitted_at;

  std::uint32_t generation = 1;
  model::run_state state = model::run_state::running;
  bool stopping = false;                ///< on_failure: stop has acted
  bool degraded = false;                ///< some failure was allowed
  bool internal = false;                ///< ended by an error of ours
  bool expired = false;                 ///< ended by its deadline
  bool paused = false;                  ///< nothing of it starts, nor of runs that are part of it
  bool rolls_back = false;              ///< its tasks are compensated, or were
  bool has_no_results = false;          ///< they could not be evaluated, so that it has failed
  std::string error;                    ///< of the first unhandled failure
  model::value results;                 ///< what it comes to, once it has succeeded
  std::vector<std::uint32_t> unhandled; ///< failures, in the order in which they came

  std::vector<live_task> tasks; ///< of the specification, then instances and added ones
  std::vector<model::instance_range> ranges;                  ///< of instances, ascending
  std::unordered_map<std::uint32_t, instance_group> fan_outs; ///< by task; not superseded ones
  std::vector<std::uint32_t> completions; ///< tasks that can be compensated, as they succeeded
  std::size_t to_compensate = 0;          ///< the first so many of them have not had their turn
  model::state_counts counts{};           ///< as stored
  std::uint32_t undecided = 0;            ///< tasks that are not terminal
  std::uint32_t undecided_finally = 0;    ///< of these, those of `finally`
  bool in_finally = false;                ///< all others are decided: those of `finally` have begun
  std::uint32_t active = 0;               ///< attempts that hold capacity
  std::vector<task_group> groups;         ///< as the specification declares them
  /// Those of the groups, then that of the run; empty: there is no budget.
  std::vector<std::optional<pot>> pots;
  std::set<std::uint32_t> stirred_pots; ///< of which more was used, or may be soon

  /// Ready tasks that had their turn while the run might start none. May hold decided ones.
  std::array<std::set<put_off_task>, capacity_pool_count> put_off;
  std::uint64_t first_turn = 0; ///< earlier turns are of a generation that has ended
  /// Of ready tasks that were taken out: the turn that counts if they are ready again; 0: none.
  std::unordered_map<std::uint32_t, std::uint64_t> turns;
  std::unordered_map<std::uint32_t, prepared_values> prepared; ///< kept for a compensation
  /// Of attempts before a restart: the next attempt gets the same.
  std::unordered_map<std::uint32_t, model::value> prior_inputs;
  std::unordered_map<std::uint32_t, retry_progress> retries;
  std::unordered_map<std::uint32_t, shape_id> shapes; ///< what tasks need beside a slot
  std::unordered_map<std::uint32_t, model::capacity_grant> grants; ///< what attempts hold of that
  std::unordered_map<std::uint32_t, std::string> keys; ///< digests; of those that have passed `in`
  std::unordered_map<std::uint32_t, model::failure> rollbacks; ///< why they do, having failed
  /// Why tasks fail that are being stopped by something beside them.
  std::unordered_map<std::uint32_t, model::failure> stops;
  std::unordered_set<std::uint32_t> held;        ///< of what waits: for a person's decision
  std::unordered_set<std::uint32_t> snapshots;   ///< tasks whose rollback has something to put back
  std::map<timer_slot, model::wall_time> timers; ///< those that are set, and when they are due
  std::vector<model::kept_signal> signals;       ///< that no gate has taken yet, in order
  std::uint64_t last_signal = 0;                 ///< its number
  std::map<std::string, std::set<std::uint32_t>> signal_gates; ///< that wait, by the name
  std::unordered_map<std::uint32_t, kept_outputs> outputs;
  /// What a task that fired early goes on seeing of its undecided upstreams while it waits for
  /// outputs to be read back: later outcomes change nothing.
  std::unordered_map<std::uint32_t, undecided_upstreams> frozen;
  /// Failed tasks whose failure may yet be handled, and by how many undecided tasks.
  std::unordered_map<std::uint32_t, std::uint32_t> open_failures;
  std::unordered_map<std::uint32_t, std::string> failure_texts; ///< of failures not judged yet
  std::deque<std::uint32_t> to_settle;                         ///< decided, dependents not told yet
  std::unordered_map<std::uint32_t, std::string> child_hashes; ///< of workflows it has started

  const model::workflow_spec& spec() const { return workflow->spec(); }
  bool is_instance(std::uint32_t task) const { return !spec().has(task); }
  /// The task of the specification that it is, or is an instance of.
  std::uint32_t node(std::uint32_t task) const {
    return is_instance(task) ? model::range_of(ranges, task)->task : task;
  }
  /// The group that an instance belongs to; null: it is superseded, or no instance.
  instance_group* group_of(std::uint32_t task);
  const instance_group* group_of(std::uint32_t task) const;
  /// Whether instances count in the place of the task, and decide how it ends.
  bool stands_for_instances(std::uint32_t task) const;
  /// Visits what counts for a task of the specification: its instances, or itself. They may be
  /// decided meanwhile.
  template <class Visit>
  void for_each_counted(std::uint32_t task, const Visit& visit) const {
    if (!stands_for_instances(task))
      return visit(task);
    const auto range = fan_outs.at(task).range;
    for (auto instance = range.first; instance < range.end(); ++instance)
      visit(instance);
  }
  /// Whether it was fanned out in an earlier generation, and its task anew since.
  bool is_superseded(std::uint32_t task) const;
  std::string name(std::uint32_t task) const;
  const task_expressions* expressions(std::uint32_t task) const {
    return workflow->expressions(node(task));
  }
  const model::task_spec& task_spec(std::uint32_t task) const { return spec().task(node(task)); }
  /// Whether it only waits, and never starts anything.
  bool is_gate(std::uint32_t task) const { return model::is_gate(task_spec(task).action); }
  bool is_finally(std::uint32_t task) const { return spec().is_finally(node(task)); }
  /// How many tasks count, as `counts` has them.
  std::uint64_t counted_tasks() const;
  /// Whether the task goes on when its run is cancelled, or past its deadline: it cleans up. To
  /// roll back a run is a matter of its own, and ends with it.
  bool outlives_cancel(std::uint32_t task) const {
    return is_finally(task) || (tasks[task].rolls_back && !tasks[task].completed);
  }
  /// Whether it belongs to the clean-up, which time and budgets do not bind.
  bool cleans_up(std::uint32_t task) const { return is_finally(task) || tasks[task].rolls_back; }
  /// The group of the task, as far as one is declared.
  std::optional<std::uint32_t> declared_group(std::uint32_t task) const {
    return groups.empty() ? std::nullopt : workflow->group(node(task));
  }
  /// The group of the task when as many attempts of it run as may at once; else null.
  task_group* full_group(std::uint32_t task);
  const task_group* full_group(std::uint32_t task) const {
    return const_cast<live_run*>(this)->full_group(task);
  }
  /// Whether the task is given up because the run stops on a failure.
  bool is_stopped(std::uint32_t task) const;
  /// Whether a failed attempt of the task may be followed by another one, as far as the run goes.
  bool may_retry(std::uint32_t task) const;
  /// What the task's current, or next, attempt runs.
  model::command_role role(std::uint32_t task) const {
    using enum model::command_role;
    const auto& entry = tasks[task];
    return !entry.rolls_back ? (entry.fell_back ? fallback : action)
                             : (entry.completed ? compensate : rollback);
  }
  /// Whether that the task fails is not its end: it has done something, which can be undone.
  bool is_to_roll_back(std::uint32_t task) const;
  /// Whether its rollback needs a snapshot that no attempt has taken yet: nothing was done.
  bool lacks_snapshot(std::uint32_t task) const;
  const model::action& action(std::uint32_t task) const {
    return *model::command_for(spec(), task_spec(task), role(task));
  }
  model::executor_kind executor(std::uint32_t task) const { return executor_of(action(task)); }
  /// The state in which the run is to end, as things are; or would be, were there no finally.
  enum class counting : std::uint8_t { all, without_finally };
  model::run_state outcome(counting which = counting::all) const;
  /// Whether a failure of what was asked for stands, so that what succeeded is to be undone.
  bool is_to_compensate() const;
  /// The task to be compensated next: of those that have not had their turn, the last to succeed.
  std::optional<std::uint32_t> next_to_compensate() const;
  /// A sentence about what should have been compensated, and is not; empty: nothing.
  std::string text_of_what_is_left() const;
  bool is_failure_allowed(std::uint32_t task) const;
  /// Whether a person decides what follows when the task's last attempt has failed. Nobody is asked
  /// while the run is coming to its end.
  bool is_held_when_exhausted(std::uint32_t task) const;
  /// Null when a failed attempt is the task's last.
  const model::retry_policy* retry_policy(std::uint32_t task) const;
  std::uint32_t retries_done(std::uint32_t task) const;
  /// Whether the task has a deadline that has passed.
  bool is_past_deadline(std::uint32_t task) const;
  /// A sentence about the deadline that ended the task, its own or the run's.
  std::string deadline_text(std::uint32_t task) const;
  /// How many losses the task survives, when it says so.
  std::optional<std::uint32_t> crash_limit(std::uint32_t task) const;
  model::priority priority(std::uint32_t task) const;
  /// Whether its attempt may be stopped for a task with a higher priority. What undoes something is
  /// not, nor what is a run, and what is never repeated could not go on.
  bool is_preemptible(std::uint32_t task) const;
  /// When the task has to be over, or its run; nothing: never.
  std::optional<model::wall_time> due(std::uint32_t task) const;
  /// Whether something of it that is ready may start, were there a slot.
  bool may_start() const {
    return !is_paused() && !is_at_limit() && state != model::run_state::queued;
  }
  bool is_paused() const { return paused || parent_paused; }
  bool is_at_limit() const { return spec().active_tasks && active >= *spec().active_tasks; }
  const undecided_upstreams* frozen_for(std::uint32_t task) const;
  model::attempt_key key_of(std::uint32_t task) const {
    return {run_no, task, tasks[task].attempt};
  }
};

/// What names mean in the expressions of one run, or of one of its tasks.
class run_scope final : public scope {
public:
  explicit run_scope(const live_run& run) : run_(run) {}
  run_scope(const live_run& run, std::uint32_t task);
  const model::value& params() const override { return run_.params; }
  const model::value& run() const override { return run_.facts; }
  const model::value* task_outputs(std::string_view task) const override;
  std::string_view task_state(std::string_view task) const override;
  const model::value* instance_outputs(std::string_view task,
                                       std::string_view instance) const override;
  std::string_view instance_state(std::string_view task, std::string_view instance) const override;
  std::optional<model::value> task_states(std::string_view task) const override;
  const model::value* item() const override { return item_ ? &*item_ : nullptr; }

private:
  const kept_outputs* outputs_of(std::string_view task) const;
  /// Null while the task is not fanned out, as far as this scope sees.
  const instance_group* instances_of(std::string_view task) const;

  const live_run& run_;
  const undecided_upstreams* frozen_ = nullptr;
  std::optional<model::value> item_; ///< of an instance
};

} // namespace sluice::logic

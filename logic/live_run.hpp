// A run in memory: one small flat entry per task, and beside it only what is in use now. Owned by
// scheduler_core.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "logic/join.hpp"
#include "logic/ready_order.hpp"
#include "model/gate.hpp"
#include "model/run.hpp"
#include "model/task_names.hpp"
#include "model/timer.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sluice::logic {

/// What bounds how many attempts run at once.
enum class capacity_pool : std::uint8_t { slots, asynchronous_calls };
inline constexpr std::size_t capacity_pool_count = 2;

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

/// What a timer is for: a task (nothing: the run), and which of its timers.
using timer_slot = std::pair<std::optional<std::uint32_t>, model::timer_kind>;

/// Outputs that undecided tasks may still read.
struct kept_outputs {
  model::value values;
  std::vector<std::uint32_t> instances; ///< that they are of, in a list; of one fanned out only
  std::size_t bytes = 0;
  std::uint32_t readers = 0;          ///< tasks that have not evaluated their inputs yet
  bool in_store_only = false;         ///< too large to keep: read back when needed
  std::uint32_t pins = 0;             ///< tasks that need what was, or is to be, read back
  std::vector<std::uint32_t> waiting; ///< those of them that wait for it; some may be decided
};

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

class live_run {
public:
  model::run_no run_no;
  std::shared_ptr<const compiled_workflow> workflow;
  model::value params;
  model::value facts;                                   ///< what `run.` names in expressions
  std::vector<std::pair<std::string, std::string>> env; ///< of the workflow, evaluated

  std::uint32_t generation = 1;
  model::run_state state = model::run_state::running;
  bool stopping = false;                ///< on_failure: stop has acted
  bool degraded = false;                ///< some failure was allowed
  bool internal = false;                ///< ended by an error of ours
  bool expired = false;                 ///< ended by its deadline
  bool paused = false;                  ///< nothing of it starts
  bool rolls_back = false;              ///< its tasks are compensated, or were
  std::string error;                    ///< of the first unhandled failure
  std::vector<std::uint32_t> unhandled; ///< failures, in the order in which they came

  std::vector<live_task> tasks;              ///< of the specification, then instances
  std::vector<model::instance_range> ranges; ///< of instances, ascending
  std::unordered_map<std::uint32_t, instance_group> fan_outs; ///< by task; not superseded ones
  std::vector<std::uint32_t> completions; ///< tasks that can be compensated, as they succeeded
  std::size_t to_compensate = 0;          ///< the first so many of them have not had their turn
  model::state_counts counts{};           ///< as stored
  std::uint32_t undecided = 0;            ///< tasks that are not terminal
  std::uint32_t undecided_finally = 0;    ///< of these, those of `finally`
  bool in_finally = false;                ///< all others are decided: those of `finally` have begun
  std::uint32_t active = 0;               ///< attempts that hold capacity

  /// Ready tasks that had their turn while the run might start none. May hold decided ones.
  std::array<std::set<put_off_task>, capacity_pool_count> put_off;
  std::uint64_t first_turn = 0; ///< earlier turns are of a generation that has ended
  /// Of ready tasks that were taken out: the turn that counts if they are ready again; 0: none.
  std::unordered_map<std::uint32_t, std::uint64_t> turns;
  std::unordered_map<std::uint32_t, prepared_values> prepared; ///< kept for a compensation
  /// Of attempts before a restart: the next attempt gets the same.
  std::unordered_map<std::uint32_t, model::value> prior_inputs;
  std::unordered_map<std::uint32_t, retry_progress> retries;
  std::unordered_map<std::uint32_t, std::string> keys; ///< digests; of those that have passed `in`
  std::unordered_map<std::uint32_t, model::failure> rollbacks; ///< why they do, having failed
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
  std::deque<std::uint32_t> to_settle; ///< decided, dependents not told yet

  const model::workflow_spec& spec() const { return workflow->spec(); }
  /// How many tasks the specification has. Their indices are the first.
  std::uint32_t node_count() const { return static_cast<std::uint32_t>(spec().tasks.size()); }
  bool is_instance(std::uint32_t task) const { return task >= node_count(); }
  /// The task of the specification that it is, or is an instance of.
  std::uint32_t node(std::uint32_t task) const {
    return is_instance(task) ? model::range_of(ranges, task)->task : task;
  }
  /// The group that an instance belongs to; null: it is superseded, or no instance.
  instance_group* group_of(std::uint32_t task);
  const instance_group* group_of(std::uint32_t task) const;
  /// Whether instances count in the place of the task, and decide how it ends.
  bool stands_for_instances(std::uint32_t task) const;
  /// Whether it was fanned out in an earlier generation, and its task anew since.
  bool is_superseded(std::uint32_t task) const;
  std::string name(std::uint32_t task) const;
  const task_expressions* expressions(std::uint32_t task) const {
    return workflow->expressions(node(task));
  }
  const model::task_spec& task_spec(std::uint32_t task) const { return spec().tasks[node(task)]; }
  /// Whether it only waits, and never starts anything.
  bool is_gate(std::uint32_t task) const { return model::is_gate(task_spec(task).action); }
  bool is_finally(std::uint32_t task) const { return node(task) >= spec().first_finally(); }
  /// How many tasks count, as `counts` has them.
  std::uint64_t counted_tasks() const;
  /// Whether the task goes on when its run is cancelled, or past its deadline: it cleans up. To
  /// roll back a run is a matter of its own, and ends with it.
  bool outlives_cancel(std::uint32_t task) const {
    return is_finally(task) || (tasks[task].rolls_back && !tasks[task].completed);
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
  /// When the task has to be over, or its run; nothing: never.
  std::optional<model::wall_time> due(std::uint32_t task) const;
  /// Whether something of it that is ready may start, were there a slot.
  bool may_start() const { return !paused && !is_at_limit(); }
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

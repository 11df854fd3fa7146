// States, classes and rules that have a name in files, tables and on screen, and those names.
// state.cpp is the only place with the strings.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sluice::model {

/// See docs/architecture.md, "States", for who may follow whom (`logic/transitions` is the table).
enum class task_state : std::uint8_t {
  pending,
  waiting,
  ready,
  dispatched,
  running,
  deferred,
  validating,
  retry_wait,
  paused,
  cancelling,
  rolling_back,
  succeeded, // terminal from here on
  failed,
  skipped,
  cancelled,
  rolled_back,
};
inline constexpr std::size_t task_state_count = 16;

/// `ready` and `running` are never stored: a reader derives them.
constexpr task_state as_stored(task_state s) {
  switch (s) {
  case task_state::ready:
    return task_state::pending;
  case task_state::running:
    return task_state::dispatched;
  default:
    return s;
  }
}
constexpr bool is_terminal(task_state s) {
  return s >= task_state::succeeded;
}
/// Whether an attempt is under way: the states a report or a stop can reach.
constexpr bool is_active(task_state s) {
  return s == task_state::dispatched || s == task_state::running || s == task_state::deferred
         || s == task_state::validating || s == task_state::cancelling
         || s == task_state::rolling_back;
}

enum class run_state : std::uint8_t {
  queued,
  running,
  cancelling,
  rolling_back,
  succeeded, // terminal from here on
  failed,
  cancelled,
  rolled_back,
};
inline constexpr std::size_t run_state_count = 8;

constexpr bool is_terminal(run_state s) {
  return s >= run_state::succeeded;
}

/// Why an attempt failed: decides whether it is retried, and labels metrics.
enum class failure_class : std::uint8_t {
  exit,      ///< ordinary non-zero exit or a signal
  transient, ///< exit 75, network, rate limit
  permanent, ///< can never succeed: command missing, expression error, output too large
  timeout,   ///< the attempt's `timeout` passed
  deadline,
  heartbeat,
  gate,
  validation, ///< a declared output is missing or has the wrong type
  resource,   ///< the host had no process, memory or descriptor to spare
  budget,
  cancelled,
  lost, ///< the runtime or the executor died under it
  internal,
};
inline constexpr std::size_t failure_class_count = 13;

/// What a task that does not run waits for. Not stored: a reader works it out.
enum class wait_reason : std::uint8_t {
  none,
  upstream,    ///< an upstream is not decided
  inputs,      ///< a large value is read back from the store
  slot,        ///< every slot is taken
  limit,       ///< `limits.active_tasks` of its run is reached
  retry,       ///< its attempt failed and the next one is not due yet
  paused,      ///< it is, or its run
  breaker,     ///< tasks of its kind keep failing, and are not started for a while
  idempotency, ///< a task with the same key is not decided, or its result is looked for
  hold,        ///< it failed for good, and a person decides what follows
  parallel,    ///< as many instances of its task run as may at once
  resource,    ///< too little is left of what the node has
  pool,        ///< its pool is full
  concurrency, ///< as many hold its key as may
  rate,        ///< as many started lately as may
  wait,        ///< for a time, and it does nothing else
  approval,    ///< a person decides whether it goes on
  signal,      ///< that somebody sends to its run
  gate,        ///< a switch of the store is closed
  time,        ///< until the hours in which it may go on
  quota,       ///< as many as may have passed lately
};
inline constexpr std::size_t wait_reason_count = 21;

enum class join_rule : std::uint8_t {
  all_success,
  none_failed,
  all_failed,
  all_done,
  one_success,
  one_failed,
  expression,
};

enum class on_failure : std::uint8_t {
  stop,
  carry_on,
  compensate, ///< as `stop`; then what succeeded is undone, the last first
};

/// What becomes of a task whose last attempt has failed.
enum class on_exhausted : std::uint8_t {
  fail,
  hold, ///< it waits: a person decides
};

/// What a task waits for that is a gate.
enum class gate_kind : std::uint8_t {
  approval,     ///< a person's
  signal,       ///< from outside
  named_switch, ///< a switch of the store, for all its runs
  time,         ///< certain hours
  quota,        ///< that not too many pass in a time, of all runs
};
inline constexpr std::size_t gate_kind_count = 5;

/// What becomes of a task whose gate does not let it through.
enum class on_closed : std::uint8_t { wait, fail, skip };

/// What becomes of a gate that nobody has decided in time.
enum class on_expire : std::uint8_t { reject, approve, skip };

/// Which executor runs an attempt.
enum class executor_kind : std::uint8_t {
  process,
  function,
  workflow, ///< the scheduler itself: the attempt is a run of its own
};
inline constexpr std::size_t executor_kind_count = 3;

/// What a command of a task is for.
enum class command_role : std::uint8_t {
  action,
  fallback,   ///< takes over from the action when that has failed for good
  validate,   ///< says whether what the action did is right; part of the same attempt
  rollback,   ///< undoes what it did, when the task has failed for good; an attempt of its own
  snapshot,   ///< keeps what the rollback is to put back; part of the first attempt, before the
              ///< action
  compensate, ///< undoes what a task did that has succeeded, when its run is rolled back
};
inline constexpr std::size_t command_role_count = 6;

/// Whether it undoes what an action did.
constexpr bool undoes(command_role r) {
  return r == command_role::rollback || r == command_role::compensate;
}

/// Type of a parameter or an output.
enum class value_type : std::uint8_t {
  integer,
  real,
  boolean,
  text,
  date,
  timestamp,
  list,
  map,
  file,
};

/// Why a stop was asked. The first one stands, but `cancel` overrides all.
enum class stop_reason : std::uint8_t {
  none,
  cancel,
  timeout,
  heartbeat,
  drain, ///< its runtime is about to end
  deadline,
  budget,  ///< what it may use is used up
  preempt, ///< a task with a higher priority needs what it holds
};

/// What a budget counts.
enum class budget_kind : std::uint8_t { cost, tokens, time };
inline constexpr std::size_t budget_kind_count = 3;

/// What follows when a budget is used up.
enum class on_exceeded : std::uint8_t {
  stop, ///< nothing more starts, and what runs is stopped
  warn, ///< a person is told, and all goes on
};
/// Whether what is stopped so goes on later, as if it had not been started.
constexpr bool gives_back(stop_reason r) {
  return r == stop_reason::drain || r == stop_reason::preempt;
}

/// The type of an event row.
enum class event_type : std::uint8_t {
  run_submitted,
  run_cancelling,
  run_rolling_back, ///< what its tasks did is undone
  run_finished,
  run_retried, ///< goes on, as another generation
  run_paused,  ///< nothing of it starts any more
  run_resumed,
  run_started,   ///< it was queued behind others of its workflow
  run_signalled, ///< somebody sent it a signal, which is kept until a gate takes it
  tasks_added,   ///< it was given further tasks
  task_expanded, ///< it is fanned out: its instances are pending
  task_dispatched,
  task_finished, ///< succeeded or failed, an attempt ended with it
  task_lost,     ///< its attempt was lost; the task is ready again
  task_retrying, ///< its attempt failed; another one follows after a wait
  task_due,      ///< the wait before a retry is over; the task is ready again
  task_waiting,  ///< it could run, but something holds it back
  task_held,     ///< its attempt failed for good; it waits for a person's decision
  task_released, ///< nothing holds it back any more; it is ready
  task_fallback, ///< its attempt failed for good; its fallback takes over, the task is ready again
  task_validating,
  task_rolling_back, ///< what it did is undone: it failed for good, or its run is rolled back
  task_skipped,
  task_cancelling,
  task_cancelled,
  task_failed,  ///< failed without an attempt (expression error)
  task_paused,  ///< it does not start until it is resumed
  task_resumed, ///< goes on where it would be
  task_reset,   ///< pending again, in a new generation of its run
  task_marked,  ///< decided by an operator
  task_reused,  ///< succeeded without an attempt, with the result of one that has the same key
  task_passed,  ///< a gate has let through, or a wait is over: it succeeded without an attempt
  task_warning,
  task_checkpoint, ///< saved its progress
  task_snapshot,   ///< what its rollback is to put back is stored; its action begins
  task_progress,   ///< said how far it is
  task_usage,      ///< said what it has used
};

/// What a durable timer is for.
enum class timer_kind : std::uint8_t {
  retry,         ///< the next attempt of a task in `retry_wait`
  deadline,      ///< of a task or of a run, counted from the submission
  queue_timeout, ///< of a task that is ready and does not start
  breaker,       ///< the end of the pause of a kind of task, for one that waits for it
  timeout,       ///< of an attempt that is a run; those of others are kept by their executors
  timebox,       ///< of a group, counted from its first attempt
  budget,        ///< of a run or of a group: as things are, its time is used up then
  gate,          ///< the end of a wait, or of the time in which a gate can be decided
};
inline constexpr std::size_t timer_kind_count = 8;

std::string_view to_string(task_state s);
std::string_view to_string(run_state s);
std::string_view to_string(failure_class c);
std::string_view to_string(wait_reason r);
std::string_view to_string(join_rule j);
std::string_view to_string(on_failure f);
std::string_view to_string(on_exhausted e);
std::string_view to_string(gate_kind k);
std::string_view to_string(on_closed c);
std::string_view to_string(on_expire e);
std::string_view to_string(executor_kind k);
std::string_view to_string(command_role r);
std::string_view to_string(value_type t);
std::string_view to_string(stop_reason r);
std::string_view to_string(event_type t);
std::string_view to_string(timer_kind k);
std::string_view to_string(budget_kind k);
std::string_view to_string(on_exceeded e);

/// The inverse of `to_string`; also takes the spellings of other systems for task states
/// (`queued`, `COMPLETED`, ...). Nothing when the name is unknown.
std::optional<task_state> parse_task_state(std::string_view name);
std::optional<run_state> parse_run_state(std::string_view name);
std::optional<failure_class> parse_failure_class(std::string_view name);
std::optional<wait_reason> parse_wait_reason(std::string_view name);
std::optional<join_rule> parse_join_rule(std::string_view name);
std::optional<on_failure> parse_on_failure(std::string_view name);
std::optional<on_exhausted> parse_on_exhausted(std::string_view name);
std::optional<gate_kind> parse_gate_kind(std::string_view name);
std::optional<on_closed> parse_on_closed(std::string_view name);
std::optional<on_expire> parse_on_expire(std::string_view name);
std::optional<executor_kind> parse_executor_kind(std::string_view name);
std::optional<command_role> parse_command_role(std::string_view name);
std::optional<value_type> parse_value_type(std::string_view name);
std::optional<event_type> parse_event_type(std::string_view name);
std::optional<timer_kind> parse_timer_kind(std::string_view name);
std::optional<budget_kind> parse_budget_kind(std::string_view name);
std::optional<on_exceeded> parse_on_exceeded(std::string_view name);

/// All names in order of their values, for messages that list what is allowed.
std::span<const std::string_view> task_state_names();
std::span<const std::string_view> run_state_names();
std::span<const std::string_view> failure_class_names();
std::span<const std::string_view> join_rule_names();
std::span<const std::string_view> on_failure_names();
std::span<const std::string_view> gate_kind_names();
std::span<const std::string_view> on_closed_names();
std::span<const std::string_view> on_expire_names();
std::span<const std::string_view> value_type_names();
std::span<const std::string_view> event_type_names();
std::span<const std::string_view> executor_kind_names();
std::span<const std::string_view> command_role_names();
std::span<const std::string_view> timer_kind_names();
std::span<const std::string_view> budget_kind_names();

} // namespace sluice::model

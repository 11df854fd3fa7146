// What an operator asks of a run beside its cancellation, and what became of it.
#pragma once

#include "model/capacity.hpp"
#include "model/gate.hpp"
#include "model/ids.hpp"
#include "model/state.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace sluice::model {

struct workflow_spec;

/// Which tasks of a run that has ended start anew.
enum class retry_scope : std::uint8_t {
  failed,     ///< those that failed or were cancelled, and what was skipped because of them
  from,       ///< one task and everything downstream of it
  downstream, ///< everything downstream of one task, which itself is kept
};

/// Begins another generation of a run that has ended.
struct retry_run {
  retry_scope scope = retry_scope::failed;
  std::string task; ///< by name, where the scope is about one
};

/// Lets a task that is held try again, as if it had not been tried yet.
struct retry_task {
  std::string task; ///< by name
};

/// Decides a task that does not run, in place of what would have decided it.
struct mark_task {
  std::string task;                      ///< by name
  task_state as = task_state::succeeded; ///< or `skipped`, `failed`
};

enum class cancel_mode : std::uint8_t {
  graceful,  ///< TERM, grace, KILL
  immediate, ///< KILL at once
};

enum class pause_mode : std::uint8_t {
  let_end, ///< what is under way ends by itself
  stop,    ///< it is stopped, and ready again
};
/// Starts nothing of a run any more, until it is resumed. Changes no task that does not run.
struct pause_run {
  pause_mode mode = pause_mode::let_end;
};
struct resume_run {};

/// Keeps a task from starting, until it is resumed; one that has not started, or waits.
struct pause_task {
  std::string task; ///< by name
};
struct resume_task {
  std::string task; ///< by name
};

/// Compensates the tasks of a run that has ended.
struct rollback_run {};

/// Cancels what is not decided of a group of tasks. Its run goes on.
struct cancel_group {
  std::string group; ///< by name
  cancel_mode mode = cancel_mode::graceful;
};

enum class verdict : std::uint8_t { approved, rejected };
/// Decides a task that waits for an approval.
struct decide_gate {
  std::string task; ///< by name
  model::verdict verdict = model::verdict::approved;
  value values = value::object(); ///< of its form; what has a default may be missing
  decision whose;
};

/// Lets the first gate through that waits for the signal, or the next one that will.
struct send_signal {
  std::string name;
  value payload;
  std::string by; ///< who sends it
};

/// Opens or closes a switch of the store, whatever runs there are.
enum class switch_position : std::uint8_t { open, closed };
struct set_switch {
  std::string name;
  switch_position to = switch_position::open;
  decision whose;
};

/// Sets a limit of the store, or takes it back.
struct set_store_limit {
  store_limit what;
};

/// Gives a run in progress further tasks. They may depend on those that it has, and on each other.
struct add_tasks {
  /// Its tasks are the new ones, its defaults hold for them, and nothing else of it counts.
  std::shared_ptr<const workflow_spec> what;
};

/// A verb, and what it is about. `set_switch` and `set_store_limit` are about no run.
using control = std::variant<retry_run, retry_task, mark_task, pause_run, resume_run, pause_task,
                             resume_task, rollback_run, cancel_group, decide_gate, send_signal,
                             set_switch, set_store_limit, add_tasks>;

/// What was done, once it is durable.
struct control_result {
  model::run_no run_no;
  std::uint32_t generation = 1;
  std::vector<std::string> tasks; ///< that were changed, by name
  std::uint64_t kept = 0;         ///< so many were not
};

} // namespace sluice::model

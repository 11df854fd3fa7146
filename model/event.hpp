// Two kinds of facts. `event` is a committed line of the audit trail, as stored and streamed.
// `happening` is what reaches the scheduler core: the closed set of its inputs.
#pragma once

#include "model/checkpoint.hpp"
#include "model/control.hpp"
#include "model/ids.hpp"
#include "model/run.hpp"
#include "model/snapshot.hpp"
#include "model/state.hpp"
#include "model/timer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sluice::model {

struct stored_run;

/// A row of the event table: append-only, `seq` is the cursor of all followers.
struct event {
  std::int64_t seq = 0; ///< given at insert, ascending without reuse
  wall_time at;
  model::run_no run_no;
  std::optional<std::uint32_t> task_idx;
  std::optional<std::uint32_t> attempt;
  event_type type = event_type::run_submitted;
  std::string task;  ///< the task's name; not a column, filled in by whoever has it
  std::string from;  ///< state before, or empty
  std::string to;    ///< state after, or empty
  std::string actor; ///< who did it: `scheduler`, `operator`, ...
  value data;        ///< null or an object: class, code, message, reason, ...

  /// Whether it only says something: it moves neither run nor task.
  bool is_note() const { return to.empty(); }
};

/// Correlates a request of the surface with its answer.
using request_id = std::uint64_t;

struct run_submitted {
  request_id request = 0;
  model::submission submission;
};
/// The start of an attempt is confirmed.
struct attempt_started {
  attempt_key key;
};
/// The attempt has what its task's rollback is to put back, and waits until that is stored before
/// it does anything. Answered by `go_on`.
struct snapshot_taken {
  attempt_key key;
  snapshot_ptr what;
};
/// The attempt's action has succeeded, and the command that validates it runs.
struct attempt_validating {
  attempt_key key;
};
/// The attempt's time is over, or it has been silent for too long; it has to stop.
struct attempt_timed_out {
  attempt_key key;
  stop_reason why = stop_reason::timeout; ///< or `heartbeat`
};
struct attempt_finished {
  attempt_report report;
  executor_kind executor = executor_kind::process; ///< who reports, and gets the acknowledgement
};
/// The executor, or the scheduler, is a new one: of all attempts that count as under way there, the
/// executor has these, and every other one is lost.
struct executor_ready {
  executor_kind executor = executor_kind::process;
  std::vector<attempt_key> attempts;
};
struct cancel_requested {
  request_id request = 0;
  model::run_no run_no;
  cancel_mode mode = cancel_mode::graceful;
  std::string actor; ///< `operator`, `ctrl-c`
};
/// An operator asks something of a run, in progress or not.
struct control_requested {
  request_id request = 0;
  model::run_no run_no;
  control what;
  std::string actor;
};
/// A run that is not in progress, read back for what is asked of it.
struct run_loaded {
  model::run_no run_no;
  expected<std::shared_ptr<const stored_run>> run;
};
enum class drain_mode : std::uint8_t {
  finish, ///< what is under way may end
  stop,   ///< it is stopped, and ready again
};
/// Nothing starts any more, because the runtime is about to end.
struct drain_requested {
  request_id request = 0;
  drain_mode mode = drain_mode::finish;
};
/// Outputs that were too large to keep, read back for inputs that need them.
struct outputs_loaded {
  model::run_no run_no;
  std::uint32_t task_idx = 0;                ///< whose outputs
  expected<value> outputs = value::object(); ///< an error fails the tasks that wait for it
};
/// What the store holds for the key of a task that may have been done before.
struct key_looked_up {
  task_key task;
  std::string digest;
  expected<std::optional<keyed_result>> found; ///< an error fails the task
  std::uint64_t number = 0;                    ///< that of the question
};
/// A timer has come due.
struct timer_fired {
  timer what;
};
/// An attempt says how far it is.
struct progress_told {
  attempt_key key;
  task_progress what;
};
/// An attempt says what it has used so far.
struct usage_told {
  attempt_key key;
  value usage; ///< object of numbers: all that it has said
};
/// An attempt has progress to save.
struct checkpoint_offered {
  request_id request = 0;
  attempt_key key;
  checkpoint_ptr what;
};
/// The pause after a save of the attempt is over: what was offered meanwhile can be saved.
struct checkpoint_pause_over {
  attempt_key key;
};
using happening =
  std::variant<run_submitted, attempt_started, snapshot_taken, attempt_validating,
               attempt_timed_out, attempt_finished, executor_ready, cancel_requested,
               control_requested, run_loaded, drain_requested, outputs_loaded, key_looked_up,
               timer_fired, checkpoint_offered, checkpoint_pause_over, progress_told, usage_told>;

} // namespace sluice::model

// A run, its tasks and their attempts: what was asked, what an executor reports, what was decided.
#pragma once

#include "model/boxed_optional.hpp"
#include "model/breaker.hpp"
#include "model/idempotency.hpp"
#include "model/ids.hpp"
#include "model/json.hpp"
#include "model/rarely.hpp"
#include "model/state.hpp"
#include "model/time.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::model {

struct workflow_spec;

/// A request for one run of a workflow.
struct submission {
  std::shared_ptr<const workflow_spec> workflow;
  std::string content_hash;       ///< hex SHA-256 of the specification; equal ones share a version
  std::string source;             ///< the file's text, or empty
  value params = value::object(); ///< complete and typed: defaults are filled in
  std::string trigger = "manual";
  std::string user;                   ///< whose run it is: what is ready is shared among users
  std::optional<idempotency_key> key; ///< none: every request is a run of its own
};

/// An attempt that is a run, and that run.
struct child_run {
  attempt_key parent;
  model::run_no run_no;
  friend bool operator==(const child_run&, const child_run&) = default;
};

/// What an attempt used, as the kernel counted it.
struct resource_usage {
  microseconds cpu{0};
  std::int64_t peak_rss_bytes = 0;
  friend bool operator==(const resource_usage&, const resource_usage&) = default;
};

struct failure {
  model::failure_class failure_class = failure_class::exit;
  std::string code;    ///< exit code (`3`), signal (`SIGKILL`), or a word (`output_too_large`)
  std::string message; ///< one sentence for a person
  friend bool operator==(const failure&, const failure&) = default;
};

/// How far an attempt says it is.
struct task_progress {
  std::optional<double> fraction; ///< 0 to 1
  std::string text;
  friend bool operator==(const task_progress&, const task_progress&) = default;
};

/// What an attempt says while it runs: that it lives, and perhaps more.
struct sign_of_life {
  attempt_key key;
  std::optional<task_progress> progress;
  value usage;   ///< object of numbers, which add up from sign to sign; or null
  value outputs; ///< object, of which the last value of a name counts; or null
};

/// What an executor says about an attempt that has ended. The scheduler decides what follows.
struct attempt_report {
  attempt_key key;
  boxed_optional<model::failure> failure; ///< nothing: success
  value outputs;                          ///< object, or null when there are none
  std::vector<std::string> warnings;      ///< such as an output that was not declared
  resource_usage usage;
  rarely<value>
    own_usage; ///< what the task said it used, such as money: object of numbers, or null
  std::optional<wall_time> started_at; ///< nothing when it never started
  wall_time finished_at;
  /// No slot became free for it soon enough, so its executor did not try: no loss. Class `lost`.
  bool given_back = false;
};

/// What was decided about an attempt and its task when it ended.
struct attempt_outcome {
  attempt_key key;
  task_state from = task_state::running;
  task_state state = task_state::succeeded; ///< the task's; `ready` after a lost attempt
  boxed_optional<model::failure> failure;
  std::uint32_t losses = 0;             ///< of the task, this one counted
  std::uint32_t retries = 0;            ///< of the task, the one that follows counted
  std::optional<wall_time> retry_at;    ///< when it follows: of `retry_wait`
  bool drops_checkpoint = false;        ///< the task needs none any more, and may have one
  bool drops_snapshot = false;          ///< nothing is to be put back any more
  bool falls_back = false;              ///< to its fallback: of `ready`
  bool is_completion = false;           ///< from now on it can be compensated: of `succeeded`
  std::optional<breaker_state> breaker; ///< of its kind of task, when the attempt changed it
  rarely<std::string> key_digest;       ///< of its task, when that has succeeded
  rarely<value> own_usage;              ///< object of numbers, or null
  value outputs;                        ///< object, or null
  resource_usage usage;
  std::optional<wall_time> started_at;
  wall_time finished_at;
};

/// How many tasks of a run are in each state, as stored (`ready` counts as pending, `running` as
/// dispatched).
using state_counts = std::array<std::uint32_t, task_state_count>;

} // namespace sluice::model

// The read side of a store as people see it: runs, tasks, attempts, events and logs, by the ids
// people type, with states worked out that are never stored. Has a read-only connection of its own
// and needs no runtime; belongs to one thread.
#pragma once

#include "model/event.hpp"
#include "model/workflow.hpp"
#include "storage/open.hpp"
#include "storage/store.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {
class compiled_workflow;
}

namespace sluice::runtime {

class lock_view;

struct run_view : storage::run_row {
  bool interrupted = false;   ///< unfinished, and its runtime is gone
  bool parent_paused = false; ///< it has not ended, and a run that it is part of is paused

  /// The state's name, or `interrupted`.
  std::string_view shown_state() const;
  /// Whether nothing of it starts, though it has not ended.
  bool is_paused() const { return paused && !model::is_terminal(state); }
  /// Whether it may still change.
  bool is_live() const { return !model::is_terminal(state) && !interrupted; }
  std::uint32_t task_count() const;
  std::uint32_t count(model::task_state s) const { return counts[static_cast<std::size_t>(s)]; }
};

struct task_view : storage::task_row {
  model::task_state shown = model::task_state::pending; ///< `ready` and `running` worked out
  bool interrupted = false;                             ///< was active when its runtime went away
  std::string waits_for; ///< names of undecided upstreams that hold a task, the first few
  /// Of a task that waits. `none` for a ready one of an interrupted run, and for one that waits for
  /// its retry, its breaker or a time there: nothing hands out slots, and nobody looks at the time.
  /// `hold`, `approval`, `signal` and `paused` there too: a person can decide.
  model::wait_reason wait_reason = model::wait_reason::none;

  std::string_view shown_state() const;
};

/// A budget, and what has been used of it.
struct budget_view {
  std::string group; ///< empty: of the run
  std::array<std::optional<model::amount>, model::budget_kind_count> limits;
  model::amounts used{};
};

/// A task by its id, with its run; `attempt` when the id named one.
struct task_ref {
  run_view run;
  task_view task;
  std::optional<std::uint32_t> attempt;
};

struct run_filter {
  std::string state; ///< a run state or `interrupted`; empty: all
  std::string workflow;
  std::size_t limit = 50;
  bool whole_only = false; ///< none that is an attempt of another one
};

class history {
public:
  /// Errors: `not_found` when there is no store, `conflict` for another schema version.
  static expected<history> open(const std::filesystem::path& store_dir);

  history(history&&) noexcept;
  history& operator=(history&&) noexcept;
  ~history();

  /// Newest first. Errors: `invalid_argument` for an unknown state.
  expected<std::vector<run_view>> runs(const run_filter& filter);
  /// By `r-12`, `12`, `@last` or `@last-failed`. Errors: `invalid_argument`, `not_found`.
  expected<run_view> run(std::string_view id);

  /// The run that a key stands for. Errors: `not_found` when there is none, `conflict` when it is
  /// one of something else.
  expected<run_view> run_of_key(const model::idempotency_key& key, model::wall_time now);

  /// Visits the tasks of a run in order of their index until `visit` returns false; reads them in
  /// pages, so that the size of a run does not matter.
  expected<void> each_task(const run_view& run, const std::function<bool(const task_view&)>& visit);

  /// By `RUN/NAME` or `RUN/INDEX`, with or without `#ATTEMPT`. An exact name beats an index, and
  /// both beat the beginning of exactly one name. Errors: `not_found` (names the nearest),
  /// `invalid_argument` for what is no task id, `conflict` when several names begin so.
  expected<task_ref> task(std::string_view id);

  expected<std::vector<storage::attempt_row>> attempts(model::task_key task);
  /// The task that no other depends on, when there is exactly one: what the run was for.
  expected<std::optional<task_view>> final_task(const run_view& run);

  /// What a run has come to; null when it has not succeeded, or says nothing of it.
  expected<model::value> results(model::run_no run);
  /// The runs that the attempts of a task were, oldest first.
  expected<std::vector<model::child_run>> children(model::task_key task);
  /// The run that a run is part of, which is no part of another one: itself, perhaps.
  expected<model::run_no> root_of(const storage::run_row& run);

  /// Null when the task has none.
  expected<model::value> outputs(model::task_key task);
  /// What the task saved last; nothing when it saved none, or has succeeded since.
  expected<std::optional<storage::checkpoint_row>> checkpoint(model::task_key task);
  /// What the task's rollback is to put back; nothing when it has none, or not yet, or not any
  /// more.
  expected<std::optional<storage::snapshot_row>> snapshot(model::task_key task);
  /// At most `limit` events of a run after a cursor, with the names of their tasks.
  expected<std::vector<model::event>> events(model::run_no run, std::int64_t after_seq,
                                             std::size_t limit);
  /// What gates of all runs stand at.
  expected<model::stored_gates> gates();
  /// What people did to switches, the newest first.
  expected<std::vector<model::switch_state>> switch_changes(std::size_t limit);
  /// What people allow for the whole store.
  expected<std::vector<model::store_limit>> store_limits();
  /// What waits at gates, of runs that have not ended; in order of runs and tasks.
  expected<std::vector<storage::waiting_gate>> waiting_gates();
  /// The cursor of the newest event of all runs; 0: there is none.
  expected<std::int64_t> last_seq();
  /// Names of its tasks by index, and back; those of instances too.
  expected<model::task_names> names(model::run_no run);
  /// That of the run, then those of its groups. What runs counts until `now`.
  expected<std::vector<budget_view>> budgets(const run_view& run, model::wall_time now);
  /// What a run executes.
  expected<std::shared_ptr<const model::workflow_spec>> workflow(model::run_no run);

  /// Where an attempt's log is, or was: logs that stayed empty are removed.
  std::filesystem::path log_of(model::attempt_key key) const;
  const std::filesystem::path& store_dir() const { return paths_.dir; }

private:
  history(storage::store_paths paths, std::unique_ptr<storage::reader> reader);
  expected<std::shared_ptr<const logic::compiled_workflow>> compiled(model::run_no run);
  expected<task_view> find_task(const run_view& run, const std::string& name);
  expected<task_view> shown(const run_view& run, storage::task_row row);
  expected<run_view> viewed(storage::run_row row, const lock_view& before, const lock_view& after);

  storage::store_paths paths_;
  std::unique_ptr<storage::reader> reader_;
  // Of the run that was asked for last.
  model::run_no cached_run_;
  std::int64_t cached_version_ = 0;
  std::shared_ptr<const model::workflow_spec> cached_spec_;
  std::shared_ptr<const logic::compiled_workflow> cached_graph_;
};

} // namespace sluice::runtime

// The store in the words of the domain: what is committed, and what can be read back. Two roles:
// `store` holds the write connection and belongs to BATCH WRITER alone; a `reader` has a read-only
// connection of its own and belongs to one thread. Errors of both: `unavailable` (busy, disk full:
// try again), `corrupt` (stop, keep the evidence), `internal`.
#pragma once

#include "model/event.hpp"
#include "model/gate.hpp"
#include "model/record.hpp"
#include "model/stored_run.hpp"
#include "model/timer.hpp"
#include "model/workflow.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::storage {

using step_ptr = std::shared_ptr<const model::step>;

/// Which step of which scheduler incarnation was committed last.
struct commit_mark {
  std::uint64_t incarnation = 0;
  std::uint64_t step = 0;
  friend bool operator==(const commit_mark&, const commit_mark&) = default;
};

/// What the rows of a run should say, by its events.
struct mended_run {
  struct task {
    std::uint32_t task_idx = 0;
    model::task_state state = model::task_state::pending; ///< as stored
    std::uint32_t attempt = 0;
    std::optional<model::wall_time> finished_at; ///< once it is terminal
    std::string why;                             ///< a sentence for the audit trail
  };
  model::run_no run_no;
  model::run_state state = model::run_state::running;
  model::state_counts counts{};
  std::optional<model::wall_time> finished_at;
  std::vector<task> tasks; ///< only those whose rows say something else
};

/// Writes. Not thread-safe; one per database.
class store {
public:
  virtual ~store() = default;

  /// Commits the records of all steps in one transaction, with their events and the mark of the
  /// last one. Returns the seq of the first event written; the others follow without a gap in
  /// order of the records. On an error nothing of it is stored.
  ///
  /// A record that does not fit what is stored (the fence: its attempt is no longer the current
  /// one, its task is decided, its run is in another state) is refused: it changes nothing, has no
  /// event and takes no seq, is logged, and the rest of the group is committed.
  virtual expected<std::int64_t> commit(std::uint64_t incarnation,
                                        std::span<const step_ptr> steps) = 0;
  /// How many records the last `commit` refused; 0 save for a bug of the caller. When it is not 0,
  /// who wants to know the events of that group reads them from the table.
  virtual std::size_t refused() const = 0;

  /// Makes the rows of a run say what is given, with a warning event of each task for the audit
  /// trail. For a person's repair, while no scheduler has the run.
  virtual expected<void> mend(const mended_run& run, model::wall_time now) = 0;

  /// Deletes all that is stored of runs that ended before a time, some of them in one transaction,
  /// and returns which. The newest run stays, as its number must not be given again, and runs whose
  /// key still stands. While no scheduler has the store. On an error some are deleted.
  virtual expected<std::vector<model::run_no>> prune(model::wall_time ended_before,
                                                     model::wall_time now) = 0;

  virtual expected<commit_mark> last_commit() = 0;
  /// The seq that was given last, to the last event; 0 in an empty store.
  virtual expected<std::int64_t> last_seq() = 0;
};

struct run_row {
  model::run_no run_no;
  std::string workflow;
  std::int64_t version = 0; ///< of the workflow, from 1
  model::run_state state = model::run_state::queued;
  std::uint32_t generation = 1;
  bool paused = false;
  bool rolls_back = false; ///< its tasks are compensated, or were
  std::string trigger;
  std::string user;                         ///< whose it is; or empty
  std::optional<model::attempt_key> parent; ///< the attempt that it is; none: it was submitted
  std::string parent_task;                  ///< the name of that one's task
  model::value params;
  model::state_counts counts{};
  bool degraded = false;
  std::string error;
  model::wall_time submitted_at;
  model::wall_time began_at;                  ///< its generation; the first with the submission
  std::int64_t began_seq = 0;                 ///< of the event with which that began
  std::optional<model::wall_time> started_at; ///< of its first attempt's dispatch
  std::optional<model::wall_time> finished_at;
};

struct attempt_row {
  model::attempt_key key;
  model::executor_kind executor = model::executor_kind::process;
  model::command_role role = model::command_role::action;
  /// `dispatched`, then how it ended; a lost one has failed, though its task goes on.
  model::task_state state = model::task_state::dispatched;
  std::uint32_t generation = 1; ///< of the run
  std::optional<model::failure> failure;
  model::value inputs;                        ///< object or null
  std::optional<model::capacity_grant> holds; ///< beside a slot
  model::value own_usage; ///< what its task said it used, once it has ended: object or null
  model::resource_usage usage;
  model::wall_time dispatched_at;
  std::optional<model::wall_time> started_at;
  std::optional<model::wall_time> finished_at;
};

struct task_row {
  model::task_key key;
  std::string name;
  model::task_state state = model::task_state::pending; ///< as stored: see model::state_counts
  std::string reason;                                   ///< of a skip or cancel, else empty
  std::uint32_t generation = 1; ///< of the run, in which it was made pending last
  std::uint32_t attempt = 0;    ///< current one, 0: none yet
  std::uint32_t losses = 0;
  std::uint32_t retries = 0; ///< attempts that followed, or will follow, failed ones
  /// Once it is terminal or held, or of the attempt that is to be repeated; a lost attempt keeps
  /// its own.
  std::optional<model::failure> failure;
  std::optional<model::wall_time> retry_at;      ///< while it waits for that
  std::optional<model::breaker_state> breaker;   ///< while it waits for that
  std::optional<model::awaited> awaits;          ///< while it waits, and is a gate
  std::optional<model::wall_time> dispatched_at; ///< of the current attempt
  std::optional<model::wall_time> started_at;    ///< of the current attempt, known when it ended
  std::optional<model::wall_time> finished_at;   ///< once it is terminal
  model::resource_usage usage;                   ///< of the current attempt
  std::optional<std::uint32_t> node_idx;         ///< of the task that it is an instance of
  std::optional<std::uint32_t> instances;        ///< so many, once it is fanned out
};

/// A task that waits and is a gate, of any run.
struct waiting_gate {
  model::task_key key;
  std::string task; ///< its name; of an instance that of its task, until a reader has it
  std::string workflow;
  model::awaited what;
  model::wall_time since;
  bool is_instance = false;
};

struct checkpoint_row {
  std::uint32_t attempt = 0; ///< that saved it
  model::checkpoint what;
  model::wall_time saved_at;
};

/// Of all checkpoints that are kept; sizes in bytes.
struct checkpoint_totals {
  std::int64_t count = 0;
  std::int64_t bytes = 0;        ///< as they were saved
  std::int64_t stored_bytes = 0; ///< as they are kept: large ones are compressed
};

struct snapshot_row {
  std::string what;
  model::wall_time saved_at;
};

struct run_query {
  std::optional<model::run_state> state;
  std::string workflow; ///< empty: all
  bool unfinished_only = false;
  bool whole_only = false; ///< none that is an attempt of another one
  std::size_t limit = 50;  ///< newest first
};
struct task_query {
  model::run_no run_no;
  std::uint32_t from_idx = 0;
  std::optional<model::task_state> state; ///< as stored: `running` finds what is dispatched
  std::size_t limit = 1000;               ///< in order of task_idx
};
struct event_query {
  std::int64_t after_seq = 0;
  std::optional<model::run_no> run_no;
  std::size_t limit = 1000; ///< in order of seq
};

/// Reads, each call one short snapshot. `not_found` where a single thing was asked for.
class reader {
public:
  virtual ~reader() = default;

  virtual expected<std::vector<run_row>> runs(const run_query& query) = 0;
  virtual expected<run_row> run(model::run_no run_no) = 0;
  /// The number after the last run that exists; 1 in an empty store.
  virtual expected<model::run_no> next_run_no() = 0;
  /// The specification a run executes, and the text it was read from (or empty); equal
  /// specifications share the text of the first.
  virtual expected<std::shared_ptr<const model::workflow_spec>> workflow(model::run_no run_no) = 0;
  virtual expected<std::string> source(model::run_no run_no) = 0;
  /// What a run has come to; null when it has not succeeded, or says nothing of it.
  virtual expected<model::value> results(model::run_no run_no) = 0;
  /// The runs that the attempts of a task were, oldest first.
  virtual expected<std::vector<model::child_run>> children(model::task_key task) = 0;
  /// The run that a key stands for; nothing when it was never given, or too long ago.
  virtual expected<std::optional<model::keyed_run>> run_of_key(const std::string& digest,
                                                               model::wall_time now) = 0;
  /// The task that a key stands for, and what it put out; nothing when none has succeeded with it,
  /// or too long ago.
  virtual expected<std::optional<model::keyed_result>> result_of_key(const std::string& digest,
                                                                     model::wall_time now) = 0;
  /// What a scheduler needs to take the run up again, in one pass over its tasks.
  virtual expected<model::stored_run> stored_run(model::run_no run_no) = 0;
  virtual expected<std::vector<task_row>> tasks(const task_query& query) = 0;
  /// By name, `train` or `train[nn,30]`; `not_found` names the nearest one, if one is near.
  virtual expected<task_row> task(model::run_no run_no, const std::string& name) = 0;
  virtual expected<std::vector<attempt_row>> attempts(model::task_key task) = 0;
  /// What tasks of the run were fanned out into, ascending by index.
  virtual expected<std::vector<model::instance_range>> instances(model::run_no run_no) = 0;
  /// What a task put out; null when nothing. Of one that is fanned out: `index` lists the instances
  /// that succeeded, ascending from 0, and `out` what each of them put out. `not_found`: there is
  /// no such task.
  virtual expected<model::value> outputs(model::task_key task) = 0;
  /// What a task saved last; nothing when it saved none, or has succeeded since.
  virtual expected<std::optional<checkpoint_row>> checkpoint(model::task_key task) = 0;
  virtual expected<storage::checkpoint_totals> checkpoint_totals() = 0;
  /// What a task's rollback is to put back; nothing before it is taken, and when it is not needed
  /// any more.
  virtual expected<std::optional<snapshot_row>> snapshot(model::task_key task) = 0;
  virtual expected<std::vector<model::event>> events(const event_query& query) = 0;
  /// The timers that are set for a run and its tasks.
  virtual expected<std::vector<model::timer>> timers(model::run_no run_no) = 0;
  /// What the attempts of a run have used, in whichever generation.
  virtual expected<std::vector<model::used_by_attempt>> used(model::run_no run_no) = 0;
  /// What is known against kinds of tasks.
  virtual expected<std::vector<model::stored_breaker>> breakers() = 0;
  /// What people allow, and what attempts that were started since a time took.
  virtual expected<model::stored_capacity> capacity(model::wall_time since) = 0;
  virtual expected<std::vector<model::store_limit>> store_limits() = 0;
  /// What gates of all runs stand at.
  virtual expected<model::stored_gates> gates() = 0;
  /// What people did to switches, the newest first.
  virtual expected<std::vector<model::switch_state>> switch_changes(std::size_t limit) = 0;
  /// What waits at gates, in order of runs and tasks.
  virtual expected<std::vector<waiting_gate>> waiting_gates() = 0;
  virtual expected<std::int64_t> last_seq() = 0;
  /// Reads the whole database: what is wrong with it, the first few findings; empty when nothing
  /// is.
  virtual expected<std::vector<std::string>> damage() = 0;
};

} // namespace sluice::storage

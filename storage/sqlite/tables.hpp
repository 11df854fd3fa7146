// What is done to each table, for the writer and the readers: the only SQL of the hot path. All of
// it throws SQLite::Exception (or `unreadable_row`) and is called inside `guarded`, the writing
// half inside a transaction too. A `bool` says whether the change applied: it does not when the
// row is not where the record expects it (the fence), and then nothing was changed.
#pragma once

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/guarded.hpp"
#include "storage/store.hpp"

namespace sluice::storage::sqlite {

// --- meta ---

struct meta_mark {
  commit_mark commit;
  std::int64_t last_seq = 0;
};
meta_mark select_mark(connection& db);
void update_mark(connection& db, const meta_mark& mark);

// --- workflow, workflow_version ---

struct workflow_version {
  const model::workflow_spec& workflow;
  const std::string& content_hash;
  std::string source; ///< the file it was read from, or empty
};
/// The id of the version that a run is one of; stores what of it is new. A version that was stored
/// before keeps the source it came with.
std::int64_t ensure_version(connection& db, const workflow_version& wanted, model::wall_time at);

/// The specification as JSON text, and the source. Nothing when there is no such run.
std::optional<std::string> select_spec(connection& db, model::run_no run);
std::optional<std::string> select_source(connection& db, model::run_no run);

// --- run ---

void insert_run(connection& db, const model::run_created& r, std::int64_t version_id,
                std::int64_t first_seq);
bool move_run(connection& db, const model::run_moved& r);
/// From now on the run is one of another version. Returns false, and changes nothing, when its
/// tasks are not those that others are to come after.
bool change_version(connection& db, const model::tasks_added& r, std::int64_t version_id);
/// From now on the run is rolled back; one that had ended begins anew with the event of this seq.
void roll_back_run(connection& db, const model::run_moved& r, std::int64_t seq);
bool pause_run(connection& db, const model::run_paused& r);
/// The generation begins with the event of this seq.
bool retry_run(connection& db, const model::run_retried& r, std::int64_t seq);

/// What a group of steps changed of a run beside its state: written once, at its end.
struct run_progress {
  const model::state_counts* counts = nullptr; ///< null: as they were
  std::optional<model::wall_time> first_dispatch;
  std::int64_t last_seq = 0; ///< of its last event in the group
};
void update_progress(connection& db, model::run_no run, const run_progress& progress);

/// Whatever they say now.
void mend_run(connection& db, const mended_run& run);
void mend_task(connection& db, model::run_no run, const mended_run::task& task);

struct prunable_run {
  model::run_no run_no;
  std::int64_t events = 0; ///< at most
};
/// Runs that ended before a time, but for the newest and those whose key still stands; and the runs
/// that are part of them, before them.
std::vector<prunable_run> select_prunable(connection& db, model::wall_time ended_before,
                                          model::wall_time now);
/// With all that is stored of it in any table but for its keys.
void delete_run(connection& db, model::run_no run);
void delete_expired_keys(connection& db, model::wall_time now);

model::run_no select_next_run_no(connection& db);
std::vector<run_row> select_runs(connection& db, const run_query& wanted);
std::optional<run_row> select_run(connection& db, model::run_no run);
/// JSON text, or empty. Nothing when there is no such run.
std::optional<std::string> select_results(connection& db, model::run_no run);
std::vector<model::child_run> select_children(connection& db, model::task_key task);

// --- idempotency ---

/// From now on the key stands for this run.
void insert_key(connection& db, const model::idempotency_key& key, model::run_no run,
                model::wall_time at);
/// Or for this task, which starts or has succeeded.
void insert_key(connection& db, const std::string& digest, model::task_key task,
                model::wall_time at);
/// Keys that stand for tasks of the run.
std::unordered_map<std::uint32_t, std::string> select_keys(connection& db, model::run_no run);
std::optional<model::keyed_run> select_keyed_run(connection& db, const std::string& digest,
                                                 model::wall_time now);
std::optional<model::keyed_result> select_keyed_result(connection& db, const std::string& digest,
                                                       model::wall_time now);

// --- task, task_text ---

void insert_tasks(connection& db, const model::run_created& r);
/// They are of the run's generation.
void insert_tasks(connection& db, const model::tasks_added& r);
bool dispatch_task(connection& db, const model::attempt_dispatched& r);
bool end_task(connection& db, const model::attempt_outcome& outcome);
bool move_task(connection& db, const model::task_moved& r);
/// Its failure goes, unless that is what it is marked as.
bool mark_task(connection& db, const model::task_marked& r);
bool reuse_result(connection& db, const model::task_reused& r);
bool pass_gate(connection& db, const model::gate_passed& r);
/// Keeps nothing of the task but its attempts.
bool retry_held_task(connection& db, const model::held_retried& r);
bool reset_task(connection& db, const model::task_reset& r);
/// Whether the task exists and got as far as this attempt.
bool has_reached(connection& db, const model::attempt_key& key);
/// Whether this is the task's current attempt, and under way.
bool is_under_way(connection& db, const model::attempt_key& key);

/// Instances have the name of the task they are of; those that are superseded are left out.
std::vector<task_row> select_tasks(connection& db, const task_query& wanted);
/// Fills in the tasks of a run that was read.
void select_stored_tasks(connection& db, model::stored_run& run);
/// Of a task of the specification.
std::optional<std::uint32_t> select_task_idx(connection& db, model::run_no run,
                                             const std::string& name);
/// Of an instance, that of its task. @pre there is such a task
std::string select_task_name(connection& db, model::task_key task);
/// Of the tasks of the specification.
std::vector<std::string> select_task_names(connection& db, model::run_no run);
/// JSON text, empty when nothing was put out; nothing when there is no such task.
std::optional<std::string> select_outputs(connection& db, model::task_key task);

// --- fan_out ---

/// The instances are tasks from now on.
bool expand_task(connection& db, const model::task_expanded& r);
/// What the task was fanned out into counts no more, and keeps nothing but its attempts.
void supersede_instances(connection& db, model::task_key task);
/// Changes whenever what tasks of a run are fanned out into does.
struct fan_out_mark {
  std::int64_t count = 0;
  std::int64_t superseded = 0;
  friend bool operator==(const fan_out_mark&, const fan_out_mark&) = default;
};
fan_out_mark select_fan_out_mark(connection& db, model::run_no run);
/// Ascending; throws `unreadable_row`.
std::vector<model::instance_range> select_fan_outs(connection& db, model::run_no run);
/// See `reader::outputs`; nothing when the task is not fanned out.
std::optional<model::value> select_instance_outputs(connection& db, model::task_key task);

// --- attempt ---

void insert_attempt(connection& db, const model::attempt_dispatched& r);
void end_attempt(connection& db, const model::attempt_outcome& outcome);
std::vector<attempt_row> select_attempts(connection& db, model::task_key task);
void note_usage(connection& db, const model::usage_noted& r);
/// What the attempts of a run have used, in whichever generation.
std::vector<model::used_by_attempt> select_used(connection& db, model::run_no run);

// --- checkpoint ---

/// Puts it in the place of the one the task had.
void upsert_checkpoint(connection& db, const model::checkpoint_saved& r);
void delete_checkpoint(connection& db, model::task_key task);
std::optional<checkpoint_row> select_checkpoint(connection& db, model::task_key task);
checkpoint_totals select_checkpoint_totals(connection& db);

// --- snapshot ---

void insert_snapshot(connection& db, const model::snapshot_saved& r);
void delete_snapshot(connection& db, model::task_key task);
std::optional<snapshot_row> select_snapshot(connection& db, model::task_key task);
/// Which tasks of a run that was read have one.
void select_stored_snapshots(connection& db, model::stored_run& run);

// --- completion ---

/// The attempt has succeeded, with the event of this seq, and can be compensated.
void insert_completion(connection& db, const model::attempt_key& key, std::int64_t seq);
void delete_completion(connection& db, model::task_key task);
/// Fills in those of a run whose tasks are filled in.
void select_completions(connection& db, model::stored_run& run);

// --- breaker ---

/// Of the task's kind: of the tasks of its name in all runs of its workflow.
void change_breaker(connection& db, model::task_key task, const model::breaker_state& to);
std::vector<model::stored_breaker> select_breakers(connection& db);
std::optional<model::breaker_state> select_breaker(connection& db, model::run_no run,
                                                   const std::string& task);

// --- store_limit, attempt: capacity ---

/// Without an amount: none is set any more.
void set_store_limit(connection& db, const model::store_limit& to);
/// In order of kinds and names. Throws `unreadable_row`.
std::vector<model::store_limit> select_store_limits(connection& db);
/// With what was started since a time. Throws `unreadable_row`.
model::stored_capacity select_capacity(connection& db, model::wall_time since);
/// Throws `unreadable_row`.
model::capacity_grant read_grant(const std::string& text);
// --- awaited, signal ---

/// What the task waits for from now on.
void insert_awaited(connection& db, const model::task_moved& r);
void delete_awaited(connection& db, model::task_key task);
std::optional<model::awaited> select_awaited(connection& db, model::task_key task);
std::vector<waiting_gate> select_waiting_gates(connection& db);
/// Of the tasks of a run that wait for a quota, since when.
std::unordered_map<std::uint32_t, model::wall_time> select_waiting_since(connection& db,
                                                                         model::run_no run);
void set_switch(connection& db, const model::switch_state& to);
std::vector<model::switch_state> select_switches(connection& db);
/// The newest first.
std::vector<model::switch_state> select_switch_changes(connection& db, std::size_t limit);
void insert_pass(connection& db, const model::quota_pass& pass);
std::vector<model::quota_pass> select_passes(connection& db);
/// It does not apply to a run that has ended.
bool insert_signal(connection& db, const model::signal_received& r);
void delete_signal(connection& db, model::run_no run, std::uint64_t number);
std::vector<model::kept_signal> select_signals(connection& db, model::run_no run);

// --- event ---

void insert_event(connection& db, std::int64_t seq, const model::event& e);
std::int64_t select_last_seq(connection& db);
/// Without the names of instances.
std::vector<model::event> select_events(connection& db, const event_query& wanted);

// --- timer ---

void insert_timer(connection& db, const model::timer& set);
void delete_timer(connection& db, const model::timer& removed);
std::vector<model::timer> select_timers(connection& db, model::run_no run);

// --- columns that several tables have ---

/// `columns` is the number of the first of: class, code, message.
std::optional<model::failure> read_failure(query& row, int columns);
/// JSON text that we wrote. Throws `unreadable_row`.
model::value read_json(const std::string& text);
/// A limit as SQLite takes it.
std::int64_t limit_of(std::size_t limit);

} // namespace sluice::storage::sqlite

// Every typed actor interface: the protocol on a few pages. Roles are in CAPITALS. A peer gets the
// narrowest role it needs. Each handler says what it does, when it answers, and whether repeating
// it is safe.
#pragma once

#include "actors/messages.hpp"

#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace sluice::actors {

// --- SCHEDULER ----------------------------------------------------------------------------------

struct executor_ready;

/// STATUS CHANNEL: how executors and workers tell what becomes of attempts. Bounded by credit: an
/// attempt has at most one unacknowledged final report, and the acknowledgement follows the commit.
/// Repeating a report is safe: what is not of the current attempt is dropped and counted.
using status_channel_actor = caf::typed_actor<
  // The process runs.
  caf::reacts_to<model::attempt_started>,
  // It has what its task's rollback is to put back, and waits. Answered by `go_on` when that is
  // stored.
  caf::reacts_to<model::snapshot_taken>,
  // Its action has succeeded, and what that did is validated; the attempt goes on.
  caf::reacts_to<model::attempt_validating>,
  // The attempt's time is over, or it is silent; a `stop_attempt` follows when that is recorded.
  caf::reacts_to<model::attempt_timed_out>,
  // How far an attempt says it is; at most one a second of each.
  caf::reacts_to<model::progress_told>,
  // Notes what an attempt has used so far.
  caf::reacts_to<model::usage_told>,
  // The attempt is over, nothing of it runs any more. Answered by `acknowledge_report`.
  caf::reacts_to<model::attempt_finished>,
  // An attempt's progress. Answered when it is durable, or a later one of the same attempt is:
  // those that come within a second of the last save wait, and the latest of them is saved. Errors:
  // `conflict` when the attempt is not the current one, `invalid_argument` for what is too large.
  caf::replies_to<save_checkpoint>::with<checkpoint_kept>,
  // An executor has started, or has heard of a new scheduler: it takes attempts from now on. Those
  // that it does not name are lost.
  caf::reacts_to<executor_ready>>;

/// RUN CONTROL: what the surface asks for. Answers come after the commit.
using run_control_actor = caf::typed_actor<
  // Starts a run, or answers with the one that its key stands for. Without a key it is not safe to
  // repeat. Errors: `invalid_argument`, `unavailable` when too many wait or keys cannot be looked
  // up, `conflict` when the key stands for a run of something else.
  caf::replies_to<submit_run>::with<run_accepted>,
  // Cancels a live run; again with `immediate` it kills at once. Errors: `not_found`.
  caf::replies_to<cancel_run>::with<run_accepted>,
  // What an operator asks of a run; one that is not in progress is read back for it. Not safe to
  // repeat. Errors: `not_found`, `conflict` when the run is in no state for it, `invalid_argument`.
  caf::replies_to<control_run>::with<run_controlled>,
  // What people ask about a live run; changes nothing. Errors: `not_found`.
  caf::replies_to<ask_run>::with<run_answered>,
  // Starts nothing any more; answers when nothing is under way. Safe to repeat: `stop` after
  // `finish` stops what is left.
  caf::replies_to<drain>::with<drained_all>>;

/// COMMIT LISTENER: what BATCH WRITER tells.
using commit_listener_actor = caf::typed_actor<
  // Releases the effects of all steps up to this one. Safe to repeat.
  caf::reacts_to<committed>,
  // A new writer says where the store stands; what follows is sent to it again.
  caf::reacts_to<last_commit_reported>>;

/// TIMER LISTENER: what TIMER SERVICE tells.
using timer_listener_actor = caf::typed_actor<
  // A timer has come due. Safe to repeat: one that is not set any more changes nothing.
  caf::reacts_to<model::timer_fired>>;

struct use_batch_writer;
struct use_readers;
struct use_timer_service;

/// SCHEDULER: owns scheduler_core. Spawned by HOST, from what the store holds of its runs; when it
/// dies another one takes them up, while the executors keep what runs.
using scheduler_actor = status_channel_actor::extend_with<run_control_actor>::
  extend_with<commit_listener_actor>::extend_with<timer_listener_actor>::extend<
    // HOST replaced the writer (or started it).
    caf::reacts_to<use_batch_writer>,
    // HOST replaced the readers.
    caf::reacts_to<use_readers>,
    // HOST started or replaced TIMER SERVICE, or this scheduler: it is told all timers that are
    // set.
    caf::reacts_to<use_timer_service>,
    // INTERNAL: the pause after a failed read is over.
    caf::reacts_to<load_again>, caf::reacts_to<load_run_again>, caf::reacts_to<look_up_again>,
    caf::reacts_to<resume_again>,
    // INTERNAL: a second has passed since a save of the attempt.
    caf::reacts_to<model::checkpoint_pause_over>,
    // INTERNAL: some of a rate has come back; only the last one asked for counts.
    caf::reacts_to<model::wake_up>>;

// --- BATCH WRITER -------------------------------------------------------------------------------

struct use_event_hub;

/// BATCH WRITER: the only actor that writes to the store.
/// Spawned by HOST (detached: SQL blocks), used by SCHEDULER.
using batch_writer_actor = caf::typed_actor<
  // Queues the records of one scheduler step. `committed` follows after the commit that holds it,
  // and `published` to EVENT HUB. Steps come in order; one that is committed already is ignored.
  caf::reacts_to<record_step>,
  // Answers `last_commit_reported` to the scheduler.
  caf::reacts_to<report_last_commit>,
  // Where `published` goes from now on.
  caf::reacts_to<use_event_hub>,
  // INTERNAL: the mailbox has been read up to here, commit what is queued.
  caf::reacts_to<drained>>;

// --- TIMER SERVICE ------------------------------------------------------------------------------

/// All timers that are set, and who wants to know when they are due.
struct watch_timers {
  timer_listener_actor listener;
  std::vector<model::timer> timers;
};

/// TIMER SERVICE: tells SCHEDULER when a durable timer is due; one that is overdue, at once. Has
/// one wake-up armed, for the earliest. Spawned by HOST; when it or SCHEDULER was restarted it is
/// told all timers.
using timer_service_actor = caf::typed_actor<
  // Replaces listener and timers. Safe to repeat.
  caf::reacts_to<watch_timers>,
  // Timers that are stored now, or no longer. Safe to repeat.
  caf::reacts_to<model::change_timers>,
  // INTERNAL: the earliest timer may be due.
  caf::reacts_to<deadline_passed>>;

// --- executors ----------------------------------------------------------------------------------

struct use_status_channel;

/// EXECUTOR: what SCHEDULER asks of PROCESS EXECUTOR and FUNCTION EXECUTOR alike.
using executor_actor = caf::typed_actor<
  // Starts an attempt that is recorded as dispatched. A key it has already is ignored.
  caf::reacts_to<launch_attempt>,
  // The attempt's snapshot is stored: starts its action. Others are ignored.
  caf::reacts_to<model::go_on>,
  // Stops an attempt; unknown ones are ignored. Safe to repeat, `immediate` shortens the grace.
  caf::reacts_to<model::stop_attempt>,
  // The attempt's final report is durable: forget it.
  caf::reacts_to<model::acknowledge_report>,
  // The attempt lives: its silence is counted anew, and what it says is kept. Errors: `conflict`
  // when it is over or unknown.
  caf::replies_to<model::sign_of_life>::with<sign_taken>,
  // HOST replaced the scheduler: says `executor_ready` to the new one, and tells again what was not
  // acknowledged.
  caf::reacts_to<use_status_channel>>;

/// PROCESS EXECUTOR: owns the workers and the clocks of their attempts.
/// Spawned by HOST; when it dies its processes are killed and its attempts are lost.
using process_executor_actor = executor_actor::extend<
  // INTERNAL: from the launcher, handed on to each attempt's worker.
  caf::reacts_to<process_news>,
  // INTERNAL: a second has passed since an attempt's progress was told.
  caf::reacts_to<progress_pause_over>,
  // INTERNAL: the earliest timeout may have come.
  caf::reacts_to<deadline_passed>>;

/// PROCESS WORKER: owns one attempt at a time, from its start to the acknowledgement of its report.
/// Spawned by PROCESS EXECUTOR; when it dies its process is killed and its attempt is lost.
using process_worker_actor = caf::typed_actor<
  // The process runs; tells the status channel.
  caf::reacts_to<process_started>,
  // The process of its validation runs; tells the status channel.
  caf::reacts_to<process_validating>,
  // The process group is gone; sends the final report.
  caf::reacts_to<process_ended>,
  // TERM and KILL after the grace, or KILL at once.
  caf::reacts_to<stop_process>,
  // The report is durable: removes working files, and is free for another attempt.
  caf::reacts_to<report_committed>,
  // HOST replaced the scheduler: sends the final report again, if there is one.
  caf::reacts_to<use_status_channel>,
  // INTERNAL: KILL.
  caf::reacts_to<grace_over>>;

/// FUNCTION WORKER: runs one blocking native handler at a time. Spawned by HOST (detached: handlers
/// block) when FUNCTION EXECUTOR asks for one, and linked to it.
using function_worker_actor = caf::typed_actor<
  // Runs the handler to its end; answers with `call_ended` to the sender.
  caf::reacts_to<run_call>>;

/// FUNCTION EXECUTOR: native handlers by name; asynchronous ones here, blocking ones on workers.
/// Spawned by HOST; when it dies its attempts are lost.
using function_executor_actor = executor_actor::extend<
  // INTERNAL: from a worker's handler, handed on to the status channel, also to the next one.
  caf::replies_to<save_checkpoint>::with<checkpoint_kept>,
  // INTERNAL: a worker's call is over.
  caf::reacts_to<call_ended>,
  // INTERNAL: the earliest timeout or asynchronous end may have come.
  caf::reacts_to<deadline_passed>>;

struct executor_ready {
  model::executor_kind kind = model::executor_kind::process;
  executor_actor executor;
  std::vector<model::attempt_key> attempts; ///< that it has, with their reports if they are over
};

// --- reading and watching -----------------------------------------------------------------------

/// READERS: read-only snapshots. Spawned by HOST (detached: SQL blocks).
using readers_actor = caf::typed_actor<
  // The outputs of a task. Errors: those of `storage::reader`.
  caf::replies_to<read_outputs>::with<outputs_read>,
  // What a task saved last.
  caf::replies_to<read_checkpoint>::with<checkpoint_read>,
  // What a task's rollback is to put back. Errors: `not_found`.
  caf::replies_to<read_snapshot>::with<snapshot_read>,
  // Which run a key stands for.
  caf::replies_to<read_key>::with<key_read>,
  // Which task a key stands for, and what it put out.
  caf::replies_to<read_result>::with<result_read>,
  // Committed events after a seq, in order.
  caf::replies_to<read_events>::with<events_read>,
  // One run, finished or not. Errors: `not_found`.
  caf::replies_to<read_run>::with<run_read>,
  // The unfinished runs of this host.
  caf::replies_to<read_runs>::with<runs_read>>;

/// EVENT SUBSCRIBER: hands events to one callback. Spawned by HOST for each watcher.
using event_subscriber_actor = caf::typed_actor<
  // Calls back, then gives the hub one credit.
  caf::reacts_to<events_published>,
  // HOST replaced the hub: subscribe there, from where this one got to.
  caf::reacts_to<use_event_hub>>;

struct subscribe_events {
  event_subscriber_actor subscriber;
  std::int64_t after_seq = 0;
};
struct grant_credit {
  event_subscriber_actor subscriber;
};

/// EVENT HUB: hands committed events to subscribers, each with a bounded number of batches in
/// flight; one that falls behind is served from the table, from its cursor, and delays nobody.
/// Spawned by HOST; after a restart subscribers come again with their cursor.
using event_hub_actor = caf::typed_actor<
  // New events, from BATCH WRITER, in order of seq; a gap is read from the table.
  caf::reacts_to<published>,
  // Serves a subscriber from its cursor on. Safe to repeat.
  caf::reacts_to<subscribe_events>,
  // A batch was consumed.
  caf::reacts_to<grant_credit>,
  // HOST replaced the readers.
  caf::reacts_to<use_readers>,
  // INTERNAL: the pause after a failed read is over.
  caf::reacts_to<read_again>>;

// --- the tree -----------------------------------------------------------------------------------

struct use_batch_writer {
  batch_writer_actor writer;
};
struct use_status_channel {
  status_channel_actor scheduler;
};
struct use_event_hub {
  event_hub_actor hub;
};
struct use_readers {
  readers_actor readers;
};
struct use_timer_service {
  timer_service_actor timers;
};

/// HOST: spawns, watches, restarts and stops all of the above.
using host_actor = caf::typed_actor<
  // Hands on to SCHEDULER and calls back with the answer.
  caf::reacts_to<host_submit>, caf::reacts_to<host_cancel>, caf::reacts_to<host_control>,
  caf::reacts_to<host_ask>,
  // The same; tells a new scheduler too.
  caf::reacts_to<host_drain>, caf::reacts_to<host_save_checkpoint>,
  // Hands on to PROCESS EXECUTOR.
  caf::reacts_to<host_sign>,
  // Hands on to READERS.
  caf::reacts_to<host_read_checkpoint>,
  // Starts and ends a watch of all events from the start of the host on.
  caf::reacts_to<host_watch>, caf::reacts_to<host_unwatch>,
  // INTERNAL: the pause before a restart is over.
  caf::reacts_to<restart_child>,
  // INTERNAL: the processes of a dead PROCESS EXECUTOR are gone.
  caf::reacts_to<attempts_gone>>;

} // namespace sluice::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::subscribe_events)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::grant_credit)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::use_batch_writer)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::use_status_channel)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::executor_ready)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::use_event_hub)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::use_readers)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::use_timer_service)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::actors::watch_timers)

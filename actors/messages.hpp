// Every message of the protocol that interfaces.hpp lays out. Commands are imperative, events past
// tense. All are local to the process: CAF moves them by reference count and never serialises them.
// Structs of model/event.hpp and model/command.hpp travel as they are.
#pragma once

#include "actors/live_runs.hpp"
#include "executors/launcher.hpp"
#include "logic/commit_window.hpp"
#include "model/command.hpp"
#include "model/event.hpp"
#include "model/question.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/fwd.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

namespace sluice::actors {

// --- runs ---

struct submit_run {
  std::shared_ptr<const model::submission> what;
};
struct cancel_run {
  model::run_no run_no;
  model::cancel_mode mode = model::cancel_mode::graceful;
  std::string actor;
};
struct control_run {
  model::run_no run_no;
  model::control what;
  std::string actor;
};
/// The answer: it is durable.
struct run_controlled {
  model::control_result result;
};
/// Asks something about a run in progress.
struct ask_run {
  model::run_no run_no;
  model::question what;
};
struct run_answered {
  model::value answer;
};
/// Ends what is under way, or lets it end, and starts nothing any more.
struct drain {
  model::drain_mode mode = model::drain_mode::finish;
};
/// The answer: nothing is under way, and all of it is recorded.
struct drained_all {};
/// The answer to the others: durable when it arrives.
struct run_accepted {
  model::run_no run_no;
};

/// Keeps the progress of an attempt for its task's next one.
struct save_checkpoint {
  model::attempt_key key;
  model::checkpoint_ptr what;
};
/// The answer: it is durable, or a later one of the attempt is.
struct checkpoint_kept {};

// --- commits ---

struct record_step {
  logic::step_ptr step;
};
struct drained {};
/// Everything up to this step of this incarnation is durable.
struct committed {
  std::uint64_t step = 0;
};
/// A new writer asks nothing and is asked this first.
struct report_last_commit {};
struct last_commit_reported {
  std::uint64_t step = 0; ///< of this incarnation; 0: none
};
/// The steps were committed; their first event has this seq. Without steps: the events before this
/// seq are to be read from the table.
struct published {
  std::int64_t first_seq = 0;
  std::shared_ptr<const std::vector<logic::step_ptr>> steps;
};

// --- attempts ---

struct launch_attempt {
  std::shared_ptr<const model::start_attempt> what;
};
struct process_started {
  model::attempt_key key;
};
struct process_validating {
  model::attempt_key key;
};
struct process_ended {
  std::shared_ptr<const model::attempt_report> report;
};
struct process_news {
  std::shared_ptr<const executors::launch_news> news;
};
struct sign_taken {};
/// To oneself: an attempt's next progress may be told.
struct progress_pause_over {
  model::attempt_key key;
};
struct stop_process {
  model::attempt_key key;
  model::cancel_mode mode = model::cancel_mode::graceful;
};
struct grace_over {
  model::attempt_key key;
};
struct report_committed {};
struct deadline_passed {};
struct run_call {
  std::shared_ptr<const model::start_attempt> what;
  std::stop_token stop;
};
struct call_ended {
  std::shared_ptr<const model::attempt_report> report;
};

// --- reading ---

/// To oneself: what could not be read is tried again.
struct read_again {};
struct load_again {
  model::load_outputs what;
};
struct look_up_again {
  model::look_up_key what;
};
struct load_run_again {
  model::load_run what;
};
/// To oneself: what an attempt needs that is to start is read again.
struct resume_again {
  std::shared_ptr<model::start_attempt> start;
};
struct read_outputs {
  model::task_key task;
};
struct outputs_read {
  model::value outputs;
};
struct read_checkpoint {
  model::task_key task;
};
/// Null: the task has none.
struct checkpoint_read {
  model::checkpoint_ptr what;
};
struct read_snapshot {
  model::task_key task;
};
struct snapshot_read {
  model::snapshot_ptr what;
};
struct read_key {
  std::string digest;
  model::wall_time now;
};
/// The run that the key stands for; nothing: none does.
struct key_read {
  std::optional<model::keyed_run> found;
};
struct read_result {
  std::string digest;
  model::wall_time now;
};
/// The task that the key stands for; nothing: none does.
struct result_read {
  std::optional<model::keyed_result> found;
};
struct read_events {
  std::int64_t after_seq = 0;
  std::size_t limit = 0;
};
/// In order of seq; fewer than the limit: there were no more.
struct events_read {
  std::shared_ptr<const std::vector<model::event>> events;
};

struct read_run {
  model::run_no run_no;
};
struct run_read {
  std::shared_ptr<const model::stored_run> run;
};
struct read_runs {
  run_ownership ours;
  model::wall_time now;
};
struct runs_read {
  live_runs found;
};

// --- watching ---

/// A batch for a subscriber, in order of seq, without gaps from batch to batch.
struct events_published {
  std::shared_ptr<const std::vector<model::event>> events;
};

// --- the tree: what HOST is asked, and what it tells ---

using completion = std::function<void(expected<model::run_no>)>;
struct host_submit {
  std::shared_ptr<const model::submission> what;
  completion done;
};
struct host_cancel {
  cancel_run what;
  completion done;
};
struct host_control {
  control_run what;
  std::function<void(expected<model::control_result>)> done;
};
struct host_ask {
  ask_run what;
  std::function<void(expected<model::value>)> done;
};
struct host_drain {
  drain what;
  std::function<void()> done;
};
struct host_save_checkpoint {
  save_checkpoint what;
  std::function<void(expected<void>)> done;
};
struct host_sign {
  model::sign_of_life what;
  std::function<void(expected<void>)> done;
};
struct host_read_checkpoint {
  read_checkpoint what;
  std::function<void(expected<model::checkpoint_ptr>)> done;
};
using event_callback = std::function<void(std::span<const model::event>)>;
struct host_watch {
  std::uint64_t id = 0;
  event_callback on_events;
};
struct host_unwatch {
  std::uint64_t id = 0;
};
enum class child : std::uint8_t {
  scheduler,
  batch_writer,
  process_executor,
  function_executor,
  event_hub,
  readers,
  timer_service
};
struct restart_child {
  child which = child::scheduler;
};
struct attempts_gone {
  model::milliseconds pause{0}; ///< before the restart
};

} // namespace sluice::actors

#define SLUICE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(sluice::type)
SLUICE_LOCAL_MESSAGE(model::attempt_started)
SLUICE_LOCAL_MESSAGE(model::snapshot_taken)
SLUICE_LOCAL_MESSAGE(model::attempt_validating)
SLUICE_LOCAL_MESSAGE(model::attempt_timed_out)
SLUICE_LOCAL_MESSAGE(model::attempt_finished)
SLUICE_LOCAL_MESSAGE(model::go_on)
SLUICE_LOCAL_MESSAGE(model::stop_attempt)
SLUICE_LOCAL_MESSAGE(model::acknowledge_report)
SLUICE_LOCAL_MESSAGE(model::change_timers)
SLUICE_LOCAL_MESSAGE(model::timer_fired)
SLUICE_LOCAL_MESSAGE(model::checkpoint_pause_over)
SLUICE_LOCAL_MESSAGE(model::wake_up)
SLUICE_LOCAL_MESSAGE(model::progress_told)
SLUICE_LOCAL_MESSAGE(model::usage_told)
SLUICE_LOCAL_MESSAGE(model::sign_of_life)
SLUICE_LOCAL_MESSAGE(actors::submit_run)
SLUICE_LOCAL_MESSAGE(actors::cancel_run)
SLUICE_LOCAL_MESSAGE(actors::control_run)
SLUICE_LOCAL_MESSAGE(actors::run_controlled)
SLUICE_LOCAL_MESSAGE(actors::ask_run)
SLUICE_LOCAL_MESSAGE(actors::run_answered)
SLUICE_LOCAL_MESSAGE(actors::drain)
SLUICE_LOCAL_MESSAGE(actors::drained_all)
SLUICE_LOCAL_MESSAGE(actors::run_accepted)
SLUICE_LOCAL_MESSAGE(actors::save_checkpoint)
SLUICE_LOCAL_MESSAGE(actors::checkpoint_kept)
SLUICE_LOCAL_MESSAGE(actors::record_step)
SLUICE_LOCAL_MESSAGE(actors::drained)
SLUICE_LOCAL_MESSAGE(actors::committed)
SLUICE_LOCAL_MESSAGE(actors::report_last_commit)
SLUICE_LOCAL_MESSAGE(actors::last_commit_reported)
SLUICE_LOCAL_MESSAGE(actors::published)
SLUICE_LOCAL_MESSAGE(actors::launch_attempt)
SLUICE_LOCAL_MESSAGE(actors::process_started)
SLUICE_LOCAL_MESSAGE(actors::process_validating)
SLUICE_LOCAL_MESSAGE(actors::process_ended)
SLUICE_LOCAL_MESSAGE(actors::process_news)
SLUICE_LOCAL_MESSAGE(actors::sign_taken)
SLUICE_LOCAL_MESSAGE(actors::progress_pause_over)
SLUICE_LOCAL_MESSAGE(actors::stop_process)
SLUICE_LOCAL_MESSAGE(actors::grace_over)
SLUICE_LOCAL_MESSAGE(actors::report_committed)
SLUICE_LOCAL_MESSAGE(actors::deadline_passed)
SLUICE_LOCAL_MESSAGE(actors::run_call)
SLUICE_LOCAL_MESSAGE(actors::call_ended)
SLUICE_LOCAL_MESSAGE(actors::read_again)
SLUICE_LOCAL_MESSAGE(actors::load_again)
SLUICE_LOCAL_MESSAGE(actors::look_up_again)
SLUICE_LOCAL_MESSAGE(actors::load_run_again)
SLUICE_LOCAL_MESSAGE(actors::resume_again)
SLUICE_LOCAL_MESSAGE(actors::read_outputs)
SLUICE_LOCAL_MESSAGE(actors::outputs_read)
SLUICE_LOCAL_MESSAGE(actors::read_checkpoint)
SLUICE_LOCAL_MESSAGE(actors::checkpoint_read)
SLUICE_LOCAL_MESSAGE(actors::read_snapshot)
SLUICE_LOCAL_MESSAGE(actors::snapshot_read)
SLUICE_LOCAL_MESSAGE(actors::read_key)
SLUICE_LOCAL_MESSAGE(actors::key_read)
SLUICE_LOCAL_MESSAGE(actors::read_result)
SLUICE_LOCAL_MESSAGE(actors::result_read)
SLUICE_LOCAL_MESSAGE(actors::read_events)
SLUICE_LOCAL_MESSAGE(actors::events_read)
SLUICE_LOCAL_MESSAGE(actors::read_run)
SLUICE_LOCAL_MESSAGE(actors::run_read)
SLUICE_LOCAL_MESSAGE(actors::read_runs)
SLUICE_LOCAL_MESSAGE(actors::runs_read)
SLUICE_LOCAL_MESSAGE(actors::events_published)
SLUICE_LOCAL_MESSAGE(actors::host_submit)
SLUICE_LOCAL_MESSAGE(actors::host_cancel)
SLUICE_LOCAL_MESSAGE(actors::host_control)
SLUICE_LOCAL_MESSAGE(actors::host_ask)
SLUICE_LOCAL_MESSAGE(actors::host_drain)
SLUICE_LOCAL_MESSAGE(actors::host_save_checkpoint)
SLUICE_LOCAL_MESSAGE(actors::host_sign)
SLUICE_LOCAL_MESSAGE(actors::host_read_checkpoint)
SLUICE_LOCAL_MESSAGE(actors::host_watch)
SLUICE_LOCAL_MESSAGE(actors::host_unwatch)
SLUICE_LOCAL_MESSAGE(actors::restart_child)
SLUICE_LOCAL_MESSAGE(actors::attempts_gone)
#undef SLUICE_LOCAL_MESSAGE

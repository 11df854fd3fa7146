// The facade of a running node: composes store, guard, processes and actors, and offers the calls
// that the command line and programs make. Its functions may be called from any thread, but not
// from a callback; callbacks run on an actor's thread and must be quick.
#pragma once

#include "executors/function_registry.hpp"
#include "model/event.hpp"
#include "model/question.hpp"
#include "storage/open.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace sluice::runtime {

struct orchestrator_options {
  std::filesystem::path store_dir = ".sluice";
  std::uint32_t slots = 0;           ///< attempts at once; 0: the smaller of 4 and the CPUs
  std::uint32_t most_slots = 0;      ///< while many are ready, when it is more
  model::resource_amounts resources; ///< in the place of, or beside, what this node has
  model::placement placement = model::placement::best_fit; ///< of parts of a graphics processor
  std::string command;                 ///< shown to whoever finds the store held
  std::filesystem::path guard_program; ///< empty: beside the executable, else as installed
  storage::durability durability = storage::durability::full;
  std::shared_ptr<const executors::function_registry> functions; ///< null: the built-in ones
  /// Makes the socket that tasks are told of, at this path, before any of them runs; whoever starts
  /// the node serves the API there. Null: tasks have no socket.
  std::function<expected<void>(const std::filesystem::path& socket)> open_socket;
  std::vector<model::run_no> resume;   ///< unfinished runs to take up; all others are left alone
  std::function<void(error)> on_fatal; ///< the node cannot go on; called once
};

/// Ends a watch when it goes.
class subscription {
public:
  subscription() = default;
  explicit subscription(std::function<void()> end) : end_(std::move(end)) {}
  subscription(subscription&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
  subscription& operator=(subscription&& other) noexcept {
    std::swap(end_, other.end_);
    return *this;
  }
  ~subscription() {
    if (end_)
      end_();
  }

private:
  std::function<void()> end_;
};

class orchestrator {
public:
  /// Takes the store's lock, starts the guard, opens the store, starts the actors. Errors: those of
  /// `store_lock::acquire`, `open_store`, `check_resumable`, `open_socket` and the guard
  /// (`not_found` when its program is missing).
  static expected<std::unique_ptr<orchestrator>> start(orchestrator_options options);
  /// As `stop`.
  ~orchestrator();

  using completion = std::function<void(expected<model::run_no>)>;
  /// Starts a run; calls back when it is durable, which takes as long as the store does. Errors:
  /// `invalid_argument`, `unavailable`, `timeout`.
  void submit(model::submission what, completion done);
  /// The same, waiting for it.
  expected<model::run_no> submit(model::submission what);
  /// Asks for a run's cancellation and returns at once; the run's events tell what comes of it.
  void cancel(model::run_no run, model::cancel_mode mode, std::string actor);
  /// The same; calls back when it is recorded. Errors: `not_found` when the run is not in progress.
  void cancel(model::run_no run, model::cancel_mode mode, std::string actor, completion done);

  /// What an operator asks of a run, in progress or not; calls back when it is recorded. Errors:
  /// `not_found`, `conflict` when the run is in no state for it, `invalid_argument`, `unavailable`,
  /// `timeout`.
  void ask(model::run_no run, model::question what,
           std::function<void(expected<model::value>)> done);
  void control(model::run_no run, model::control what, std::string actor,
               std::function<void(expected<model::control_result>)> done);

  const std::filesystem::path& store_dir() const;

  /// Whose token this is; nothing for what this node did not hand out.
  std::optional<model::attempt_key> attempt_of(std::string_view token) const;

  /// Starts nothing any more; calls back when nothing is under way and all of it is recorded. Runs
  /// stay as they are, to be resumed. Repeat it with `stop` to stop what is left: both call back.
  void drain(model::drain_mode mode, std::function<void()> done);
  /// Keeps progress of an attempt; calls back when it, or a later one of the same attempt, is
  /// durable. Errors: `conflict` when it is not its task's current attempt, `invalid_argument` for
  /// what is too large, `unavailable`, `timeout`.
  void save_checkpoint(model::attempt_key key, model::checkpoint what,
                       std::function<void(expected<void>)> done);
  /// What a task saved last; null when it has nothing.
  void read_checkpoint(model::task_key task,
                       std::function<void(expected<model::checkpoint_ptr>)> done);

  /// A process says that it lives, and perhaps more. Errors: `conflict` when its attempt is not
  /// under way.
  void hear(model::sign_of_life what, std::function<void(expected<void>)> done);

  using event_callback = std::function<void(std::span<const model::event>)>;
  /// All events committed since the start, in order.
  subscription watch(event_callback on_events);

  /// Kills what still runs, ends the actors, says goodbye to the guard. Safe to repeat.
  void stop();

private:
  struct parts;
  explicit orchestrator(std::unique_ptr<parts> p);
  std::unique_ptr<parts> parts_;
};

/// The built-in native handlers' names: what `call` may name when no program adds its own.
bool has_builtin_handler(std::string_view name);

} // namespace sluice::runtime

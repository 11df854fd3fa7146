// HOST: composes the actors, watches them, restarts what may be restarted, and stops them in order.
// For the runtime, which knows no CAF: calls take a completion that runs on an actor's thread and
// must not block it.
#pragma once

#include "actors/options.hpp"
#include "model/event.hpp"
#include "model/question.hpp"

#include <functional>
#include <memory>
#include <span>

namespace sluice::actors {

class host {
public:
  /// Starts the tree. Errors: those of the store, when it cannot say where it stands.
  static expected<std::unique_ptr<host>> start(host_options options);
  /// As `stop`.
  ~host();

  using completion = std::function<void(expected<model::run_no>)>;
  /// Calls back when the run is durable. Errors: `invalid_argument`, `unavailable`, `timeout`.
  void submit(model::submission what, completion done);
  /// Calls back when the cancellation is recorded. Errors: `not_found` when the run is not live.
  void cancel(model::run_no run, model::cancel_mode mode, std::string actor, completion done);

  /// What an operator asks of a run, in progress or not; calls back when it is recorded. Errors:
  /// `not_found`, `conflict` when the run is in no state for it, `invalid_argument`, `unavailable`,
  /// `timeout`.
  /// What people ask about a run in progress. Errors: `not_found`.
  void ask(model::run_no run, model::question what,
           std::function<void(expected<model::value>)> done);
  void control(model::run_no run, model::control what, std::string actor,
               std::function<void(expected<model::control_result>)> done);

  /// Starts nothing any more; calls back when nothing is under way and all of it is recorded.
  /// Repeat it with `stop` to stop what is left: then both call back.
  void drain(model::drain_mode mode, std::function<void()> done);
  /// Calls back when the checkpoint is durable, or a later one of the same attempt is. Errors:
  /// `conflict` when it is not the task's current attempt, `invalid_argument`, `timeout`.
  void save_checkpoint(model::attempt_key key, model::checkpoint what,
                       std::function<void(expected<void>)> done);
  /// What a task saved last; null when it has nothing.
  void read_checkpoint(model::task_key task,
                       std::function<void(expected<model::checkpoint_ptr>)> done);

  /// A process says that it lives, and perhaps more. Errors: `conflict` when its attempt is not
  /// under way.
  void hear(model::sign_of_life what, std::function<void(expected<void>)> done);

  using event_callback = std::function<void(std::span<const model::event>)>;
  /// Every event committed since the start of this host, in order, in batches. Returns the id for
  /// `unwatch`, after which a call that is under way may still end.
  std::uint64_t watch(event_callback on_events);
  void unwatch(std::uint64_t id);

  /// Ends all actors. What runs is killed, and proven gone when this returns; what is not committed
  /// stays as it is in the store. Blocks; safe to repeat. Not to be called from a completion.
  void stop();

private:
  struct implementation;
  explicit host(std::unique_ptr<implementation> impl);
  std::unique_ptr<implementation> impl_;
};

} // namespace sluice::actors

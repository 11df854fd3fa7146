// One runtime of a scenario: the whole tree of actors on one thread in virtual time, over a
// database in memory, with scripted processes. It dies with the object, as a process dies.
#pragma once

#include "actors/host_actor.hpp"
#include "testing/actor_world.hpp"
#include "testing/faulty_store.hpp"
#include "testing/scripted_launcher.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sluice::testing {

struct scenario_node_options {
  std::string store_name;
  std::vector<model::run_no> resume; ///< runs that it takes up
  std::uint32_t slots = 4;
  std::uint32_t dispatch_ahead = 0;
  logic::breaker_options breaker;
  model::microseconds wall_offset{}; ///< added to the virtual wall time
};

class scenario_node : private actor_world {
public:
  /// Called before a process starts, with those that run or wait.
  using start_check =
    std::function<void(const model::start_attempt&, const std::vector<model::attempt_key>&)>;
  /// Called before the action of an attempt that has taken a snapshot begins.
  using go_on_check = std::function<void(const model::attempt_key&)>;
  /// `on_events` is called with what a subscriber sees.
  scenario_node(const scenario_node_options& options, start_check on_start, go_on_check on_go_on,
                actors::event_callback on_events);
  ~scenario_node();

  using actor_world::run_one;
  using actor_world::skip;
  using actor_world::waiting;

  model::wall_time wall() { return clock().wall() + wall_offset_; }
  void jump_to(model::microseconds wall_offset) { wall_offset_ = wall_offset; }

  faulty_store& store() { return *store_; }
  scripted_launcher& launcher();

  /// `content_hash` stands for the workflow. @pre its parameters have defaults
  void submit(std::shared_ptr<const model::workflow_spec> workflow, std::string content_hash,
              actors::completion done);
  void cancel(model::run_no run, model::cancel_mode mode);
  void control(model::run_no run, model::control what,
               std::function<void(expected<model::control_result>)> done);
  void save_checkpoint(model::attempt_key key, model::checkpoint what,
                       std::function<void(expected<void>)> done);

  /// An attempt says what it has used.
  void use(model::attempt_key key, model::value usage);

  /// Kills an actor of the tree; false when it is dead already.
  bool crash(actors::child which);
  /// Kills the worker of some attempt; false when there is none.
  bool crash_worker(std::size_t which);
  /// The tree cannot go on: a real process would have ended.
  bool has_given_up() const { return fatal_.has_value(); }

private:
  class checked_launcher;

  model::microseconds wall_offset_;
  std::shared_ptr<faulty_store> store_;
  std::shared_ptr<checked_launcher> launcher_;
  std::optional<error> fatal_;
  actors::host_actor host_;
};

} // namespace sluice::testing

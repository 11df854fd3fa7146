// Runs actors on one thread in virtual time: nothing happens until the test says so, and the clock
// is the test's alone. For tests of actors and of whole runtimes, ours and those of libsluice's
// users; knows no test framework. Never spawn detached in it.
#pragma once

#include "model/time.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace sluice::testing {

class actor_world {
public:
  actor_world();
  /// Ends all spawned actors: one that re-arms a timer would keep the system alive.
  ~actor_world();
  actor_world(const actor_world&) = delete;
  actor_world& operator=(const actor_world&) = delete;

  /// Spawns like `actor_system::spawn`; the actor ends with the world.
  template <class Behavior, class... Args>
  auto spawn(Behavior behavior, Args&&... args) {
    auto handle = system_.spawn(behavior, std::forward<Args>(args)...);
    spawned_.push_back(caf::actor_cast<caf::strong_actor_ptr>(handle));
    return handle;
  }

  /// Handles messages until none is left. Returns how many actors ran.
  std::size_t run();

  /// How many actors have something to do.
  std::size_t waiting() const;
  /// Lets one of them, counted from 0, handle one message: a caller that picks at random explores
  /// the orders in which messages may arrive. @pre which < waiting()
  void run_one(std::size_t which);

  /// Moves both clocks in one go: the timers on the way fire, but nobody handles them yet.
  void skip(model::milliseconds by);

  /// Moves both clocks, stopping at each timer on the way, so that timers armed there fire too.
  void advance(model::milliseconds by);

  /// What actors under test are given as their clock.
  model::clock clock();
  /// Where wall time starts: 2026-01-01T00:00:00Z.
  static model::wall_time start_of_time();

private:
  struct config : caf::actor_system_config {
    config();
  };

  config config_;

protected:
  caf::actor_system system_{config_};

private:
  caf::scheduler::test_coordinator& coordinator_;
  std::vector<caf::strong_actor_ptr> spawned_;

public:
  /// The test itself as an actor: sends, and receives what was sent to it.
  caf::scoped_actor self{system_};
};

} // namespace sluice::testing

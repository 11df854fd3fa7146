#include "testing/actor_world.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>

namespace sluice::testing {
namespace {

/// How far apart two stops of the clock may be: what is armed within one is late by at most this.
constexpr auto smallest_step = std::chrono::milliseconds{1};
constexpr auto largest_step = std::chrono::milliseconds{100};
constexpr auto fine_for = std::chrono::milliseconds{1000};

} // namespace

actor_world::config::config() {
  set("scheduler.policy", caf::atom("testing"));
  set("logger.verbosity", caf::atom("quiet"));
}

actor_world::actor_world()
  : coordinator_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
  system_.await_actors_before_shutdown(false); // a failed test must not hang here
}

actor_world::~actor_world() {
  for (auto& actor : spawned_)
    caf::anon_send_exit(caf::actor_cast<caf::actor>(actor), caf::exit_reason::kill);
  run();
}

std::size_t actor_world::run() {
  std::size_t ran = 0;
  while (coordinator_.try_run_once())
    ++ran;
  return ran;
}

std::size_t actor_world::waiting() const {
  return coordinator_.jobs.size();
}

void actor_world::run_one(std::size_t which) {
  const auto chosen = coordinator_.jobs.begin() + static_cast<std::ptrdiff_t>(which);
  std::rotate(coordinator_.jobs.begin(), chosen, chosen + 1);
  coordinator_.run_once();
}

void actor_world::skip(model::milliseconds by) {
  coordinator_.advance_time(by);
}

void actor_world::advance(model::milliseconds by) {
  run();
  auto left = by;
  while (left.count() > 0) {
    const auto step = std::min(left, by - left < fine_for ? smallest_step : largest_step);
    coordinator_.advance_time(step);
    left -= step;
    run();
  }
}

model::clock actor_world::clock() {
  const auto since_start = [this] {
    return std::chrono::duration_cast<model::steady_time>(
      coordinator_.clock().now().time_since_epoch());
  };
  return {
    .wall =
      [since_start] {
        return start_of_time() + std::chrono::duration_cast<model::microseconds>(since_start());
      },
    .steady = since_start,
  };
}

model::wall_time actor_world::start_of_time() {
  return std::chrono::sys_days{std::chrono::year{2026} / 1 / 1};
}

} // namespace sluice::testing

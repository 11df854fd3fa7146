// The clocks of an executor's attempts: how long each may take, and how long it may be silent. One
// wake-up is armed, for the earliest. Owned by the executor.
#pragma once

#include "actors/wakeup.hpp"
#include "model/command.hpp"

namespace sluice::actors {

/// A task that says it gives a heartbeat is stopped after so many intervals without one.
inline constexpr int silent_intervals = 3;

/// What a task says about the time of its attempts.
struct time_limits {
  std::optional<model::milliseconds> timeout;
  std::optional<model::milliseconds> silence;
};

/// Heartbeats are what the action gives, not what undoes it.
inline time_limits limits_of(const model::start_attempt& start) {
  const auto& workflow = *start.workflow;
  time_limits limits;
  limits.timeout = model::setting_of(workflow, start.spec(), &model::task_settings::timeout);
  if (!undoes(start.role))
    limits.silence = model::setting_of(workflow, start.spec(), &model::task_settings::heartbeat);
  if (limits.silence)
    *limits.silence *= silent_intervals;
  return limits;
}

class attempt_clocks {
public:
  /// Begins to count.
  template <class Actor>
  void start(Actor* self, const model::attempt_key& key, const time_limits& limits) {
    if (limits.timeout)
      timeouts_.arm(key, steady_now(self) + *limits.timeout);
    hear(self, key, limits);
    wake(self);
  }
  /// The attempt has given a sign of life. Needs no earlier wake-up than there is.
  template <class Actor>
  void hear(Actor* self, const model::attempt_key& key, const time_limits& limits) {
    if (limits.silence)
      silences_.arm(key, steady_now(self) + *limits.silence);
  }
  /// It is not asked for signs of life any more; its time counts on.
  void stop_listening(const model::attempt_key& key) { silences_.disarm(key); }
  void stop(const model::attempt_key& key) {
    timeouts_.disarm(key);
    silences_.disarm(key);
  }
  /// Tells the attempts whose time is over; each once.
  template <class Actor, class Tell>
  void take_due(Actor* self, const Tell& tell) {
    const auto now = steady_now(self);
    for (const auto& key : timeouts_.take_due(now))
      tell(model::attempt_timed_out{key, model::stop_reason::timeout});
    for (const auto& key : silences_.take_due(now))
      tell(model::attempt_timed_out{key, model::stop_reason::heartbeat});
  }

  /// To be called when `deadline_passed` has come, and `wake` after all that was due is taken.
  void woken() { timer_.passed(); }
  template <class Actor>
  void wake(Actor* self) {
    timer_.arm(self, timeouts_);
    timer_.arm(self, silences_);
  }
  /// The same wake-up for a queue of the owner's.
  template <class Actor>
  void wake(Actor* self, const logic::deadline_queue<model::attempt_key>& other) {
    wake(self);
    timer_.arm(self, other);
  }

private:
  logic::deadline_queue<model::attempt_key> timeouts_;
  logic::deadline_queue<model::attempt_key> silences_;
  wakeup timer_;
};

} // namespace sluice::actors

#include "logic/transitions.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>

namespace sluice::logic {
namespace {

using model::run_state;
using model::task_state;

template <class State>
constexpr std::uint32_t set_of(std::initializer_list<State> states) {
  std::uint32_t bits = 0;
  for (const auto s : states)
    bits |= 1u << static_cast<unsigned>(s);
  return bits;
}

/// Row = from, bit = to. In order of the enumeration.
constexpr std::array<std::uint32_t, model::task_state_count> task_moves = [] {
  using enum task_state;
  std::array<std::uint32_t, model::task_state_count> to{};
  const auto row = [&](task_state from) -> std::uint32_t& { return to[std::size_t(from)]; };
  // What has not started can also be paused, cancelled, skipped by a stop, fail at a deadline, be
  // marked by an operator, and, when it is a gate, let through.
  constexpr auto idle_exits = set_of({paused, cancelled, skipped, failed, succeeded});
  row(pending) = set_of({waiting, ready}) | idle_exits;
  row(waiting) = set_of({ready}) | idle_exits;
  row(ready) = set_of({waiting, dispatched}) | idle_exits;
  row(retry_wait) = set_of({waiting, ready}) | idle_exits;
  row(paused) = set_of({pending, retry_wait, cancelled, skipped, failed, succeeded});
  // `waiting`, out of an attempt: it failed for good, and is held for a person's decision.
  row(dispatched) = set_of({waiting, running, ready, retry_wait, failed, cancelling});
  row(running) =
    set_of({waiting, ready, deferred, validating, retry_wait, succeeded, failed, cancelling});
  row(deferred) =
    set_of({waiting, running, ready, validating, retry_wait, succeeded, failed, cancelling});
  row(validating) = set_of({waiting, ready, retry_wait, succeeded, failed, cancelling});
  // `succeeded`: exit 0 after a preemption or a drain counts.
  // `cancelling`: a cancel overrides another reason.
  // To where it came from: a drain gives back what it stopped.
  row(cancelling) = set_of({waiting, ready, retry_wait, cancelling, rolling_back, rolled_back,
                            succeeded, failed, cancelled});
  // To itself: its attempt begins, or was lost and another one follows.
  row(rolling_back) = set_of({rolling_back, cancelling, rolled_back, failed});
  row(succeeded) = set_of({pending, rolling_back});
  row(failed) = set_of({pending, rolling_back, succeeded, skipped});
  row(skipped) = set_of({pending});
  row(cancelled) = set_of({pending});
  row(rolled_back) = set_of({pending});
  return to;
}();

constexpr std::array<std::uint32_t, model::run_state_count> run_moves = [] {
  using enum run_state;
  std::array<std::uint32_t, model::run_state_count> to{};
  const auto row = [&](run_state from) -> std::uint32_t& { return to[std::size_t(from)]; };
  row(queued) = set_of({running, cancelled});
  row(running) = set_of({cancelling, rolling_back, succeeded, failed});
  row(cancelling) = set_of({cancelled, failed});
  row(rolling_back) = set_of({cancelling, rolled_back, failed});
  row(succeeded) = set_of({rolling_back, running});
  row(failed) = set_of({rolling_back, running});
  row(cancelled) = set_of({running});
  row(rolled_back) = set_of({running});
  return to;
}();

} // namespace

bool is_legal(task_state from, task_state to) {
  return (task_moves[std::size_t(from)] >> unsigned(to) & 1u) != 0;
}

bool is_legal(run_state from, run_state to) {
  return (run_moves[std::size_t(from)] >> unsigned(to) & 1u) != 0;
}

} // namespace sluice::logic

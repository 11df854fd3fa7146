// Starting and stopping the operating system process of an attempt, behind an interface that a test
// can script. The real one is `process_thread`. Calls never block and may come from any thread;
// answers come on the launcher's own thread and must not block it.
#pragma once

#include "model/command.hpp"
#include "model/ids.hpp"
#include "model/run.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace sluice::executors {

enum class stop_signal : std::uint8_t { terminate, kill };

/// What became of attempts lately: each is told to start, to have a snapshot, to be validated and
/// to end at most once, in this order. One that has ended since the last news is only told to have
/// ended.
struct launch_news {
  /// Their processes run.
  std::vector<model::attempt_key> started;
  /// They have one, and wait for `go_on`.
  std::vector<model::snapshot_taken> snapshots;
  /// Their actions have succeeded, and what these did is being validated.
  std::vector<model::attempt_key> validating;
  /// They are over: process group proven gone, log closed, outputs read; or they could not be
  /// started. The reports are complete but for what the caller knows better (a timeout).
  std::vector<model::attempt_report> ended;
};

/// Is told several news at once, so that they wake their reader once.
using launch_listener = std::function<void(launch_news)>;

class launcher {
public:
  virtual ~launcher() = default;

  /// Starts the attempt's process in a group of its own, logging to the attempt's log file. When
  /// the host is out of processes, memory or descriptors, tries again at the next exit or after 1
  /// s, and gives up after 60 s with class `resource`.
  virtual void start(std::shared_ptr<const model::start_attempt> attempt,
                     std::shared_ptr<const launch_listener> listener) = 0;

  /// The attempt's snapshot is stored: starts its action. Nothing happens unless it waits for that.
  virtual void go_on(model::attempt_key attempt) = 0;

  /// The attempt has called with values, an object, that count beside what it writes to
  /// `$SLUICE_OUT`, and before it; of a name the last one. They are known to its report when its
  /// process ends after this call. Nothing happens when the attempt is unknown or over.
  virtual void put_out(model::attempt_key attempt, model::value outputs) = 0;

  /// Signals the whole process group; an attempt that has not started yet will not start. Nothing
  /// happens when the attempt is unknown or over.
  virtual void signal(model::attempt_key key, stop_signal what) = 0;

  /// Removes the attempt's working files: its outcome is committed.
  virtual void forget(model::attempt_key key) = 0;

  /// Kills every attempt and drops its listener, which is never called again; then calls `on_gone`,
  /// once all their groups are proven gone. For when the owner of the attempts has died.
  virtual void abandon_all(std::function<void()> on_gone) = 0;
};

} // namespace sluice::executors

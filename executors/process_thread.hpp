// The real launcher: one thread that starts all processes, waits for all of them at once (pidfd and
// epoll), and does the file work of attempts. Owned by the process executor; its functions may be
// called from any thread, the listeners are called on its own.
#pragma once

#include "executors/launcher.hpp"
#include "executors/process_options.hpp"

#include <memory>

namespace sluice::executors {

/// Idle, it sleeps: a wake-up happens only for a command or an exit, or while a start is postponed
/// or a group is not gone. The kernel counts a child's `peak_rss_bytes` from our own resident size
/// at its start.
class process_thread final : public launcher {
public:
  /// Errors: `unavailable` when the host has no descriptor or thread to spare.
  static expected<std::unique_ptr<process_thread>> create(process_options options);

  /// Kills the process groups of all attempts and waits until they are gone, at most 10 s. No
  /// listener is called any more.
  ~process_thread() override;

  void start(std::shared_ptr<const model::start_attempt> attempt,
             std::shared_ptr<const launch_listener> listener) override;
  void go_on(model::attempt_key attempt) override;
  void put_out(model::attempt_key attempt, model::value outputs) override;
  void signal(model::attempt_key key, stop_signal what) override;
  void forget(model::attempt_key key) override;
  void abandon_all(std::function<void()> on_gone) override;

private:
  struct state;
  explicit process_thread(std::unique_ptr<state> s);

  std::unique_ptr<state> state_;
};

/// Raises the soft limit of descriptors as far as `attempts` at once need (one each, and some for
/// the rest of the process). Returns how many attempts the limit then allows. Tasks inherit the
/// limit as it is then.
std::size_t allow_descriptors_for(std::size_t attempts);

} // namespace sluice::executors

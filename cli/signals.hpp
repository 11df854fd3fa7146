// Ctrl-C and SIGTERM as something to wait for, instead of something that interrupts.
#pragma once

#include "model/error.hpp"

#include <csignal>
#include <optional>

namespace sluice::cli {

/// While it lives, SIGINT and SIGTERM are delivered to its descriptor only. Make it before the
/// first thread starts: threads inherit what is blocked.
class signal_watch {
public:
  /// Errors: `unavailable`.
  static expected<signal_watch> open();

  signal_watch(signal_watch&& other) noexcept;
  signal_watch& operator=(signal_watch&&) = delete;
  /// Signals do again what they did before.
  ~signal_watch();

  /// Readable when a signal has come.
  int descriptor() const { return fd_; }
  /// The next signal that has come; never waits.
  std::optional<int> take();

private:
  signal_watch(int fd, const sigset_t& before) : fd_(fd), before_(before) {}
  int fd_ = -1;
  sigset_t before_;
};

} // namespace sluice::cli

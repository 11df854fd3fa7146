#include "cli/signals.hpp"

#include <cerrno>
#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

namespace sluice::cli {

expected<signal_watch> signal_watch::open() {
  sigset_t watched, before;
  ::sigemptyset(&watched);
  ::sigaddset(&watched, SIGINT);
  ::sigaddset(&watched, SIGTERM);
  if (const int err = ::pthread_sigmask(SIG_BLOCK, &watched, &before); err != 0)
    return fail(errc::unavailable, "cannot block signals: " + errno_text(err));
  const int fd = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    return fail(errc::unavailable, "cannot wait for signals: " + errno_text(errno));
  return signal_watch{fd, before};
}

signal_watch::signal_watch(signal_watch&& other) noexcept
  : fd_(std::exchange(other.fd_, -1)), before_(other.before_) {}

signal_watch::~signal_watch() {
  if (fd_ < 0)
    return;
  ::close(fd_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> signal_watch::take() {
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof info) != sizeof info)
    return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

} // namespace sluice::cli

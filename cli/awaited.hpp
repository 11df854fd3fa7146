// One value from another thread, with a descriptor to wait for it beside other things.
#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include <sys/eventfd.h>
#include <unistd.h>

namespace sluice::cli {

template <class T>
class awaited {
public:
  awaited() = default;
  awaited(const awaited&) = delete;
  awaited& operator=(const awaited&) = delete;
  ~awaited() { ::close(fd_); }

  /// Once, from any thread.
  void deliver(T value) {
    {
      const std::lock_guard hold{mutex_};
      value_ = std::move(value);
    }
    ::eventfd_write(fd_, 1);
  }

  /// Readable when the value is there.
  int descriptor() const { return fd_; }
  /// Nothing while it is not there; never waits.
  std::optional<T> take() {
    const std::lock_guard hold{mutex_};
    return std::exchange(value_, std::nullopt);
  }

private:
  int fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::mutex mutex_;
  std::optional<T> value_;
};

} // namespace sluice::cli

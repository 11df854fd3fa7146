#include "cli/console.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;

std::string_view code_of(tint t) {
  switch (t) {
  case tint::none:
    break;
  case tint::bold:
    return "\033[1m";
  case tint::dim:
    return "\033[2m";
  case tint::red:
    return "\033[31m";
  case tint::green:
    return "\033[32m";
  case tint::yellow:
    return "\033[33m";
  case tint::cyan:
    return "\033[36m";
  }
  return "";
}

bool wait_writable(int fd, int timeout_ms) {
  pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&writable, 1, timeout_ms) > 0;
}

} // namespace

bool console::is_terminal() const {
  return ::isatty(fd_) == 1;
}

std::size_t console::width() const {
  winsize size{};
  if (::ioctl(fd_, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
    return 80;
  return size.ws_col;
}

std::string console::tinted(std::string_view text, tint t) const {
  if (colours_ == colour::off || t == tint::none || text.empty())
    return std::string{text};
  return std::string{code_of(t)}.append(text).append("\033[0m");
}

void console::write(std::string_view text) {
  if (closed_)
    return;
  buffer_.append(text);
  if (buffer_.size() >= buffer_size && !is_held_)
    flush();
}

void console::line(std::string_view text) {
  if (closed_)
    return;
  buffer_.append(text);
  write("\n");
}

void console::flush() {
  while (!buffer_.empty() && write_some(buffer_.size()))
    ;
}

void console::flush_ready() {
  // A pipe that is writable takes PIPE_BUF bytes without blocking (pipe(7)); setting it
  // non-blocking would change it for every process that shares it.
  while (!buffer_.empty() && wait_writable(fd_, 0) && write_some(PIPE_BUF))
    ;
}

bool console::write_some(std::size_t most) {
  const auto written = ::write(fd_, buffer_.data(), std::min(most, buffer_.size()));
  if (written >= 0) {
    buffer_.erase(0, static_cast<std::size_t>(written));
    return true;
  }
  if (errno == EINTR || (errno == EAGAIN && wait_writable(fd_, -1)))
    return true;
  closed_ = true;
  buffer_.clear();
  return false;
}

} // namespace sluice::cli

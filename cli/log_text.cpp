#include "cli/log_text.hpp"

#include "cli/words.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

constexpr std::size_t chunk = 64 * 1024;
constexpr std::size_t longest_line = 400; // columns of one line in a tail

} // namespace

log_tail read_tail(const std::filesystem::path& log, std::size_t most_lines) {
  log_tail tail;
  const int fd = ::open(log.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return tail;
  struct stat info {};
  std::string text;
  if (::fstat(fd, &info) == 0 && info.st_size > 0) {
    const auto size = static_cast<std::size_t>(info.st_size);
    text.resize(std::min(size, chunk));
    tail.is_whole = text.size() == size;
    const auto got = ::pread(fd, text.data(), text.size(), static_cast<off_t>(size - text.size()));
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  ::close(fd);
  if (text.ends_with('\n'))
    text.pop_back();
  std::size_t end = text.size();
  while (end != 0 && tail.lines.size() < most_lines) {
    const auto newline = text.rfind('\n', end - 1);
    const auto begin = newline == std::string::npos ? 0 : newline + 1;
    tail.lines.push_back(
      shortened(printable(std::string_view{text}.substr(begin, end - begin)), longest_line));
    end = newline == std::string::npos ? 0 : newline;
  }
  tail.is_whole = tail.is_whole && end == 0;
  std::reverse(tail.lines.begin(), tail.lines.end());
  return tail;
}

log_reader::log_reader(log_reader&& other) noexcept
  : log_(std::move(other.log_)), fd_(std::exchange(other.fd_, -1)) {}

log_reader& log_reader::operator=(log_reader&& other) noexcept {
  std::swap(log_, other.log_);
  std::swap(fd_, other.fd_);
  return *this;
}

log_reader::~log_reader() {
  if (fd_ >= 0)
    ::close(fd_);
}

expected<bool> log_reader::open() {
  if (fd_ >= 0)
    return true;
  fd_ = ::open(log_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ >= 0)
    return true;
  if (errno == ENOENT)
    return false;
  return fail(errc::unavailable, "cannot read '" + log_.string() + "': " + errno_text(errno));
}

expected<std::string> log_reader::read() {
  std::string text(chunk, '\0');
  ssize_t got = 0;
  do {
    got = ::read(fd_, text.data(), text.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0)
    return fail(errc::unavailable, "cannot read '" + log_.string() + "': " + errno_text(errno));
  text.resize(static_cast<std::size_t>(got));
  return text;
}

} // namespace sluice::cli

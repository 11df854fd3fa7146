#include "executors/bounded_file.hpp"

#include "model/error.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

class descriptor {
public:
  explicit descriptor(int fd) : fd_{fd} {}
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int get() const { return fd_; }

private:
  int fd_;
};

} // namespace

tl::expected<std::string, bounded_file_problem>
read_bounded(const std::string& path, std::string_view name, std::size_t limit_bytes) {
  const auto unreadable = [&] {
    return tl::unexpected(bounded_file_problem{
      false, "cannot read " + std::string{name} + ": " + errno_text(errno), errno});
  };
  const tl::unexpected too_large{bounded_file_problem{true, {}}};
  // A FIFO must not block us, nor a terminal become ours.
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (file.get() < 0 && errno == ENOENT)
    return std::string{};
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0)
    return unreadable();
  if (!S_ISREG(info.st_mode))
    return tl::unexpected(
      bounded_file_problem{false, std::string{name} + " is not a regular file"});
  if (static_cast<std::size_t>(info.st_size) > limit_bytes)
    return too_large;

  std::string text;
  text.resize(static_cast<std::size_t>(info.st_size) + 1);
  std::size_t size = 0;
  for (;;) { // the file may have grown since; the limit holds anyway
    const auto n = ::read(file.get(), text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return unreadable();
    size += static_cast<std::size_t>(n);
    if (size > limit_bytes)
      return too_large;
    if (n == 0)
      break;
    if (size == text.size())
      text.resize(std::min(text.size() * 2, limit_bytes + 1));
  }
  text.resize(size);
  return text;
}

} // namespace sluice::executors

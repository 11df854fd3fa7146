#include "runtime/change_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

namespace sluice::runtime {
namespace {

constexpr std::uint32_t directory_changes =
  IN_MODIFY | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO;

constexpr int shortest_patience_ms = 5;
constexpr int sweep_ms = 1000; // the slow safety sweep

tl::unexpected<error> cannot(const std::string& what) {
  return fail(errc::unavailable, what + ": " + errno_text(errno));
}

} // namespace

expected<change_watch> change_watch::open() {
  const int fd = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0)
    return cannot("cannot watch files for changes");
  return change_watch{fd};
}

change_watch::change_watch(change_watch&& other) noexcept
  : fd_(std::exchange(other.fd_, -1)), files_(std::move(other.files_)),
    patience_ms_(other.patience_ms_) {}

change_watch& change_watch::operator=(change_watch&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(files_, other.files_);
  std::swap(patience_ms_, other.patience_ms_);
  return *this;
}

change_watch::~change_watch() {
  if (fd_ >= 0)
    ::close(fd_);
}

expected<void> change_watch::add_directory(const std::filesystem::path& dir) {
  if (::inotify_add_watch(fd_, dir.c_str(), directory_changes | IN_MASK_ADD) < 0)
    return cannot("cannot watch '" + dir.string() + "'");
  return {};
}

expected<void> change_watch::add_file(const std::filesystem::path& file) {
  if (files_.contains(file))
    return {};
  const int watch = ::inotify_add_watch(fd_, file.c_str(), IN_MODIFY | IN_MASK_ADD);
  if (watch >= 0) {
    files_.emplace(file, watch);
    return {};
  }
  if (errno != ENOENT)
    return cannot("cannot watch '" + file.string() + "'");
  for (auto dir = file.parent_path(); !dir.empty(); dir = dir.parent_path()) {
    if (::inotify_add_watch(fd_, dir.c_str(), IN_CREATE | IN_MOVED_TO | IN_MASK_ADD) >= 0)
      return {};
    if (errno != ENOENT || dir == dir.parent_path())
      break;
  }
  return cannot("cannot watch for '" + file.string() + "'");
}

void change_watch::remove_file(const std::filesystem::path& file) {
  if (const auto found = files_.find(file); found != files_.end()) {
    ::inotify_rm_watch(fd_, found->second);
    files_.erase(found);
  }
}

expected<bool> change_watch::wait() {
  pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
  const int ready = ::poll(&readable, 1, patience_ms_);
  if (ready < 0 && errno != EINTR)
    return cannot("cannot wait for changes");
  patience_ms_ = ready > 0 ? shortest_patience_ms : std::min(2 * patience_ms_, sweep_ms);
  // What changed does not matter, the follower looks at everything it follows.
  alignas(inotify_event) std::array<char, 16 * 1024> events;
  while (::read(fd_, events.data(), events.size()) > 0) {
  }
  return ready > 0;
}

} // namespace sluice::runtime

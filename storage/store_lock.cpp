#include "storage/open.hpp"
#include "storage/private_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace sluice::storage {
namespace {

/// A descriptor that is closed, and with it unlocked, at the end of its scope.
class owned_fd {
public:
  explicit owned_fd(int fd) : fd_(fd) {}
  owned_fd(const owned_fd&) = delete;
  owned_fd& operator=(const owned_fd&) = delete;
  ~owned_fd() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int value() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

private:
  int fd_;
};

/// What the last holder wrote, a line each: its pid, its command, its socket, the runs that it took
/// up.
lock_holder read_holder(int fd) {
  std::string text(64u << 10, '\0');
  const auto size = ::pread(fd, text.data(), text.size(), 0);
  lock_holder holder;
  if (size <= 0)
    return holder;
  text.resize(static_cast<std::size_t>(size));
  std::istringstream lines{text};
  std::string line;
  if (std::getline(lines, line))
    std::from_chars(line.data(), line.data() + line.size(), holder.pid);
  std::getline(lines, holder.command);
  std::getline(lines, holder.socket);
  for (std::int64_t run = 0; lines >> run;)
    holder.resumed.push_back({run});
  return holder;
}

expected<void> write_holder(int fd, const lock_holder& holder) {
  auto command = holder.command;
  std::replace_if(
    command.begin(), command.end(), [](unsigned char c) { return c < ' '; }, ' ');
  command.resize(std::min<std::size_t>(command.size(), 1024)); // enough to recognise it
  auto text = std::to_string(::getpid()) + "\n" + command + "\n" + holder.socket + "\n";
  for (const auto run : holder.resumed)
    text += std::to_string(run.value) + " ";
  if (::ftruncate(fd, 0) != 0
      || ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return fail(errc::unavailable, "cannot write the lock file: " + errno_text(errno));
  return {};
}

enum class lock_try { taken, held, impossible };

/// Takes the lock unless a runtime has it. Whoever looks for the holder shares the lock for a
/// moment; that must not pass for a holder, so a lock that can be shared is tried again.
lock_try try_lock(int fd) {
  constexpr int most = 10'000; // a look takes microseconds: this is never reached
  for (int i = 0; i < most; ++i) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0)
      return lock_try::taken;
    if (errno != EWOULDBLOCK && errno != EINTR)
      return lock_try::impossible;
    if (::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      return lock_try::held;
    ::flock(fd, LOCK_UN);
    std::this_thread::yield();
  }
  return lock_try::held;
}

std::string held_by(const store_paths& paths, const lock_holder& holder) {
  std::string text = "the store '" + paths.dir.string() + "' is in use";
  if (holder.pid > 0)
    text += " by process " + std::to_string(holder.pid);
  if (!holder.command.empty())
    text += " (" + holder.command + ")";
  return text + "; wait for it, or use another directory with --store DIR";
}

} // namespace

bool is_network_filesystem(std::int64_t type) {
  // Magic numbers of linux/magic.h and statfs(2), some of which that header lacks.
  constexpr std::array<std::uint32_t, 13> types{
    0x6969,     // NFS
    0x517B,     // SMB
    0xFE534D42, // SMB2
    0xFF534D42, // CIFS
    0x01021997, // 9p
    0x5346414F, // AFS (OpenAFS)
    0x6B414653, // AFS (kernel)
    0x73757245, // Coda
    0x564C,     // NCP
    0x00C36400, // Ceph
    0x0BD00BD0, // Lustre
    0x01161970, // GFS2
    0x7461636F, // OCFS2
  };
  return std::find(types.begin(), types.end(), static_cast<std::uint32_t>(type)) != types.end();
}

expected<store_lock> store_lock::acquire(const store_paths& paths, lock_holder about) {
  if (auto made = make_private_directory(paths.dir); !made)
    return tl::unexpected(made.error());
  struct statfs filesystem {};
  if (::statfs(paths.dir.c_str(), &filesystem) == 0
      && is_network_filesystem(static_cast<std::int64_t>(filesystem.f_type)))
    return fail(errc::invalid_argument,
                "the store directory '" + paths.dir.string()
                  + "' is on a network filesystem, where locks and the write-ahead log are not "
                    "reliable; choose a local one with --store DIR");
  const auto file = paths.lock();
  owned_fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (fd.value() < 0)
    return fail(errc::invalid_argument,
                "cannot open the lock '" + file.string() + "': " + errno_text(errno));
  const auto tried = try_lock(fd.value());
  const int err = errno;
  switch (tried) {
  case lock_try::taken:
    break;
  case lock_try::held:
    return fail(errc::conflict, held_by(paths, read_holder(fd.value())));
  case lock_try::impossible:
    return fail(errc::invalid_argument, "cannot lock '" + file.string() + "': " + errno_text(err));
  }
  if (auto written = write_holder(fd.value(), about); !written)
    return tl::unexpected(written.error());
  return store_lock{fd.release()};
}

std::optional<lock_holder> store_lock::holder(const store_paths& paths) {
  // The text outlives a holder that was killed; only the kernel knows whether the lock is held.
  const owned_fd fd{::open(paths.lock().c_str(), O_RDONLY | O_CLOEXEC)};
  if (fd.value() < 0)
    return std::nullopt;
  if (::flock(fd.value(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return std::nullopt;
  return read_holder(fd.value());
}

store_lock::store_lock(store_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

store_lock& store_lock::operator=(store_lock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

store_lock::~store_lock() {
  if (fd_ >= 0)
    ::close(fd_);
}

} // namespace sluice::storage

#include "executors/guard_process.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

constexpr const char* program_name = "sluice-guard";
constexpr int lowest_descriptor = 3;
constexpr int guard_channel = 0; // of the guard; see guard.cpp
constexpr int guard_lock = 3;
constexpr int end_wait_ms = 5000;

/// Closes at the end of its scope.
class owned_fd {
public:
  explicit owned_fd(int fd = -1) : fd_{fd} {}
  owned_fd(const owned_fd&) = delete;
  owned_fd& operator=(const owned_fd&) = delete;
  ~owned_fd() { reset(); }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1) {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = fd;
  }
  /// Moves it to the lowest free number from `lowest` on, when that is lower or too low now.
  void move_to(int lowest) {
    const int moved = ::fcntl(fd_, F_DUPFD_CLOEXEC, lowest);
    if (moved < 0)
      return;
    if (moved < fd_ || fd_ < lowest)
      reset(moved);
    else
      ::close(moved);
  }

private:
  int fd_;
};

/// In its own session, with every signal blocked so that none hits before it ignores them, with an
/// empty environment, and without our terminal and pipes, which would stay open with it.
expected<pid_t> spawn_guard(const std::string& program, const std::string& token, int channel,
                            int lock) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, channel, guard_channel);
  posix_spawn_file_actions_adddup2(&actions, lock, guard_lock);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&actions, guard_lock + 1);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);

  std::string name = program_name;
  std::string argument = token;
  const std::array<char*, 3> argv{name.data(), argument.data(), nullptr};
  const std::array<char*, 1> no_environment{nullptr};
  pid_t pid = -1;
  const int err =
    ::posix_spawn(&pid, program.c_str(), &actions, &attributes, argv.data(), no_environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (err != 0)
    return fail(errc::unavailable, "cannot start the guard '" + program + "': " + errno_text(err));
  return pid;
}

bool is_readable(int fd, int timeout_ms) {
  pollfd wanted{fd, POLLIN, 0};
  int count = 0;
  do
    count = ::poll(&wanted, 1, timeout_ms);
  while (count < 0 && errno == EINTR);
  return count > 0;
}

} // namespace

expected<std::string> find_guard(const std::filesystem::path& given) {
  std::vector<std::filesystem::path> places;
  if (!given.empty()) {
    places.push_back(given);
  } else {
    std::error_code err;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", err);
    if (!err)
      places.push_back(self.parent_path() / program_name);
    places.push_back(std::filesystem::path{SLUICE_LIBEXECDIR} / program_name);
  }
  std::string tried;
  for (const auto& place : places) {
    if (::access(place.c_str(), X_OK) == 0)
      return place.string();
    tried += (tried.empty() ? "'" : ", '") + place.string() + "'";
  }
  return fail(errc::not_found, "cannot find the guard program; tried " + tried);
}

expected<std::string> new_instance_token() {
  std::array<unsigned char, 16> bits{};
  if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size()))
    return fail(errc::unavailable, "cannot draw random bits: " + errno_text(errno));
  std::string token;
  for (const auto byte : bits) {
    token.push_back("0123456789abcdef"[byte >> 4]);
    token.push_back("0123456789abcdef"[byte & 15]);
  }
  return token;
}

expected<guard_process> guard_process::start(const guard_options& options) {
  const auto program = find_guard(options.program);
  if (!program)
    return tl::unexpected(program.error());
  owned_fd lock{::open(options.lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (lock.get() < 0)
    return fail(errc::unavailable,
                "cannot open '" + options.lock_path.string() + "': " + errno_text(errno));
  // A socket pair rather than a pipe: the guard answers on it, and a guard that died is an error
  // value of `send` instead of a SIGPIPE.
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fail(errc::unavailable, "cannot make the guard's channel: " + errno_text(errno));
  owned_fd ours{ends[0]};
  owned_fd theirs{ends[1]};
  // Children close one by one what lies below our end, so it goes to the lowest number that is free
  // once the guard has the other two.
  theirs.move_to(lowest_descriptor + 1);
  lock.move_to(theirs.get() + 1);

  const auto pid = spawn_guard(*program, options.token, theirs.get(), lock.get());
  if (!pid)
    return tl::unexpected(pid.error());
  theirs.reset();
  lock.reset();
  ours.move_to(lowest_descriptor);
  guard_process guard;
  guard.pid_ = *pid;
  guard.channel_ = ours.release();
  guard.pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0));
  if (guard.pidfd_ < 0)
    return fail(errc::unavailable, "cannot watch the guard: " + errno_text(errno));

  char answer = 0;
  if (!is_readable(guard.channel_, static_cast<int>(options.lock_wait.count()))) {
    ::kill(guard.pid_, SIGKILL); // it waits for the lock and does not listen
    return fail(errc::unavailable, "cannot lock '" + options.lock_path.string()
                                     + "': the guard of an earlier runtime still holds it");
  }
  if (::recv(guard.channel_, &answer, 1, 0) != 1)
    return fail(errc::unavailable, "the guard '" + *program + "' ended at once");
  return guard;
}

guard_process::guard_process(guard_process&& other) noexcept
  : channel_{std::exchange(other.channel_, -1)}, pidfd_{std::exchange(other.pidfd_, -1)},
    pid_{std::exchange(other.pid_, -1)} {}

guard_process& guard_process::operator=(guard_process&& other) noexcept {
  std::swap(channel_, other.channel_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(pid_, other.pid_);
  return *this;
}

guard_process::~guard_process() {
  end("");
}

void guard_process::goodbye() {
  end("q");
}

void guard_process::end(const char* last_word) {
  if (pid_ < 0)
    return;
  if (*last_word != '\0') // a guard that has died does not hear it, and need not
    [[maybe_unused]]
    const auto n = ::send(channel_, last_word, 1, MSG_NOSIGNAL);
  ::close(std::exchange(channel_, -1));
  if (pidfd_ < 0 || !is_readable(pidfd_, end_wait_ms)) {
    spdlog::warn("the guard does not end, killing it pid={}", pid_);
    ::kill(pid_, SIGKILL);
  }
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
    ;
  if (pidfd_ >= 0)
    ::close(std::exchange(pidfd_, -1));
  pid_ = -1;
}

} // namespace sluice::executors

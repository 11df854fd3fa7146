// The guard: a program of its own that outlives the runtime by moments. It waits for the end of the
// runtime on a channel (descriptor 0), and when that comes without a goodbye kills every process
// that carries the runtime's token in its environment. Statically linked and without iostreams: it
// runs beside every runtime, so its memory counts. See guard_process.hpp for the other side.
//
// Descriptors: 0 the channel, 3 the lock file. Argument: the token.
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <initializer_list>

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

constexpr int channel = 0;
constexpr int lock_file = 3;
constexpr char ready = 'r';
constexpr char goodbye = 'q';
constexpr int longest_pause_ms = 100;
// A process has no environment to read while it is executing its program, so that one look may miss
// it: so many looks in a row have to find nobody.
constexpr int clean_looks_needed = 2;

/// Finds one whole entry in a stream of entries that NULs end.
class entry_matcher {
public:
  explicit entry_matcher(const char* entry) : entry_{entry}, size_{std::strlen(entry)} {}

  void feed(const char* text, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
      if (text[i] == '\0') {
        found_ = found_ || (is_equal_ && at_ == size_);
        at_ = 0;
        is_equal_ = true;
      } else if (is_equal_) {
        is_equal_ = at_ < size_ && text[i] == entry_[at_];
        ++at_;
      }
    }
  }
  bool found() const { return found_; }

private:
  const char* entry_;
  std::size_t size_;
  std::size_t at_ = 0;
  bool is_equal_ = true;
  bool found_ = false;
};

bool carries(const char* pid, const char* entry) {
  char path[32] = "/proc/";
  std::strncat(path, pid, 12);
  std::strcat(path, "/environ");
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  entry_matcher matcher{entry};
  char text[4096];
  for (;;) {
    const auto size = ::read(fd, text, sizeof text);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      break;
    matcher.feed(text, static_cast<std::size_t>(size));
  }
  matcher.feed("", 1); // the last entry may lack its NUL
  ::close(fd);
  return matcher.found();
}

/// The number in `text`, or 0.
pid_t to_pid(const char* text) {
  long pid = 0;
  for (; *text >= '0' && *text <= '9' && pid < 100'000'000; ++text)
    pid = pid * 10 + (*text - '0');
  return *text == '\0' ? static_cast<pid_t>(pid) : 0;
}

/// Kills the process if it still carries the entry. The descriptor pins it: a process that got its
/// number meanwhile is not hit.
void kill_carrier(pid_t pid, const char* pid_text, const char* entry) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) {
    if (errno != ESRCH)
      ::kill(pid, SIGKILL);
    return;
  }
  if (carries(pid_text, entry))
    ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0);
  ::close(fd);
}

/// Returns how many processes carried the entry.
int kill_carriers(const char* entry) {
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr)
    return -1; // not proof that there is none
  int found = 0;
  while (const auto* e = ::readdir(proc)) {
    const pid_t pid = to_pid(e->d_name);
    if (pid <= 1 || pid == ::getpid() || !carries(e->d_name, entry))
      continue;
    ++found;
    kill_carrier(pid, e->d_name, entry);
  }
  ::closedir(proc);
  return found;
}

void kill_all(const char* entry) {
  int pause_ms = 1;
  for (int clean = 0; clean < clean_looks_needed;) {
    clean = kill_carriers(entry) == 0 ? clean + 1 : 0;
    ::poll(nullptr, 0, pause_ms); // the killed need a moment
    pause_ms = pause_ms * 2 < longest_pause_ms ? pause_ms * 2 : longest_pause_ms;
  }
}

/// Waits until the runtime says goodbye (true) or is gone (false).
bool wait_for_goodbye() {
  for (;;) {
    char c = 0;
    const auto size = ::read(channel, &c, 1);
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0)
      return false;
    if (c == goodbye)
      return true;
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] == '\0' || std::strlen(argv[1]) > 64)
    return 2;
  // What ends the runtime from a terminal must not end its guard.
  for (const int s : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2})
    ::signal(s, SIG_IGN);
  ::setsid();
  if (::chdir("/") != 0)
    return 2;

  char entry[96] = "SLUICE_INSTANCE=";
  std::strcat(entry, argv[1]);
  // An earlier runtime's guard holds the lock until it has killed what that one left.
  while (::flock(lock_file, LOCK_EX) != 0)
    if (errno != EINTR)
      return 3;
  if (::write(channel, &ready, 1) != 1)
    return 0; // the runtime has gone before it started anything
  if (!wait_for_goodbye())
    kill_all(entry);
  ::_exit(0);
}

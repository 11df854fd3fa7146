#include "executors/spawn.hpp"

#include "executors/confined_spawn.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

/// The parts of `/proc/PID/stat` that matter here.
struct process_stat {
  char state = 'X';
  pid_t group = 0;
  long threads = 0;

  /// The main thread of a process can be a zombie while others still run.
  bool is_alive() const { return (state != 'Z' && state != 'X') || threads > 1; }
};

bool read_stat(const char* pid, process_stat& out) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%s/stat", pid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  char text[1024];
  const auto size = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (size <= 0)
    return false;
  text[size] = '\0';
  // The name in parentheses may hold anything, parentheses too. Source: proc(5).
  const char* after_name = std::strrchr(text, ')');
  return after_name != nullptr
         && std::sscanf(after_name + 1,
                        " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld",
                        &out.state, &out.group, &out.threads)
              == 3;
}

class file_actions {
public:
  file_actions() { posix_spawn_file_actions_init(&actions_); }
  file_actions(const file_actions&) = delete;
  file_actions& operator=(const file_actions&) = delete;
  ~file_actions() { posix_spawn_file_actions_destroy(&actions_); }

  /// 0, or ENOMEM.
  int prepare(const spawn_request& request, int guard_fd) {
    auto* a = &actions_;
    int err = posix_spawn_file_actions_addopen(a, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (err == 0)
      err = request.output >= 0
              ? posix_spawn_file_actions_adddup2(a, request.output, STDOUT_FILENO)
              : posix_spawn_file_actions_addopen(a, STDOUT_FILENO, request.log_path,
                                                 O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (err == 0)
      err = posix_spawn_file_actions_adddup2(a, STDOUT_FILENO, STDERR_FILENO);
    if (err == 0 && request.workdir != nullptr)
      err = posix_spawn_file_actions_addchdir_np(a, request.workdir);
    for (int fd = STDERR_FILENO + 1; err == 0 && fd < guard_fd; ++fd)
      err = posix_spawn_file_actions_addclose(a, fd);
    if (err == 0)
      err = posix_spawn_file_actions_addclosefrom_np(a, first_above(guard_fd));
    return err;
  }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

private:
  static int first_above(int guard_fd) {
    return guard_fd > STDERR_FILENO ? guard_fd + 1 : STDERR_FILENO + 1;
  }

  posix_spawn_file_actions_t actions_;
};

} // namespace

spawner::spawner(int guard_fd) : guard_fd_{guard_fd} {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_init(&attributes_);
  posix_spawnattr_setpgroup(&attributes_, 0);
  posix_spawnattr_setsigmask(&attributes_, &none);
  posix_spawnattr_setsigdefault(&attributes_, &all);
  posix_spawnattr_setflags(&attributes_,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

spawner::~spawner() {
  posix_spawnattr_destroy(&attributes_);
}

tl::expected<pid_t, int> spawner::spawn(const spawn_request& request) const {
  if (request.is_confined())
    return spawn_confined(request, guard_fd_);
  file_actions actions;
  int err = actions.prepare(request, guard_fd_);
  pid_t pid = -1;
  if (err == 0)
    err = ::posix_spawn(&pid, request.program, actions.get(), &attributes_, request.argv,
                        request.environment);
  if (err != 0)
    return tl::unexpected(err);
  return pid;
}

void signal_group(pid_t group, int signal_number) {
  ::kill(-group, signal_number);
}

bool group_exists(pid_t group) {
  return ::kill(-group, 0) == 0 || errno != ESRCH;
}

tl::expected<std::unordered_set<pid_t>, int> living_groups() {
  DIR* proc = ::opendir("/proc");
  if (proc == nullptr)
    return tl::unexpected(errno);
  std::unordered_set<pid_t> groups;
  while (const auto* entry = ::readdir(proc)) {
    process_stat stat;
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && read_stat(entry->d_name, stat)
        && stat.is_alive())
      groups.insert(stat.group);
  }
  ::closedir(proc);
  return groups;
}

} // namespace sluice::executors

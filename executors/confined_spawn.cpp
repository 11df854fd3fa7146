#include "executors/confined_spawn.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

/// Where the child says why it has failed: memory that both see.
class shared_errno {
public:
  shared_errno()
    : at_{static_cast<int*>(
      ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))} {}
  shared_errno(const shared_errno&) = delete;
  shared_errno& operator=(const shared_errno&) = delete;
  ~shared_errno() {
    if (is_there())
      ::munmap(at_, sizeof(int));
  }
  bool is_there() const { return at_ != MAP_FAILED; }
  void set(int err) { *static_cast<volatile int*>(at_) = err; }
  int get() const { return *static_cast<volatile int*>(at_); }

private:
  int* at_;
};

/// In the child only system calls are made: other threads of the parent may have held any lock.
/// Returns an errno value; not at all when the program is executed.
int become_program(const spawn_request& request, int guard_fd, bool is_in_cgroup) {
  if (request.cgroup >= 0 && !is_in_cgroup) {
    const int members = ::openat(request.cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (members < 0 || ::write(members, "0", 1) != 1)
      return errno;
  }
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr); // KILL and STOP say no, and so do those of libc
  if (::setpgid(0, 0) != 0)
    return errno;
  const int in = ::open("/dev/null", O_RDONLY);
  if (in < 0 || ::dup2(in, STDIN_FILENO) < 0)
    return errno;
  const int output = request.output >= 0
                       ? request.output
                       : ::open(request.log_path, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (output < 0 || ::dup2(output, STDOUT_FILENO) < 0 || ::dup2(output, STDERR_FILENO) < 0)
    return errno;
  if (request.workdir != nullptr && ::chdir(request.workdir) != 0)
    return errno;
  const int kept = guard_fd > STDERR_FILENO ? guard_fd : STDERR_FILENO;
  for (int fd = STDERR_FILENO + 1; fd < kept; ++fd)
    ::close(fd);
  ::closefrom(kept + 1);
  if (request.data_bytes > 0) { // last: what we do ourselves must not be held to it
    rlimit limit{};
    if (::getrlimit(RLIMIT_DATA, &limit) != 0)
      return errno;
    limit.rlim_max = std::min(limit.rlim_max, static_cast<rlim_t>(request.data_bytes));
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_DATA, &limit) != 0)
      return errno;
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(request.program, request.argv, request.environment);
  return errno;
}

/// A fork after which the parent waits until the child has executed its program or ended. Returns
/// as fork does.
pid_t fork_and_wait() {
  return static_cast<pid_t>(
    ::syscall(SYS_clone, CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

pid_t fork_into(int cgroup) {
  clone_args args{};
  args.flags = CLONE_VFORK | CLONE_INTO_CGROUP;
  args.exit_signal = SIGCHLD;
  args.cgroup = static_cast<__u64>(cgroup);
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

} // namespace

tl::expected<pid_t, int> spawn_confined(const spawn_request& request, int guard_fd) {
  shared_errno failed;
  if (!failed.is_there())
    return tl::unexpected(errno);
  bool is_in_cgroup = request.cgroup >= 0;
  pid_t pid = is_in_cgroup ? fork_into(request.cgroup) : fork_and_wait();
  // An old kernel, or a filter that does not look into the arguments of clone3: the child moves
  // itself, which takes longer.
  if (pid < 0 && is_in_cgroup
      && (errno == ENOSYS || errno == EPERM || errno == EINVAL || errno == E2BIG)) {
    is_in_cgroup = false;
    pid = fork_and_wait();
  }
  if (pid < 0)
    return tl::unexpected(errno);
  if (pid == 0) {
    failed.set(become_program(request, guard_fd, is_in_cgroup));
    ::_exit(127);
  }
  if (const int err = failed.get(); err != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR)
      ;
    return tl::unexpected(err);
  }
  return pid;
}

} // namespace sluice::executors

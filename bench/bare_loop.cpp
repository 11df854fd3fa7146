#include "bench/bare_loop.hpp"

#include "bench/measure.hpp"

#include <string>
#include <unordered_map>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::bench {

class bare_loop {
public:
  explicit bare_loop(std::filesystem::path logs) : logs_(std::move(logs)) {
    std::filesystem::create_directories(logs_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK
                                               | POSIX_SPAWN_SETSIGDEF);
  }
  ~bare_loop() {
    ::posix_spawnattr_destroy(&attributes_);
    ::close(epoll_);
  }
  bare_loop(const bare_loop&) = delete;
  bare_loop& operator=(const bare_loop&) = delete;

  void run(std::size_t count, std::size_t in_flight) {
    std::size_t started = 0;
    while (started < count && started < in_flight)
      start(started++);
    for (std::size_t ended = 0; ended < count;) {
      const auto exited = wait();
      for (const int pidfd : exited) {
        reap(pidfd);
        ++ended;
        if (started < count)
          start(started++);
      }
    }
  }

  bare_life run_one(std::size_t number) {
    bare_life parts;
    const stopwatch since;
    start(number);
    parts.start = since.elapsed().seconds;
    const auto exited = wait();
    parts.run = since.elapsed().seconds - parts.start;
    for (const int pidfd : exited)
      reap(pidfd);
    parts.reap = since.elapsed().seconds - parts.start - parts.run;
    return parts;
  }

private:
  /// The pidfds of what has exited, at least one.
  std::vector<int> wait() {
    epoll_event events[64];
    const int n = ::epoll_wait(epoll_, events, 64, -1);
    std::vector<int> exited;
    for (int i = 0; i < n; ++i)
      exited.push_back(events[i].data.fd);
    return exited;
  }

  void start(std::size_t number) {
    const auto log = (logs_ / (std::to_string(number) + ".log")).string();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                       0600);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    char program[] = "/bin/true";
    char* argv[] = {program, nullptr};
    char path[] = "PATH=/usr/bin:/bin";
    char* environment[] = {path, nullptr};
    pid_t pid = -1;
    if (::posix_spawn(&pid, program, &actions, &attributes_, argv, environment) != 0) {
      give_up("cannot start /bin/true");
    }
    ::posix_spawn_file_actions_destroy(&actions);
    const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = pidfd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, pidfd, &event);
    pids_[pidfd] = pid;
  }

  void reap(int pidfd) {
    const auto child = pids_.extract(pidfd);
    int status = 0;
    rusage usage{};
    ::wait4(child.mapped(), &status, 0, &usage);
    ::close(pidfd);
  }

  std::filesystem::path logs_;
  posix_spawnattr_t attributes_{};
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::unordered_map<int, pid_t> pids_;
};

double bare_loop_seconds(std::size_t count, std::size_t in_flight,
                         const std::filesystem::path& logs) {
  return as_process_thread([&] {
    bare_loop loop{logs};
    const stopwatch since;
    loop.run(count, in_flight);
    return since.elapsed().seconds;
  });
}

bare_starter::bare_starter(std::filesystem::path logs)
  : loop_(std::make_unique<bare_loop>(std::move(logs))) {}

bare_starter::~bare_starter() = default;

bare_life bare_starter::run() {
  return loop_->run_one(started_++);
}

} // namespace sluice::bench

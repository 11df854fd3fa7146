#include "executors/cgroup.hpp"
#include "executors/spawn.hpp"
#include "tests/executors/process_world.hpp"

#include <csignal>
#include <cstddef>
#include <iterator>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

/// Tests run side by side.
std::string own_token() {
  return "test" + std::to_string(::getpid());
}

/// A group of ours with whatever controllers there are; null, with the reason said, where the
/// machine lets us make none.
std::unique_ptr<cgroup_tree> bare_tree() {
  auto tree = cgroup_tree::open(own_token(), {});
  if (!tree)
    WARN("skipped: " + tree.error().message);
  return tree ? std::move(*tree) : nullptr;
}

/// A tree that holds attempts to memory and processors: where the test runs in a control group
/// that was delegated to it alone, as by `systemd-run --user --scope -p Delegate=yes`.
std::shared_ptr<cgroup_tree> limiting_tree() {
  auto tree = cgroup_tree::open(own_token());
  if (!tree)
    WARN("skipped: " + tree.error().message);
  return tree ? std::move(*tree) : nullptr;
}

one_task limited(one_task what, std::int64_t memory_bytes) {
  what.holds.taken.push_back({model::capacity_kind::resource, "mem", memory_bytes});
  return what;
}

} // namespace

TEST_CASE("cgroup: our group is found in what the kernel says", "[executors][cgroup]") {
  const std::string hybrid = "30 24 0:25 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                             "31 30 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                             "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 none rw\n";
  CHECK(cgroup_dir(hybrid, "4:memory:/a\n0::/\n") == "/sys/fs/cgroup/unified");
  CHECK(cgroup_dir(hybrid, "0::/a/b.service\n") == "/sys/fs/cgroup/unified/a/b.service");
  CHECK_FALSE(cgroup_dir(hybrid, "4:memory:/a\n").has_value());
  CHECK_FALSE(cgroup_dir("", "0::/a\n").has_value());
  // Of a container whose name space begins elsewhere.
  const std::string bound = "41 31 0:38 /pod/x /sys/fs/c\\040g rw shared:9 - cgroup2 cgroup rw\n";
  CHECK(cgroup_dir(bound, "0::/pod/x\n") == "/sys/fs/c g");
  CHECK(cgroup_dir(bound, "0::/pod/x/y\n") == "/sys/fs/c g/y");
  CHECK_FALSE(cgroup_dir(bound, "0::/pod/xy\n").has_value());
  CHECK_FALSE(cgroup_dir(hybrid, "0::/../other\n").has_value());
}

TEST_CASE("cgroup: counts of the kernel are read", "[executors][cgroup]") {
  const std::string events = "low 0\nhigh 3\nmax 12\noom 2\noom_kill 1\noom_group_kill 1\n";
  CHECK(count_in(events, "oom_kill") == 1);
  CHECK(count_in(events, "oom") == 2);
  CHECK(count_in(events, "populated") == 0);
  CHECK(count_in("", "oom") == 0);
}

TEST_CASE("cgroup: a process is born in a group and killed with all it has started",
          "[executors][cgroup]") {
  const auto tree = bare_tree();
  if (tree == nullptr)
    return;
  const temp_dir dir;
  meeting_point meeting{dir / "meeting"};
  auto leaf = tree->make_leaf("1.2.3", {});
  REQUIRE(leaf.has_value());
  CHECK((*leaf)->is_empty());
  // The grandchild leaves the process group and the session; it cannot leave this.
  auto text = "cat /proc/self/cgroup; setsid sh -c 'echo $$ > " + meeting.path()
              + "; exec sleep 600' & exec sleep 600";
  const auto log = dir / "log";
  char name[] = "sh", flag[] = "-c";
  char* const argv[] = {name, flag, text.data(), nullptr};
  char path[] = "PATH=/usr/bin:/bin";
  char* const environment[] = {path, nullptr};
  const spawner spawner{-1};
  const auto pid = spawner.spawn({.program = "/bin/sh",
                                  .argv = argv,
                                  .environment = environment,
                                  .log_path = log.c_str(),
                                  .cgroup = (*leaf)->descriptor()});
  REQUIRE(pid.has_value());
  const auto grandchild = meeting.next_line();
  CHECK(read_file(log).find("/sluice." + own_token() + "/1.2.3\n") != std::string::npos);
  CHECK_FALSE((*leaf)->is_empty());
  CHECK(::getpgid(*pid) == *pid);
  (*leaf)->kill();
  int status = 0;
  REQUIRE(::waitpid(*pid, &status, 0) == *pid);
  CHECK(WIFSIGNALED(status));
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!(*leaf)->is_empty() && std::chrono::steady_clock::now() < end)
    ::sched_yield();
  CHECK_FALSE(is_alive(grandchild));
  const auto place = tree->dir() / "1.2.3";
  CHECK(fs::exists(place));
  leaf->reset();
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("cgroup: where clone3 is forbidden a process moves into its group before it executes",
          "[executors][cgroup]") {
  const auto tree = bare_tree();
  if (tree == nullptr)
    return;
  const temp_dir dir;
  auto leaf = tree->make_leaf("1.2.3", {});
  REQUIRE(leaf.has_value());
  const auto log = dir / "log";
  // In a child: such a filter stays for ever.
  const auto tester = ::fork();
  REQUIRE(tester >= 0);
  if (tester == 0) {
    sock_filter no_clone3[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{std::size(no_clone3), no_clone3};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
      ::_exit(1);
    char name[] = "cat", file[] = "/proc/self/cgroup";
    char* const argv[] = {name, file, nullptr};
    char* const environment[] = {nullptr};
    const auto pid = spawner{-1}.spawn({.program = "/bin/cat",
                                        .argv = argv,
                                        .environment = environment,
                                        .log_path = log.c_str(),
                                        .cgroup = (*leaf)->descriptor()});
    int status = 1;
    ::_exit(pid && ::waitpid(*pid, &status, 0) == *pid && status == 0 ? 0 : 2);
  }
  int status = 0;
  REQUIRE(::waitpid(tester, &status, 0) == tester);
  CHECK(status == 0);
  CHECK(read_file(log).find("/sluice." + own_token() + "/1.2.3\n") != std::string::npos);
}

TEST_CASE("cgroup: what a dead runtime left is removed and what a living one has is not",
          "[executors][cgroup]") {
  const auto tree = bare_tree();
  if (tree == nullptr)
    return;
  const auto left = tree->dir().parent_path() / ("sluice." + own_token() + "dead");
  REQUIRE(fs::create_directories(left / "7.0.1"));
  REQUIRE(fs::create_directories(tree->dir() / "8.0.1" / "its own"));
  {
    const auto next = cgroup_tree::open(own_token() + "next", {});
    REQUIRE(next.has_value());
    CHECK_FALSE(fs::exists(left));
    CHECK(fs::exists(tree->dir() / "8.0.1"));
    CHECK(fs::exists((*next)->dir()));
  }
  CHECK_FALSE(fs::exists(tree->dir().parent_path() / ("sluice." + own_token() + "next")));
}

TEST_CASE("cgroup: an attempt over its memory is killed and says so", "[executors][cgroup]") {
  const auto tree = limiting_tree();
  if (tree == nullptr)
    return;
  process_world world{[&](process_options& options) { options.groups = tree; }};
  const auto report = world.run(
    limited(shell_task("head -c 64M /dev/zero | tail -c 64M > /dev/null"), 16 * mebibyte));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::resource);
  CHECK(report.failure->code == "out_of_memory");
  CHECK(report.failure->message.find("mem 16Mi") != std::string::npos);
  CHECK_FALSE(world.run(limited(shell_task("true"), 16 * mebibyte)).failure.has_value());
}

TEST_CASE("cgroup: an attempt has the share of the processors that it named",
          "[executors][cgroup]") {
  const auto tree = limiting_tree();
  if (tree == nullptr)
    return;
  auto leaf = tree->make_leaf("1.2.3", {.memory_bytes = mebibyte, .cpu_thousandths = 1'500});
  REQUIRE(leaf.has_value());
  CHECK(read_file(tree->dir() / "1.2.3/cpu.max") == "150000 100000\n");
  CHECK(read_file(tree->dir() / "1.2.3/memory.max") == "1048576\n");
  CHECK(read_file(tree->dir() / "1.2.3/memory.oom.group") == "1\n");
}

TEST_CASE("cgroup: attempts run in groups that end with them", "[executors][cgroup]") {
  std::shared_ptr<cgroup_tree> tree = bare_tree();
  if (tree == nullptr)
    return;
  process_world world{[&](process_options& options) { options.groups = tree; }};
  const auto text = "cat /proc/self/cgroup; setsid sh -c 'echo $$ > pid; exec sleep 600' & "
                    "while [ ! -s pid ]; do :; done";
  const auto key = world.start(limited(shell_task(text), 16 * mebibyte));
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
  CHECK(world.log(key).find("/sluice." + own_token() + "/12.0.1\n") != std::string::npos);
  auto pid = read_file(world.base() / "pid");
  pid.pop_back();
  CHECK_FALSE(is_alive(pid)); // it had left the process group
  CHECK_FALSE(fs::exists(tree->dir() / "12.0.1"));

  const auto stopped = world.start(limited(shell_task("exec sleep 600"), 16 * mebibyte));
  world.wait_started(stopped);
  CHECK(fs::exists(tree->dir() / "12.1.1"));
  world.thread().signal(stopped, stop_signal::kill);
  CHECK(world.wait_ended(stopped).failure->code == "SIGKILL");
  CHECK_FALSE(fs::exists(tree->dir() / "12.1.1"));

  CHECK(world.log(world.run(shell_task("cat /proc/self/cgroup")).key).find("sluice." + own_token())
        == std::string::npos); // it names no limit
}

TEST_CASE("limits: without groups a process cannot have more memory than was named",
          "[executors][limits]") {
  process_world world;
  // A shell that holds a text of 64 MiB.
  const auto hungry = "x=$(head -c 64M /dev/zero | tr '\\0' x); echo ${#x}";
  const auto report = world.run(limited(shell_task(hungry), 16 * mebibyte));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::exit);
  CHECK(world.output_of(limited(shell_task(hungry), 1'024 * mebibyte)) == "67108864\n");
  CHECK(world.output_of(shell_task(hungry)) == "67108864\n");
}

TEST_CASE("limits: what a process starts is held to them too, and processors change nothing",
          "[executors][limits]") {
  process_world world;
  CHECK(world.output_of(limited(shell_task("sh -c 'ulimit -d; ulimit -Hd'"), 16 * mebibyte))
        == "16384\n16384\n");
  const auto own = world.output_of(shell_task("ulimit -d"));
  auto busy = shell_task("ulimit -d");
  busy.holds.taken.push_back({model::capacity_kind::resource, "cpu", 500});
  CHECK(world.output_of(busy) == own);
}

TEST_CASE("limits: a confined start is like any other", "[executors][limits]") {
  process_world world;
  ::signal(SIGUSR1, SIG_IGN);
  const auto plain = "grep SigBlk /proc/self/status; "
                     // But for the two signals of the C library.
                     "sed -n 's/^SigIgn:.*\\(.......\\)$/\\1/p' /proc/self/status; ls -l "
                     "/proc/self/fd | wc -l; pwd; "
                     "ps -o pgid= -p $$ | grep -qw $$ && echo leader";
  const auto seen = world.output_of(limited(shell_task(plain), 64 * mebibyte));
  CHECK(seen == world.output_of(shell_task(plain)));
  ::signal(SIGUSR1, SIG_DFL);
  const auto code_of = [&](one_task what) {
    const auto report = world.run(limited(std::move(what), 64 * mebibyte));
    return report.failure ? report.failure->code : "none";
  };
  CHECK(code_of(exec_task({"no-such-program"})) == "program_not_found");
  CHECK(code_of(exec_task({"/etc/passwd"})) == "not_executable");
  auto elsewhere = exec_task({"true"});
  elsewhere.task().settings->workdir = "no/such/directory";
  CHECK(code_of(elsewhere) == "workdir_missing");
}

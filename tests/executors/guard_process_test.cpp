#include "executors/guard_process.hpp"
#include "tests/executors/process_world.hpp"

#include <csignal>

#include <sys/file.h>
#include <sys/wait.h>

using namespace sluice;
using namespace sluice::executors;

namespace fs = std::filesystem;

namespace {

guard_options options_in(const temp_dir& dir, std::string token) {
  return {.program = fs::path{SLUICE_BINARY_DIR} / "sluice-guard",
          .lock_path = dir / "guard.lock",
          .token = std::move(token)};
}

/// Processes that carry the token; the dead have no environment.
int count_carriers(const std::string& token) {
  int count = 0;
  for (const auto& entry : fs::directory_iterator{"/proc"}) {
    const auto environment = read_file(entry.path() / "environ");
    if (('\0' + environment).find('\0' + ("SLUICE_INSTANCE=" + token) + '\0') != std::string::npos)
      ++count;
  }
  return count;
}

/// A runtime in a process of its own: a guard and a task with children, one of them in a session of
/// its own. Killed at the end of the scope if it is not before.
class small_runtime {
public:
  small_runtime(const temp_dir& dir, const std::string& token, const std::string& fifo) {
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0)
      run(dir, token, fifo);
  }
  small_runtime(const small_runtime&) = delete;
  small_runtime& operator=(const small_runtime&) = delete;
  ~small_runtime() { kill(); }

  void kill() {
    if (pid_ <= 0)
      return;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  }

private:
  [[noreturn]] static void run(const temp_dir& dir, const std::string& token,
                               const std::string& fifo) {
    auto guard = guard_process::start(options_in(dir, token));
    if (!guard)
      ::_exit(1);
    auto thread = process_thread::create({.logs_dir = dir.path() / "logs",
                                          .work_dir = dir.path() / "work",
                                          .environment = {{"PATH", "/usr/bin:/bin"}},
                                          .instance_token = token,
                                          .guard_fd = guard->descriptor(),
                                          .clock = real_clock()});
    if (!thread)
      ::_exit(1);
    auto task = shell_task("setsid sh -c 'sleep 600 & echo session >$fifo; wait' &\n"
                           "sleep 600 &\n"
                           "echo task >$fifo; wait");
    auto order = std::make_shared<model::start_attempt>();
    order->key = {{1}, 0, 1};
    order->workflow = std::make_shared<model::workflow_spec>(task.workflow);
    order->env = {{"fifo", fifo}};
    (*thread)->start(order, {});
    for (;;)
      ::pause();
  }

  pid_t pid_ = -1;
};

} // namespace

TEST_CASE("guard: kills all that a runtime leaves when it is killed", "[executors][guard]") {
  const temp_dir dir;
  const auto token = new_instance_token().value();
  const auto other = new_instance_token().value();
  meeting_point fifo{dir / "fifo"};
  small_runtime runtime{dir, token, fifo.path()};
  const std::set<std::string> said{fifo.next_line(), fifo.next_line()};
  REQUIRE(said == std::set<std::string>{"session", "task"});
  CHECK(count_carriers(token) >= 2); // those that spoke, and perhaps their children

  runtime.kill();
  // The next runtime gets the lock when the guard has finished.
  auto next = guard_process::start(options_in(dir, other));
  REQUIRE(next.has_value());
  CHECK(count_carriers(token) == 0);
  next->goodbye();
}

TEST_CASE("guard: ends at a goodbye and kills nothing", "[executors][guard]") {
  const temp_dir dir;
  const auto token = new_instance_token().value();
  auto guard = guard_process::start(options_in(dir, token));
  REQUIRE(guard.has_value());
  process_world world{[&](process_options& o) {
    o.instance_token = token;
    o.guard_fd = guard->descriptor();
  }};
  meeting_point fifo{dir / "fifo"};
  auto task = shell_task("echo $$ >$fifo; exec sleep 600");
  task.env = {{"fifo", fifo.path()}};
  const auto key = world.start(task);
  const auto pid = fifo.next_line();
  guard->goodbye();
  CHECK(is_alive(pid));
  CHECK_FALSE(world.has_ended(key));
  guard->goodbye(); // repeating is safe
  auto again = guard_process::start(options_in(dir, token));
  CHECK(again.has_value()); // the lock is free
  if (again)
    again->goodbye();
}

TEST_CASE("guard: acts when its owner goes without a word", "[executors][guard]") {
  const temp_dir dir;
  const auto token = new_instance_token().value();
  process_world world{[&](process_options& o) { o.instance_token = token; }};
  const auto key = world.start(exec_task({"sleep", "600"}));
  world.wait_started(key);
  {
    const auto guard = guard_process::start(options_in(dir, token));
    REQUIRE(guard.has_value());
  }
  CHECK(world.wait_ended(key).failure->code == "SIGKILL");
}

TEST_CASE("guard: only the whole token counts", "[executors][guard]") {
  const temp_dir dir;
  const auto token = new_instance_token().value();
  process_world world{[&](process_options& o) { o.instance_token = token + "0"; }};
  auto task = exec_task({"sleep", "600"});
  task.env = {{"X_SLUICE_INSTANCE", token}, {"Y", "SLUICE_INSTANCE=" + token}};
  const auto key = world.start(task);
  world.wait_started(key);
  {
    const auto guard = guard_process::start(options_in(dir, token));
    REQUIRE(guard.has_value());
  }
  world.thread().signal(key, stop_signal::terminate);
  CHECK(world.wait_ended(key).failure->code == "SIGTERM"); // by us, not by the guard
}

TEST_CASE("guard: waits for the lock and gives up in time", "[executors][guard]") {
  const temp_dir dir;
  const auto token = new_instance_token().value();
  auto first = guard_process::start(options_in(dir, token));
  REQUIRE(first.has_value());

  auto impatient = options_in(dir, token);
  impatient.lock_wait = model::milliseconds{20};
  const auto second = guard_process::start(impatient);
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().code == errc::unavailable);
  CHECK_THAT(second.error().message, Catch::Contains("guard.lock"));

  first->goodbye();
  auto third = guard_process::start(impatient);
  CHECK(third.has_value());
  if (third)
    third->goodbye();
}

TEST_CASE("guard: lives in a session of its own with nothing of ours", "[executors][guard]") {
  const temp_dir dir;
  auto guard = guard_process::start(options_in(dir, "token"));
  REQUIRE(guard.has_value());
  const auto proc = fs::path{"/proc"} / std::to_string(guard->pid());
  CHECK(::getsid(guard->pid()) == guard->pid());
  CHECK(read_file(proc / "environ").empty());
  std::set<std::string> descriptors;
  for (const auto& fd : fs::directory_iterator{proc / "fd"})
    descriptors.insert(fd.path().filename().string());
  CHECK(descriptors == std::set<std::string>{"0", "1", "2", "3"});
  // What Ctrl-C and a closed terminal send does not end it.
  for (const int s : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
    REQUIRE(::kill(guard->pid(), s) == 0);
  pollfd ended{guard->pid_descriptor(), POLLIN, 0};
  CHECK(::poll(&ended, 1, 0) == 0);
  guard->goodbye();
}

TEST_CASE("guard: its channel has the lowest number and is close-on-exec", "[executors][guard]") {
  const temp_dir dir;
  const int free_number = ::fcntl(0, F_DUPFD, 3);
  ::close(free_number);
  auto guard = guard_process::start(options_in(dir, "token"));
  REQUIRE(guard.has_value());
  CHECK(guard->descriptor() == free_number);
  CHECK((::fcntl(guard->descriptor(), F_GETFD) & FD_CLOEXEC) != 0);
  guard->goodbye();
}

TEST_CASE("guard: its death is seen and a goodbye to it does not hang", "[executors][guard]") {
  const temp_dir dir;
  auto guard = guard_process::start(options_in(dir, "token"));
  REQUIRE(guard.has_value());
  ::kill(guard->pid(), SIGKILL);
  pollfd ended{guard->pid_descriptor(), POLLIN, 0};
  CHECK(::poll(&ended, 1, 60'000) == 1);
  guard->goodbye();
  CHECK(guard->pid() == -1);
}

TEST_CASE("guard: a missing program is named", "[executors][guard]") {
  const temp_dir dir;
  auto options = options_in(dir, "token");
  options.program = dir / "no-such-guard";
  const auto guard = guard_process::start(options);
  REQUIRE_FALSE(guard.has_value());
  CHECK(guard.error().code == errc::not_found);
  CHECK_THAT(guard.error().message, Catch::Contains("no-such-guard"));

  options.program = "/bin/false"; // a program, but no guard
  CHECK(guard_process::start(options).error().code == errc::unavailable);
}

TEST_CASE("guard: tokens are 128 bits in hex and differ", "[executors][guard]") {
  const auto a = new_instance_token().value();
  CHECK(a.size() == 32);
  CHECK(a.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(a != new_instance_token().value());
}

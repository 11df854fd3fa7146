#include "executors/process_thread.hpp"
#include "tests/executors/process_world.hpp"

#include <csignal>
#include <future>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;

namespace fs = std::filesystem;

TEST_CASE("process_thread: an exit becomes an outcome", "[executors][process_thread]") {
  process_world world;
  const auto [text, as, code, message] =
    GENERATE(table<std::string, failure_class, std::string, std::string>({
      {"exit 3", failure_class::exit, "3", "exit 3"},
      {"exit 75", failure_class::transient, "75", "exit 75"},
      {"exit 127", failure_class::exit, "127", "exit 127"},
      {"kill -KILL $$", failure_class::exit, "SIGKILL", "killed by SIGKILL"},
      {"kill -TERM $$", failure_class::exit, "SIGTERM", "killed by SIGTERM"},
      {"no-such-command-at-all; true", failure_class::exit, "127", "exit 127"},
      {"false; true", failure_class::exit, "1", "exit 1"},
    }));
  const auto report = world.run(shell_task(text));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == as);
  CHECK(report.failure->code == code);
  CHECK(report.failure->message == message);
  CHECK(report.started_at.has_value());
  CHECK(report.finished_at >= *report.started_at);
}

TEST_CASE("process_thread: success is reported after the start", "[executors][process_thread]") {
  process_world world;
  const auto report = world.run(exec_task({"/bin/true"}));
  CHECK_FALSE(report.failure.has_value());
  CHECK(report.outputs.is_null());
  CHECK(world.has_started(report.key));
  CHECK(fs::file_size(world.log_file(report.key)) == 0);
  CHECK_FALSE(fs::exists(world.dir() / "work")); // nothing to read or to write
}

TEST_CASE("process_thread: the log holds both streams in order and is private",
          "[executors][process_thread]") {
  process_world world;
  const auto report = world.run(shell_task("echo one; echo two >&2; echo three"));
  CHECK(world.log(report.key) == "one\ntwo\nthree\n");
  CHECK((fs::status(world.log_file(report.key)).permissions() & fs::perms::all)
        == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("process_thread: a task finds what an earlier attempt saved",
          "[executors][process_thread]") {
  process_world world;
  auto resumed = shell_task("echo \"$SLUICE_CHECKPOINT_TOKEN\"; cat \"$SLUICE_CHECKPOINT\"");
  resumed.checkpoint = std::make_shared<const model::checkpoint>(
    model::checkpoint{"step 3", std::string("row 7\n\0\xff", 8)});
  CHECK(world.output_of(resumed) == std::string("step 3\nrow 7\n\0\xff", 15));
  auto fresh = shell_task("echo \"${SLUICE_CHECKPOINT-none} ${SLUICE_CHECKPOINT_TOKEN-none}\"");
  CHECK(world.output_of(fresh) == "none none\n");
}

TEST_CASE("process_thread: a task is told where and as whom to call",
          "[executors][process_thread]") {
  process_world world{[](process_options& options) {
    options.socket = "/s/sock";
    options.token_of = [](model::attempt_key key) { return "token of " + to_string(key); };
  }};
  CHECK(world.output_of(shell_task("echo \"$SLUICE_SOCKET $SLUICE_TOKEN\""))
        == "/s/sock token of r-12/0#1\n");
}

TEST_CASE("process_thread: usage is counted", "[executors][process_thread]") {
  process_world world;
  const auto report = world.run(shell_task("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"));
  CHECK(report.usage.cpu > model::microseconds{1000});
  CHECK(report.usage.peak_rss_bytes > 0);
}

TEST_CASE("process_thread: the environment holds what is documented and nothing else",
          "[executors][process_thread]") {
  ::setenv("SECRET_OF_THE_RUNTIME", "leaks", 1);
  process_world world;
  CHECK(world.output_of(exec_task({"env"}))
        == "HOME=/nowhere\n"
           "PATH=/usr/local/bin:/usr/bin:/bin\n"
           "SLUICE_ATTEMPT=1\n"
           "SLUICE_INSTANCE=0123456789abcdef\n"
           "SLUICE_RUN=r-12\n"
           "SLUICE_TASK=the-task\n"
           "SLUICE_WORKFLOW=wf\n");

  auto with_files = exec_task({"env"});
  with_files.inputs = {{"rows", 7}};
  with_files.env = {{"EXTRA", "from env"}};
  with_files.task().out = {{"x", model::value_type::text}};
  const auto key = world.start(with_files);
  world.wait_ended(key);
  const auto work = world.dir() / "work/r-12/1.1";
  CHECK(world.log(key)
        == "EXTRA=from env\n"
           "HOME=/nowhere\n"
           "PATH=/usr/local/bin:/usr/bin:/bin\n"
           "SLUICE_ATTEMPT=1\n"
           "SLUICE_IN="
             + work
             + "/in.json\n"
               "SLUICE_INSTANCE=0123456789abcdef\n"
               "SLUICE_OUT="
             + work
             + "/out\n"
               "SLUICE_RUN=r-12\n"
               "SLUICE_TASK=the-task\n"
               "SLUICE_WORKFLOW=wf\n"
               "rows=7\n");
}

TEST_CASE("process_thread: a child has no descriptors but the three and an own group",
          "[executors][process_thread]") {
  const int leak_low = ::open("/dev/null", O_RDONLY); // not close-on-exec
  const int guard = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int leak_high = ::open("/dev/null", O_RDONLY);
  {
    process_world world{[guard](process_options& o) { o.guard_fd = guard; }};
    // ls itself opens the directory it lists
    CHECK(world.output_of(exec_task({"ls", "/proc/self/fd"})) == "0\n1\n2\n3\n");
    CHECK(world.output_of(exec_task({"readlink", "/proc/self/fd/0"})) == "/dev/null\n");
    CHECK(world.output_of(shell_task("read -r pid name state ppid group rest </proc/self/stat; "
                                     "test $pid = $group && echo own"))
          == "own\n");
  }
  for (const int fd : {leak_low, guard, leak_high})
    ::close(fd);
}

TEST_CASE("process_thread: a child has no blocked and no ignored signals",
          "[executors][process_thread]") {
  ::signal(SIGPIPE, SIG_IGN);
  process_world world;
  const auto status = world.output_of(exec_task({"grep", "Sig[BI]", "/proc/self/status"}));
  CHECK_THAT(status, Catch::Contains("SigBlk:\t0000000000000000"));
  // posix_spawn leaves the two signals of the C library itself (32 and 33) ignored.
  const auto ignored = std::stoull(status.substr(status.find("SigIgn:") + 8), nullptr, 16);
  CHECK((ignored & ~(3ull << 31)) == 0);
  ::signal(SIGPIPE, SIG_DFL);
}

TEST_CASE("process_thread: a plain line runs without a shell", "[executors][process_thread]") {
  process_world world;
  // the parent of the program is us, and no shell
  CHECK(world.output_of(shell_task("cat /proc/self/stat")).find(" (cat) ") != std::string::npos);
  CHECK_THAT(world.output_of(shell_task("cat /proc/self/stat")),
             Catch::Contains(" " + std::to_string(::getpid()) + " "));
  CHECK(world.output_of(shell_task("echo a  b")) == "a b\n");
  CHECK(world.output_of(shell_task("pwd")) == world.base().string() + "\n");
}

TEST_CASE("process_thread: each shell gets the text", "[executors][process_thread]") {
  process_world world;
  auto bash = shell_task("false | true; echo not reached");
  bash.task().settings->shell = model::shell_spec{.which = model::shell_spec::kind::bash};
  CHECK(world.run(bash).failure->code == "1");

  auto custom = shell_task("one two");
  custom.workflow.defaults.shell =
    model::shell_spec{.which = model::shell_spec::kind::custom, .argv = {"printf", "<%s>"}};
  CHECK(world.output_of(custom) == "<one two>");
}

TEST_CASE("process_thread: a script without a first line is read by the shell after all",
          "[executors][process_thread]") {
  process_world world;
  write_file(world.base() / "script", "echo from $0 with $1\n", 0755);
  CHECK(world.output_of(shell_task("./script x")) == "from ./script with x\n");

  const auto exec = world.run(exec_task({"./script", "x"}));
  REQUIRE(exec.failure.has_value());
  CHECK(exec.failure->failure_class == failure_class::permanent);
  CHECK(exec.failure->code == "not_executable");
}

TEST_CASE("process_thread: a program is looked up on the PATH of the task",
          "[executors][process_thread]") {
  process_world world;
  fs::create_directory(world.base() / "tools");
  write_file(world.base() / "tools/mine", "#!/bin/sh\necho mine\n", 0755);
  for (const auto* path : {"/nowhere:tools", "$/tools"}) {
    auto task = exec_task({"mine"});
    std::string value = path;
    if (value.starts_with('$'))
      value = world.base().string() + value.substr(1);
    task.env = {{"PATH", value}};
    CHECK(world.output_of(task) == "mine\n");
  }
  CHECK(world.output_of(exec_task({"tools/mine"})) == "mine\n");
  auto empty_part = exec_task({"mine"});
  empty_part.env = {{"PATH", "/nowhere:"}};
  empty_part.task().settings->workdir = "tools";
  CHECK(world.output_of(empty_part) == "mine\n");
}

TEST_CASE("process_thread: what cannot start is told apart and named also in the log",
          "[executors][process_thread]") {
  process_world world;
  write_file(world.base() / "plain", "text", 0644);
  write_file(world.base() / "lost", "#!/no/such/interpreter\n", 0755);
  const auto [argv, workdir, code, named] =
    GENERATE(table<std::vector<std::string>, std::string, std::string, std::string>({
      {{"no-such-program"}, "", "program_not_found", "'no-such-program'"},
      {{"./no-such-file"}, "", "program_not_found", "'./no-such-file'"},
      {{"/no/such/file"}, "", "program_not_found", "'/no/such/file'"},
      {{"./plain"}, "", "not_executable", "'./plain'"},
      {{"/tmp"}, "", "not_executable", "directory"},
      {{"./lost"}, "", "interpreter_not_found", "'./lost'"},
      {{"true"}, "missing", "workdir_missing", "/missing'"},
      {{"./any"}, "plain", "workdir_missing", "not a directory"},
      {{"true", std::string(200'000, 'x')}, "", "arguments_too_large", "'true'"},
    }));
  CAPTURE(argv.front(), workdir);
  auto task = exec_task(argv);
  if (!workdir.empty())
    task.task().settings->workdir = workdir;
  const auto report = world.run(task);
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::permanent);
  CHECK(report.failure->code == code);
  CHECK_THAT(report.failure->message, Catch::Contains(named));
  CHECK(world.log(report.key) == "sluice: " + report.failure->message + "\n");
  CHECK_FALSE(report.started_at.has_value());
  CHECK_FALSE(world.has_started(report.key));
}

TEST_CASE("process_thread: a program on the PATH without its interpreter is told apart",
          "[executors][process_thread]") {
  process_world world;
  write_file(world.base() / "lost", "#!/no/such/interpreter\n", 0755);
  auto task = exec_task({"lost"});
  task.env = {{"PATH", world.base().string()}};
  CHECK(world.run(task).failure->code == "interpreter_not_found");
}

TEST_CASE("process_thread: a log that cannot be written is named", "[executors][process_thread]") {
  process_world world;
  write_file(world.dir() / "logs", "in the way");
  const auto report = world.run(exec_task({"true"}));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->code == "log_unavailable");
  CHECK_THAT(report.failure->message, Catch::Contains(world.log_file(report.key).string()));
}

TEST_CASE("process_thread: a directory of logs that was removed is made again",
          "[executors][process_thread]") {
  process_world world;
  world.run(exec_task({"echo", "1"}));
  fs::remove_all(world.dir() / "logs");
  CHECK(world.output_of(exec_task({"echo", "2"})) == "2\n");
}

TEST_CASE("process_thread: inputs are in the environment and in the file",
          "[executors][process_thread]") {
  process_world world{[](process_options& o) { o.input_limit_bytes = 100; }};
  auto task = shell_task(R"(echo "$word ${large-unset} ${none-unset}"; cat "$SLUICE_IN")");
  const std::string large(101, 'x');
  task.inputs = {{"word", "a b"}, {"large", large}, {"none", nullptr}};
  const auto key = world.start(task);
  world.wait_ended(key);
  const auto log = world.log(key);
  const auto end = log.find('\n');
  CHECK(log.substr(0, end) == "a b unset unset");
  CHECK(model::parse_json(log.substr(end + 1)).value() == task.inputs);

  const auto work = world.dir() / "work/r-12/0.1";
  CHECK(fs::exists(work));
  world.thread().forget(key);
  world.run(exec_task({"true"})); // commands are handled in order
  CHECK_FALSE(fs::exists(work));
}

TEST_CASE("process_thread: outputs come with the report", "[executors][process_thread]") {
  process_world world;
  auto task = shell_task("test ! -e \"$SLUICE_OUT\"\n"
                         "echo data >result.csv\n"
                         "echo rows=3 >>$SLUICE_OUT\n"
                         "echo file=result.csv >>$SLUICE_OUT\n"
                         "echo extra=1 >>$SLUICE_OUT");
  task.task().out = {{"rows", model::value_type::integer}, {"file", model::value_type::file}};
  const auto report = world.run(task);
  INFO(world.log(report.key));
  CHECK_FALSE(report.failure.has_value());
  CHECK(report.outputs == model::value{{"rows", 3}, {"file", "result.csv"}});
  CHECK(report.warnings.size() == 1);

  task.task().action = model::run_action{"echo rows=x >$SLUICE_OUT"};
  const auto wrong = world.run(task);
  REQUIRE(wrong.failure.has_value());
  CHECK(wrong.failure->failure_class == failure_class::validation);

  task.task().action = model::run_action{"echo rows=x >$SLUICE_OUT; exit 4"};
  const auto failed = world.run(task);
  CHECK(failed.failure->code == "4"); // what a failed task wrote does not matter
  CHECK(failed.outputs.is_null());
}

TEST_CASE("process_thread: what a task leaves in the background ends with it",
          "[executors][process_thread]") {
  process_world world;
  meeting_point fifo{world.dir() / "fifo"};
  auto task = shell_task("(trap '' TERM HUP; echo $(exec sh -c 'echo $PPID') >$fifo; "
                         "sleep 600; sleep 600) & read -r line <$again; exit 5");
  meeting_point again{world.dir() / "again"};
  task.env = {{"fifo", fifo.path()}, {"again", again.path()}};
  const auto key = world.start(task);
  const auto pid = fifo.next_line();
  CHECK(is_alive(pid));
  std::ofstream{again.path()} << "go\n" << std::flush;
  const auto report = world.wait_ended(key);
  CHECK(report.failure->code == "5");
  CHECK_FALSE(is_alive(pid));
}

TEST_CASE("process_thread: a group of the dead that nobody reaps is gone",
          "[executors][process_thread]") {
  // We get the orphans, and leave them as they are.
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  process_world world;
  const auto report = world.run(shell_task("sleep 600 & exit 0"));
  CHECK_FALSE(report.failure.has_value());
  CHECK(::waitpid(-1, nullptr, 0) > 0); // it was there
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
}

TEST_CASE("process_thread: TERM reaches the whole group and can be ignored until KILL",
          "[executors][process_thread]") {
  process_world world;
  meeting_point fifo{world.dir() / "fifo"};
  auto task = shell_task("trap 'echo asked >$fifo' TERM\n"
                         "sh -c 'trap \"echo child asked >$fifo\" TERM; echo ready >$fifo; "
                         "while :; do sleep 600 & wait; done' &\n"
                         "while :; do wait || :; done");
  task.env = {{"fifo", fifo.path()}};
  const auto key = world.start(task);
  REQUIRE(fifo.next_line() == "ready");
  world.thread().signal(key, stop_signal::terminate);
  const std::set<std::string> said{fifo.next_line(), fifo.next_line()};
  CHECK(said == std::set<std::string>{"asked", "child asked"});
  CHECK_FALSE(world.has_ended(key));
  world.thread().signal(key, stop_signal::kill);
  const auto report = world.wait_ended(key);
  CHECK(report.failure->code == "SIGKILL");
  world.thread().signal(key, stop_signal::kill); // over: nothing happens
}

TEST_CASE("process_thread: TERM ends a stopped process too", "[executors][process_thread]") {
  process_world world;
  meeting_point fifo{world.dir() / "fifo"};
  auto task = shell_task("echo stopping >$fifo; kill -STOP $$");
  task.env = {{"fifo", fifo.path()}};
  const auto key = world.start(task);
  REQUIRE(fifo.next_line() == "stopping");
  world.thread().signal(key, stop_signal::terminate);
  CHECK(world.wait_ended(key).failure.has_value());
}

TEST_CASE("process_thread: an attempt that has not started will not start",
          "[executors][process_thread]") {
  process_world world;
  std::promise<void> reached;
  std::promise<void> gate;
  world.thread().abandon_all([&] { // holds the thread up, so that all that follows waits
    reached.set_value();
    gate.get_future().wait();
  });
  reached.get_future().wait();
  std::vector<model::attempt_key> keys;
  for (int i = 0; i < 20; ++i)
    keys.push_back(world.start(exec_task({"sleep", "600"})));
  world.thread().signal(keys[3], stop_signal::kill);
  world.thread().signal(keys[4], stop_signal::terminate);
  gate.set_value();
  for (const auto& key : {keys[3], keys[4]}) {
    const auto report = world.wait_ended(key);
    REQUIRE(report.failure.has_value());
    CHECK(report.failure->failure_class == failure_class::cancelled);
    CHECK_FALSE(report.started_at.has_value());
    CHECK_FALSE(world.has_started(key));
  }
  world.wait_started(keys.back());
}

TEST_CASE("process_thread: many at once all end", "[executors][process_thread]") {
  process_world world;
  std::vector<model::attempt_key> keys;
  for (int i = 0; i < 300; ++i)
    keys.push_back(world.start(exec_task({"echo", std::to_string(i)})));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CHECK_FALSE(world.wait_ended(keys[i]).failure.has_value());
    CHECK(world.log(keys[i]) == std::to_string(i) + "\n");
  }
}

TEST_CASE("process_thread: abandoned attempts are killed and not reported",
          "[executors][process_thread]") {
  process_world world;
  meeting_point fifo{world.dir() / "fifo"};
  auto task = shell_task("sleep 600 & echo $$ >$fifo; wait");
  task.env = {{"fifo", fifo.path()}};
  task.inputs = {{"a", 1}};
  const auto key = world.start(task);
  const auto pid = fifo.next_line();

  std::promise<void> gone;
  world.thread().abandon_all([&gone] { gone.set_value(); });
  REQUIRE(gone.get_future().wait_for(deadline) == std::future_status::ready);
  CHECK_FALSE(is_alive(pid));
  CHECK_FALSE(world.has_ended(key));
  CHECK_FALSE(fs::exists(world.dir() / "work/r-12/0.1"));

  std::promise<void> again;
  world.thread().abandon_all([&again] { again.set_value(); }); // there is none
  REQUIRE(again.get_future().wait_for(deadline) == std::future_status::ready);
  CHECK_FALSE(world.run(exec_task({"true"})).failure.has_value());
}

TEST_CASE("process_thread: its end is the end of what runs", "[executors][process_thread]") {
  process_world world;
  meeting_point fifo{world.dir() / "fifo"};
  auto task = shell_task("trap '' TERM; echo $$ >$fifo; sleep 600; sleep 600");
  task.env = {{"fifo", fifo.path()}};
  const auto key = world.start(task);
  const auto pid = fifo.next_line();
  world.stop();
  CHECK_FALSE(is_alive(pid));
  CHECK_FALSE(world.has_ended(key));
}

#include "executors/secrets.hpp"
#include "tests/executors/process_world.hpp"

#include <future>

using namespace sluice;
using namespace sluice::executors;
using model::failure_class;
namespace fs = std::filesystem;

namespace {

const std::string token = "s3cr3t/t0ken+value";

/// A world whose runtime has the variable API_TOKEN.
class secret_world : public process_world {
public:
  secret_world()
    : process_world{[](process_options& options) {
        options.secrets = std::make_shared<secrets_in_use>();
        options.variable_of = [](const std::string& name) {
          return name == "API_TOKEN"  ? std::optional{token}
                 : name == "PIN"      ? std::optional<std::string>{"123"}
                 : name == "NOTHING"  ? std::optional<std::string>{""}
                 : name == "HAS_NUL"  ? std::optional{std::string("a\0bcdef", 7)}
                 : name == "TOO_LONG" ? std::optional{std::string(65'537, 'x')}
                                      : std::nullopt;
        };
      }} {}

  const secrets_in_use& in_use() { return *options().secrets; }
};

one_task with_token(one_task what) {
  what.task().settings->secrets = {{"TOKEN", "env:API_TOKEN"}};
  return what;
}

one_task with_reference(const std::string& reference, std::string text = "true") {
  auto what = shell_task(std::move(text));
  what.task().settings->secrets = {{"TOKEN", reference}};
  return what;
}

} // namespace

TEST_CASE("secrets: a value reaches the environment and its log is masked",
          "[executors][secrets]") {
  secret_world world;
  auto task = with_token(shell_task(
    "echo \"t=$TOKEN\"; printf %s \"$TOKEN\" | base64 >&2; printf %s \"$TOKEN\" | wc -c; "
    "test \"$TOKEN\" = 's3cr3t/t0ken+value' && echo same; env | grep -c TOKEN"));
  task.inputs = {{"n", 1}};
  const auto key = world.start(task);
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
  CHECK(world.log(key) == "t=***\n***\n18\nsame\n1\n");
  CHECK((fs::status(world.log_file(key)).permissions() & fs::perms::all)
        == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("secrets: the defaults of the workflow count too", "[executors][secrets]") {
  secret_world world;
  auto task = with_token(shell_task("echo \"$TOKEN $KEY\""));
  task.workflow.defaults.secrets = {{"KEY", "file:key"}, {"TOKEN", "env:ABSENT"}};
  write_file(world.base() / "key", "line one\nline two\n");
  CHECK(world.output_of(task) == "*** ***\n***\n");
}

TEST_CASE("secrets: a file loses its last line end", "[executors][secrets]") {
  secret_world world;
  const auto [text, size] = GENERATE(table<std::string, std::string>({
    {"value", "5\n"},
    {"value\n", "5\n"},
    {"value\r\n", "5\n"},
    {"value\n\n", "6\n"},
    {std::string{"largest"}, "65536\n"},
  }));
  std::string largest(65'537, 'x');
  largest.back() = '\n';
  write_file(world.base() / "token", text == "largest" ? largest : text);
  CHECK(world.output_of(with_reference("file:token", "printf %s \"$TOKEN\" | wc -c")) == size);
  CHECK(world.output_of(with_reference("file:" + (world.base() / "token").string(),
                                       "printf %s \"$TOKEN\" | wc -c"))
        == size);
}

TEST_CASE("secrets: what cannot be had fails the attempt and is named", "[executors][secrets]") {
  secret_world world;
  write_file(world.base() / "large", std::string(65'537, 'x'));
  write_file(world.base() / "empty", "\n");
  const auto [reference, why] = GENERATE(table<std::string, std::string>({
    {"env:ABSENT", "the runtime has no variable 'ABSENT'"},
    {"env:NOTHING", "its value is empty"},
    {"env:HAS_NUL", "its value holds a NUL, which no environment can carry"},
    {"env:TOO_LONG",
     "the secrets of a task are at most 65536 bytes together; hand over the name of a file"},
    {"file:large",
     "the secrets of a task are at most 65536 bytes together; hand over the name of a file"},
    {"file:empty", "its value is empty"},
    {"file:absent", "No such file or directory"},
    {"file:.", "is not a regular file"},
  }));
  CAPTURE(reference);
  const auto report = world.run(with_reference(reference, "echo started"));
  REQUIRE(report.failure.has_value());
  CHECK(report.failure->failure_class == failure_class::permanent);
  CHECK(report.failure->code == "secret_unavailable");
  CHECK(report.failure->message.starts_with("task 'the-task' cannot have the secret TOKEN from '"
                                            + reference + "': "));
  CHECK(report.failure->message.ends_with(why));
  CHECK(world.log(report.key) == "sluice: " + report.failure->message + "\n");
  CHECK_FALSE(report.started_at.has_value());
}

TEST_CASE("secrets: one that is split over two writes is masked", "[executors][secrets]") {
  secret_world world;
  meeting_point meeting{world.dir() / "meeting"};
  REQUIRE(::mkfifo((world.dir() / "go").c_str(), 0600) == 0);
  const auto key = world.start(
    with_token(shell_task("echo shown; printf 'begin s3cr3t/t0'; echo half > " + meeting.path()
                          + "; read x < " + (world.dir() / "go") + "; printf 'ken+value end\\n'")));
  CHECK(meeting.next_line() == "half");
  std::ofstream{world.dir() / "go"} << "go\n";
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
  CHECK(world.log(key) == "shown\nbegin *** end\n");
}

TEST_CASE("secrets: much output is masked and none of it is lost", "[executors][secrets]") {
  secret_world world;
  const auto key = world.start(with_token(
    shell_task("yes \"a line with $TOKEN in it, and more that is not secret\" | head -n 50000")));
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
  const auto log = world.log(key);
  CHECK(log.find("s3cr3t") == std::string::npos);
  CHECK(std::count(log.begin(), log.end(), '\n') == 50'000);
  CHECK(log.size()
        == 50'000 * std::string{"a line with *** in it, and more that is not secret\n"}.size());
}

TEST_CASE("secrets: who closes its output and goes on is heard to its end",
          "[executors][secrets]") {
  secret_world world;
  const auto report =
    world.run(with_token(shell_task("echo last $TOKEN; exec >/dev/null 2>&1; i=0; while [ $i -lt "
                                    "20000 ]; do i=$((i+1)); done; exit 3")));
  CHECK(report.failure->code == "3");
  CHECK(world.log(report.key) == "last ***\n");
  // An end of the pipe that is closed must not keep the thread awake.
  CHECK(report.usage.cpu.count() > 0);
}

TEST_CASE("secrets: what escapes its group cannot hold up the end", "[executors][secrets]") {
  secret_world world;
  meeting_point meeting{world.dir() / "meeting"};
  const auto key = world.start(with_token(shell_task(
    "setsid sh -c 'echo $$ > " + meeting.path()
    + "; touch started; while echo noise; do :; done' & while [ ! -e started ]; do :; done")));
  const auto pid = meeting.next_line();
  CHECK_FALSE(world.wait_ended(key).failure.has_value());
  // Nobody reads any more: it ends by SIGPIPE, like any other whose reader has gone.
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (is_alive(pid) && std::chrono::steady_clock::now() < end)
    ::sched_yield();
  CHECK_FALSE(is_alive(pid));
}

TEST_CASE("secrets: outputs that hold one are refused", "[executors][secrets]") {
  secret_world world;
  auto task = with_token(shell_task("echo \"url=https://x/?t=$TOKEN\" > \"$SLUICE_OUT\""));
  task.task().out = {{"url", model::value_type::text}};
  const auto report = world.run(task);
  REQUIRE(report.failure.has_value());
  CHECK(report.outputs.is_null());
  CHECK(report.failure->failure_class == failure_class::permanent);
  CHECK(report.failure->code == "secret_in_output");
  CHECK(report.failure->message == "its outputs hold the secret TOKEN, which must not be stored");
  auto wrong = with_token(shell_task("echo \"n=$TOKEN\" > \"$SLUICE_OUT\""));
  wrong.task().out = {{"n", model::value_type::integer}};
  const auto mistyped = world.run(wrong);
  CHECK(mistyped.failure->failure_class == failure_class::validation);
  CHECK(mistyped.failure->message.find("s3cr3t") == std::string::npos);
  auto fine = with_token(shell_task("echo n=1 > \"$SLUICE_OUT\""));
  fine.task().out = {{"n", model::value_type::integer}};
  CHECK(world.run(fine).outputs == model::value{{"n", 1}});
}

TEST_CASE("secrets: each command of an attempt has them", "[executors][secrets]") {
  secret_world world;
  auto task = with_token(shell_task("echo did with $TOKEN"));
  model::set_command(*task.task().settings, model::command_role::validate,
                     model::run_action{"echo checked with $TOKEN"});
  CHECK(world.output_of(task) == "did with ***\nchecked with ***\n");
  auto snapshot = with_token(shell_task("echo never"));
  model::set_command(*snapshot.task().settings, model::command_role::snapshot,
                     model::run_action{"echo $TOKEN | base64 > \"$SLUICE_SNAPSHOT\""});
  snapshot.takes_snapshot = true;
  const auto report = world.run(snapshot);
  CHECK(report.failure->code == "secret_in_snapshot");
  CHECK(world.log(report.key)
        == "sluice: its snapshot holds the secret TOKEN, which must not be stored\n");
}

TEST_CASE("secrets: what a task tells is compared with its own while it runs",
          "[executors][secrets]") {
  secret_world world;
  const auto key = world.start(with_token(shell_task("exec sleep 600")));
  world.wait_started(key);
  CHECK(world.in_use().find(key, "my token is " + token) == "TOKEN");
  CHECK(world.in_use().find(key, "my token is mine") == std::nullopt);
  CHECK(world.in_use().find({{12}, 99, 1}, token) == std::nullopt);
  world.thread().signal(key, stop_signal::kill);
  CHECK(world.wait_ended(key).failure->code == "SIGKILL");
  CHECK(world.in_use().none());
}

TEST_CASE("secrets: an attempt that is abandoned while it waits leaves none",
          "[executors][secrets]") {
  secret_world world;
  auto task = with_token(shell_task("echo never"));
  model::set_command(*task.task().settings, model::command_role::snapshot,
                     model::run_action{"echo kept > \"$SLUICE_SNAPSHOT\""});
  task.takes_snapshot = true;
  CHECK(world.wait_snapshot(world.start(task)) == "kept\n");
  CHECK_FALSE(world.in_use().none());
  std::promise<void> gone;
  world.thread().abandon_all([&] { gone.set_value(); });
  REQUIRE(gone.get_future().wait_for(deadline) == std::future_status::ready);
  CHECK(world.in_use().none());
}

TEST_CASE("secrets: one that is too short is said not to be masked", "[executors][secrets]") {
  secret_world world;
  const auto report = world.run(with_reference("env:PIN", "echo $TOKEN"));
  CHECK_FALSE(report.failure.has_value());
  CHECK(world.log(report.key) == "123\n");
  CHECK(report.warnings
        == std::vector<std::string>{
          "the secret TOKEN is shorter than 4 characters, so that the log is not masked for it"});
}

TEST_CASE("secrets: limits and secrets go together", "[executors][secrets][limits]") {
  secret_world world;
  auto task = with_token(shell_task("ulimit -d; echo $TOKEN >&2; ls /proc/self/fd | wc -l"));
  task.holds.taken.push_back({model::capacity_kind::resource, "mem", std::int64_t{64} << 20});
  CHECK(world.output_of(task) == "65536\n***\n4\n");
  CHECK(world.output_of(with_token(shell_task("ls /proc/self/fd | wc -l"))) == "4\n");
}

TEST_CASE("secrets: a log that cannot be opened is named", "[executors][secrets]") {
  secret_world world;
  const model::attempt_key key{{12}, 0, 1};
  fs::create_directories(world.log_file(key));
  const auto report = world.run(with_token(shell_task("echo started")));
  CHECK(report.failure->code == "log_unavailable");
}

#include "cli/event_text.hpp"
#include "cli/filter.hpp"
#include "cli/log_text.hpp"
#include "cli/table.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

using namespace sluice;
using namespace sluice::cli;

namespace {

/// Both ends of a pipe, to read back what a console wrote.
struct pipe_ends {
  std::array<int, 2> fds{-1, -1};
  pipe_ends() { REQUIRE(::pipe(fds.data()) == 0); }
  ~pipe_ends() {
    close_reader();
    ::close(fds[1]);
  }
  void close_reader() {
    if (fds[0] >= 0)
      ::close(std::exchange(fds[0], -1));
  }
  std::string read() const {
    std::array<char, 4096> buffer;
    const auto got = ::read(fds[0], buffer.data(), buffer.size());
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
};

std::filesystem::path temporary_file(const std::string& text) {
  std::string name = (std::filesystem::temp_directory_path() / "sluice-log-XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream{name} << text;
  return name;
}

} // namespace

TEST_CASE("table: columns are aligned and empty ones left out", "[cli][table]") {
  pipe_ends pipe;
  console out{pipe.fds[1], console::colour::off};
  table t{{"ID", "EMPTY", "STATE", ""}};
  t.row({{"r-1/0"}, {""}, {"succeeded"}, {"x"}});
  t.row({{"r-1/100"}, {""}, {"failed"}, {""}});
  t.print(out, "  ");
  out.flush();
  CHECK(pipe.read()
        == "  ID       STATE\n"
           "  r-1/0    succeeded  x\n"
           "  r-1/100  failed\n");
}

TEST_CASE("console: a reader that is gone takes no more text", "[cli][console]") {
  std::signal(SIGPIPE, SIG_IGN);
  pipe_ends pipe;
  console out{pipe.fds[1], console::colour::off};
  out.line("one");
  out.flush();
  CHECK_FALSE(out.is_closed());
  pipe.close_reader();
  out.line("two");
  out.flush_ready();
  CHECK(out.is_closed());
  out.line("three");
  CHECK(out.pending() == 0);
}

TEST_CASE("console: a reader that is slow does not make us wait", "[cli][console]") {
  pipe_ends pipe;
  console out{pipe.fds[1], console::colour::off};
  out.hold();
  out.write(std::string(1'000'000, 'x'));
  out.flush_ready();
  CHECK(out.pending() > 0);
  pipe.close_reader();
  std::signal(SIGPIPE, SIG_IGN);
}

TEST_CASE("console: colours only where they are on", "[cli][console]") {
  pipe_ends pipe;
  CHECK(console{pipe.fds[1], console::colour::off}.tinted("x", tint::red) == "x");
  CHECK(console{pipe.fds[1], console::colour::on}.tinted("x", tint::red) == "\033[31mx\033[0m");
  CHECK(console{pipe.fds[1], console::colour::on}.tinted("x", tint::none) == "x");
}

TEST_CASE("filter: key and value are told apart and checked", "[cli][filter]") {
  constexpr std::array<std::string_view, 2> keys{"state", "name"};
  const std::vector<std::string> good{"state=failed", "name=a=b"};
  const auto read = read_filters(good, keys);
  REQUIRE(read);
  CHECK(read->at("state") == "failed");
  CHECK(read->at("name") == "a=b");
  const std::string bad = GENERATE("state", "colour=red", "=x");
  CHECK_FALSE(read_filters(std::vector{bad}, keys));
  CHECK_FALSE(read_filters(std::vector<std::string>{"name=a", "name=b"}, keys));
}

TEST_CASE("log_text: the tail of a log", "[cli][log_text]") {
  const auto [text, want, is_whole] =
    GENERATE(Catch::Generators::table<std::string, std::vector<std::string>, bool>({
      {"", {}, true},
      {"one\n", {"one"}, true},
      {"one\ntwo", {"one", "two"}, true},
      {"a\nb\nc\n", {"b", "c"}, false},
      {"a\n\nc\n", {"", "c"}, false},
      {"\033[1mbold\033[0m\n", {"bold"}, true},
    }));
  const auto log = temporary_file(text);
  const auto tail = read_tail(log, 2);
  CHECK(tail.lines == want);
  CHECK(tail.is_whole == is_whole);
  std::filesystem::remove(log);
}

TEST_CASE("log_text: a log that is not there has no lines", "[cli][log_text]") {
  CHECK(read_tail("/nonexistent/log", 5).lines.empty());
  CHECK(log_reader{"/nonexistent/log"}.open() == false);
}

TEST_CASE("log_text: a reader sees what is appended", "[cli][log_text]") {
  const auto log = temporary_file("one\n");
  log_reader reader{log};
  REQUIRE(reader.open() == true);
  CHECK(reader.read() == "one\n");
  CHECK(reader.read() == "");
  std::ofstream{log, std::ios::app} << "two";
  CHECK(reader.read() == "two");
  std::filesystem::remove(log);
}

TEST_CASE("event_text: an event is one line", "[cli][event_text]") {
  pipe_ends pipe;
  const console out{pipe.fds[1], console::colour::off};
  model::event e;
  e.at = model::from_us(27'000'250'000);
  e.run_no = model::run_no{12};
  e.task_idx = 3;
  e.attempt = 1;
  e.task = "load";
  e.type = model::event_type::task_finished;
  e.to = "failed";
  e.data = {{"class", "exit"}, {"code", "3"}, {"message", "exited with 3"}};
  CHECK(event_line(e, out, runtime::zone_choice::utc)
        == "07:30:00.250  r-12/load#1               failed        exit 3: exited with 3");

  e.type = model::event_type::task_retrying;
  e.to = "retry_wait";
  e.data["retry"] = 2;
  e.data["due_us"] = 27'004'450'000;
  CHECK(
    event_line(e, out, runtime::zone_choice::utc)
    == "07:30:00.250  r-12/load#1               retry_wait    exit 3: exited with 3, retry 2 in "
       "4.2s");
  e.type = model::event_type::task_due;
  e.to = "ready";
  e.data = {{"late_us", 250'000}};
  CHECK(event_line(e, out, runtime::zone_choice::utc)
        == "07:30:00.250  r-12/load#1               ready         250ms late");
  e.type = model::event_type::task_waiting;
  e.to = "waiting";
  e.data = {{"reason", "breaker"},
            {"breaker", {{"failures", 5}, {"open_until_us", 27'042'250'000}}}};
  CHECK(
    event_line(e, out, runtime::zone_choice::utc)
    == "07:30:00.250  r-12/load#1               waiting       waits for its breaker, 42.0s left "
       "(5 failures in a row)");
  e.data = {{"reason", "idempotency"}};
  CHECK(
    event_line(e, out, runtime::zone_choice::utc)
    == "07:30:00.250  r-12/load#1               waiting       waits for a task with the same key");
  e.type = model::event_type::task_released;
  e.to = "ready";
  CHECK(
    event_line(e, out, runtime::zone_choice::utc)
    == "07:30:00.250  r-12/load#1               ready         no other task with the same key is "
       "left");
  e.data = {{"reason", "hold"}};
  CHECK(event_line(e, out, runtime::zone_choice::utc)
        == "07:30:00.250  r-12/load#1               ready         is tried again");
  e.type = model::event_type::task_due;
  e.to = "ready";
  e.data = {{"late_us", 2'000}}; // nothing to talk about
  CHECK(event_line(e, out, runtime::zone_choice::utc)
        == "07:30:00.250  r-12/load#1               ready");
}

TEST_CASE("event_text: of many tasks that are added the first are named", "[cli][event_text]") {
  model::event e;
  e.type = model::event_type::tasks_added;
  e.data = {{"first", 3}, {"tasks", 2}, {"names", {"a", "b"}}};
  CHECK(event_detail(e) == "2 tasks: a, b");
  e.data = {{"first", 3}, {"tasks", 3'000}, {"names", {"a", "b", "c", "d", "e", "f"}}};
  CHECK(event_detail(e) == "3000 tasks: a, b, c, d, e and 2995 more");
}

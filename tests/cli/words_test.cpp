#include "cli/words.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <tuple>

using namespace sluice;
using namespace sluice::cli;

TEST_CASE("words: a failure in as few words as it takes", "[cli][words]") {
  using enum model::failure_class;
  const auto [failure_class, code, want] =
    GENERATE(table<model::failure_class, std::string, std::string>({
      {exit, "3", "exit 3"},
      {exit, "SIGKILL", "SIGKILL"},
      {timeout, "", "timeout"},
      {permanent, "output_too_large", "permanent (output_too_large)"},
      {lost, "lost", "lost"},
      {lost, "no_slot", "given back"}, // no fault of the attempt
      {lost, "paused", "given back"},
      {lost, "drained", "given back"},
    }));
  CHECK(failure_words({failure_class, code, ""}) == want);
}

TEST_CASE("words: a task id can be pasted into a shell", "[cli][words]") {
  const model::task_key key{{12}, 7};
  CHECK(task_id(key, "load-2") == "r-12/load-2");
  CHECK(task_id(key, "a b") == "r-12/7");
  CHECK(task_id(key, "train[nn]") == "r-12/7");
  CHECK(task_id(key, "") == "r-12/7");
}

TEST_CASE("words: a word for a shell is quoted when needed", "[cli][words]") {
  CHECK(shell_quoted("/srv/store-1") == "/srv/store-1");
  CHECK(shell_quoted("a b") == "'a b'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
  CHECK(shell_quoted("") == "''");
}

TEST_CASE("words: text of unknown origin cannot disturb a terminal", "[cli][words]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"plain", "plain"},
    {"\033[31mred\033[0m", "red"},
    {"\033]0;title", "0;title"},
    {"50%\r100%", "50%100%"},
    {"a\tb", "a b"},
    {"bell\a", "bell?"},
    {"\xFFz", "\xEF\xBF\xBDz"},
    {"\033[", ""},
    {"\033", ""},
  }));
  CHECK(printable(text) == want);
}

TEST_CASE("words: widths count characters and not bytes", "[cli][words]") {
  CHECK(display_width("\xC3\xA4\xC3\xB6") == 2);
  CHECK(padded("\xC3\xA4", 3) == "\xC3\xA4  ");
  CHECK(padded("long", 2) == "long");
  CHECK(shortened("extract", 7) == "extract");
  CHECK(shortened("extract", 6) == "ext...");
  CHECK(shortened("\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6", 4) == "\xC3\xA4...");
  CHECK(shortened("extract", 2) == "..");
}

TEST_CASE("words: a bar is as full as the run is far", "[cli][words]") {
  CHECK(bar(0, 4, 8) == "[........]");
  CHECK(bar(1, 4, 8) == "[##......]");
  CHECK(bar(4, 4, 8) == "[########]");
  CHECK(bar(0, 0, 2) == "[##]");
}

TEST_CASE("words: what a task knows of its breaker", "[cli][words]") {
  const auto now = model::from_us(1'000'000);
  CHECK(breaker_words({5, now + model::seconds{60}}, now)
        == "waits for its breaker, 1m left (5 failures in a row)");
  CHECK(breaker_words({1, now}, now)
        == "waits for its breaker, one attempt is tried first (1 failure in a row)");
}

TEST_CASE("words: what a held task waits for", "[cli][words]") {
  const model::failure failure{model::failure_class::exit, "3", "exit 3"};
  CHECK(waiting_words(failure, {}) == "held after exit 3; retry, or mark it");
}

TEST_CASE("words: counts name what is not zero", "[cli][words]") {
  runtime::run_view run;
  run.counts[static_cast<std::size_t>(model::task_state::failed)] = 1;
  run.counts[static_cast<std::size_t>(model::task_state::dispatched)] = 2;
  run.counts[static_cast<std::size_t>(model::task_state::succeeded)] = 3;
  CHECK(count_words(run) == "1 failed  2 running");
  run.interrupted = true;
  CHECK(count_words(run) == "1 failed  2 interrupted");
  CHECK(run.task_count() == 6);
  run.counts[static_cast<std::size_t>(model::task_state::retry_wait)] = 1;
  run.counts[static_cast<std::size_t>(model::task_state::rolling_back)] = 3;
  CHECK(count_words(run) == "1 failed  5 interrupted  1 retrying");
  run.interrupted = false;
  CHECK(count_words(run) == "1 failed  2 running  3 rolling back  1 retrying");
}

#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

TEST_CASE("replay: shows a run as its events tell it", "[cli][replay]") {
  const workspace here;
  here.write("w.yaml",
             "tasks: {a: 'true', b: {after: [a], run: exit 3}, c: {after: [b], run: 'true'}}\n");
  CHECK(here.run({"run", "w.yaml"}).code == 1);
  const auto now = here.run({"replay", "@last"});
  CHECK(now.code == 0);
  CHECK_THAT(now.out, Contains("failed") && Contains("1 succeeded  1 failed  1 skipped"));

  const auto events = here.run({"events", "@last", "--json"}).out;
  std::string first_end;
  std::istringstream lines{events};
  for (std::string line; first_end.empty() && std::getline(lines, line);)
    if (const auto event = json::parse(line); event["type"] == "task_finished")
      first_end = event["at"];
  const auto then = json::parse(here.run({"replay", "@last", "--json", "--at", first_end}).out);
  CHECK(then["state"] == "running");
  CHECK(then["tasks"][0] == json{{"state", "succeeded"}, {"attempt", 1}});
  CHECK(then["tasks"][2] == json{{"state", "pending"}, {"attempt", 0}});

  CHECK(here.run({"replay", "@last", "--at", "2020-01-01T00:00:00Z"}).code == 3);
  const auto wrong = here.run({"replay", "@last", "--at", "noon"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("'noon' is not a time"));
}

TEST_CASE("replay: names rows that are not what the events say", "[cli][replay]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'true', b: 'true'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  REQUIRE(std::system(("sqlite3 " + (here.directory() / ".sluice/sluice.db").string()
                       + " \"UPDATE task SET state = 'failed' WHERE name = 'b'\"")
                        .c_str())
          == 0);
  const auto found = here.run({"replay", "@last"});
  CHECK(found.code == 70);
  CHECK_THAT(
    found.err,
    Contains("the row of task 'b' says failed, attempt 1, its events succeeded, attempt 1"));
}

TEST_CASE("replay: repairs rows from the events", "[cli][replay]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: 'true', b: 'true', c: 'true'}\n");
  REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto database = (here.directory() / ".sluice/sluice.db").string();
  const auto sql = [&](const std::string& text) {
    return std::system(("sqlite3 " + database + " \"" + text + "\"").c_str());
  };
  REQUIRE(sql("UPDATE task SET state = 'pending', attempt = 0, finished_us = NULL WHERE name = 'b';"
              "UPDATE run SET state = 'failed', counts = '{}'")
          == 0);
  const auto done = here.run({"replay", "@last", "--repair"});
  CHECK(done.code == 0);
  CHECK_THAT(done.out, Contains("the row of the run says failed, its events succeeded\n")
                         && Contains("r-1: repaired, with 1 row of tasks\n"));
  CHECK(here.run({"replay", "@last"}).code == 0);
  CHECK_THAT(here.run({"runs"}).out, Contains("succeeded  3/3"));
  const auto task = json::parse(here.run({"show", "r-1/b", "--json"}).out);
  CHECK(task["state"] == "succeeded");
  CHECK(task.value("finished_at", "").starts_with("20"));
  CHECK_THAT(here.run({"events", "@last"}).out, Contains("the row of task 'b' says pending"));
  CHECK_THAT(here.run({"replay", "@last", "--repair"}).out, Contains("nothing to repair"));

  REQUIRE(sql("DELETE FROM event WHERE type = 'task_dispatched'") == 0);
  const auto torn = here.run({"replay", "@last", "--repair"});
  CHECK(torn.code == 4);
  CHECK_THAT(torn.err, Contains("the events do not fit together"));
}

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

// `limit`, `pool` and `share`: what people allow for a whole store.
#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>

using namespace sluice::cli_test;
using Catch::Contains;
using nlohmann::json;

namespace {

constexpr const char* pooled = R"(tasks:
  a: {run: 'while [ ! -e go-a ]; do sleep 0.01; done', pool: db}
  b: {run: 'while [ ! -e go-b ]; do sleep 0.01; done', pool: db}
)";

} // namespace

TEST_CASE("limits: are set without a runtime and hold in the next one", "[cli][limits]") {
  const workspace here;
  here.write("w.yaml", pooled);
  CHECK(here.run({"pool", "set", "db", "1", "--by", "ana"}).out == "pool 'db': at most 1\n");
  CHECK_THAT(here.run({"pool", "list"}).out, Contains("db") && Contains("ana"));
  running_program program{here.directory(), {"--json", "run", "w.yaml", "--slots", "2"}};
  program.read_until("task_dispatched");
  CHECK_THAT(here.run({"explain", "@last/b"}).out, Contains("pool db: 1 of 1 held by r-1/a"));
  const auto listed = json::parse(here.run({"pool", "list", "--json"}).out);
  CHECK(listed["amount"] == "1");
  CHECK(listed["used"] == "1");
  CHECK(listed["by"] == "ana");

  CHECK(here.run({"pool", "set", "db", "2"}).code == 0);
  program.read_until("task_dispatched");
  here.write("go-a", "");
  here.write("go-b", "");
  CHECK(program.wait() == 0);
  CHECK(json::parse(here.run({"pool", "list", "--json"}).out)["amount"] == "2");
  CHECK(here.run({"pool", "unset", "db"}).out == "pool 'db' has no limit any more\n");
  CHECK(here.run({"pool", "list"}).out == "none is set\n");
}

TEST_CASE("limits: slots and resources are listed with what is used", "[cli][limits]") {
  const workspace here;
  here.write("w.yaml", R"(tasks:
  a: {run: 'while [ ! -e go ]; do sleep 0.01; done', resources: {licence: 1}}
)");
  running_program program{here.directory(),
                          {"--json", "run", "w.yaml", "--slots", "3", "--resource", "licence=2"}};
  program.read_until("task_dispatched");
  CHECK(here.run({"limit", "set", "slots", "0"}).out == "slots: at most 0\n");
  CHECK(here.run({"limit", "set", "licence", "1"}).code == 0);
  const auto lines = here.run({"--json", "limit", "list"}).out;
  CHECK_THAT(lines, Contains(R"("kind":"slots")") && Contains(R"("has":"3")")
                      && Contains(R"("name":"licence")") && Contains(R"("used":"1")"));
  CHECK_THAT(here.run({"limit", "list"}).out, Contains("NAME") && Contains("licence"));
  here.write("go", "");
  CHECK(program.wait() == 0);
}

TEST_CASE("limits: what is wrong is refused and changes nothing", "[cli][limits]") {
  const workspace here;
  const auto [arguments, code, words] = GENERATE(table<std::vector<std::string>, int, const char*>(
    {{{"pool", "set", "db", "many"}, 2, "pool 'db': 'many' is no whole number from 0 to 100000"},
     {{"pool", "set", "3 b", "1"}, 2, "'3 b' cannot be the name of a pool"},
     {{"limit", "set", "mem", "1.5Xi"}, 2, "1.5Xi"},
     {{"limit", "set", "slots", "-1"}, 2, "slots: '-1'"},
     {{"share", "set", "etl", "0"}, 2, "the share of workflow 'etl': '0'"},
     {{"share", "unset", "ana", "--user"}, 3, "nothing is set for the share of user 'ana'"},
     {{"pool", "unset", "db"}, 3, "nothing is set for pool 'db'"},
     {{"run", "w.yaml", "--slots", "4-2"}, 2, "--slots: '4-2' is no number of slots"}}));
  const auto refused = here.run(arguments);
  CHECK(refused.code == code);
  CHECK_THAT(refused.err, Contains(words));
  CHECK(here.run({"share", "list"}).code != 70);
}

TEST_CASE("limits: a weight is that of a workflow or of a user", "[cli][limits]") {
  const workspace here;
  CHECK(here.run({"share", "set", "etl", "3"}).out == "the share of workflow 'etl' has weight 3\n");
  CHECK(here.run({"share", "set", "--user", "ana", "2"}).out
        == "the share of user 'ana' has weight 2\n");
  CHECK_THAT(here.run({"share", "list"}).out,
             Contains("workflow etl") && Contains("user ana") && Contains("WEIGHT"));
}

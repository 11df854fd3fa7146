#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <string>
#include <tuple>
#include <vector>

using namespace sluice::cli_test;
using Catch::Contains;

TEST_CASE("usage: what is wrong with a command line is named", "[cli][usage]") {
  using arguments = std::vector<std::string>;
  const auto [given, code, part] = GENERATE(table<arguments, int, std::string>({
    {{}, 2, "which verb"},
    {{"rnus"}, 2, "did you mean 'runs'?"},
    {{"xyzzy"}, 2, "there is no verb 'xyzzy'"},
    {{"runs", "extra"}, 2, "'runs' does not take 'extra'"},
    {{"runs", "--bogus"}, 2, "there is no option '--bogus'"},
    {{"runs", "--limit", "many"}, 2, "--limit"},
    {{"runs", "--json", "--quiet"}, 2, "--json"},
    {{"runs", "--color", "pink"}, 2, "--color"},
    {{"runs", "--filter", "colour=red"}, 2, "there is no filter 'colour'"},
    {{"show"}, 2, "ID"},
    {{"run", "x.yaml", "--slots", "0"}, 2, "--slots"},
    {{"run", "missing.yaml"}, 2, "missing.yaml"},
    {{"runs"}, 3, ".sluice"},
    {{"--store", "elsewhere", "show", "@last"}, 3, "elsewhere"},
  }));
  CAPTURE(given);
  const workspace here;
  const auto done = here.run(given);
  CHECK(done.code == code);
  CHECK(done.out.empty());
  CHECK_THAT(done.err, Contains(part));
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice"));
}

TEST_CASE("usage: help and version are answers", "[cli][usage]") {
  const workspace here;
  CHECK(here.run({"version"}).out == "sluice 0.1.0\n");
  CHECK(here.run({"version", "--json"}).out == "{\"name\":\"sluice\",\"version\":\"0.1.0\"}\n");
  const auto help = here.run({"--help"});
  CHECK(help.code == 0);
  for (const auto* verb :
       {"run", "validate", "plan", "runs", "show", "tasks", "logs", "events", "cancel", "version"})
    CHECK_THAT(help.out, Contains(verb));
  CHECK(here.run({"run", "--help"}).code == 0);
}

TEST_CASE("validate: a good file is ok", "[cli][validate]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n  a: echo a\n  b: {after: [a], run: echo b}\n");
  const auto done = here.run({"validate", "w.yaml"});
  CHECK(done.code == 0);
  CHECK(done.out == "w.yaml: ok, 2 tasks\n");
  CHECK(done.err.empty());
  const auto json = nlohmann::json::parse(here.run({"validate", "w.yaml", "--json"}).out);
  CHECK(json["ok"] == true);
  CHECK(json["tasks"] == 2);
  CHECK(here.run({"validate", "w.yaml", "--quiet"}).out.empty());
}

TEST_CASE("validate: every problem has its place", "[cli][validate]") {
  const workspace here;
  here.write("w.yaml", "tasks:\n"
                       "  a: {after: [nope], run: echo a}\n"
                       "  b: {rnu: echo b}\n");
  const auto done = here.run({"validate", "w.yaml"});
  CHECK(done.code == 2);
  CHECK(done.out.empty());
  CHECK_THAT(done.err, Contains("w.yaml:2:15: ") && Contains("nope"));
  CHECK_THAT(done.err, Contains("w.yaml:3:7: ") && Contains("rnu"));
  const auto with_json = here.run({"--json", "validate", "w.yaml"});
  CHECK(with_json.code == 2);
  const auto json = nlohmann::json::parse(with_json.out);
  CHECK(json["ok"] == false);
  REQUIRE(json["problems"].size() >= 2);
  CHECK(json["problems"][0]["line"] == 2);
  CHECK(here.run({"run", "w.yaml"}).code == 2);
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice"));
}

TEST_CASE("plan: stages, widths and the critical path", "[cli][plan]") {
  const workspace here;
  here.write("w.yaml", "limits: {active_tasks: 2}\n"
                       "tasks:\n"
                       "  a: 'true'\n"
                       "  b1: {after: [a], run: 'true'}\n"
                       "  b2: {after: [a], run: 'true'}\n"
                       "  b3: {after: [a], run: 'true'}\n"
                       "  c: {after: [b1, b2, b3], run: 'true'}\n");
  const auto done = here.run({"plan", "w.yaml"});
  CHECK(done.code == 0);
  CHECK(done.out
        == "w  5 tasks  3 stages  width 3  estimate -\n"
           "critical path 3 tasks: c <- b1 <- a\n"
           "STAGE  TASKS       MAX PARALLEL  ESTIMATE\n"
           "1      a           1             -\n"
           "2      b1, b2, b3  2 (limit)     -\n"
           "3      c           1             -\n");
  const auto json = nlohmann::json::parse(here.run({"plan", "w.yaml", "--json"}).out);
  CHECK(json["width"] == 3);
  CHECK(json["critical_path"] == nlohmann::json{"a", "b1", "c"});
  CHECK(json["stages"][1]["max_parallel"] == 2);
}

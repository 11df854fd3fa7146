#include "tests/cli/program.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace sluice::cli_test;
using Catch::Contains;

TEST_CASE("prune: forgets runs that ended, with their logs", "[cli][prune]") {
  const workspace here;
  here.write("w.yaml", "tasks: {a: {run: 'echo hello'}}\n");
  for (int i = 0; i < 3; ++i)
    REQUIRE(here.run({"run", "w.yaml"}).code == 0);
  const auto logs = here.directory() / ".sluice/logs";
  REQUIRE(std::filesystem::exists(logs / "r-1"));
  std::filesystem::create_directory(logs / "r-99"); // of a run that an earlier prune deleted

  CHECK_THAT(here.run({"prune", "--keep", "1d"}).out, Contains("no run ended more than 1d ago"));
  CHECK(std::filesystem::exists(logs / "r-1"));
  const auto pruned = here.run({"prune", "--keep", "0s"});
  CHECK(pruned.code == 0);
  CHECK_FALSE(std::filesystem::exists(here.directory() / ".sluice/sluice.db-wal")); // all is in one
  CHECK_THAT(pruned.out, Contains("2 runs pruned: r-1, r-2")); // the newest stays
  CHECK(here.run({"show", "r-1"}).code == 3);
  CHECK_FALSE(std::filesystem::exists(logs / "r-1"));
  CHECK_FALSE(std::filesystem::exists(logs / "r-99"));
  CHECK(std::filesystem::exists(logs / "r-3"));
  CHECK_THAT(here.run({"logs", "@last/a"}).out, Contains("hello"));
  CHECK_THAT(here.run({"doctor"}).out, Contains("agree in the newest 1"));
  CHECK_THAT(here.run({"run", "w.yaml"}).out, Contains("r-4"));
  CHECK(nlohmann::json::parse(here.run({"--json", "prune", "--keep", "0s"}).out)
        == nlohmann::json{{"pruned", {"r-3"}}});
}

TEST_CASE("prune: what it cannot do is refused", "[cli][prune]") {
  const workspace here;
  CHECK(here.run({"prune", "--keep", "30d"}).code == 3); // there is no store
  CHECK(here.run({"prune"}).code == 2);
  const auto wrong = here.run({"prune", "--keep", "soon"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("'soon'"));

  here.write("w.yaml", "tasks: {a: sleep 600}\n");
  running_program program{here.directory(), {"run", "--json", "w.yaml"}};
  program.read_until("task_dispatched");
  const auto held = here.run({"prune", "--keep", "0s"});
  CHECK(held.code == 4);
  CHECK_THAT(held.err, Contains("sluice run w.yaml"));
  program.signal(SIGINT);
  program.read_all();
  program.wait();
}

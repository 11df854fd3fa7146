#include "model/nearest_name.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <tuple>
#include <vector>

using namespace sluice::model;

TEST_CASE("nearest_name: edits are counted", "[model][nearest_name]") {
  const auto [a, b, want] = GENERATE(table<std::string, std::string, std::size_t>({
    {"", "", 0},
    {"abc", "", 3},
    {"load", "load", 0},
    {"load", "laod", 1},
    {"kitten", "sitting", 3},
  }));
  CHECK(edit_distance(a, b) == want);
  CHECK(edit_distance(b, a) == want);
}

TEST_CASE("nearest_name: only a typing error has a nearest name", "[model][nearest_name]") {
  const std::vector<std::string> names{"extract", "load", "report"};
  CHECK(nearest_name("laod", names) == "load");
  CHECK(nearest_name("extrct", names) == "extract");
  CHECK(nearest_name("publish", names).empty());
  CHECK(nearest_name("", names).empty());
  CHECK(nearest_name("load", {}).empty());
  CHECK(did_you_mean("repotr", names) == "; did you mean 'report'?");
  CHECK(did_you_mean("zzz", names).empty());
}

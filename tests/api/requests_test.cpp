#include "api/requests.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::api;

TEST_CASE("requests: a target is taken apart and decoded", "[api][requests]") {
  const auto at = parse_target("/api/v1/runs/r%2D1/cancel?force=true&why=two%20words&bare");
  REQUIRE(at);
  CHECK(at->path == std::vector<std::string>{"api", "v1", "runs", "r-1", "cancel"});
  CHECK(
    at->query
    == std::map<std::string, std::string>{{"force", "true"}, {"why", "two words"}, {"bare", ""}});
}

TEST_CASE("requests: an encoded slash separates nothing", "[api][requests]") {
  const auto at = parse_target("/a%2Fb/c?x=%26%3D");
  REQUIRE(at);
  CHECK(at->path == std::vector<std::string>{"a/b", "c"});
  CHECK(at->query.at("x") == "&=");
}

TEST_CASE("requests: what is no target is refused", "[api][requests]") {
  const auto* text = GENERATE("", "api", "http://x/y", "/a%", "/a%2", "/a%zz", "/a?x=%1");
  CAPTURE(text);
  const auto at = parse_target(text);
  REQUIRE_FALSE(at);
  CHECK(at.error().code == errc::invalid_argument);
}

TEST_CASE("requests: any text survives encoding and decoding", "[api][requests]") {
  std::string all;
  for (int c = 0; c < 256; ++c)
    all += static_cast<char>(c);
  const auto at = parse_target("/x?token=" + percent_encoded(all));
  REQUIRE(at);
  CHECK(at->query.at("token") == all);
}

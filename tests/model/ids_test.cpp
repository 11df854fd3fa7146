#include "model/ids.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::model;

TEST_CASE("ids: keys have the forms that people type", "[model][ids]") {
  const attempt_key key{{12}, 7, 2};
  CHECK(to_string(key.run_no) == "r-12");
  CHECK(to_string(key.task()) == "r-12/7");
  CHECK(to_string(key) == "r-12/7#2");
}

TEST_CASE("ids: a run is named with and without prefix", "[model][ids]") {
  CHECK(parse_run_no("r-12") == run_no{12});
  CHECK(parse_run_no("12") == run_no{12});
}

TEST_CASE("ids: what is no run id is refused", "[model][ids]") {
  const std::string text =
    GENERATE("", "r-", "0", "r-0", "-1", "r--1", "12x", "r-12/3", "99999999999999999999", " 1");
  CAPTURE(text);
  const auto read = parse_run_no(text);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == errc::invalid_argument);
}

TEST_CASE("ids: keys order by run then task then attempt", "[model][ids]") {
  CHECK(attempt_key{{1}, 9, 9} < attempt_key{{2}, 0, 0});
  CHECK(attempt_key{{1}, 1, 9} < attempt_key{{1}, 2, 0});
  CHECK(attempt_key{{1}, 1, 1} < attempt_key{{1}, 1, 2});
}

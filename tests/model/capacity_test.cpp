#include "model/capacity.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::model;

TEST_CASE("capacity: amounts read and write themselves", "[model][capacity]") {
  const auto [resource, text, amount] = GENERATE(table<const char*, const char*, std::int64_t>({
    {"cpu", "0.5", 500},
    {"cpu", "16", 16'000},
    {"licence", "0.125", 125},
    {"gpu", "2", 2'000},
    {"mem", "512Mi", 512 << 20},
    {"disk", "1025", 1025},
  }));
  CAPTURE(resource, text);
  CHECK(parse_amount(resource, text) == amount);
  CHECK(amount_text(resource, amount) == text);
}

TEST_CASE("capacity: what is no amount is refused", "[model][capacity]") {
  for (const auto* text : {"", "x", "-1", "1.2345", "1.", ".5", "99999999999", "1e3", "5Mi"})
    CHECK_FALSE(parse_amount("cpu", text));
  CHECK_FALSE(parse_amount("mem", "0.5"));
}

TEST_CASE("capacity: a grant comes back from its stored form", "[model][capacity]") {
  const capacity_grant grant{.alternative = 1,
                             .taken = {{capacity_kind::key, "k", 1, 2},
                                       {capacity_kind::rate, "r", 1, 5, milliseconds{1'000}},
                                       {capacity_kind::pool, "p", 1},
                                       {capacity_kind::resource, "gpu", 2'000}},
                             .indices = {0, 3}};
  CHECK(grant_from_json(to_json(grant)) == grant);
  CHECK(to_text(grant) == "key 'k', rate 'r', pool p, gpu 2 (0,3)");
  CHECK(grant.amount_of("gpu") == 2'000);
  CHECK_FALSE(grant.amount_of("cpu"));
  CHECK(grant_from_json({{"taken", 1}}).error().code == errc::corrupt);
  CHECK(grant_from_json({{"alternative", 0}, {"taken", {{"x", "y", 1}}}}).error().code
        == errc::corrupt);
}

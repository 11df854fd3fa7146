#include "model/params.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <tuple>

using namespace sluice;
using namespace sluice::model;

namespace {

workflow_spec a_workflow() {
  workflow_spec spec;
  spec.params = {
    {.name = "day", .type = value_type::date},
    {.name = "count", .type = value_type::integer, .default_value = model::value(3)},
    {.name = "ratio", .type = value_type::real, .default_value = model::value(1)},
    {.name = "target",
     .type = value_type::text,
     .default_value = model::value("staging"),
     .choices = {"staging", "production"}},
  };
  return spec;
}

} // namespace

TEST_CASE("params: values have types", "[model][params]") {
  const auto [v, type, want] = GENERATE(table<model::value, value_type, bool>({
    {1, value_type::integer, true},
    {1.0, value_type::integer, false},
    {18446744073709551615u, value_type::integer, false},
    {"1", value_type::integer, false},
    {1, value_type::real, true},
    {1.5, value_type::real, true},
    {true, value_type::boolean, true},
    {1, value_type::boolean, false},
    {"x", value_type::text, true},
    {"x", value_type::file, true},
    {"2024-02-29", value_type::date, true},
    {"2023-02-29", value_type::date, false},
    {"2024-2-9", value_type::date, false},
    {"2024-02-29x", value_type::date, false},
    {"2024-02-29T01:02:03Z", value_type::timestamp, true},
    {"2024-02-29T01:02:03.123456+02:00", value_type::timestamp, true},
    {"2024-02-29T01:02:03", value_type::timestamp, false},
    {"2024-02-29T25:02:03Z", value_type::timestamp, false},
    {"2024-02-29T01:02:03.Z", value_type::timestamp, false},
    {model::value::array(), value_type::list, true},
    {model::value::object(), value_type::list, false},
    {model::value::object(), value_type::map, true},
    {nullptr, value_type::text, false},
    {nullptr, value_type::map, false},
  }));
  CAPTURE(to_text(v), to_string(type));
  CHECK(has_type(v, type) == want);
}

TEST_CASE("params: text is read as a type", "[model][params]") {
  const auto [text, type, want] =
    GENERATE(table<std::string, value_type, std::optional<model::value>>({
      {"42", value_type::integer, model::value(42)},
      {"4.5", value_type::integer, std::nullopt},
      {"4", value_type::real, model::value(4.0)},
      {"true", value_type::boolean, model::value(true)},
      {"yes", value_type::boolean, std::nullopt},
      {"42", value_type::text, model::value("42")},
      {"", value_type::text, model::value("")},
      {"2024-01-31", value_type::date, model::value("2024-01-31")},
      {"today", value_type::date, std::nullopt},
      {"[1,2]", value_type::list, model::value::array({1, 2})},
      {"1,2", value_type::list, std::nullopt},
      {"{\"a\":1}", value_type::map, model::value{{"a", 1}}},
    }));
  CAPTURE(text, to_string(type));
  const auto read = read_as(text, type);
  CHECK(read == want);
  if (read && type == value_type::real)
    CHECK(read->is_number_float());
}

TEST_CASE("params: defaults fill in what was not given", "[model][params]") {
  const auto params = complete_params(a_workflow(), {{"day", "2026-03-01"}, {"count", 5}});
  REQUIRE(params);
  CHECK(
    *params
    == model::value{{"day", "2026-03-01"}, {"count", 5}, {"ratio", 1.0}, {"target", "staging"}});
  CHECK((*params)["ratio"].is_number_float());
}

TEST_CASE("params: every problem is named at once", "[model][params]") {
  const auto params = complete_params(
    a_workflow(), {{"cuont", 5}, {"ratio", "high"}, {"target", "moon"}, {"zzz", 1}});
  REQUIRE_FALSE(params);
  const std::vector<std::string> want{
    "parameter 'day' is missing: it has no default",
    "parameter 'ratio': \"high\" is not of type double",
    "parameter 'target': \"moon\" is not one of \"staging\", \"production\"",
    "unknown parameter 'cuont'; did you mean 'count'?",
    "unknown parameter 'zzz'",
  };
  CHECK(params.error() == want);
}

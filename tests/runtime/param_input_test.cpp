#include "runtime/param_input.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::runtime;
using model::value_type;
using lines = std::vector<std::string>;

namespace {

model::workflow_spec a_workflow() {
  model::workflow_spec spec;
  spec.params = {
    {.name = "text", .type = value_type::text, .default_value = "t"},
    {.name = "day", .type = value_type::date, .default_value = "2026-03-01"},
    {.name = "count", .type = value_type::integer, .default_value = 1},
    {.name = "ratio", .type = value_type::real, .default_value = 0.5},
    {.name = "flag", .type = value_type::boolean, .default_value = false},
    {.name = "list", .type = value_type::list, .default_value = model::value::array()},
    {.name = "map", .type = value_type::map, .default_value = model::value::object()},
    {.name = "mode", .type = value_type::text, .default_value = "a", .choices = {"a", "b"}},
  };
  return spec;
}

} // namespace

TEST_CASE("read_params: texts are verbatim and all else is YAML flow", "[runtime][param_input]") {
  const auto [assignment, name, want] = GENERATE(table<std::string, std::string, model::value>({
    {"text=5", "text", "5"},
    {"text=", "text", ""},
    {"text=a=b: [c", "text", "a=b: [c"},
    {"text=${{ x }}", "text", "${{ x }}"},
    {"day=2024-02-29", "day", "2024-02-29"},
    {"count=0x10", "count", 16},
    {"count=-3", "count", -3},
    {"ratio=2", "ratio", 2.0},
    {"flag=true", "flag", true},
    {"list=[a, 1, '2', {k: v}]", "list", {"a", 1, "2", {{"k", "v"}}}},
    {"list=[\"a\", null]", "list", {"a", nullptr}},
    {"map={a: 1, \"b\": [x]}", "map", {{"a", 1}, {"b", {"x"}}}},
    {"mode=b", "mode", "b"},
  }));
  CAPTURE(assignment);
  const auto params = read_params(a_workflow(), {assignment});
  REQUIRE(params);
  CHECK((*params)[name] == want);
  CHECK(params->size() == 8);
}

TEST_CASE("read_params: all problems are reported", "[runtime][param_input]") {
  auto spec = a_workflow();
  spec.params.push_back({.name = "must", .type = value_type::integer});
  const auto params =
    read_params(spec, {"count", "=x", "list=[a", "count=many", "flag=yes", "day=2026-02-30",
                       "mode=c", "text=a", "text=b", "cuont=1", "map=1"});
  REQUIRE_FALSE(params);
  const auto& found = params.error();
  const auto has = [&](std::string_view part) {
    return std::any_of(found.begin(), found.end(),
                       [&](const auto& line) { return line.find(part) != std::string::npos; });
  };
  for (const auto& line : found)
    UNSCOPED_INFO(line);
  CHECK(found.size() == 11);
  CHECK(has("'count' is no parameter; write name=value"));
  CHECK(has("'=x' is no parameter; write name=value"));
  CHECK(has("parameter 'list': invalid YAML: "));
  CHECK(has("parameter 'text' is given twice"));
  CHECK(has("parameter 'count': \"many\" is not of type int"));
  CHECK(has("parameter 'flag': \"yes\" is not of type bool"));
  CHECK(has("parameter 'day': "));
  CHECK(has("parameter 'mode': \"c\" is not one of "));
  CHECK(has("unknown parameter 'cuont'; did you mean 'count'?"));
  CHECK(has("parameter 'map': 1 is not of type map"));
  CHECK(has("parameter 'must' is missing"));
}

TEST_CASE("read_params: what no value can be is refused", "[runtime][param_input]") {
  const auto assignment = GENERATE(as<std::string>{}, "count=99999999999999999999", "ratio=.inf",
                                   "count=", "list=[a]\n---\n[b]", "map={a: 1, a: 2}", "list=\xff");
  CAPTURE(assignment);
  const auto params = read_params(a_workflow(), {assignment});
  REQUIRE_FALSE(params);
  CHECK(params.error().size() == 1);
}

#include "logic/value_template.hpp"
#include "tests/logic/fake_scope.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::logic;

namespace {

/// The filled value as JSON text, or the error.
std::string filled(const model::value& v) {
  const auto parsed = value_template::parse(v);
  if (!parsed)
    return "problem" + parsed.error().path + " at " + std::to_string(parsed.error().what.offset)
           + ": " + parsed.error().what.message;
  const auto result = parsed->fill(example_scope());
  return result ? model::to_text(*result) : "error: " + result.error().message;
}

} // namespace

TEST_CASE("value_template: a whole expression keeps its type", "[logic][value_template]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"${{ params.n }}", "7"},
    {"${{params.n}}", "7"},
    {"${{ params.x }}", "1.5"},
    {"${{ params.on }}", "true"},
    {"${{ params.nothing }}", "null"},
    {"${{ params.rows }}", "[3,4,5]"},
    {"${{ {'a': {'b': 1}} }}", R"({"a":{"b":1}})"},
    {"${{ {'a': {'b': 1}}}}", R"({"a":{"b":1}})"},
    {"${{ '}}' }}", R"("}}")"},
    {"${{ \"a ${{ b }}\" }}", R"("a ${{ b }}")"},
  }));
  CAPTURE(text);
  CHECK(filled(text) == want);
}

TEST_CASE("value_template: inside a longer text a value becomes text", "[logic][value_template]") {
  const auto [text, want] = GENERATE(table<std::string, std::string>({
    {"", ""},
    {"plain $ {{ }} text", "plain $ {{ }} text"},
    {"n=${{ params.n }}", "n=7"},
    {"${{ params.n }}${{ params.day }}", "72024-02-29"},
    {" ${{ params.n }}", " 7"},
    {"${{ params.x }} ${{ params.on }}!", "1.5 true!"},
    {"[${{ params.nothing }}]", "[]"},
    {"rows: ${{ params.rows }}", "rows: [3,4,5]"},
    {"deep: ${{ params.deep }}", R"(deep: {"list":[{"k":"v"}]})"},
    {"${{ {'a':'}}'}['a'] }}.", "}}."},
    {"$${{ params.n }}", "${{ params.n }}"},
    {"$${{", "${{"},
    {"a $$${{ b ${{ params.n }}", "a $${{ b 7"},
    {"${{ 1 }}$${{ 2 }}", "1${{ 2 }}"},
  }));
  CAPTURE(text);
  CHECK(filled(text) == model::to_text(want));
}

TEST_CASE("value_template: texts in lists and maps are filled in", "[logic][value_template]") {
  const auto v = model::parse_json(
    R"({"list": [1, "${{ params.n }}", {"k": "d=${{ params.day }}"}, null],
        "plain": [true, "text", 1.5], "empty": {}})");
  REQUIRE(v);
  CHECK(filled(*v)
        == R"({"empty":{},"list":[1,7,{"k":"d=2024-02-29"},null],"plain":[true,"text",1.5]})");
}

TEST_CASE("value_template: knows what is constant", "[logic][value_template]") {
  const auto [json, want] = GENERATE(table<std::string, bool>({
    {R"("text")", true},
    {"7", true},
    {R"([1, {"a": "b"}])", true},
    {R"("$${{ escaped }}")", true},
    {R"("${{ 1 + 1 }}")", false},
    {R"([1, {"a": "${{ params.n }}"}])", false},
  }));
  CAPTURE(json);
  const auto parsed = value_template::parse(*model::parse_json(json));
  REQUIRE(parsed);
  CHECK(parsed->is_constant() == want);
}

TEST_CASE("value_template: references count from the beginning of their text",
          "[logic][value_template]") {
  const auto parsed =
    value_template::parse({"a ${{ params.n }} b ${{ tasks.x.out.y }}", {{"k", "${{ run.id }}"}}});
  REQUIRE(parsed);
  using root = reference::root;
  CHECK(parsed->references()
        == std::vector<reference>{
          {root::params, "n", "", 6}, {root::task_output, "x", "y", 24}, {root::run, "id", "", 4}});
}

TEST_CASE("value_template: problems carry path and offset", "[logic][value_template]") {
  const auto [json, want] = GENERATE(table<std::string, std::string>({
    {R"("a ${{ 1 + }}")", "problem at 10: a value expected, but the expression ends here"},
    {R"("a ${{ 1")", "problem at 2: '${{' without '}}'"},
    {R"("${{ 'abc }}")", "problem at 4: the text that begins here has no closing quote"},
    {R"("${{ {'a': 1 }}")", "problem at 13: a single '}' where '}}' ends the expression"},
    {R"("${{ {'a': 1 ")", "problem at 0: '${{' without '}}'"},
    {R"("${{ 1 } }}")", "problem at 6: a single '}' where '}}' ends the expression"},
    {R"("${{ }}")", "problem at 3: the expression is empty"},
    {R"({"k": [1, "x ${{ xyz() }}"]})", "problem.k[1] at 6: unknown function 'xyz'"},
    {R"({"a b": ["${{"]})", "problem['a b'][0] at 0: '${{' without '}}'"},
    {R"({"k ${{ 1 }}": 1})", "problem['k ${{ 1 }}'] at 2: a key cannot hold an expression"},
  }));
  CAPTURE(json);
  CHECK(filled(*model::parse_json(json)) == want);
}

TEST_CASE("value_template: nesting without end is refused", "[logic][value_template]") {
  model::value v = 1;
  for (int i = 0; i < 1'000; ++i)
    v = model::value::array({std::move(v)});
  const auto parsed = value_template::parse(v);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().what.message == "the value is nested too deeply");
}

TEST_CASE("value_template: the error of an expression is the error of the whole",
          "[logic][value_template]") {
  CHECK(filled(model::value::array({1, "x ${{ tasks.clean.out.rows }}"}))
        == "error: 'tasks.clean.out.rows' is absent: task clean was skipped");
}

TEST_CASE("value_template: all expressions together have one budget of bytes",
          "[logic][value_template]") {
  fake_scope names;
  names.parameters = {{"big", std::string(6u << 20, 'x')}};
  const auto fits = value_template::parse(model::value(2, "${{ params.big }}"));
  const auto is_over = value_template::parse(model::value(3, "${{ params.big }}"));
  REQUIRE(fits);
  REQUIRE(is_over);
  CHECK(fits->fill(names));
  const auto result = is_over->fill(names);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == errc::invalid_argument);
}

TEST_CASE("unwrap_expression: takes a text that is one whole expression",
          "[logic][value_template]") {
  const auto [text, inner, offset] =
    GENERATE(table<std::string, std::optional<std::string>, std::size_t>({
      {"${{ a }}", " a ", 3},
      {"  ${{a}}\n", "a", 5},
      {"${{ '}}' }}", " '}}' ", 3},
      {"${{ {'a':{}}}}", " {'a':{}}", 3},
      {"${{ 'a }}", " 'a ", 3}, // its parser says what is wrong
      {"${{}}", "", 3},
      {"${{ a }} && ${{ b }}", std::nullopt, 0},
      {"a ${{ b }}", std::nullopt, 0},
      {"${{ a", std::nullopt, 0},
      {"all_success", std::nullopt, 0},
      {"${}}", std::nullopt, 0},
      {"", std::nullopt, 0},
    }));
  CAPTURE(text);
  const auto found = unwrap_expression(text);
  REQUIRE(found.has_value() == inner.has_value());
  if (found) {
    CHECK(found->inner == *inner);
    CHECK(found->offset == offset);
  }
}

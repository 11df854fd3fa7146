#include "model/event.hpp"
#include "model/json.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <string>
#include <tuple>

using namespace sluice;
using namespace sluice::model;

TEST_CASE("json: text becomes a value and text again", "[model][json]") {
  const std::string text = GENERATE(
    "null", "true", "-5", "9223372036854775807", "-9223372036854775808", "0.25", "\"a\\u0000b\"",
    "[]", "{}", "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":{\"b\":[1,2]},\"c\":null,\"d\":\"\xC3\xA4\"}");
  CAPTURE(text);
  const auto parsed = parse_json(text);
  REQUIRE(parsed);
  CHECK(to_text(*parsed) == text);
  CHECK(*parsed == value::parse(text));
}

TEST_CASE("json: what is refused says why", "[model][json]") {
  const auto [text, part] = GENERATE(table<std::string, std::string>({
    {"", "byte 1"},
    {"{\"a\":1,}", "byte 8"},
    {"[1 2]", "byte 4"},
    {"1 2", "byte 3"},
    {"{\"a\":1,\"b\":2,\"a\":3}", "'a' stands twice"},
    {"9223372036854775808", "64-bit"},
    {"-9223372036854775809", "64-bit"},
    {"123456789012345678901234567890", "64-bit"},
    {"1e999", "byte"},
    {"\"\xFF\"", "byte 2"},
    {"\"\\ud800\"", "byte"},
    {"// no comments\n1", "byte 1"},
  }));
  CAPTURE(text);
  const auto parsed = parse_json(text);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().code == errc::invalid_argument);
  CHECK_THAT(parsed.error().message, Catch::Contains(part));
}

TEST_CASE("json: a NUL does not end the text early", "[model][json]") {
  CHECK_FALSE(parse_json(std::string{"{}\0{}", 5}));
}

TEST_CASE("json: length and depth are bounded", "[model][json]") {
  CHECK(parse_json("[[1]]", {.bytes = 5, .depth = 2}));
  CHECK_FALSE(parse_json("[[1]]", {.bytes = 4, .depth = 2}));
  CHECK_FALSE(parse_json("[[1]]", {.bytes = 5, .depth = 1}));
  CHECK_FALSE(parse_json("{\"a\":{}}", {.bytes = 100, .depth = 1}));
  CHECK_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST_CASE("json: invalid UTF-8 is replaced on the way out", "[model][json]") {
  CHECK(to_text(model::value("a\xFFz")) == "\"a\xEF\xBF\xBDz\"");
}

TEST_CASE("json: plain text is what a shell expects", "[model][json]") {
  const auto [v, want] = GENERATE(table<model::value, std::string>({
    {nullptr, ""},
    {true, "true"},
    {"a b", "a b"},
    {42, "42"},
    {0.1, "0.1"},
    {2.0, "2"},
    {1e300, "1e+300"},
    {model::value::array({1, "a"}), "[1,\"a\"]"},
    {model::value{{"k", 1.5}}, "{\"k\":1.5}"},
  }));
  CHECK(to_plain_text(v) == want);
}

TEST_CASE("json: an event shows what it has and nothing else", "[model][json]") {
  event e;
  e.seq = 7;
  e.at = from_us(1'000'000);
  e.run_no = run_no{12};
  e.type = event_type::run_submitted;
  CHECK(to_text(to_json(e))
        == R"({"at":"1970-01-01T00:00:01Z","run":"r-12","seq":7,"type":"run_submitted"})");
  e.task_idx = 0;
  e.attempt = 2;
  e.type = event_type::task_finished;
  e.task = "load";
  e.from = "dispatched";
  e.to = "failed";
  e.actor = "scheduler";
  e.data = {{"class", "exit"}};
  const auto v = to_json(e);
  CHECK(v["task"] == "load");
  CHECK(v["task_idx"] == 0);
  CHECK(v["attempt"] == 2);
  CHECK(v["from"] == "dispatched");
  CHECK(v["to"] == "failed");
  CHECK(v["actor"] == "scheduler");
  CHECK(v["data"]["class"] == "exit");
}

#include "logic/gate.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace sluice;
using namespace sluice::logic;
using namespace std::chrono_literals;

namespace {

constexpr auto now = model::wall_time{1'700'000'000s}; // 2023-11-14T22:13:20Z

model::param_spec asked(std::string name, model::value_type type,
                        std::optional<model::value> standard = std::nullopt) {
  model::param_spec one;
  one.name = std::move(name);
  one.type = type;
  one.default_value = std::move(standard);
  return one;
}

} // namespace

TEST_CASE("gate: a wait ends after a length of time or at a time", "[logic][gate]") {
  const auto [text, end] = GENERATE(table<const char*, model::wall_time>({
    {"10m", now + 10min},
    {"1h30m", now + 90min},
    {"0.25s", now + 250ms},
    {"-5s", now - 5s},
    {"2023-11-14T22:13:21Z", now + 1s},
    {"2023-11-15T00:13:20+01:00", now + 1h},
    {"2023-11-14", now - 22h - 13min - 20s},
  }));
  CAPTURE(text);
  const auto found = end_of_wait(text, now);
  REQUIRE(found);
  CHECK(model::to_rfc3339(*found) == model::to_rfc3339(end));
}

TEST_CASE("gate: what is no time is refused", "[logic][gate]") {
  const auto what = GENERATE(as<model::value>{}, "soon", "", "s", "1e300s", "nans",
                             "9999999999999d", 10, true, nullptr, model::value::array({1}));
  CAPTURE(what);
  const auto found = end_of_wait(what, now);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::invalid_argument);
}

TEST_CASE("gate: an approval puts out its form and who gave it", "[logic][gate]") {
  model::gate_spec gate;
  gate.form = {asked("target", model::value_type::text),
               asked("replicas", model::value_type::integer, 2)};
  gate.form[0].choices = {"staging", "production"};
  CHECK(*outputs_of_approval(gate, {{"target", "staging"}}, "ana")
        == model::value{{"target", "staging"}, {"replicas", 2}, {"by", "ana"}});
  const auto [given, problem] = GENERATE(table<model::value, std::string>({
    {model::value::object(), "form value 'target' is missing: it has no default"},
    {{{"target", "moon"}},
     "form value 'target': \"moon\" is not one of \"staging\", \"production\""},
    {{{"target", "staging"}, {"replicas", "x"}}, "form value 'replicas': \"x\" is not of type int"},
    {{{"target", "staging"}, {"replica", 1}},
     "unknown form value 'replica'; did you mean 'replicas'?"},
  }));
  const auto refused = outputs_of_approval(gate, given, "ana");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == problem);
}

TEST_CASE("gate: hours are open now or next", "[logic][gate]") {
  // `now` is a Tuesday, 22:13:20.
  const auto [text, days, opening] = GENERATE(table<const char*, const char*, const char*>({
    {"22:00-06:00", "", "2023-11-14T22:13:20Z"},
    {"22:14-06:00", "", "2023-11-14T22:14:00Z"},
    {"08:00-12:00", "", "2023-11-15T08:00:00Z"},
    {"23:00-22:14", "", "2023-11-14T22:13:20Z"}, // since yesterday
    {"23:00-22:13", "", "2023-11-14T23:00:00Z"},
    {"00:00-24:00", "", "2023-11-14T22:13:20Z"},
    {"00:00-24:00", "fri", "2023-11-17T00:00:00Z"},
    {"22:00-06:00", "tue", "2023-11-14T22:13:20Z"},
    {"23:00-22:14", "tue", "2023-11-14T23:00:00Z"},
    {"23:00-22:14", "mon", "2023-11-14T22:13:20Z"},
    {"08:00-12:00", "tue", "2023-11-21T08:00:00Z"},
    {"08:00-12:00", "mon wed", "2023-11-15T08:00:00Z"},
  }));
  CAPTURE(text, days);
  auto hours = parse_hours(text);
  REQUIRE(hours);
  std::istringstream names{days};
  for (std::string name; names >> name;)
    hours->days |= parse_day(name).value();
  const auto utc = [](model::wall_time) { return model::microseconds{0}; };
  CHECK(model::to_rfc3339(next_opening(*hours, now, utc)) == opening);
}

TEST_CASE("gate: hours may go by a clock that is ahead of UTC", "[logic][gate]") {
  const auto hours = parse_hours("08:00-12:00").value();
  const auto summer = [](model::wall_time at) { // an hour less from midnight UTC on
    return at < model::wall_time{1'700'006'400s} ? model::microseconds{2h}
                                                 : model::microseconds{1h};
  };
  CHECK(model::to_rfc3339(next_opening(hours, now, summer)) == "2023-11-15T07:00:00Z");
}

TEST_CASE("gate: what are no hours", "[logic][gate]") {
  const auto text = GENERATE("", "22:00", "22-06", "24:00-06:00", "22:00-25:00", "22:60-23:00",
                             "2x:00-23:00", "22:00-06:00 ");
  CAPTURE(text);
  CHECK_FALSE(parse_hours(text));
  CHECK_FALSE(parse_day("monday"));
}

TEST_CASE("gate: a signal has a name and is not too large", "[logic][gate]") {
  CHECK(check_signal("go", nullptr));
  CHECK_FALSE(check_signal("", nullptr));
  CHECK(check_signal("go", std::string(model::most_signal_bytes - 2, 'x')));
  CHECK_FALSE(check_signal("go", std::string(model::most_signal_bytes - 1, 'x')));
}

#include "logic/gate.hpp"

#include <catch2/catch.hpp>

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

TEST_CASE("gate: a signal has a name and is not too large", "[logic][gate]") {
  CHECK(check_signal("go", nullptr));
  CHECK_FALSE(check_signal("", nullptr));
  CHECK(check_signal("go", std::string(model::most_signal_bytes - 2, 'x')));
  CHECK_FALSE(check_signal("go", std::string(model::most_signal_bytes - 1, 'x')));
}

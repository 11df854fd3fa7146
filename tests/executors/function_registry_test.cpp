#include "executors/function_registry.hpp"

#include <catch2/catch.hpp>

using namespace sluice;
using namespace sluice::executors;

namespace {

delayed_result call(const std::string& name, const model::value& inputs) {
  const auto registry = function_registry::with_builtins();
  const auto* found = registry.find(name);
  REQUIRE(found != nullptr);
  const std::string task = "t";
  return std::get<asynchronous_handler>(*found)(
    {.key = {{1}, 0, 1}, .task = task, .inputs = inputs, .stop = {}});
}

} // namespace

TEST_CASE("function_registry: the built-in handlers are there", "[executors][function_registry]") {
  const auto registry = function_registry::with_builtins();
  CHECK(registry.names() == std::vector<std::string>{"echo", "fail", "noop", "sleep"});
  CHECK(registry.find("other") == nullptr);
}

TEST_CASE("function_registry: a name is taken once", "[executors][function_registry]") {
  auto registry = function_registry::with_builtins();
  const blocking_handler h = [](const call_context&) { return call_result{}; };
  CHECK(registry.add("mine", h).has_value());
  const auto again = registry.add("mine", h);
  REQUIRE_FALSE(again.has_value());
  CHECK(again.error().code == errc::conflict);
}

TEST_CASE("function_registry: sleep takes its seconds", "[executors][function_registry]") {
  CHECK(call("sleep", {{"seconds", 1.5}}).delay == model::milliseconds{1500});
  CHECK(call("sleep", {{"seconds", 0}}).result.has_value());
  for (const auto& inputs : {model::value(nullptr), model::value{{"seconds", "1"}},
                             model::value{{"seconds", -1}}, model::value{{"seconds", 1e300}}}) {
    const auto got = call("sleep", inputs);
    REQUIRE_FALSE(got.result.has_value());
    CHECK(got.result.error().failure_class == model::failure_class::permanent);
  }
}

TEST_CASE("function_registry: noop has no outputs and echo returns its inputs",
          "[executors][function_registry]") {
  CHECK(call("noop", {{"a", 1}}).result->is_null());
  CHECK(*call("echo", {{"a", 1}}).result == model::value{{"a", 1}});
}

TEST_CASE("function_registry: fail fails as it is told", "[executors][function_registry]") {
  const auto got =
    call("fail", {{"message", "no luck"}, {"class", "transient"}, {"code", 429}}).result;
  REQUIRE_FALSE(got.has_value());
  CHECK(got.error() == model::failure{model::failure_class::transient, "429", "no luck"});
  CHECK(call("fail", nullptr).result.error().failure_class == model::failure_class::permanent);
  for (const auto* name : {"nonsense", "lost", "cancelled"})
    CHECK(call("fail", {{"class", name}}).result.error().code == "invalid_input");
}

#include "model/boxed_optional.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>

using namespace sluice::model;

namespace {

struct text_and_number {
  std::string text;
  int number = 0;
  friend bool operator==(const text_and_number&, const text_and_number&) = default;
};
using boxed = boxed_optional<text_and_number>;

} // namespace

TEST_CASE("boxed_optional: a default is a value and not the absence of one",
          "[model][boxed_optional]") {
  const boxed none;
  CHECK(sizeof none == sizeof(void*));
  CHECK_FALSE(none.has_value());
  CHECK(none == boxed{std::nullopt});
  const boxed some = text_and_number{};
  CHECK(some.has_value());
  CHECK_FALSE(some == none);
}

TEST_CASE("boxed_optional: copies are values of their own", "[model][boxed_optional]") {
  boxed first = text_and_number{"a", 1};
  auto second = first;
  CHECK(second == first);
  second->number = 2;
  CHECK(first->number == 1);
  first = second;
  CHECK(first->number == 2);
  CHECK(boxed{std::move(first)} == second);
  second = {"b", 3};
  CHECK(*second == text_and_number{"b", 3});
  second = std::nullopt;
  CHECK_FALSE(second.has_value());
}

TEST_CASE("boxed_optional: it converts from an optional and back", "[model][boxed_optional]") {
  const std::optional<text_and_number> some{{"a", 1}};
  const boxed kept = some;
  CHECK(kept == some);
  CHECK_FALSE(kept == std::optional<text_and_number>{});
  CHECK(boxed{} == std::optional<text_and_number>{});
  const std::optional<text_and_number> back = kept;
  CHECK(back == some);
}

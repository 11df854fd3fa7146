#include "model/rarely.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <utility>

using namespace sluice::model;

namespace {

struct pair_of_texts {
  std::string one, other;
  friend bool operator==(const pair_of_texts&, const pair_of_texts&) = default;
};

} // namespace

TEST_CASE("rarely: a value that was never set reads as the default", "[model][rarely]") {
  const rarely<pair_of_texts> unset;
  CHECK(sizeof unset == sizeof(void*));
  CHECK_FALSE(unset.is_set());
  CHECK_FALSE(rarely<pair_of_texts>{pair_of_texts{}}.is_set());
  CHECK(rarely<pair_of_texts>{{"a", ""}}.is_set());
  CHECK(unset->one.empty());
  CHECK(*unset == pair_of_texts{});
  CHECK(unset == rarely<pair_of_texts>{pair_of_texts{}});
}

TEST_CASE("rarely: copies are values of their own", "[model][rarely]") {
  rarely<pair_of_texts> first;
  first->one = "a";
  auto second = first;
  CHECK(second == first);
  second->one = "b";
  CHECK(std::as_const(first)->one == "a");
  first = second;
  CHECK(first == second);
  first = pair_of_texts{};
  CHECK(*std::as_const(first) == pair_of_texts{});
  CHECK(std::as_const(second)->one == "b");
}

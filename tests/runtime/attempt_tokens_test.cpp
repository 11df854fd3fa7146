#include "runtime/attempt_tokens.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace sluice;
using namespace sluice::runtime;

namespace {

attempt_tokens drawn() {
  auto tokens = attempt_tokens::draw();
  REQUIRE(tokens);
  return *tokens;
}

} // namespace

TEST_CASE("attempt_tokens: a token names its attempt", "[runtime][attempt_tokens]") {
  const auto tokens = drawn();
  const model::attempt_key key{{12}, 7, 2};
  const auto token = tokens.of(key);
  CHECK(token.starts_with("12.7.2."));
  CHECK(token.size() == 7 + 32);
  CHECK(tokens.of(key) == token);
  CHECK(tokens.verify(token) == key);
}

TEST_CASE("attempt_tokens: nothing else passes", "[runtime][attempt_tokens]") {
  const auto tokens = drawn();
  const auto token = tokens.of({{12}, 7, 2});
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    CAPTURE(changed);
    CHECK_FALSE(tokens.verify(changed));
  }
  for (const auto& text : {std::string{}, token + "0", token.substr(1), "0" + token,
                           "12.7.3." + token.substr(7), std::string{"12.7.2."}, std::string{"."},
                           std::string{"99999999999999999999.7.2."} + token.substr(7)}) {
    CAPTURE(text);
    CHECK_FALSE(tokens.verify(text));
  }
  CHECK_FALSE(drawn().verify(token)); // of another runtime
}

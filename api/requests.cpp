#include "api/requests.hpp"

#include <optional>

namespace sluice::api {
namespace {

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    const auto high = hex_digit(text[i + 1]);
    const auto low = hex_digit(text[i + 2]);
    if (!high || !low)
      return std::nullopt;
    out += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return out;
}

/// Takes what stands before the mark off the front, and the mark with it.
std::string_view take_until(std::string_view& text, char mark) {
  const auto part = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

} // namespace

expected<target> parse_target(std::string_view text) {
  const auto malformed = [] { return fail(errc::invalid_argument, "the target is malformed"); };
  target parsed;
  auto path = take_until(text, '?');
  if (!path.starts_with('/'))
    return malformed();
  path.remove_prefix(1);
  while (!path.empty()) {
    auto part = percent_decoded(take_until(path, '/'));
    if (!part)
      return malformed();
    parsed.path.push_back(std::move(*part));
  }
  while (!text.empty()) {
    auto pair = take_until(text, '&');
    const auto name = percent_decoded(take_until(pair, '='));
    auto value = percent_decoded(pair);
    if (!name || !value)
      return malformed();
    parsed.query.insert_or_assign(*name, std::move(*value));
  }
  return parsed;
}

std::string percent_encoded(std::string_view text) {
  constexpr auto digits = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
                       || c == '-' || c == '_' || c == '.' || c == '~'; // RFC 3986, unreserved
    if (plain)
      out += static_cast<char>(c);
    else
      out += {'%', digits[c >> 4], digits[c & 15]};
  }
  return out;
}

} // namespace sluice::api

#include "model/workflow.hpp"

#include <algorithm>

namespace sluice::model {

std::string to_string(const failure_pattern& pattern) {
  std::string text{to_string(pattern.failure_class)};
  return pattern.code.empty() ? text : text + ":" + pattern.code;
}

std::optional<failure_pattern> parse_failure_pattern(std::string_view text) {
  const auto colon = text.find(':');
  const auto as = parse_failure_class(text.substr(0, colon));
  if (!as || colon + 1 == text.size())
    return std::nullopt;
  return failure_pattern{
    *as, colon == std::string_view::npos ? "" : std::string{text.substr(colon + 1)}};
}

bool is_identifier(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && is_letter(text.front())
         && std::all_of(text.begin(), text.end(),
                        [&](char c) { return is_letter(c) || is_digit(c); });
}

} // namespace sluice::model

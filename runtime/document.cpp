#include "runtime/document.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_octal(char c) {
  return c >= '0' && c <= '7';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <class Is>
bool all_are(std::string_view text, Is is) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is);
}

template <class... Names>
bool is_one_of(std::string_view text, Names... names) {
  return ((text == names) || ...);
}

std::string_view without_sign(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+'))
    text.remove_prefix(1);
  return text;
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
bool is_real(std::string_view text) {
  const auto take_digits = [&] {
    const auto count = std::min(text.size(), text.find_first_not_of("0123456789"));
    text.remove_prefix(count);
    return count;
  };
  const auto whole = take_digits();
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (take_digits() + whole == 0)
      return false;
  } else if (whole == 0) {
    return false;
  }
  if (text.empty())
    return true;
  if (text.front() != 'e' && text.front() != 'E')
    return false;
  return all_are(without_sign(text.substr(1)), is_digit);
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0o")) {
    base = text[1] == 'x' ? 16 : 8;
    text.remove_prefix(2);
  } else if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  std::int64_t number = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (err != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return number;
}

std::optional<double> real_of(std::string_view text) {
  if (text.starts_with('+'))
    text.remove_prefix(1);
  double number = 0;
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (err != std::errc{} || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

/// Length of the UTF-8 sequence at the front; 0 when it is none. Source: RFC 3629, section 4.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80)
      return 0;
  if ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F)
      || (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F))
    return 0; // overlong, a surrogate, or beyond U+10FFFF
  return length;
}

} // namespace

std::optional<document_problem> find_text_problem(std::string_view text,
                                                  const document_limits& limits) {
  if (text.size() > limits.bytes)
    return document_problem{{},
                            {},
                            std::to_string(text.size()) + " bytes are more than the limit of "
                              + std::to_string(limits.bytes)};
  position at;
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0)
      return document_problem{at, {}, "is no UTF-8 text"};
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r')
      return document_problem{at, {}, "control character " + std::to_string(int{c})};
    at.column += static_cast<std::uint32_t>(length);
    if (c == '\n')
      at = {at.line + 1, 1};
    text.remove_prefix(length);
  }
  return std::nullopt;
}

kind kind_of_plain(std::string_view text) {
  if (text.empty() || is_one_of(text, "~", "null", "Null", "NULL"))
    return kind::null;
  if (is_one_of(text, "true", "True", "TRUE", "false", "False", "FALSE"))
    return kind::boolean;
  if ((text.starts_with("0x") && all_are(text.substr(2), is_hex))
      || (text.starts_with("0o") && all_are(text.substr(2), is_octal)))
    return kind::integer;
  const auto digits = without_sign(text);
  if (all_are(digits, is_digit))
    return kind::integer;
  if (is_real(digits) || is_one_of(digits, ".inf", ".Inf", ".INF")
      || is_one_of(text, ".nan", ".NaN", ".NAN"))
    return kind::real;
  return kind::text;
}

model::value to_value(const document_node& node, const value_problem& report) {
  const auto out_of_range = [&] {
    report(node,
           "number " + node.text + " is outside the range of 64-bit integers and finite doubles");
    return model::value{};
  };
  switch (node.what) {
  case kind::null:
    return nullptr;
  case kind::boolean:
    return node.text.front() == 't' || node.text.front() == 'T';
  case kind::integer: {
    const auto number = integer_of(node.text);
    return number ? model::value(*number) : out_of_range();
  }
  case kind::real: {
    const auto number = real_of(node.text);
    return number ? model::value(*number) : out_of_range();
  }
  case kind::text:
    return node.text;
  case kind::list: {
    auto list = model::value::array();
    for (const auto& item : node.items)
      list.push_back(to_value(item, report));
    return list;
  }
  case kind::map:
    break;
  }
  auto map = model::value::object();
  for (std::size_t i = 0; i + 1 < node.items.size(); i += 2)
    map[node.items[i].text] = to_value(node.items[i + 1], report);
  return map;
}

std::uint32_t display_column(std::string_view line, std::uint32_t byte_column) {
  const auto before = line.substr(0, byte_column - 1);
  const auto continuations = std::count_if(before.begin(), before.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  });
  return byte_column - static_cast<std::uint32_t>(continuations);
}

} // namespace sluice::runtime

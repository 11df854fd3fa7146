#include "executors/encoded_forms.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace sluice::executors {
namespace {

constexpr std::string_view lower_digits = "0123456789abcdef", upper_digits = "0123456789ABCDEF";
constexpr std::string_view standard_alphabet =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string in_hex(std::string_view text, std::string_view digits) {
  std::string out;
  out.reserve(2 * text.size());
  for (const char c : text) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

/// Source: RFC 3986; forms: the URL standard, application/x-www-form-urlencoded.
std::string in_url(std::string_view text, std::string_view kept, std::string_view digits,
                   bool is_form) {
  std::string out;
  for (const char c : text)
    if (is_letter_or_digit(c) || kept.find(c) != std::string_view::npos)
      out += c;
    else if (c == ' ' && is_form)
      out += '+';
    else
      out += "%" + in_hex({&c, 1}, digits);
  return out;
}

/// One character of UTF-8 and its length; a byte that is none stands for itself.
std::pair<std::uint32_t, std::size_t> first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t size = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC0 ? 2 : 1;
  if (size == 1 || size > text.size())
    return {byte(0), 1};
  std::uint32_t code = byte(0) & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6 | (byte(i) & 0x3Fu);
  return {code, size};
}

std::string escaped_unit(std::uint32_t unit, bool is_upper) {
  char text[8];
  std::snprintf(text, sizeof text, is_upper ? "\\u%04X" : "\\u%04x", unit & 0xFFFFu);
  return text;
}

enum class json_style : std::uint8_t { plain, slashes, ascii, upper_ascii };

/// Source: RFC 8259.
std::string in_json(std::string_view text, json_style style) {
  std::string out;
  while (!text.empty()) {
    const char c = text.front();
    const auto [code, size] = first_character(text);
    const bool is_ascii = style == json_style::ascii || style == json_style::upper_ascii;
    const bool is_upper = style == json_style::upper_ascii;
    if (c == '"' || c == '\\' || (c == '/' && style == json_style::slashes))
      out += std::string{"\\"} + c;
    else if (const auto at = std::string_view{"\b\f\n\r\t"}.find(c); at != std::string_view::npos)
      out += std::string{"\\"} + "bfnrt"[at];
    else if (code < 0x20 || (is_ascii && code > 0x7E && code < 0x10000))
      out += escaped_unit(code, is_upper);
    else if (is_ascii && code >= 0x10000)
      out += escaped_unit(0xD800 + ((code - 0x10000) >> 10), is_upper)
             + escaped_unit(0xDC00 + ((code - 0x10000) & 0x3FF), is_upper);
    else
      out += text.substr(0, size);
    text.remove_prefix(size);
  }
  return out;
}

enum class base64_end : std::uint8_t { open, bare, padded }; // open: more may follow

/// The characters that depend on the text alone: `before` bytes stand before it in its group of
/// three. Source: RFC 4648.
std::string in_base64(std::string_view text, std::size_t before, base64_end end) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  const auto put = [&](unsigned char byte) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6)
      out += standard_alphabet[bits >> (count - 6) & 63];
  };
  for (std::size_t i = 0; i < before; ++i)
    put(0);
  for (const char c : text)
    put(static_cast<unsigned char>(c));
  if (end != base64_end::open && count > 0)
    out += standard_alphabet[bits << (6 - count) & 63];
  if (end == base64_end::padded)
    out.append((4 - out.size() % 4) % 4, '=');
  return out.substr(std::min(out.size(), before == 0 ? 0 : before + 1));
}

std::string with_url_alphabet(std::string text) {
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

} // namespace

std::vector<std::string> literal_forms(std::string_view text) {
  std::vector<std::string> forms{std::string{text}};
  for (const auto style :
       {json_style::plain, json_style::slashes, json_style::ascii, json_style::upper_ascii})
    forms.push_back(in_json(text, style));
  for (const auto digits : {upper_digits, lower_digits}) {
    for (const char* kept : {"-._~", "-._~/", "-._~!'()*"})
      forms.push_back(in_url(text, kept, digits, false));
    for (const char* kept : {"-._~", "-._*"})
      forms.push_back(in_url(text, kept, digits, true));
  }
  return forms;
}

std::vector<std::string> wrapped_forms(std::string_view text) {
  std::vector<std::string> forms{in_hex(text, lower_digits), in_hex(text, upper_digits)};
  std::vector<std::string> standard;
  for (const std::size_t before : {0, 1, 2}) {
    standard.push_back(in_base64(text, before, base64_end::open));
    for (const auto& last : {std::string{text}, std::string{text} + "\n"})
      for (const auto end : {base64_end::bare, base64_end::padded})
        standard.push_back(in_base64(last, before, end));
  }
  for (auto& form : standard) {
    forms.push_back(with_url_alphabet(form));
    forms.push_back(std::move(form));
  }
  return forms;
}

} // namespace sluice::executors

// The words of the expression language, as in CEL: names, numbers, quoted text, operators. Reads
// one token at a time without copying; also finds where an expression inside a longer text ends.
// Used by the parser and the templates; a value, so that the parser can look ahead with a copy.
#pragma once

#include "logic/expression.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::logic {

enum class token_kind : std::uint8_t {
  end,
  name,
  integer,
  real,
  text,
  dot,
  comma,
  colon,
  question,
  left_paren,
  right_paren,
  left_bracket,
  right_bracket,
  left_brace,
  right_brace,
  plus,
  minus,
  star,
  slash,
  percent,
  exclamation,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  both,   ///< `&&`
  either, ///< `||`
};

/// A word and where it stands, as byte offsets.
struct token {
  token_kind kind = token_kind::end;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

class expression_lexer {
public:
  /// Borrows the text. @pre shorter than 4 GiB
  explicit expression_lexer(std::string_view text, std::size_t from = 0) : text_{text}, at_{from} {}

  /// The next token; `end` for ever after the last one. Quoted text is only delimited here.
  tl::expected<token, syntax_error> next();

private:
  tl::expected<token, syntax_error> number();
  tl::expected<token, syntax_error> quoted(std::size_t begin, std::size_t quote, bool is_raw);
  tl::expected<token, syntax_error> symbol();
  token taken(token_kind kind, std::size_t length);

  std::string_view text_;
  std::size_t at_;
};

constexpr bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}

/// The value of a `text` token: without prefix and quotes, escapes resolved. `offset` is that of
/// the token and only goes into the error.
tl::expected<std::string, syntax_error> decode_text(std::string_view written, std::size_t offset);

/// Where the `}}` stands that ends the expression after the `${{` at `open`; braces of maps and
/// quoted text are passed over. @pre text has `${{` at `open`
tl::expected<std::size_t, syntax_error> find_expression_end(std::string_view text,
                                                            std::size_t open);

} // namespace sluice::logic

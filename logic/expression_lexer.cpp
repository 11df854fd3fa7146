#include "logic/expression_lexer.hpp"

#include <array>

namespace sluice::logic {
namespace {

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

tl::unexpected<syntax_error> wrong(std::size_t offset, std::string message) {
  return tl::unexpected(syntax_error{offset, std::move(message)});
}

int hex_digit(char c) {
  if (is_digit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// The whole UTF-8 character that begins at `at`, for messages.
std::string character_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    ++end;
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 || byte == 0x7F) {
    constexpr std::string_view digits = "0123456789abcdef";
    return std::string{"\\x"} + digits[byte >> 4] + digits[byte & 15];
  }
  return std::string{text.substr(at, end - at)};
}

void append_utf8(std::string& out, std::uint32_t point) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

/// Escapes of one character; 0 for none of them.
char simple_escape(char c) {
  switch (c) {
  case 'a':
    return '\a';
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  case 'v':
    return '\v';
  case '\\':
  case '?':
  case '"':
  case '\'':
  case '`':
    return c;
  default:
    return 0;
  }
}

/// Reads `count` digits of the base from `at`; nothing when they are not all there.
std::optional<std::uint32_t> read_digits(std::string_view text, std::size_t at, std::size_t count,
                                         int base) {
  if (at + count > text.size())
    return std::nullopt;
  std::uint32_t read = 0;
  for (const char c : text.substr(at, count)) {
    const int digit = hex_digit(c);
    if (digit < 0 || digit >= base)
      return std::nullopt;
    read = read * static_cast<std::uint32_t>(base) + static_cast<std::uint32_t>(digit);
  }
  return read;
}

/// Resolves the escape after a backslash at `at - 1`, appends it and returns its length; 0 when
/// it is none. Source: the CEL language definition, "String and Bytes Values".
std::size_t append_escape(std::string& out, std::string_view text, std::size_t at) {
  const char c = at < text.size() ? text[at] : '\0';
  if (const char simple = simple_escape(c)) {
    out.push_back(simple);
    return 1;
  }
  std::optional<std::uint32_t> point;
  std::size_t length = 0;
  switch (c) {
  case 'x':
  case 'X':
    point = read_digits(text, at + 1, 2, 16), length = 3;
    break;
  case 'u':
    point = read_digits(text, at + 1, 4, 16), length = 5;
    break;
  case 'U':
    point = read_digits(text, at + 1, 8, 16), length = 9;
    break;
  case '0':
  case '1':
  case '2':
  case '3':
    point = read_digits(text, at, 3, 8), length = 3;
    break;
  default:
    return 0;
  }
  if (!point || *point > 0x10FFFF || (*point >= 0xD800 && *point <= 0xDFFF))
    return 0;
  append_utf8(out, *point);
  return length;
}

bool is_triple(std::string_view text, std::size_t at) {
  return at + 2 < text.size() && text[at + 1] == text[at] && text[at + 2] == text[at];
}

} // namespace

token expression_lexer::taken(token_kind kind, std::size_t length) {
  const auto begin = static_cast<std::uint32_t>(at_);
  at_ += length;
  return {kind, begin, static_cast<std::uint32_t>(at_)};
}

tl::expected<token, syntax_error> expression_lexer::next() {
  while (at_ < text_.size() && is_space(text_[at_]))
    ++at_;
  if (at_ >= text_.size())
    return taken(token_kind::end, 0);
  const char c = text_[at_];
  if (is_name_start(c)) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && is_name_part(text_[end]))
      ++end;
    const auto word = text_.substr(at_, end - at_);
    if (end < text_.size() && (text_[end] == '"' || text_[end] == '\'')) {
      if (word == "r" || word == "R")
        return quoted(at_, end, true);
      if (word == "b" || word == "B" || word == "br" || word == "rb")
        return wrong(at_, "bytes are not in this version");
    }
    return taken(word == "in" ? token_kind::in : token_kind::name, word.size());
  }
  if (is_digit(c) || (c == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1])))
    return number();
  if (c == '"' || c == '\'')
    return quoted(at_, at_, false);
  return symbol();
}

tl::expected<token, syntax_error> expression_lexer::number() {
  const auto at = [&](std::size_t i) { return i < text_.size() ? text_[i] : '\0'; };
  auto kind = token_kind::integer;
  std::size_t end = at_;
  if (at(end) == '0' && (at(end + 1) == 'x' || at(end + 1) == 'X') && hex_digit(at(end + 2)) >= 0) {
    end += 2;
    while (hex_digit(at(end)) >= 0)
      ++end;
  } else {
    while (is_digit(at(end)))
      ++end;
    if (at(end) == '.' && is_digit(at(end + 1))) {
      kind = token_kind::real;
      for (++end; is_digit(at(end));)
        ++end;
    }
    if (at(end) == 'e' || at(end) == 'E') {
      const std::size_t digits = end + (at(end + 1) == '+' || at(end + 1) == '-' ? 2 : 1);
      if (is_digit(at(digits))) {
        kind = token_kind::real;
        for (end = digits; is_digit(at(end));)
          ++end;
      }
    }
  }
  if ((at(end) == 'u' || at(end) == 'U') && !is_name_part(at(end + 1)))
    return wrong(at_, "unsigned numbers are not in this version; leave out the 'u'");
  if (is_name_part(at(end)))
    return wrong(at_, "'" + std::string{text_.substr(at_, end + 1 - at_)}
                        + "' is no number; a text stands in quotes");
  return taken(kind, end - at_);
}

tl::expected<token, syntax_error> expression_lexer::quoted(std::size_t begin, std::size_t quote,
                                                           bool is_raw) {
  const char mark = text_[quote];
  const bool triple = is_triple(text_, quote);
  std::size_t at = quote + (triple ? 3 : 1);
  while (at < text_.size()) {
    const char c = text_[at];
    if (c == '\\' && !is_raw) {
      at += 2;
    } else if (c == mark && (!triple || is_triple(text_, at))) {
      return taken(token_kind::text, at + (triple ? 3 : 1) - begin);
    } else if ((c == '\n' || c == '\r') && !triple) {
      return wrong(begin, "the text that begins here does not end on its line; put it into '''");
    } else {
      ++at;
    }
  }
  return wrong(begin, "the text that begins here has no closing quote");
}

tl::expected<token, syntax_error> expression_lexer::symbol() {
  using enum token_kind;
  const char c = text_[at_];
  const char following = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  switch (c) {
  case '.':
    return taken(dot, 1);
  case ',':
    return taken(comma, 1);
  case ':':
    return taken(colon, 1);
  case '?':
    return taken(question, 1);
  case '(':
    return taken(left_paren, 1);
  case ')':
    return taken(right_paren, 1);
  case '[':
    return taken(left_bracket, 1);
  case ']':
    return taken(right_bracket, 1);
  case '{':
    return taken(left_brace, 1);
  case '}':
    return taken(right_brace, 1);
  case '+':
    return taken(plus, 1);
  case '-':
    return taken(minus, 1);
  case '*':
    return taken(star, 1);
  case '%':
    return taken(percent, 1);
  case '/':
    if (following == '/')
      return wrong(at_, "comments have no place in an expression");
    return taken(slash, 1);
  case '!':
    return following == '=' ? taken(not_equal, 2) : taken(exclamation, 1);
  case '<':
    return following == '=' ? taken(less_equal, 2) : taken(less, 1);
  case '>':
    return following == '=' ? taken(greater_equal, 2) : taken(greater, 1);
  case '=':
    if (following == '=')
      return taken(equal, 2);
    return wrong(at_, "'=' assigns nothing here; to compare, write '=='");
  case '&':
    if (following == '&')
      return taken(both, 2);
    return wrong(at_, "'&' is no operator; write '&&'");
  case '|':
    if (following == '|')
      return taken(either, 2);
    return wrong(at_, "'|' is no operator; write '||'");
  default:
    return wrong(at_, "unexpected character '" + character_at(text_, at_) + "'");
  }
}

tl::expected<std::string, syntax_error> decode_text(std::string_view written, std::size_t offset) {
  const bool is_raw = written.front() == 'r' || written.front() == 'R';
  std::size_t quotes = 1;
  std::string_view body = written.substr(is_raw ? 1 : 0);
  // Two quotes are the empty text, six the empty triple one.
  if (body.size() >= 6 && is_triple(body, 0))
    quotes = 3;
  body = body.substr(quotes, body.size() - 2 * quotes);
  if (is_raw || body.find('\\') == std::string_view::npos)
    return std::string{body};
  const std::size_t body_offset = offset + quotes;
  std::string out;
  out.reserve(body.size());
  for (std::size_t at = 0; at < body.size();) {
    if (body[at] != '\\') {
      out.push_back(body[at++]);
      continue;
    }
    const std::size_t length = append_escape(out, body, at + 1);
    if (length == 0)
      return wrong(body_offset + at,
                   "'\\" + character_at(body, at + 1)
                     + "' is no escape; a backslash itself is written '\\\\', or the text r'...'");
    at += 1 + length;
  }
  return out;
}

tl::expected<std::size_t, syntax_error> find_expression_end(std::string_view text,
                                                            std::size_t open) {
  expression_lexer lexer{text, open + 3};
  for (std::size_t braces = 0;;) {
    const auto word = lexer.next();
    if (!word)
      return tl::unexpected(word.error());
    switch (word->kind) {
    case token_kind::end:
      return wrong(open, "'${{' without '}}'");
    case token_kind::left_brace:
      ++braces;
      break;
    case token_kind::right_brace:
      if (braces > 0) {
        --braces;
        break;
      }
      if (word->end < text.size() && text[word->end] == '}')
        return word->begin;
      return wrong(word->begin, "a single '}' where '}}' ends the expression");
    default:
      break;
    }
  }
}

} // namespace sluice::logic

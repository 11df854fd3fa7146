#include "logic/expression_parser.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

namespace sluice::logic {
namespace {

node_kind kind_of(level l) {
  switch (l) {
  case level::either:
    return node_kind::any_of;
  case level::both:
    return node_kind::all_of;
  case level::relation:
    return node_kind::relation;
  default:
    return node_kind::arithmetic;
  }
}

std::pair<level, binary_operator> operator_of(token_kind kind) {
  using enum binary_operator;
  switch (kind) {
  case token_kind::either:
    return {level::either, either};
  case token_kind::both:
    return {level::both, both};
  case token_kind::equal:
    return {level::relation, equal};
  case token_kind::not_equal:
    return {level::relation, not_equal};
  case token_kind::less:
    return {level::relation, less};
  case token_kind::less_equal:
    return {level::relation, less_equal};
  case token_kind::greater:
    return {level::relation, greater};
  case token_kind::greater_equal:
    return {level::relation, greater_equal};
  case token_kind::in:
    return {level::relation, in};
  case token_kind::plus:
    return {level::sum, add};
  case token_kind::minus:
    return {level::sum, subtract};
  case token_kind::star:
    return {level::product, multiply};
  case token_kind::slash:
    return {level::product, divide};
  case token_kind::percent:
    return {level::product, modulo};
  default:
    return {level::unary, none};
  }
}

} // namespace

tl::expected<parsed_expression, syntax_error> expression_parser::run() {
  auto tree = std::make_shared<expression_tree>();
  if (!advance() || !whole(tree->root))
    return tl::unexpected(std::move(problem_));
  tree->text = text_;
  return parsed_expression{std::move(tree), std::move(references_)};
}

bool expression_parser::advance() {
  last_end_ = now_.end;
  auto following = lexer_.next();
  if (!following) {
    problem_ = std::move(following.error());
    return false;
  }
  now_ = *following;
  return true;
}

bool expression_parser::accept(token_kind kind, bool& found) {
  found = now_.kind == kind;
  return !found || advance();
}

bool expression_parser::expect(token_kind kind, std::string_view shown) {
  return now_.kind == kind ? advance() : unexpected(shown);
}

bool expression_parser::wrong(std::size_t offset, std::string message) {
  problem_ = {offset, std::move(message)};
  return false;
}

bool expression_parser::unexpected(std::string_view wanted) {
  const std::string expected = std::string{wanted} + " expected";
  if (now_.kind == token_kind::end)
    return wrong(now_.begin, expected + ", but the expression ends here");
  return wrong(now_.begin, expected + " before '" + std::string{written(now_)} + "'");
}

bool expression_parser::whole(expression_node& out) {
  if (now_.kind == token_kind::end)
    return wrong(0, "the expression is empty");
  if (!ternary(out))
    return false;
  if (now_.kind == token_kind::end)
    return true;
  if (now_.kind == token_kind::name) {
    const auto word = written(now_);
    if (word == "and" || word == "or")
      return wrong(now_.begin, unknown_name(word));
  }
  return unexpected("an operator or the end");
}

constexpr auto* too_deep = "nested more than 64 levels deep";

bool expression_parser::ternary(expression_node& out) {
  if (++depth_ > max_expression_depth)
    return wrong(now_.begin, too_deep);
  if (!operators(level::either, out))
    return false;
  --depth_;
  if (now_.kind != token_kind::question)
    return true;
  expression_node choice{.kind = node_kind::choice, .begin = out.begin};
  choice.children.push_back(std::move(out));
  while (true) {
    bool is_choice = false;
    if (!accept(token_kind::question, is_choice))
      return false;
    if (!is_choice)
      break;
    if (!operators(level::either, choice.children.emplace_back())
        || !expect(token_kind::colon, "':' of the condition")
        || !operators(level::either, choice.children.emplace_back()))
      return false;
  }
  choice.end = last_end_;
  out = std::move(choice);
  return true;
}

bool expression_parser::operators(level l, expression_node& out) {
  if (l == level::unary)
    return unary(out);
  const auto tighter = static_cast<level>(static_cast<int>(l) + 1);
  if (!operators(tighter, out))
    return false;
  if (operator_of(now_.kind).first != l)
    return true;
  expression_node chain{.kind = kind_of(l), .begin = out.begin};
  chain.children.push_back(std::move(out));
  while (true) {
    const auto [at, joined_by] = operator_of(now_.kind);
    if (at != l)
      break;
    auto& operand = chain.children.emplace_back();
    if (!advance() || !operators(tighter, operand))
      return false;
    operand.before = joined_by;
  }
  chain.end = last_end_;
  out = std::move(chain);
  return true;
}

bool expression_parser::unary(expression_node& out) {
  const auto sign = now_.kind;
  if (sign != token_kind::minus && sign != token_kind::exclamation)
    return member(out);
  const std::uint32_t begin = now_.begin;
  std::size_t count = 0;
  auto last_sign = now_;
  for (; now_.kind == sign; ++count) {
    last_sign = now_;
    if (!advance())
      return false;
  }
  // The sign belongs to the number, so that the smallest integer can be written.
  const bool is_number = now_.kind == token_kind::integer || now_.kind == token_kind::real;
  expression_node operand;
  if (sign == token_kind::minus && is_number) {
    if (!number(operand, true))
      return false;
    operand.begin = last_sign.begin;
    --count;
  } else if (!member(operand)) {
    return false;
  }
  if (count == 0) {
    out = std::move(operand);
    return true;
  }
  out.kind = sign == token_kind::minus ? node_kind::negation : node_kind::inversion;
  out.is_odd = count % 2 == 1;
  out.begin = begin;
  out.end = operand.end;
  out.children.push_back(std::move(operand));
  return true;
}

bool expression_parser::member(expression_node& out) {
  if (!primary(out))
    return false;
  bool is_chain = false; // else a member begins one
  const auto depth = depth_;
  while (now_.kind == token_kind::dot || now_.kind == token_kind::left_bracket) {
    const bool is_field = now_.kind == token_kind::dot;
    if (!advance())
      return false;
    const auto at = now_;
    expression_node key{.begin = at.begin};
    if (is_field) {
      std::string name;
      if (!field(name))
        return false;
      if (now_.kind == token_kind::left_paren) {
        if (++depth_ > max_expression_depth) // each call is a level of the tree
          return wrong(at.begin, too_deep);
        if (!method(out, at))
          return false;
        is_chain = false;
        continue;
      }
      key.literal = std::move(name);
      key.end = last_end_;
    } else if (!ternary(key) || !expect(token_kind::right_bracket, "']'")) {
      return false;
    }
    if (!std::exchange(is_chain, true)) {
      expression_node chain{.kind = node_kind::member, .begin = out.begin};
      chain.children.push_back(std::move(out));
      out = std::move(chain);
    }
    out.children.push_back(std::move(key));
    out.end = last_end_;
  }
  depth_ = depth;
  return true;
}

/// The name after a dot.
bool expression_parser::field(std::string& name) {
  const auto word = written(now_);
  if (now_.kind == token_kind::in || word == "true" || word == "false" || word == "null")
    return wrong(now_.begin, "'" + std::string{word} + "' is a word of the language; write ['"
                               + std::string{word} + "']");
  if (now_.kind != token_kind::name)
    return unexpected("a name after '.'");
  name = word;
  return advance();
}

bool expression_parser::primary(expression_node& out) {
  out.begin = now_.begin;
  out.end = now_.end;
  switch (now_.kind) {
  case token_kind::integer:
  case token_kind::real:
    return number(out, false);
  case token_kind::text: {
    auto text = decode_text(written(now_), now_.begin);
    if (!text)
      return wrong(text.error().offset, std::move(text.error().message));
    out.literal = std::move(*text);
    return advance();
  }
  case token_kind::left_paren:
    return parenthesised(out);
  case token_kind::left_bracket:
    return list(out);
  case token_kind::left_brace:
    return map(out);
  case token_kind::name:
    return identifier(out);
  default:
    return unexpected("a value");
  }
}

bool expression_parser::parenthesised(expression_node& out) {
  const auto begin = now_.begin;
  if (!advance() || !ternary(out) || !expect(token_kind::right_paren, "')'"))
    return false;
  out.begin = begin;
  out.end = last_end_;
  return true;
}

bool expression_parser::number(expression_node& out, bool is_negative) {
  out.begin = now_.begin;
  out.end = now_.end;
  auto digits = written(now_);
  const bool is_hex = digits.size() > 2 && (digits[1] == 'x' || digits[1] == 'X');
  if (is_hex)
    digits.remove_prefix(2);
  const auto shown = [&] { return (is_negative ? "-" : "") + std::string{written(now_)}; };
  if (now_.kind == token_kind::real) {
    double real = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), real).ec != std::errc{})
      return wrong(out.begin, "number " + shown() + " is outside the range of double");
    out.literal = is_negative ? -real : real;
    return advance();
  }
  constexpr std::uint64_t limit = std::uint64_t{1} << 63; // of the negative numbers
  std::uint64_t magnitude = 0;
  const auto read =
    std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, is_hex ? 16 : 10);
  if (read.ec != std::errc{} || magnitude > limit - (is_negative ? 0 : 1))
    return wrong(out.begin, "number " + shown() + " is outside the range of int (64 bits)");
  out.literal = static_cast<std::int64_t>(is_negative ? 0 - magnitude : magnitude);
  return advance();
}

bool expression_parser::list(expression_node& out) {
  out.kind = node_kind::list;
  if (!advance())
    return false;
  while (now_.kind != token_kind::right_bracket) {
    bool more = false;
    if (!ternary(out.children.emplace_back()) || !accept(token_kind::comma, more))
      return false;
    if (!more && now_.kind != token_kind::right_bracket)
      return unexpected("',' or ']'");
  }
  out.end = now_.end;
  return advance();
}

bool expression_parser::map(expression_node& out) {
  out.kind = node_kind::map;
  if (!advance())
    return false;
  while (now_.kind != token_kind::right_brace) {
    // In YAML and JavaScript a bare word would be the key; here it would be a reference.
    if (now_.kind == token_kind::name) {
      const auto word = now_;
      const auto saved = std::pair{lexer_, last_end_};
      if (!advance())
        return false;
      if (now_.kind == token_kind::colon)
        return wrong(word.begin,
                     "a key of a map stands in quotes: '" + std::string{written(word)} + "'");
      std::tie(lexer_, last_end_) = saved;
      now_ = word;
    }
    bool more = false;
    if (!ternary(out.children.emplace_back()) || !expect(token_kind::colon, "':' after a key")
        || !ternary(out.children.emplace_back()) || !accept(token_kind::comma, more))
      return false;
    if (!more && now_.kind != token_kind::right_brace)
      return unexpected("',' or '}'");
  }
  out.end = now_.end;
  return advance();
}

bool expression_parser::identifier(expression_node& out) {
  const auto name = now_;
  const auto word = written(name);
  if (!advance())
    return false;
  if (now_.kind == token_kind::left_paren)
    return call(out, name);
  if (const auto known = std::find(variables_.rbegin(), variables_.rend(), word);
      known != variables_.rend()) {
    out.kind = node_kind::variable;
    out.which = static_cast<std::uint32_t>(variables_.rend() - known - 1);
    return true;
  }
  if (word == "params" || word == "tasks" || word == "run" || is_item(word))
    return mention(out, name);
  if (word == "true" || word == "false")
    out.literal = word == "true";
  else if (word != "null")
    return wrong(name.begin, unknown_name_at(name));
  return true;
}

/// The parenthesis is next.
bool expression_parser::call(expression_node& out, const token& name) {
  const auto* signature = find_builtin(written(name));
  if (!signature)
    return wrong(name.begin, unknown_function(written(name)));
  if (signature->called == builtin_signature::form::method)
    return wrong(name.begin, "'" + std::string{written(name)} + "' is called on a value: write x."
                               + std::string{written(name)} + "(...)");
  out.kind = node_kind::call;
  out.function = signature->function;
  return arguments(out) && check_call(out, *signature) && advance();
}

/// `out` is what it is called on; the parenthesis is next.
bool expression_parser::method(expression_node& out, const token& name) {
  const auto* signature = find_builtin(written(name));
  if (!signature)
    return wrong(name.begin, unknown_function(written(name)));
  if (signature->called == builtin_signature::form::function)
    return wrong(name.begin, "'" + std::string{written(name)} + "' is called on no value: write "
                               + std::string{written(name)} + "(...)");
  expression_node call{.kind = is_macro(signature->function) ? node_kind::macro : node_kind::call,
                       .function = signature->function,
                       .begin = out.begin};
  call.children.push_back(std::move(out));
  if (!(call.kind == node_kind::macro ? macro(call) : arguments(call))
      || !check_call(call, *signature, 1) || !advance())
    return false;
  out = std::move(call);
  return true;
}

/// Up to the closing parenthesis.
bool expression_parser::arguments(expression_node& call) {
  if (!advance())
    return false;
  if (now_.kind != token_kind::right_paren) {
    for (bool more = true; more;)
      if (!ternary(call.children.emplace_back()) || !accept(token_kind::comma, more))
        return false;
  }
  if (now_.kind != token_kind::right_paren)
    return unexpected("',' or ')'");
  call.end = now_.end;
  return true;
}

/// The name of an element, and what is asked of each, up to the closing parenthesis.
bool expression_parser::macro(expression_node& call) {
  if (!advance())
    return false;
  const auto name = written(now_);
  if (now_.kind != token_kind::name || is_known_word(name))
    return unexpected("a name for an element");
  if (!advance() || !expect(token_kind::comma, "','"))
    return false;
  call.which = static_cast<std::uint32_t>(variables_.size());
  variables_.push_back(name);
  for (bool more = true; more;)
    if (!ternary(call.children.emplace_back()) || !accept(token_kind::comma, more))
      return false;
  variables_.pop_back();
  if (now_.kind != token_kind::right_paren)
    return unexpected("',' or ')'");
  call.end = now_.end;
  return true;
}

/// `on_value`: how many of the arguments stand before the name. The name of an element is one that
/// is no child.
bool expression_parser::check_call(const expression_node& call, const builtin_signature& signature,
                                   std::size_t on_value) {
  const std::string name{signature.name};
  const auto given = call.children.size() + (call.kind == node_kind::macro ? 1 : 0);
  if (given < signature.least || given > signature.most) {
    const auto least = signature.least - on_value, most = signature.most - on_value;
    const auto wanted =
      most == least      ? std::to_string(least) + (least == 1 ? " argument" : " arguments")
      : most > least + 1 ? std::string{"at least one argument"}
                         : std::to_string(least) + " or " + std::to_string(most) + " arguments";
    return wrong(call.begin,
                 name + "() takes " + wanted + ", not " + std::to_string(given - on_value));
  }
  if (signature.function == builtin::has) {
    const auto& what = call.children.front();
    const bool is_member =
      what.kind == node_kind::member
      || (what.kind == node_kind::mention && references_[what.which].what != reference::root::item
          && !references_[what.which].name.empty());
    if (!is_member)
      return wrong(what.begin, "has() takes a reference such as params.x or tasks.a.out.y");
  }
  return true;
}

tl::expected<parsed_expression, syntax_error> parse_expression(std::string_view text,
                                                               std::string_view item_name) {
  if (text.size() > max_expression_bytes)
    return tl::unexpected(
      syntax_error{max_expression_bytes, "the expression is longer than 64 KiB"});
  return expression_parser{text, item_name}.run();
}

} // namespace sluice::logic

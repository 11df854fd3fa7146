// Text to tree, by recursive descent over CEL's grammar
// (https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax). The parser lives for one
// text; internal to the expression language.
#pragma once

#include "logic/expression_lexer.hpp"
#include "logic/expression_names.hpp"
#include "logic/expression_tree.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

inline constexpr std::size_t max_expression_bytes = 64u << 10;
inline constexpr std::size_t max_expression_depth = 64;

struct parsed_expression {
  std::shared_ptr<const expression_tree> tree;
  std::vector<reference> references;
};

tl::expected<parsed_expression, syntax_error> parse_expression(std::string_view text,
                                                               std::string_view item_name = {});

/// Precedence, loosest first; the level after the last is unary.
enum class level : std::uint8_t { either, both, relation, sum, product, unary };

/// The functions return false once `problem_` is set, and then nothing goes on.
class expression_parser {
public:
  expression_parser(std::string_view text, std::string_view item_name)
    : text_{text}, item_name_{item_name}, lexer_{text} {}

  /// Parses the whole text; once.
  tl::expected<parsed_expression, syntax_error> run();

private:
  bool whole(expression_node& out);
  bool ternary(expression_node& out);
  bool operators(level l, expression_node& out);
  bool unary(expression_node& out);
  bool member(expression_node& out);
  bool primary(expression_node& out);
  bool parenthesised(expression_node& out);
  bool number(expression_node& out, bool is_negative);
  bool list(expression_node& out);
  bool map(expression_node& out);
  bool identifier(expression_node& out);
  bool call(expression_node& out, const token& name);
  bool method(expression_node& out, const token& name);
  bool arguments(expression_node& call);
  bool macro(expression_node& call);
  bool check_call(const expression_node& call, const builtin_signature& signature,
                  std::size_t on_value = 0);
  bool mention(expression_node& out, const token& root);
  bool is_item(std::string_view word) const {
    return word == "item" || (!item_name_.empty() && word == item_name_);
  }
  bool task_mention(reference& mentioned);
  bool constant_member(std::string& name, std::size_t& offset, bool& found);
  bool field(std::string& name);

  bool advance();
  bool accept(token_kind kind, bool& found);
  bool expect(token_kind kind, std::string_view shown);
  bool wrong(std::size_t offset, std::string message);
  bool unexpected(std::string_view wanted);
  std::string_view written(const token& t) const { return text_.substr(t.begin, t.end - t.begin); }
  std::string unknown_name_at(const token& name) const;

  std::string_view text_;
  std::string_view item_name_; ///< another one of `item`, or empty
  expression_lexer lexer_;
  token now_;
  std::uint32_t last_end_ = 0; ///< where the token before `now_` ended
  std::size_t depth_ = 0;
  syntax_error problem_;
  std::vector<reference> references_;
  std::vector<std::string_view> variables_; ///< of the macros around, outermost first
};

} // namespace sluice::logic

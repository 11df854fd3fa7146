#include "logic/value_template.hpp"

#include "logic/expression_lexer.hpp"
#include "logic/expression_names.hpp"
#include "logic/expression_values.hpp"

#include <utility>

namespace sluice::logic {

/// A value with its expressions parsed. What holds none of them is one constant, however deep.
struct template_node {
  enum class form : std::uint8_t { constant, whole, text, list, map };
  form shape = form::constant;
  model::value constant;               ///< of `constant`; in a text, the characters between
  expression computed;                 ///< of `whole`
  std::vector<template_node> children; ///< pieces of a text, elements, or values of `keys`
  std::vector<std::string> keys;       ///< of `map`
};

namespace {

// Twice what JSON text may be nested; a value that a program builds has no limit of its own.
constexpr std::size_t max_depth = 2 * model::json_limits{}.depth;

using form = template_node::form;

class template_parser {
public:
  explicit template_parser(std::string_view item_name) : item_name_{item_name} {}

  bool parse(const model::value& v, template_node& out, std::size_t depth = 0);

  value_template::problem problem() {
    for (auto step = path_.begin(); step != path_.end(); ++step)
      problem_.path += *step;
    return std::move(problem_);
  }
  std::vector<reference>& references() { return references_; }

private:
  bool text(const std::string& text, template_node& out);
  bool piece(const std::string& text, std::size_t open, std::size_t close, template_node& out);
  bool list(const model::value& v, template_node& out, std::size_t depth);
  bool map(const model::value& v, template_node& out, std::size_t depth);
  bool wrong(syntax_error what) {
    problem_.what = std::move(what);
    return false;
  }

  std::string_view item_name_;
  std::vector<std::string> path_;
  std::vector<reference> references_;
  value_template::problem problem_;
};

bool template_parser::parse(const model::value& v, template_node& out, std::size_t depth) {
  if (depth > max_depth)
    return wrong({0, "the value is nested too deeply"});
  if (v.is_string())
    return text(v.get_ref<const std::string&>(), out);
  if (v.is_array())
    return list(v, out, depth);
  if (v.is_object())
    return map(v, out, depth);
  out.constant = v;
  return true;
}

bool template_parser::piece(const std::string& text, std::size_t open, std::size_t close,
                            template_node& out) {
  const std::size_t inner = open + 3;
  auto parsed = expression::parse(std::string_view{text}.substr(inner, close - inner), item_name_);
  if (!parsed)
    return wrong({inner + parsed.error().offset, std::move(parsed.error().message)});
  for (auto mentioned : parsed->references()) {
    mentioned.offset += inner;
    references_.push_back(std::move(mentioned));
  }
  out.shape = form::whole;
  out.computed = std::move(*parsed);
  return true;
}

bool template_parser::text(const std::string& text, template_node& out) {
  std::string literal;
  std::size_t at = 0;
  const auto end_literal = [&] {
    if (!literal.empty())
      out.children.emplace_back().constant = std::exchange(literal, {});
  };
  for (std::size_t open; (open = text.find("${{", at)) != std::string::npos;) {
    if (open > at && text[open - 1] == '$') { // `$${{` is how `${{` itself is written
      literal.append(text, at, open - 1 - at).append("${{");
      at = open + 3;
      continue;
    }
    const auto close = find_expression_end(text, open);
    if (!close)
      return wrong(close.error());
    if (open == 0 && *close + 2 == text.size())
      return piece(text, open, *close, out);
    literal.append(text, at, open - at);
    end_literal();
    if (!piece(text, open, *close, out.children.emplace_back()))
      return false;
    at = *close + 2;
  }
  literal.append(text, at);
  if (out.children.empty()) {
    out.constant = std::move(literal);
    return true;
  }
  end_literal();
  out.shape = form::text;
  return true;
}

bool template_parser::list(const model::value& v, template_node& out, std::size_t depth) {
  bool is_constant = true;
  out.children.reserve(v.size());
  for (std::size_t i = 0; i < v.size(); ++i) {
    path_.push_back("[" + std::to_string(i) + "]");
    auto& child = out.children.emplace_back();
    if (!parse(v[i], child, depth + 1))
      return false;
    path_.pop_back();
    is_constant = is_constant && child.shape == form::constant;
  }
  if (!is_constant) {
    out.shape = form::list;
    return true;
  }
  out.constant = model::value::array();
  for (auto& child : out.children)
    out.constant.push_back(std::move(child.constant));
  out.children.clear();
  return true;
}

bool template_parser::map(const model::value& v, template_node& out, std::size_t depth) {
  bool is_constant = true;
  out.children.reserve(v.size());
  for (auto entry = v.begin(); entry != v.end(); ++entry) {
    path_.push_back(as_member(entry.key()));
    if (entry.key().find("${{") != std::string::npos)
      return wrong({entry.key().find("${{"), "a key cannot hold an expression"});
    auto& child = out.children.emplace_back();
    if (!parse(*entry, child, depth + 1))
      return false;
    path_.pop_back();
    out.keys.push_back(entry.key());
    is_constant = is_constant && child.shape == form::constant;
  }
  if (!is_constant) {
    out.shape = form::map;
    return true;
  }
  out.constant = model::value::object();
  for (std::size_t i = 0; i < out.children.size(); ++i)
    out.constant.emplace(std::move(out.keys[i]), std::move(out.children[i].constant));
  out.children.clear();
  out.keys.clear();
  return true;
}

/// Fills in one template. All of its expressions share the bytes, each has the steps for itself.
class template_filler {
public:
  explicit template_filler(const scope& names) : names_{names} {}

  expected<model::value> fill(const template_node& node) {
    switch (node.shape) {
    case form::constant:
      return node.constant;
    case form::whole:
      return compute(node);
    case form::text:
      return text(node);
    case form::list:
      return list(node);
    case form::map:
      return map(node);
    }
    return fail(errc::internal, "a template has a part of an unknown kind");
  }

private:
  expected<model::value> compute(const template_node& node) {
    auto made = node.computed.evaluate(names_, left_);
    if (made && !pay(*made))
      return too_large();
    return made;
  }

  expected<model::value> text(const template_node& node) {
    std::string filled;
    for (const auto& child : node.children) {
      const auto piece = fill(child);
      if (!piece)
        return piece;
      auto plain = model::to_plain_text(*piece);
      if (plain.size() > evaluation_budget{}.result_bytes - filled.size())
        return too_large();
      filled += plain;
    }
    return filled;
  }

  expected<model::value> list(const template_node& node) {
    auto filled = model::value::array();
    for (const auto& child : node.children) {
      auto element = fill(child);
      if (!element)
        return element;
      filled.push_back(std::move(*element));
    }
    return filled;
  }

  expected<model::value> map(const template_node& node) {
    auto filled = model::value::object();
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      auto element = fill(node.children[i]);
      if (!element)
        return element;
      filled.emplace(node.keys[i], std::move(*element));
    }
    return filled;
  }

  bool pay(const model::value& made) {
    evaluation_meter meter{left_};
    if (!pay_for_copy(made, meter))
      return false;
    left_.result_bytes = meter.bytes_left();
    return true;
  }
  static tl::unexpected<error> too_large() {
    return fail(errc::invalid_argument, "the values of all expressions together are larger than "
                                          + std::to_string(evaluation_budget{}.result_bytes)
                                          + " bytes");
  }

  const scope& names_;
  evaluation_budget left_;
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n\f";
  const auto begin = text.find_first_not_of(spaces);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

} // namespace

tl::expected<value_template, value_template::problem>
value_template::parse(const model::value& v, std::string_view item_name) {
  template_parser parser{item_name};
  auto root = std::make_shared<template_node>();
  if (!parser.parse(v, *root))
    return tl::unexpected(parser.problem());
  value_template made;
  made.references_ = std::move(parser.references());
  made.constant_ = root->shape == template_node::form::constant;
  made.root_ = std::move(root);
  return made;
}

expected<model::value> value_template::fill(const scope& names) const {
  if (!root_)
    return fail(errc::internal, "a template was filled in that was never parsed");
  return template_filler{names}.fill(*root_);
}

std::optional<whole_expression> unwrap_expression(std::string_view text) {
  const auto trimmed = trim(text);
  if (!trimmed.starts_with("${{") || !trimmed.ends_with("}}") || trimmed.size() < 5)
    return std::nullopt;
  const auto close = find_expression_end(trimmed, 0);
  // With a word that is none inside, the parser of the inner text says what is wrong and where.
  const std::size_t end = close ? *close : trimmed.size() - 2;
  if (end + 2 != trimmed.size())
    return std::nullopt;
  return whole_expression{trimmed.substr(3, end - 3),
                          static_cast<std::size_t>(trimmed.data() - text.data()) + 3};
}

} // namespace sluice::logic

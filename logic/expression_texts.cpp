// Functions of texts.
#include "logic/expression_evaluator.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>

namespace sluice::logic::evaluation {
namespace {

/// Where the code point with this index begins; nothing when the text has fewer.
std::optional<std::size_t> offset_of(std::string_view text, std::int64_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index)
    do
      ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return index == 0 ? std::optional{at} : std::nullopt;
}

template <class Change>
std::string changed(std::string text, const Change& change) {
  std::transform(text.begin(), text.end(), text.begin(), change);
  return text;
}

char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char to_upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n\f\v";
  const auto begin = text.find_first_not_of(spaces);
  return begin == std::string_view::npos
           ? std::string_view{}
           : text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

/// As `find`, in linear time whatever the texts.
std::size_t find_in(std::string_view text, std::string_view what) {
  const auto* found =
    what.empty() ? text.data() : ::memmem(text.data(), text.size(), what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

} // namespace

tl::expected<std::string, failure> expression_evaluator::text_argument(const expression_node& node,
                                                                       std::size_t position) {
  auto argument = evaluate(node.children[position]);
  if (!argument)
    return tl::unexpected(std::move(argument.error()));
  const auto* text = argument->get().get_ptr<const std::string*>();
  if (text == nullptr)
    return wrong(part(node) + ": " + part(node.children[position]) + " is "
                 + std::string{type_name(argument->get())} + " and no string");
  if (!meter_.take_text(text->size()))
    return tl::unexpected(exhausted());
  return *text;
}

outcome expression_evaluator::made_text(std::string text) {
  if (!meter_.take_text(text.size()) || !meter_.take_bytes(sizeof(model::value) + text.size()))
    return tl::unexpected(exhausted());
  return make(std::move(text));
}

outcome expression_evaluator::call_on_text(const expression_node& node) {
  std::vector<std::string> texts;
  const auto count = node.function == builtin::substring ? 1 : node.children.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto text = text_argument(node, i);
    if (!text)
      return tl::unexpected(std::move(text.error()));
    texts.push_back(std::move(*text));
  }
  const auto& text = texts.front();
  switch (node.function) {
  case builtin::contains:
    return make(find_in(text, texts[1]) != std::string::npos);
  case builtin::starts_with:
    return make(text.starts_with(texts[1]));
  case builtin::ends_with:
    return make(text.ends_with(texts[1]));
  case builtin::matches:
    return matches(node, text, texts[1]);
  case builtin::split:
    return split(text, texts[1]);
  case builtin::replace:
    return replace(node, text, texts[1], texts[2]);
  case builtin::lower:
    return made_text(changed(text, to_lower));
  case builtin::upper:
    return made_text(changed(text, to_upper));
  case builtin::trim:
    return made_text(std::string{trimmed(text)});
  default:
    return substring(node, text);
  }
}

/// The time is linear in the text, whatever the pattern, but grows with what the pattern is
/// compiled to.
outcome expression_evaluator::matches(const expression_node& node, const std::string& text,
                                      const std::string& pattern) {
  constexpr std::uint64_t compilation_steps = 100;
  constexpr std::int64_t most_memory = 1 << 20;
  if (!meter_.take_steps(compilation_steps))
    return tl::unexpected(exhausted());
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(most_memory);
  const RE2 compiled{pattern, options};
  if (!compiled.ok())
    return wrong(part(node) + ": " + shortened(pattern)
                 + " is no regular expression: " + compiled.error());
  const auto size = static_cast<std::uint64_t>(compiled.ProgramSize());
  if (!meter_.take_steps(size + (1 + text.size() / 256) * (1 + size / 16)))
    return tl::unexpected(exhausted());
  return make(RE2::PartialMatch(text, compiled));
}

/// Pieces between separators; of an empty one, the code points.
outcome expression_evaluator::split(std::string_view text, std::string_view separator) {
  auto list = model::value::array();
  while (!text.empty() || !separator.empty()) {
    const auto end =
      separator.empty() ? offset_of(text, 1).value_or(text.size()) : find_in(text, separator);
    const auto piece = text.substr(0, end);
    if (!meter_.take_steps(1) || !meter_.take_bytes(sizeof(model::value) + piece.size()))
      return tl::unexpected(exhausted());
    list.push_back(std::string{piece});
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + separator.size());
  }
  return make(std::move(list));
}

outcome expression_evaluator::replace(const expression_node& node, std::string_view text,
                                      const std::string& what, const std::string& with) {
  if (what.empty())
    return wrong(part(node) + ": what is replaced is empty");
  std::string made;
  for (std::size_t at = 0; at != std::string_view::npos;) {
    at = find_in(text, what);
    const auto kept = text.substr(0, at);
    const auto& added = at == std::string_view::npos ? std::string{} : with;
    if (!meter_.take_steps(1) || !meter_.take_bytes(kept.size() + added.size()))
      return tl::unexpected(exhausted());
    made.append(kept).append(added);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + what.size());
  }
  return make(std::move(made));
}

/// From the code point with one index up to the one with another, or to the end.
outcome expression_evaluator::substring(const expression_node& node, const std::string& text) {
  std::size_t from = 0, to = text.size();
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    const auto argument = evaluate(node.children[i]);
    if (!argument)
      return argument;
    const auto index = as_number(argument->get());
    if (!index || !index->is_whole)
      return wrong(part(node) + ": " + part(node.children[i]) + " is "
                   + std::string{type_name(argument->get())} + " and no int");
    const auto at = index->whole < 0 ? std::nullopt : offset_of(text, index->whole);
    if (!at)
      return wrong(part(node) + ": index " + std::to_string(index->whole) + " is out of range");
    (i == 1 ? from : to) = *at;
  }
  if (to < from)
    return wrong(part(node) + ": it ends before it begins");
  return made_text(text.substr(from, to - from));
}

/// Single values of a list, with a separator between them.
outcome expression_evaluator::join(const expression_node& node) {
  const auto list = evaluate(node.children.front());
  if (!list)
    return list;
  std::string separator;
  if (node.children.size() > 1) {
    auto given = text_argument(node, 1);
    if (!given)
      return tl::unexpected(std::move(given.error()));
    separator = std::move(*given);
  }
  if (!list->get().is_array())
    return wrong(part(node) + " takes a list, but " + part(node.children.front()) + " is "
                 + std::string{type_name(list->get())});
  std::string made;
  for (std::size_t i = 0; i < list->get().size(); ++i) {
    const auto& element = list->get()[i];
    if (element.is_structured() || element.is_null())
      return wrong(part(node) + ": element " + std::to_string(i) + " is "
                   + std::string{type_name(element)} + " and no single value");
    auto text = plain_text(element);
    if (!meter_.take_text(text.size()) || !meter_.take_bytes(text.size() + separator.size()))
      return tl::unexpected(exhausted());
    made += (i == 0 ? "" : separator) + text;
  }
  return make(std::move(made));
}

} // namespace sluice::logic::evaluation

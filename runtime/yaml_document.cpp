#include "runtime/yaml_document.hpp"

#include "runtime/document_builder.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

position position_of(const YAML::Mark& mark) {
  if (mark.is_null())
    return {};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

/// The first tab in the indentation of a line, if there is one: the parser's messages on it vary
/// and say little.
std::optional<position> tab_in_indentation(std::string_view text, std::uint32_t line) {
  for (std::uint32_t i = 1; i < line; ++i)
    text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
  const auto first = std::min(text.size(), text.find_first_not_of(' '));
  if (first == text.size() || text[first] != '\t')
    return std::nullopt;
  return position{line, static_cast<std::uint32_t>(first) + 1};
}

/// Leaves the parser when the document has to be given up; never leaves this file.
struct stop_parsing {};

class event_handler : public YAML::EventHandler {
public:
  event_handler(std::string_view text, const document_limits& limits)
    : text_(text), builder_(limits) {}

  document_builder& builder() { return builder_; }
  bool has_document() const { return has_document_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (has_document_)
      must(builder_.give_up(position_of(mark), "a second document; a file holds one"));
    has_document_ = true;
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    must(builder_.add_scalar({.what = kind::null, .at = position_of(mark)}, anchor));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    must(builder_.add_alias(anchor, position_of(mark)));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    document_node node{.what = kind_of(mark, tag, value), .at = position_of(mark), .text = value};
    node.text_shift = shift_of(static_cast<std::size_t>(mark.pos), value);
    must(builder_.add_scalar(std::move(node), anchor));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag, "seq");
    must(builder_.open(kind::list, position_of(mark), anchor));
  }
  void OnSequenceEnd() override { must(builder_.close()); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag, "map");
    must(builder_.open(kind::map, position_of(mark), anchor));
  }
  void OnMapEnd() override { must(builder_.close()); }

private:
  static void must(bool can_go_on) {
    if (!can_go_on)
      throw stop_parsing{};
  }

  /// `?` is a plain scalar, `!` a quoted one; a tag that is written out must agree with the text.
  kind kind_of(const YAML::Mark& mark, std::string_view tag, const std::string& value) {
    constexpr std::string_view core = "tag:yaml.org,2002:";
    const auto plain = kind_of_plain(value);
    if (tag == "?" || tag.empty())
      return plain;
    if (tag == "!" || tag == std::string{core} + "str")
      return kind::text;
    const auto name = tag.starts_with(core) ? tag.substr(core.size()) : std::string_view{};
    if (name == "float" && plain == kind::integer)
      return kind::real;
    if ((name == "int" && plain == kind::integer) || (name == "float" && plain == kind::real)
        || (name == "bool" && plain == kind::boolean) || (name == "null" && plain == kind::null))
      return plain;
    builder_.report(position_of(mark), "the tag '" + std::string{tag} + "' does not fit here");
    return kind::text;
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag, const char* name) {
    if (tag != "?" && tag != "!" && !tag.empty() && tag != std::string{"tag:yaml.org,2002:"} + name)
      builder_.report(position_of(mark), "the tag '" + tag + "' does not fit here");
  }

  std::uint8_t shift_of(std::size_t at, std::string_view value) const {
    if (at >= text_.size())
      return document_node::not_verbatim;
    const std::uint8_t shift = text_[at] == '"' || text_[at] == '\'' ? 1 : 0;
    return text_.substr(at + shift).starts_with(value) ? shift : document_node::not_verbatim;
  }

  std::string_view text_;
  document_builder builder_;
  bool has_document_ = false;
};

} // namespace

document parse_yaml(std::string_view text, const document_limits& limits) {
  event_handler handler{text, limits};
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser{in};
    while (parser.HandleNextDocument(handler)) {
    }
    if (!handler.has_document())
      handler.builder().give_up({}, "the file is empty");
  } catch (const stop_parsing&) {
    // the builder holds the reason
  } catch (const YAML::Exception& e) {
    const auto at = position_of(e.mark);
    if (const auto tab = tab_in_indentation(text, at.line))
      handler.builder().give_up(*tab, "invalid YAML: a tab in the indentation; only spaces indent");
    else
      handler.builder().give_up(at, "invalid YAML: " + e.msg);
  } catch (const std::exception& e) {
    handler.builder().give_up({}, std::string{"cannot parse YAML: "} + e.what());
  }
  return std::move(handler.builder()).finish();
}

} // namespace sluice::runtime

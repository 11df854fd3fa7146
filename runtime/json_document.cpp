#include "runtime/json_document.hpp"

#include "runtime/document_builder.hpp"

#include <nlohmann/json.hpp>

#include <iterator>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

/// Follows the characters that the lexer takes and remembers where the last token began. The
/// parser's events tell no position, but each comes right after its token: after its last
/// character, or for a number after the one behind it, which never begins a scalar.
class token_tracker {
public:
  void take(char c) {
    if (in_string_) {
      if (is_escaped_)
        is_escaped_ = false;
      else if (c == '\\')
        is_escaped_ = true;
      else if (c == '"')
        in_string_ = false;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      in_scalar_ = false;
    } else if (std::string_view{"[]{},:"}.find(c) != std::string_view::npos) {
      in_scalar_ = false;
      token_ = here_;
    } else if (c == '"' || !in_scalar_) {
      in_string_ = c == '"';
      in_scalar_ = !in_string_;
      token_ = scalar_ = here_;
    }
    here_ = c == '\n' ? spot{{here_.at.line + 1, 1}, here_.offset + 1}
                      : spot{{here_.at.line, here_.at.column + 1}, here_.offset + 1};
  }

  struct spot {
    position at;
    std::size_t offset = 0;
  };
  const spot& token() const { return token_; }
  const spot& scalar() const { return scalar_; }
  const spot& here() const { return here_; }

private:
  spot here_, token_, scalar_;
  bool in_string_ = false;
  bool is_escaped_ = false;
  bool in_scalar_ = false; ///< within a number or a literal
};

/// Walks a text and tells the tracker; copies of it share the tracker.
class tracking_iterator {
public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  tracking_iterator(const char* at, token_tracker* tracker) : at_(at), tracker_(tracker) {}

  reference operator*() const { return *at_; }
  tracking_iterator& operator++() {
    tracker_->take(*at_++);
    return *this;
  }
  tracking_iterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const tracking_iterator& a, const tracking_iterator& b) {
    return a.at_ == b.at_;
  }

private:
  const char* at_;
  token_tracker* tracker_;
};

class event_handler : public nlohmann::json_sax<nlohmann::json> {
public:
  event_handler(std::string_view text, const token_tracker& tracker, const document_limits& limits)
    : text_(text), tracker_(tracker), builder_(limits) {}

  document_builder& builder() { return builder_; }

  bool null() override { return add(kind::null, {}); }
  bool boolean(bool b) override { return add(kind::boolean, b ? "true" : "false"); }
  bool number_integer(std::int64_t n) override { return add(kind::integer, std::to_string(n)); }
  bool number_unsigned(std::uint64_t n) override { return add(kind::integer, std::to_string(n)); }
  bool number_float(double, const std::string& digits) override {
    // The lexer falls back to double for digits that do not fit an integer.
    const bool is_integer = digits.find_first_of(".eE") == std::string::npos;
    return add(is_integer ? kind::integer : kind::real, digits);
  }
  bool string(std::string& s) override { return add(kind::text, std::move(s)); }
  bool binary(nlohmann::json::binary_t&) override { return false; } // not in JSON text
  bool start_object(std::size_t) override { return builder_.open(kind::map, tracker_.token().at); }
  bool key(std::string& name) override { return add(kind::text, std::move(name)); }
  bool end_object() override { return builder_.close(); }
  bool start_array(std::size_t) override { return builder_.open(kind::list, tracker_.token().at); }
  bool end_array() override { return builder_.close(); }

  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::json::exception& cause) override {
    std::string_view what = cause.what();
    // "[json.exception.parse_error.101] parse error at line 1, column 3: syntax error ..."
    if (const auto column = what.find("column "); column != std::string_view::npos)
      what.remove_prefix(std::min(what.size(), what.find(": ", column) + 2));
    what = what.substr(0, what.find("; last read: ")); // begins anywhere before the token
    const auto says = [&](const char* part) { return what.find(part) != std::string_view::npos; };
    const auto& place = says("unexpected end of input") ? tracker_.here()
                        : says(" - invalid ")           ? tracker_.scalar() // of the lexer
                                                        : tracker_.token();
    return builder_.give_up(place.at, "invalid JSON: " + std::string{what});
  }

private:
  bool add(kind what, std::string text) {
    const auto& [at, offset] = tracker_.scalar();
    document_node node{.what = what, .at = at, .text = std::move(text)};
    const std::uint8_t shift = what == kind::text ? 1 : 0; // the quote
    if (text_.substr(offset + shift).starts_with(node.text))
      node.text_shift = shift;
    return builder_.add_scalar(std::move(node));
  }

  std::string_view text_;
  const token_tracker& tracker_;
  document_builder builder_;
};

} // namespace

document parse_json_document(std::string_view text, const document_limits& limits) {
  token_tracker tracker;
  event_handler handler{text, tracker, limits};
  try {
    nlohmann::json::sax_parse(tracking_iterator{text.data(), &tracker},
                              tracking_iterator{text.data() + text.size(), &tracker}, &handler);
  } catch (const std::exception& e) {
    handler.builder().give_up({}, std::string{"cannot parse JSON: "} + e.what());
  }
  return std::move(handler.builder()).finish();
}

} // namespace sluice::runtime

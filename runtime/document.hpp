// A YAML or JSON text as a tree whose nodes know where they stand: what both parsers make and what
// the readers of workflow files and parameters walk. Plain values, used by one thread.
#pragma once

#include "model/json.hpp"

#include <tl/expected.hpp>

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::runtime {

/// A place in a text, from 1. The column counts bytes; `display_column` makes characters of it.
struct position {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  friend auto operator<=>(const position&, const position&) = default;
};

struct document_node {
  enum class kind : std::uint8_t { null, boolean, integer, real, text, list, map };
  static constexpr std::uint8_t not_verbatim = 0xFF;

  kind what = kind::null;
  /// Bytes between `at` and the first character of `text`, when the text stands in the file as it
  /// is, on one line; else `not_verbatim`.
  std::uint8_t text_shift = not_verbatim;
  position at;
  std::string text;                 ///< of a scalar, as written, without quotes
  std::vector<document_node> items; ///< of a list; of a map keys and values by turns

  bool is_scalar() const { return what < kind::list; }
  bool is_list() const { return what == kind::list; }
  bool is_map() const { return what == kind::map; }
};

struct document_problem {
  position at;
  std::string path; ///< keys and indices, as in `logic/spec_path.hpp`; may be empty
  std::string message;
};

/// Bounds of a document, against texts that are small and mean something huge.
struct document_limits {
  std::size_t bytes = 64u << 20;           ///< of the text
  std::size_t depth = 64;                  ///< of lists and maps in each other
  std::size_t nodes = 5'000'000;           ///< keys counted, aliases expanded
  std::size_t expanded_bytes = 128u << 20; ///< of all scalars, aliases expanded
};

/// What a parser made. Problems that leave a tree (a key that stands twice) come with one.
struct document {
  std::optional<document_node> root; ///< none: the text cannot be parsed
  std::vector<document_problem> problems;
};

/// What is wrong with a text before any syntax: too long, no UTF-8, or control characters.
std::optional<document_problem> find_text_problem(std::string_view text,
                                                  const document_limits& limits);

/// The kind of an unquoted YAML scalar by the core schema. Source: YAML 1.2.2, section 10.3.2.
document_node::kind kind_of_plain(std::string_view text);

/// Told about a node that has no value, with the reason.
using value_problem = std::function<void(const document_node& node, std::string message)>;

/// The node as a value. What has none (numbers out of range, infinity) is reported and null.
model::value to_value(const document_node& node, const value_problem& report);

/// The column of a position counted in characters, as editors do.
std::uint32_t display_column(std::string_view line, std::uint32_t byte_column);

} // namespace sluice::runtime

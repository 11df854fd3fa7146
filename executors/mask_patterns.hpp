// What must not be seen of the secrets of an attempt: their values, and the forms that programs
// commonly print them in. Immutable; shared by the process thread, which masks logs, and by
// whoever checks what a task tells. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::executors {

struct secret_value {
  std::string name; ///< of the variable
  std::string value;
};

/// What stands for a secret.
inline constexpr std::string_view mask = "***";

/// Finds many texts at once, in one pass that takes what comes piece by piece.
/// Source: A. Aho, M. Corasick, "Efficient string matching", 1975.
class text_finder {
public:
  using state = std::uint32_t;
  static constexpr state start = 0;

  text_finder();
  /// Nothing when it has been added before. @pre not yet completed; `text` is not empty
  void add(std::string_view text, std::uint32_t owner);
  void complete();

  state next(state s, unsigned char c) const;
  /// How many of the last characters may be the beginning of a text.
  std::size_t begun(state s) const { return nodes_[s].depth; }
  /// The length of the longest text that ends here; 0: none does.
  std::size_t found(state s) const { return nodes_[s].match; }
  /// Whose that one is.
  std::uint32_t owner(state s) const { return nodes_[s].owner; }
  bool empty() const { return nodes_.size() == 1; }

private:
  struct node {
    state child = 0, sibling = 0; ///< 0: none
    state fail = start;
    std::uint32_t depth = 0, match = 0, owner = 0;
    unsigned char c = 0;
  };
  state child_of(state s, unsigned char c) const;

  std::vector<node> nodes_;  ///< the first one is the start
  std::vector<state> first_; ///< children of the start, which most characters lead back to
};

/// Each value that is long enough, or each of its lines when it has several: as it is, in JSON, in
/// URLs, in base64 at any offset (both alphabets, with or without line breaks) and in hex.
class mask_patterns {
public:
  explicit mask_patterns(const std::vector<secret_value>& secrets);

  /// Names of secrets that are too short to be masked, or consist of such lines.
  const std::vector<std::string>& unmasked() const { return unmasked_; }
  /// The name of a secret that a text holds in one of these forms; the first one found.
  std::optional<std::string> find(std::string_view text) const;
  /// The text with `mask` in the place of each.
  std::string masked(std::string_view text) const;

private:
  friend class masker;
  void add(std::string_view text, std::uint32_t owner);

  std::vector<std::string> names_, unmasked_;
  text_finder literal_;
  text_finder wrapped_; ///< of forms that programs break into lines
};

/// Masks a stream. What may become a secret is held back until more is known, at most as much as
/// the longest of them.
class masker {
public:
  explicit masker(std::shared_ptr<const mask_patterns> patterns);

  /// Takes the next piece, and appends to `out` what can be said by now.
  void feed(std::string_view piece, std::string& out);
  /// The stream has ended: appends what was held back.
  void finish(std::string& out);

private:
  friend class mask_patterns;
  struct interval {
    std::uint64_t begin, end;
    bool is_open; ///< its beginning has been written already, as `mask`
  };
  void take(unsigned char c, std::uint64_t at);
  void found(std::uint64_t begin, std::uint64_t end);
  std::uint64_t begun_at() const;
  void write_until(std::uint64_t limit, std::string& out);

  std::shared_ptr<const mask_patterns> patterns_;
  std::string held_;            ///< read, not written
  std::uint64_t offset_ = 0;    ///< of its first character in the stream
  std::vector<interval> found_; ///< not written, in order, apart
  text_finder::state literal_ = text_finder::start;
  text_finder::state wrapped_ = text_finder::start;
  std::vector<std::uint64_t> counted_; ///< where the last characters for `wrapped_` are
  int breaks_ = 0;                     ///< characters of line breaks since
  std::uint32_t owner_ = 0;            ///< of what was found last
};

} // namespace sluice::executors

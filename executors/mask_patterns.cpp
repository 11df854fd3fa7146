#include "executors/mask_patterns.hpp"

#include "model/secret.hpp"

#include <algorithm>

namespace sluice::executors {
namespace {

constexpr std::string_view blanks = " \t\r";

std::string_view trimmed(std::string_view line) {
  const auto begin = line.find_first_not_of(blanks);
  if (begin == std::string_view::npos)
    return {};
  return line.substr(begin, line.find_last_not_of(blanks) - begin + 1);
}

} // namespace

text_finder::text_finder() : nodes_(1), first_(256, start) {}

text_finder::state text_finder::child_of(state s, unsigned char c) const {
  if (s == start)
    return first_[c];
  auto at = nodes_[s].child;
  while (at != 0 && nodes_[at].c != c)
    at = nodes_[at].sibling;
  return at;
}

void text_finder::add(std::string_view text, std::uint32_t owner) {
  state s = start;
  for (const char character : text) {
    const auto c = static_cast<unsigned char>(character);
    auto next = child_of(s, c);
    if (next == 0) {
      next = static_cast<state>(nodes_.size());
      auto& added = nodes_.emplace_back();
      added.c = c;
      added.depth = nodes_[s].depth + 1;
      if (s == start) {
        first_[c] = next;
      } else {
        added.sibling = nodes_[s].child;
        nodes_[s].child = next;
      }
    }
    s = next;
  }
  if (nodes_[s].match == 0)
    nodes_[s].owner = owner;
  nodes_[s].match = nodes_[s].depth;
}

/// Breadth first, so that what is shorter is complete before.
void text_finder::complete() {
  std::vector<state> level;
  for (const auto child : first_)
    if (child != 0)
      level.push_back(child);
  while (!level.empty()) {
    std::vector<state> below;
    for (const auto s : level)
      for (auto child = nodes_[s].child; child != 0; child = nodes_[child].sibling) {
        auto& n = nodes_[child];
        n.fail = next(nodes_[s].fail, n.c);
        if (n.match == 0) {
          n.match = nodes_[n.fail].match;
          n.owner = nodes_[n.fail].owner;
        }
        below.push_back(child);
      }
    level = std::move(below);
  }
}

text_finder::state text_finder::next(state s, unsigned char c) const {
  for (;;) {
    if (const auto child = child_of(s, c); child != 0)
      return child;
    if (s == start)
      return start;
    s = nodes_[s].fail;
  }
}

mask_patterns::mask_patterns(const std::vector<secret_value>& secrets) {
  for (const auto& [name, value] : secrets) {
    const auto owner = static_cast<std::uint32_t>(names_.size());
    names_.push_back(name);
    bool is_masked = false;
    const auto add_if_long = [&](std::string_view text) {
      if (text.size() < model::least_masked_bytes)
        return;
      add(text, owner);
      is_masked = true;
    };
    // The lines of a long one cover all of it, wherever and however it is printed.
    const std::string_view all = value;
    if (all.find('\n') == std::string_view::npos)
      add_if_long(all);
    else
      for (std::size_t at = 0; at <= all.size();) {
        const auto end = std::min(all.find('\n', at), all.size());
        add_if_long(trimmed(all.substr(at, end - at)));
        at = end + 1;
      }
    if (!is_masked)
      unmasked_.push_back(name);
  }
  literal_.complete();
  wrapped_.complete();
}

std::optional<std::string> mask_patterns::find(std::string_view text) const {
  // Not owned: it lives no longer than this call.
  masker look{std::shared_ptr<const mask_patterns>{std::shared_ptr<void>{}, this}};
  for (std::size_t at = 0; at < text.size(); ++at) {
    look.take(static_cast<unsigned char>(text[at]), at);
    if (!look.found_.empty())
      return names_[look.owner_];
  }
  return std::nullopt;
}

std::string mask_patterns::masked(std::string_view text) const {
  masker whole{std::shared_ptr<const mask_patterns>{std::shared_ptr<void>{}, this}};
  std::string out;
  whole.feed(text, out);
  whole.finish(out);
  return out;
}

} // namespace sluice::executors

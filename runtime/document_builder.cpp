#include "runtime/document_builder.hpp"

#include "logic/spec_path.hpp"

#include <algorithm>

namespace sluice::runtime {

using kind = document_node::kind;

bool document_builder::give_up(position at, std::string message) {
  has_failed_ = true;
  result_.problems.push_back({at, {}, std::move(message)});
  return false;
}

void document_builder::report(position at, std::string message) {
  result_.problems.push_back({at, path(), std::move(message)});
}

/// Where the next node goes, in words.
std::string document_builder::path() const {
  std::string text;
  for (const auto& [node, anchor] : open_) {
    if (node.is_list())
      text = logic::path_of(text, node.items.size());
    else if (node.items.size() % 2 == 1) // a key waits for its value
      text = logic::path_of(text, node.items.back().text);
  }
  return text;
}

/// Counts a node with all that is in it against the limits.
bool document_builder::count(const document_node& node, std::size_t depth, position at) {
  if (!node.is_scalar() && depth > limits_.depth)
    return give_up(at, "nested deeper than " + std::to_string(limits_.depth) + " levels");
  bytes_ += node.text.size();
  if (++nodes_ > limits_.nodes)
    return give_up(at, "more than " + std::to_string(limits_.nodes)
                         + " keys and values, counting what aliases repeat");
  if (bytes_ > limits_.expanded_bytes)
    return give_up(at, "more than " + std::to_string(limits_.expanded_bytes)
                         + " bytes of text, counting what aliases repeat");
  return std::all_of(node.items.begin(), node.items.end(),
                     [&](const auto& item) { return count(item, depth + 1, at); });
}

bool document_builder::add_scalar(document_node node, std::size_t anchor) {
  // What is not written has no place of its own: the parser is at the next token already.
  if (node.what == kind::null && !open_.empty() && open_.back().node.is_map()
      && open_.back().node.items.size() % 2 == 1) {
    const auto& key = open_.back().node.items.back();
    if (node.at.line != key.at.line)
      node.at = key.at;
  }
  return count(node, open_.size(), node.at) && add(std::move(node), anchor);
}

bool document_builder::open(kind what, position at, std::size_t anchor) {
  open_node opened{{.what = what, .at = at}, anchor};
  if (!count(opened.node, open_.size() + 1, at))
    return false;
  open_.push_back(std::move(opened));
  return true;
}

bool document_builder::close() {
  auto [node, anchor] = std::move(open_.back());
  open_.pop_back();
  if (node.is_map())
    check_map(node);
  return add(std::move(node), anchor);
}

bool document_builder::add_alias(std::size_t anchor, position at) {
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end())
    return give_up(at, "the alias stands within what it repeats");
  return count(found->second, open_.size() + 1, at) && add(found->second, 0);
}

bool document_builder::add(document_node node, std::size_t anchor) {
  if (anchor != 0) {
    if (!count(node, 0, node.at)) // the copy for its aliases counts too
      return false;
    anchors_.insert_or_assign(anchor, node);
  }
  if (open_.empty())
    result_.root = std::move(node);
  else
    open_.back().node.items.push_back(std::move(node));
  return true;
}

/// Drops what no reader could use: keys that are no text, and those that stand a second time.
void document_builder::check_map(document_node& map) {
  auto& items = map.items;
  std::vector<std::size_t> keys;
  std::vector<bool> is_dropped(items.size());
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (items[i].is_scalar() && items[i].what != kind::null) {
      keys.push_back(i);
      continue;
    }
    report(items[i].at, items[i].is_scalar() ? "the key is empty; write a name, or null in quotes"
                                             : "a key must be a name, not a list or a map");
    is_dropped[i] = true;
  }
  std::stable_sort(keys.begin(), keys.end(),
                   [&](std::size_t a, std::size_t b) { return items[a].text < items[b].text; });
  std::size_t first = 0;
  for (std::size_t k = 1; k < keys.size(); ++k) {
    if (items[keys[k]].text != items[keys[first]].text) {
      first = k;
      continue;
    }
    const auto& key = items[keys[k]];
    result_.problems.push_back(
      {key.at, logic::path_of(path(), key.text),
       "the key stands twice, first in line " + std::to_string(items[keys[first]].at.line)});
    is_dropped[keys[k]] = true;
  }
  if (std::find(is_dropped.begin(), is_dropped.end(), true) == is_dropped.end())
    return;
  std::vector<document_node> kept;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    if (!is_dropped[i]) {
      kept.push_back(std::move(items[i]));
      kept.push_back(std::move(items[i + 1]));
    }
  items = std::move(kept);
}

document document_builder::finish() && {
  if (has_failed_ || !open_.empty())
    result_.root.reset();
  return std::move(result_);
}

} // namespace sluice::runtime

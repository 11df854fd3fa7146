#include "model/item_list.hpp"

#include "model/overloaded.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

namespace sluice::model {
namespace {

auto invalid(std::string message) {
  return fail(errc::invalid_argument, std::move(message));
}

auto too_many(const std::string& count) {
  return invalid(count + " items are more than the limit of " + std::to_string(max_items));
}

/// `1-100`; nothing when it is no range.
std::optional<std::pair<std::int64_t, std::int64_t>> parse_range(std::string_view text) {
  std::int64_t first = 0;
  std::int64_t last = 0;
  const auto* end = text.data() + text.size();
  const auto [middle, error] = std::from_chars(text.data(), end, first);
  if (error != std::errc{} || middle == end || *middle != '-')
    return std::nullopt;
  const auto [rest, error_of_last] = std::from_chars(middle + 1, end, last);
  if (error_of_last != std::errc{} || rest != end || last < first)
    return std::nullopt;
  return std::pair{first, last};
}

/// Whether a combination has all the values that an entry names.
bool agrees(const value& combination, const value& entry) {
  return std::all_of(entry.items().begin(), entry.items().end(), [&](const auto& named) {
    const auto found = combination.find(named.key());
    return found != combination.end() && *found == named.value();
  });
}

expected<void> check_entries(const value& list, const char* key, const matrix_axes& axes,
                             bool is_whole) {
  if (list.is_null())
    return {};
  const auto named = std::string{"matrix."} + key;
  if (!list.is_array())
    return invalid(named + " must be a list of maps");
  for (const auto& entry : list) {
    if (!entry.is_object() || entry.empty())
      return invalid(named + ": " + to_text(entry) + " is no map");
    const auto is_axis = [&](const std::string& name) {
      return std::any_of(axes.begin(), axes.end(), [&](const auto& a) { return a.first == name; });
    };
    for (const auto& [name, v] : entry.items())
      if (!is_whole && !is_axis(name))
        return invalid(named + ": the matrix has no '" + name + "'");
    for (const auto& [name, values] : axes)
      if (is_whole && !entry.contains(name))
        return invalid(named + ": " + to_text(entry) + " lacks '" + name + "'");
  }
  return {};
}

std::optional<std::string> plain_text(const value& v) {
  if (v.is_structured())
    return std::nullopt;
  auto text = to_plain_text(v);
  return is_plain_name(text) ? std::optional{std::move(text)} : std::nullopt;
}

/// Keys in the order of the map.
std::vector<std::string> keys_of(const value& map) {
  std::vector<std::string> keys;
  keys.reserve(map.size());
  for (const auto& [key, v] : map.items())
    keys.push_back(key);
  return keys;
}

} // namespace

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
           || c == '_' || c == '-';
  });
}

expected<item_list> item_list::of(value over) {
  item_list made;
  if (over.is_number_integer()) {
    const auto count = over.get<std::int64_t>();
    if (count < 0)
      return invalid(std::to_string(count) + " is no number of items");
    if (static_cast<std::uint64_t>(count) > max_items)
      return too_many(to_text(over));
    made.size_ = static_cast<std::size_t>(count);
    return made;
  }
  if (over.is_string()) {
    const auto& text = over.get_ref<const std::string&>();
    const auto ends = parse_range(text);
    if (!ends)
      return invalid(to_text(over) + " is no range such as \"1-100\"");
    const auto steps =
      static_cast<std::uint64_t>(ends->second) - static_cast<std::uint64_t>(ends->first);
    if (steps >= max_items)
      return too_many(text);
    made.what_ = range{ends->first};
    made.size_ = static_cast<std::size_t>(steps) + 1;
    return made;
  }
  if (!over.is_structured())
    return invalid(to_text(over) + " is no list, map, number or range");
  if (over.size() > max_items)
    return too_many(std::to_string(over.size()));
  made.size_ = over.size();
  if (over.is_array()) {
    made.what_ = elements{std::move(over)};
  } else {
    auto keys = keys_of(over);
    made.what_ = entries{std::move(over), std::move(keys)};
  }
  return made;
}

expected<item_list> item_list::of_matrix(matrix_axes axes, value include, value exclude) {
  if (auto fine = check_entries(include, "include", axes, true); !fine)
    return tl::unexpected(fine.error());
  if (auto fine = check_entries(exclude, "exclude", axes, false); !fine)
    return tl::unexpected(fine.error());
  std::size_t combinations = 1;
  for (const auto& [name, values] : axes) {
    if (!values.is_array())
      return invalid("matrix." + name + " must be a list, and is " + to_text(values));
    combinations *= values.size();
    if (combinations > max_items)
      return too_many("more than " + std::to_string(max_items));
  }
  matrix made{std::move(axes), std::move(include), std::move(exclude), {}, combinations};
  if (!made.exclude.empty()) {
    for (std::uint32_t i = 0; i < combinations; ++i) {
      const auto candidate = combination(made, i);
      if (std::none_of(made.exclude.begin(), made.exclude.end(),
                       [&](const auto& entry) { return agrees(candidate, entry); }))
        made.kept.push_back(i);
    }
    made.combinations = made.kept.size();
  }
  item_list items;
  items.size_ = made.combinations + made.include.size();
  if (items.size_ > max_items)
    return too_many(std::to_string(items.size_));
  items.what_ = std::move(made);
  return items;
}

value item_list::combination(const matrix& of, std::size_t index) {
  auto made = value::object();
  for (auto axis = of.axes.rbegin(); axis != of.axes.rend(); ++axis) {
    made[axis->first] = axis->second[index % axis->second.size()];
    index /= axis->second.size();
  }
  return made;
}

value item_list::item(std::size_t index) const {
  return std::visit(
    overloaded{
      [&](const range& of) { return value(of.first + static_cast<std::int64_t>(index)); },
      [&](const elements& of) { return of.list[index]; },
      [&](const entries& of) {
        const auto& key = of.keys[index];
        return value{{"key", key}, {"value", of.map.at(key)}};
      },
      [&](const matrix& of) {
        return index >= of.combinations ? of.include[index - of.combinations]
                                        : combination(of, of.kept.empty() ? index : of.kept[index]);
      },
    },
    what_);
}

std::string item_list::name(std::size_t index) const {
  if (!names_.empty())
    return names_[index];
  return std::visit(overloaded{
                      [&](const range&) { return to_plain_text(item(index)); },
                      [&](const elements& of) {
                        return plain_text(of.list[index]).value_or(std::to_string(index));
                      },
                      [&](const entries& of) {
                        const auto& key = of.keys[index];
                        return is_plain_name(key) ? key : std::to_string(index);
                      },
                      [&](const matrix& of) {
                        const auto values = item(index);
                        std::string text;
                        for (const auto& [axis, unused] : of.axes) {
                          const auto part = plain_text(values.at(axis));
                          if (!part)
                            return std::to_string(index);
                          text += (text.empty() ? "" : ",") + *part;
                        }
                        return text;
                      },
                    },
                    what_);
}

std::optional<std::size_t> item_list::find(std::string_view wanted) const {
  if (const auto* of = std::get_if<range>(&what_); of != nullptr && names_.empty()) {
    std::int64_t number = 0;
    const auto* end = wanted.data() + wanted.size();
    const auto [rest, error] = std::from_chars(wanted.data(), end, number);
    const auto index = static_cast<std::uint64_t>(number) - static_cast<std::uint64_t>(of->first);
    const bool is_there = error == std::errc{} && rest == end && number >= of->first
                          && index < size_ && name(index) == wanted;
    return is_there ? std::optional{static_cast<std::size_t>(index)} : std::nullopt;
  }
  for (std::size_t i = 0; i < size_; ++i)
    if (name(i) == wanted)
      return i;
  return std::nullopt;
}

std::optional<std::pair<std::size_t, std::size_t>> item_list::duplicate() const {
  if (std::holds_alternative<range>(what_) && names_.empty())
    return std::nullopt;
  std::unordered_map<std::string, std::size_t> seen;
  seen.reserve(size_);
  for (std::size_t i = 0; i < size_; ++i)
    if (const auto [first, is_new] = seen.try_emplace(name(i), i); !is_new)
      return std::pair{first->second, i};
  return std::nullopt;
}

value item_list::stored() const {
  auto v = std::visit(overloaded{
                        [&](const range& of) {
                          return value{{"from", of.first}, {"count", size_}};
                        },
                        [&](const elements& of) {
                          return value{{"list", of.list}};
                        },
                        [&](const entries& of) {
                          return value{{"map", of.map}};
                        },
                        [&](const matrix& of) {
                          auto axes = value::array();
                          for (const auto& [name, values] : of.axes)
                            axes.push_back(value::array({name, values}));
                          value stored{{"axes", std::move(axes)}};
                          if (!of.include.is_null())
                            stored["include"] = of.include;
                          if (!of.exclude.is_null())
                            stored["exclude"] = of.exclude;
                          return stored;
                        },
                      },
                      what_);
  if (!names_.empty())
    v["names"] = names_;
  return v;
}

expected<item_list> item_list::from_stored(const value& v) {
  try {
    expected<item_list> items = item_list{};
    if (v.contains("from")) {
      items->what_ = range{v.at("from").get<std::int64_t>()};
      items->size_ = v.at("count").get<std::size_t>();
    } else if (v.contains("list") || v.contains("map")) {
      items = of(v.contains("list") ? v.at("list") : v.at("map"));
    } else {
      matrix_axes axes;
      for (const auto& axis : v.at("axes"))
        axes.emplace_back(axis.at(0).get<std::string>(), axis.at(1));
      items = of_matrix(std::move(axes), v.value("include", value{}), v.value("exclude", value{}));
    }
    if (items && v.contains("names"))
      items->set_names(v.at("names").get<std::vector<std::string>>());
    if (items && (items->names_.empty() || items->names_.size() == items->size_))
      return items;
    return fail(errc::corrupt, "cannot read the items of a task: "
                                 + (items ? "its names are not as many" : items.error().message));
  } catch (const value::exception& problem) {
    return fail(errc::corrupt, std::string{"cannot read the items of a task: "} + problem.what());
  }
}

} // namespace sluice::model

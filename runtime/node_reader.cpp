#include "runtime/node_reader.hpp"

#include "logic/spec_path.hpp"
#include "logic/value_template.hpp"
#include "model/nearest_name.hpp"

#include <limits>

namespace sluice::runtime {
namespace {

using kind = document_node::kind;

std::string hint(std::string_view name, std::span<const std::string_view> candidates) {
  const std::vector<std::string> names{candidates.begin(), candidates.end()};
  if (auto nearest = model::did_you_mean(name, names); !nearest.empty())
    return nearest;
  std::string text;
  for (const auto& known : names)
    text += (text.empty() ? "; there are " : ", ") + known;
  return text;
}

} // namespace

placed_node placed_node::item(std::size_t i) const {
  return {node.items[i], logic::path_of(path, i)};
}

void node_reader::report(const placed_node& at, std::string message) {
  problems_.push_back({at.node.at, at.path, std::move(message)});
}

void node_reader::report(const placed_entry& at_key, std::string message) {
  problems_.push_back({at_key.key.at, at_key.value.path, std::move(message)});
}

std::vector<placed_entry> node_reader::map(const placed_node& at, const char* what) {
  std::vector<placed_entry> entries;
  if (!at.node.is_map()) {
    if (at.node.what != kind::null)
      report(at, std::string{"must be a map of "} + what);
    return entries;
  }
  const auto& items = at.node.items;
  entries.reserve(items.size() / 2);
  for (std::size_t i = 0; i + 1 < items.size(); i += 2)
    entries.push_back({items[i], {items[i + 1], logic::path_of(at.path, items[i].text)}});
  return entries;
}

std::vector<std::pair<file_key, placed_entry>>
node_reader::known_entries(const placed_node& at, key_level level, const char* what) {
  std::vector<std::pair<file_key, placed_entry>> known;
  for (auto& entry : map(at, what)) {
    const auto* row = find_key(entry.key.text, level);
    if (row == nullptr)
      report(entry, unknown_key(entry.key.text, level));
    else if (row->key == file_key::later)
      report(entry, not_in_this_version(row->name));
    else
      known.emplace_back(row->key, std::move(entry));
  }
  return known;
}

std::optional<std::string> node_reader::text(const placed_node& at) {
  if (at.node.is_scalar() && at.node.what != kind::null)
    return at.node.text;
  report(at, at.node.is_scalar() ? "is empty; it must be a text" : "must be a text");
  return std::nullopt;
}

std::optional<std::vector<std::string>> node_reader::texts(const placed_node& at,
                                                           const char* what) {
  if (!at.node.is_list()) {
    report(at, std::string{"must be a list of "} + what);
    return std::nullopt;
  }
  std::vector<std::string> list;
  list.reserve(at.node.items.size());
  for (std::size_t i = 0; i < at.node.items.size(); ++i) {
    const auto& item = at.node.items[i];
    if (item.is_scalar() && item.what != kind::null)
      list.push_back(item.text);
    else
      list.push_back(text(at.item(i)).value_or("")); // keeps the places of those that follow
  }
  return list;
}

std::optional<bool> node_reader::boolean(const placed_node& at) {
  if (at.node.what == kind::boolean)
    return value(at).get<bool>();
  report(at, "must be true or false");
  return std::nullopt;
}

std::optional<std::uint32_t> node_reader::count(const placed_node& at, const char* what) {
  const auto v = at.node.what == kind::integer ? value(at) : model::value(-1);
  if (v.is_null())
    return std::nullopt; // far too large, and reported
  const auto number = v.get<std::int64_t>();
  if (number >= 0 && number <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(number);
  report(at, std::string{"must be "} + what);
  return std::nullopt;
}

std::optional<double> node_reader::number(const placed_node& at) {
  if (at.node.what == kind::integer || at.node.what == kind::real) {
    const auto v = value(at);
    return v.is_null() ? std::nullopt : std::optional{v.get<double>()};
  }
  report(at, "must be a number");
  return std::nullopt;
}

std::optional<model::milliseconds> node_reader::duration(const placed_node& at) {
  const auto written = text(at);
  if (!written)
    return std::nullopt;
  auto length = model::parse_duration(*written);
  if (length)
    return *length;
  report(at, std::move(length.error().message));
  return std::nullopt;
}

std::optional<std::uint32_t> node_reader::bytes(const placed_node& at) {
  const auto written = text(at);
  if (!written)
    return std::nullopt;
  auto size = model::parse_bytes(*written);
  if (size && *size <= std::numeric_limits<std::uint32_t>::max())
    return static_cast<std::uint32_t>(*size);
  report(at, size ? "is too large" : std::move(size.error().message));
  return std::nullopt;
}

std::optional<model::shell_spec> node_reader::shell(const placed_node& at) {
  using kinds = model::shell_spec::kind;
  if (at.node.is_list()) {
    if (auto argv = texts(at, "texts"))
      return model::shell_spec{kinds::custom, std::move(*argv)};
    return std::nullopt;
  }
  if (at.node.is_scalar() && at.node.text == "sh")
    return model::shell_spec{};
  if (at.node.is_scalar() && at.node.text == "bash")
    return model::shell_spec{kinds::bash, {}};
  report(at, "must be sh, bash, or a list: a program and its arguments");
  return std::nullopt;
}

std::optional<model::value_type> node_reader::type(const placed_node& at) {
  const auto name = text(at);
  if (!name)
    return std::nullopt;
  const auto found = model::parse_value_type(*name);
  if (!found)
    report(at, "unknown type '" + *name + "'" + hint(*name, model::value_type_names()));
  return found;
}

std::optional<model::failure_pattern> node_reader::failure(const placed_node& at) {
  const auto written = text(at);
  if (!written)
    return std::nullopt;
  auto found = model::parse_failure_pattern(*written);
  if (found)
    return found;
  const std::string_view as = std::string_view{*written}.substr(0, written->find(':'));
  report(at, model::parse_failure_class(as) ? "'" + *written + "' has no code behind the colon"
                                            : "unknown class '" + std::string{as} + "'"
                                                + hint(as, model::failure_class_names()));
  return std::nullopt;
}

std::optional<std::string> node_reader::expression(const placed_node& at) {
  if (at.node.what == kind::text)
    if (const auto whole = logic::unwrap_expression(at.node.text))
      return std::string{whole->inner};
  report(at, "must be one expression, written ${{ ... }}");
  return std::nullopt;
}

model::value node_reader::value(const placed_node& at) {
  return to_value(at.node, [&](const document_node& node, std::string message) {
    problems_.push_back({node.at, at.path, std::move(message)});
  });
}

} // namespace sluice::runtime

#include "logic/spec_path.hpp"

#include "model/workflow.hpp"

#include <algorithm>
#include <charconv>

namespace sluice::logic {
namespace {

/// Reads the inside of brackets: digits, or a name in quotes.
path_step bracket_step(std::string_view inside) {
  if (inside.size() >= 2 && inside.front() == '\'' && inside.back() == '\'')
    return {std::string{inside.substr(1, inside.size() - 2)}, std::nullopt};
  std::size_t index = 0;
  const auto end = inside.data() + inside.size();
  const auto [after, err] = std::from_chars(inside.data(), end, index);
  if (err == std::errc{} && after == end)
    return {{}, index};
  return {std::string{inside}, std::nullopt};
}

} // namespace

std::string path_of(std::string_view parent, std::string_view key) {
  std::string path{parent};
  if (!model::is_identifier(key))
    return path.append("['").append(key).append("']");
  if (!parent.empty())
    path += '.';
  return path.append(key);
}

std::string path_of(std::string_view parent, std::size_t index) {
  return std::string{parent} + "[" + std::to_string(index) + "]";
}

std::vector<path_step> split_path(std::string_view path) {
  std::vector<path_step> steps;
  while (!path.empty()) {
    if (path.front() == '[') {
      // A quoted name may hold a bracket of its own.
      const bool is_quoted = path.size() > 1 && path[1] == '\'';
      const auto close = is_quoted ? path.find("']", 2) : path.find(']');
      const auto last = close == std::string_view::npos ? path.size() : close + (is_quoted ? 1 : 0);
      steps.push_back(bracket_step(path.substr(1, last - 1)));
      path.remove_prefix(std::min(path.size(), last + 1));
      continue;
    }
    if (path.front() == '.')
      path.remove_prefix(1);
    const auto end = std::min(path.size(), path.find_first_of(".["));
    steps.push_back({std::string{path.substr(0, end)}, std::nullopt});
    path.remove_prefix(end);
  }
  return steps;
}

} // namespace sluice::logic

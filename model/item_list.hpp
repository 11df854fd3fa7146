// What a task is fanned out over: one item for each of its instances. Ranges and matrices are
// worked out when they are asked for, so that a million items need no million values.
#pragma once

#include "model/error.hpp"
#include "model/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice::model {

/// More items than this are refused, as are more tasks in a file.
inline constexpr std::size_t max_items = 1'000'000;

/// Axes of a matrix, in the order of the file: name and list of values.
using matrix_axes = std::vector<std::pair<std::string, value>>;

class item_list {
public:
  item_list() = default; ///< no items

  /// A list gives its elements; a map one `{key, value}` for each of its keys; a whole number n the
  /// numbers from 0 to n - 1; a text such as `1-100` the numbers it names, both ends included.
  /// Errors: `invalid_argument` for anything else, and for more than `max_items`.
  static expected<item_list> of(value over);

  /// All combinations of the axes' values, the last axis changing fastest, each as a map; without
  /// those that agree with an entry of `exclude` in all that it names; then the entries of
  /// `include`, each of which names every axis. Errors: `invalid_argument`.
  static expected<item_list> of_matrix(matrix_axes axes, value include = {}, value exclude = {});

  std::size_t size() const { return size_; }
  /// @pre index < size()
  value item(std::size_t index) const;
  /// What stands in brackets behind the task's name: the item if it is short and plain
  /// (`[A-Za-z0-9._-]{1,64}`), the values of a matrix with commas between them, else the index.
  std::string name(std::size_t index) const;
  std::optional<std::size_t> find(std::string_view name) const;
  /// Names given by the workflow, in the place of those above. @pre one for each item
  void set_names(std::vector<std::string> names) { names_ = std::move(names); }
  /// Two items with the same name, the first such; nothing: all differ.
  std::optional<std::pair<std::size_t, std::size_t>> duplicate() const;

  /// The form in the store, and back. Errors of the way back: `corrupt`.
  value stored() const;
  static expected<item_list> from_stored(const value& v);

  friend bool operator==(const item_list&, const item_list&) = default;

private:
  struct range {
    std::int64_t first;
    friend bool operator==(const range&, const range&) = default;
  };
  struct elements {
    value list;
    friend bool operator==(const elements&, const elements&) = default;
  };
  struct entries {
    value map;
    std::vector<std::string> keys; ///< of the map, by index
    friend bool operator==(const entries&, const entries&) = default;
  };
  struct matrix {
    matrix_axes axes;
    value include, exclude;          ///< lists, or null
    std::vector<std::uint32_t> kept; ///< combinations that are not excluded; empty: all of them
    std::size_t combinations;        ///< those that are kept
    friend bool operator==(const matrix&, const matrix&) = default;
  };

  static value combination(const matrix& of, std::size_t index);

  std::variant<range, elements, entries, matrix> what_;
  std::size_t size_ = 0;
  std::vector<std::string> names_; ///< empty: derived
};

/// Whether a text may stand in brackets behind a task's name as it is.
bool is_plain_name(std::string_view text);

} // namespace sluice::model

#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

#include <algorithm>
#include <limits>

namespace sluice::storage::sqlite {

std::optional<model::failure> read_failure(query& row, int columns) {
  if (row.is_null(columns))
    return std::nullopt;
  return model::failure{read_name(row.text(columns), model::parse_failure_class),
                        row.text(columns + 1), row.text(columns + 2)};
}

model::value read_json(const std::string& text) {
  // What was within its limits when it was written is read back whatever they are now.
  constexpr model::json_limits limits{.bytes = 1u << 30, .depth = 1000};
  auto parsed = model::parse_json(text, limits);
  if (!parsed)
    throw unreadable_row{"a row holds no JSON: " + parsed.error().message};
  return std::move(*parsed);
}

std::int64_t limit_of(std::size_t limit) {
  return static_cast<std::int64_t>(
    std::min<std::size_t>(limit, std::numeric_limits<std::int64_t>::max()));
}

} // namespace sluice::storage::sqlite

// `--limit` and `--filter key=value` of the verbs that list.
#pragma once

#include "model/error.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::cli {

struct list_options {
  std::size_t limit = 50;
  std::vector<std::string> filters; ///< `key=value`
};

/// The filters by key. Errors: `invalid_argument` when one is not `key=value`, names a key that is
/// not among `keys`, or names one twice.
expected<std::map<std::string, std::string>> read_filters(std::span<const std::string> filters,
                                                          std::span<const std::string_view> keys);

} // namespace sluice::cli

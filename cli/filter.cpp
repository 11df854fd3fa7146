#include "cli/filter.hpp"

#include <algorithm>

namespace sluice::cli {

expected<std::map<std::string, std::string>> read_filters(std::span<const std::string> filters,
                                                          std::span<const std::string_view> keys) {
  std::map<std::string, std::string> by_key;
  for (const auto& filter : filters) {
    const auto equals = filter.find('=');
    if (equals == std::string::npos)
      return fail(errc::invalid_argument,
                  "--filter takes key=value, such as state=failed, not '" + filter + "'");
    auto key = filter.substr(0, equals);
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      std::string known;
      for (const auto& one : keys)
        known += (known.empty() ? "" : ", ") + std::string{one};
      return fail(errc::invalid_argument,
                  "there is no filter '" + key + "' here, there is: " + known);
    }
    if (!by_key.emplace(std::move(key), filter.substr(equals + 1)).second)
      return fail(errc::invalid_argument, "--filter " + filter + ": the key is given twice");
  }
  return by_key;
}

} // namespace sluice::cli

// "Did you mean" for names in a specification. A plain function, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

/// The name nearest to `name` by edit distance, when it is near enough to be a typing error; else
/// empty. The measure is that of `model/nearest_name`.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

} // namespace sluice::logic

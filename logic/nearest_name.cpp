#include "logic/nearest_name.hpp"

#include "model/nearest_name.hpp"

namespace sluice::logic {

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  return model::nearest_name(name, candidates);
}

} // namespace sluice::logic

// What the runtime takes from its surroundings: one snapshot of the environment.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sluice::runtime {

/// The variables that tasks inherit, as far as they are set: PATH, HOME, LANG, TZ, USER. Nothing
/// else leaks through. Call once, before threads start.
std::vector<std::pair<std::string, std::string>> inherited_environment();

} // namespace sluice::runtime

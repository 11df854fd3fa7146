#include "runtime/config_load.hpp"

#include <cstdlib>

namespace sluice::runtime {

std::vector<std::pair<std::string, std::string>> inherited_environment() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto* name : {"PATH", "HOME", "LANG", "TZ", "USER"})
    if (const char* text = std::getenv(name))
      out.emplace_back(name, text);
  if (out.empty() || out.front().first != "PATH")
    out.emplace(out.begin(), "PATH", "/usr/local/bin:/usr/bin:/bin");
  return out;
}

} // namespace sluice::runtime

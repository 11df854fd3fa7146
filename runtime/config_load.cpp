#include "runtime/config_load.hpp"

#include <pwd.h>

#include <array>
#include <cstdlib>

#include <unistd.h>

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

std::map<std::string, std::string> whole_environment() {
  std::map<std::string, std::string> all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view entry{*at};
    if (const auto split = entry.find('='); split != std::string_view::npos)
      all.emplace(entry.substr(0, split), entry.substr(split + 1)); // as getenv: the first counts
  }
  return all;
}

std::string user_name() {
  std::array<char, 4096> texts;
  passwd entry;
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, texts.data(), texts.size(), &found) == 0 && found)
    return found->pw_name;
  for (const char* variable : {"USER", "LOGNAME"})
    if (const char* name = std::getenv(variable); name != nullptr && *name != '\0')
      return name;
  return "user " + std::to_string(::geteuid());
}

std::filesystem::path user_runtime_dir() {
  const char* dir = std::getenv("XDG_RUNTIME_DIR");
  return dir != nullptr ? dir : "";
}

task_output_file own_output_file() {
  const char* path = std::getenv("SLUICE_OUT");
  return {std::getenv("SLUICE_TASK") != nullptr, path != nullptr ? path : ""};
}

std::optional<task_access> own_task_access() {
  const char* socket = std::getenv("SLUICE_SOCKET");
  const char* token = std::getenv("SLUICE_TOKEN");
  if (socket == nullptr || token == nullptr)
    return std::nullopt;
  return task_access{socket, token};
}

} // namespace sluice::runtime

#include "logic/command_text.hpp"

namespace sluice::logic {

bool has_expression(std::string_view shell_text) {
  if (shell_text.find("<<") != std::string_view::npos)
    return false;
  bool in_single = false, in_double = false;
  for (std::size_t i = 0; i < shell_text.size(); ++i) {
    const char c = shell_text[i];
    if (in_single) {
      in_single = c != '\'';
    } else if (c == '\\') {
      ++i;
    } else if (c == '"') {
      in_double = !in_double;
    } else if (c == '\'') {
      in_single = !in_double;
    } else if (shell_text.substr(i).starts_with("${{")) {
      return true;
    }
  }
  return false;
}

} // namespace sluice::logic

#include "cli/session.hpp"

#include "cli/words.hpp"

namespace sluice::cli {

std::string session::hint(const std::string& verb) const {
  std::string command = "sluice ";
  if (store_dir != default_store_dir)
    command += "--store " + shell_quoted(store_dir.string()) + " ";
  return command + verb;
}

int session::fail(const error& e) {
  return fail(e.message, exit_code_of(e.code));
}

int session::fail(std::string_view message, int code) {
  out.flush();
  err.line(err.tinted("sluice: ", tint::red) + std::string{message});
  err.flush();
  return code;
}

} // namespace sluice::cli

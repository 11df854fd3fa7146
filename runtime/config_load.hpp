// What the runtime takes from its surroundings: one snapshot of the environment.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::runtime {

/// The variables that tasks inherit, as far as they are set: PATH, HOME, LANG, TZ, USER. Nothing
/// else leaks through. Call once, before threads start.
std::vector<std::pair<std::string, std::string>> inherited_environment();

/// All variables as they are now, for the secrets that workflows refer to. Call once, before
/// threads start.
std::map<std::string, std::string> whole_environment();

/// $XDG_RUNTIME_DIR: where this user's sockets may be; empty when it is not set.
std::filesystem::path user_runtime_dir();

/// Who this process is of: the name of its user, also where no variable says it, as in a cron job;
/// what variables say of a user without an entry; or else a number.
std::string user_name();

/// What the environment of a task holds for calls to its runtime.
struct task_access {
  std::filesystem::path socket;
  std::string token;
};
/// Nothing outside a task, or in one whose runtime has no socket.
std::optional<task_access> own_task_access();

/// Where the outputs of the task that this process belongs to go.
struct task_output_file {
  bool is_in_task = false;
  std::filesystem::path path; ///< empty: the task declares none
};
task_output_file own_output_file();

} // namespace sluice::runtime

// From the order to start an attempt to its process: working files, environment, command, program.
// Owned by the attempt loop, called on the process thread.
#pragma once

#include "executors/attempt_environment.hpp"
#include "executors/attempt_files.hpp"
#include "executors/process_options.hpp"
#include "executors/spawn.hpp"

#include <string>
#include <vector>

namespace sluice::executors {

class attempt_starter {
public:
  /// Both are borrowed for its life.
  attempt_starter(const process_options& options, attempt_files& files);

  /// Makes `in.json`, what was saved before, and the directory of `$SLUICE_OUT`, where the task has
  /// them. Repeating it
  /// after a shortage is safe.
  tl::expected<void, model::failure> prepare_files(const model::start_attempt& order);

  /// The process that was started for the attempt's command of this role. A failure with the code
  /// `host_full` is worth another try.
  /// @pre prepare_files has succeeded, and the task has that command
  tl::expected<pid_t, model::failure> start(const model::start_attempt& order,
                                            model::command_role role);

private:
  tl::expected<pid_t, int> spawn(model::attempt_key key, const std::vector<std::string>& argv,
                                 const std::string& workdir);

  const process_options& options_;
  attempt_files& files_;
  spawner spawner_;
  environment_block environment_; ///< of the start in progress; kept for its memory
  std::vector<char*> argv_;
  std::string program_; ///< that was executed last; empty: not found
};

} // namespace sluice::executors

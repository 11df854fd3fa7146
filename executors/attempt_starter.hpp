// From the order to start an attempt to its process: working files, environment, command, program.
// Owned by the attempt loop, called on the process thread.
#pragma once

#include "executors/attempt_environment.hpp"
#include "executors/attempt_files.hpp"
#include "executors/cgroup.hpp"
#include "executors/masked_output.hpp"
#include "executors/process_options.hpp"
#include "executors/secrets.hpp"
#include "executors/spawn.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::executors {

/// What an attempt has from its first process to its end, beside its files.
struct attempt_kit {
  std::unique_ptr<cgroup_leaf> group;       ///< null: nothing to be held to, or no way to
  std::unique_ptr<attempt_secrets> secrets; ///< null: it has none
  std::unique_ptr<masked_output> output;    ///< of the command that runs, when it has secrets
};

class attempt_starter {
public:
  /// Both are borrowed for its life.
  attempt_starter(const process_options& options, attempt_files& files);

  /// Makes `in.json`, what was saved before, and the directory of `$SLUICE_OUT`, where the task has
  /// them. Repeating it
  /// after a shortage is safe.
  tl::expected<void, model::failure> prepare_files(const model::start_attempt& order);

  /// The process that was started for the attempt's command of this role. A failure with the code
  /// `host_full` is worth another try. `kit` is filled with what it takes; repeating keeps it.
  /// @pre prepare_files has succeeded, and the task has that command
  tl::expected<pid_t, model::failure> start(const model::start_attempt& order,
                                            model::command_role role, attempt_kit& kit);

private:
  std::optional<model::failure> give_secrets(const model::start_attempt& order, attempt_kit& kit);
  void say_how_once();
  std::optional<model::failure> hold_to_limits(const model::start_attempt& order, attempt_kit& kit);
  tl::expected<pid_t, int> spawn(model::attempt_key key, const std::vector<std::string>& argv,
                                 const std::string& workdir, attempt_kit& kit);

  const process_options& options_;
  attempt_files& files_;
  spawner spawner_;
  environment_block environment_; ///< of the start in progress; kept for its memory
  std::vector<char*> argv_;
  std::string program_;         ///< that was executed last; empty: not found
  std::int64_t data_bytes_ = 0; ///< of the start in progress; 0: no limit
  bool has_said_how_ = false;   ///< attempts are held to their limits
};

} // namespace sluice::executors

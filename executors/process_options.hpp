// What the process thread is told at its start. Plain values.
#pragma once

#include "model/ids.hpp"
#include "model/time.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::executors {

class cgroup_tree;
class secrets_in_use;

struct process_options {
  std::filesystem::path logs_dir; ///< the directory above must exist
  std::filesystem::path work_dir; ///< likewise
  /// What tasks inherit: PATH, HOME, LANG, TZ, USER as far as they are set.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string instance_token; ///< marks every process of ours, for the guard
  std::string socket;         ///< where tasks reach the API; empty: they cannot
  /// The token an attempt shows there; called for each start, on the process thread.
  std::function<std::string(model::attempt_key)> token_of;
  /// A variable of the runtime's environment, for secrets; on the process thread. None: there are
  /// no variables.
  std::function<std::optional<std::string>(const std::string&)> variable_of;
  /// Told of the attempts that have secrets, for those who take what tasks tell. Null: nobody does.
  std::shared_ptr<secrets_in_use> secrets;
  int guard_fd = -1; ///< `guard_process::descriptor()`; -1: there is no guard
  /// Holds attempts to the memory and processors that they were given. Null: a limit of each
  /// process holds them to the memory, and nothing to the processors.
  std::shared_ptr<cgroup_tree> groups;
  std::string no_groups_because; ///< for the log; empty beside groups
  model::clock clock;
  std::size_t output_limit_bytes = std::size_t{1} << 20; ///< of `$SLUICE_OUT`
  /// A larger input is only in `$SLUICE_IN`: the kernel limits one string to 128 KiB.
  std::size_t input_limit_bytes = std::size_t{64} << 10;
  std::size_t inputs_limit_bytes = std::size_t{512} << 10; ///< of all inputs in the environment
  /// Processes at once; further starts wait in order, and take over without anybody being asked.
  std::size_t slots = std::numeric_limits<std::size_t>::max();
  model::milliseconds give_back_after{50};     ///< a start that waits so long for a slot
  model::milliseconds retry_start_after{1000}; ///< on a full host, when nothing exits before
  model::milliseconds give_up_start_after{60000};
};

} // namespace sluice::executors

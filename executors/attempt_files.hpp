// Where the files of an attempt are: its log, and the working files of tasks with `in` or `out`.
// `log_path` is for everyone; `attempt_files` belongs to the process thread.
#pragma once

#include "model/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace sluice::executors {

/// `<logs_dir>/r-12/0/7.2.log` for attempt 2 of task 7: a thousand tasks share a directory.
std::filesystem::path log_path(const std::filesystem::path& logs_dir, model::attempt_key key);

/// Makes directories (0700) once and remembers them, so that an attempt costs none. Functions that
/// touch the file system return 0 or an errno value.
class attempt_files {
public:
  attempt_files(std::string logs_dir, std::string work_dir);

  /// Absolute when the directories given were.
  std::string log_of(model::attempt_key key) const;
  std::string work_dir_of(model::attempt_key key) const;
  std::string in_of(model::attempt_key key) const { return work_dir_of(key) + "/in.json"; }
  std::string out_of(model::attempt_key key) const { return work_dir_of(key) + "/out"; }
  std::string checkpoint_of(model::attempt_key key) const {
    return work_dir_of(key) + "/checkpoint";
  }
  std::string snapshot_of(model::attempt_key key) const { return work_dir_of(key) + "/snapshot"; }
  std::string result_of(model::attempt_key key) const { return work_dir_of(key) + "/result.json"; }

  int make_log_dir(model::attempt_key key);
  /// Someone removed it: the next `make_log_dir` looks again.
  void forget_log_dir(model::attempt_key key);
  /// Appends a line of ours to the attempt's log; what cannot be written is lost.
  void append_to_log(model::attempt_key key, std::string_view line);

  /// An empty directory for the attempt; repeating it keeps what this object made before.
  int make_work_dir(model::attempt_key key);
  int write_in(model::attempt_key key, std::string_view text);
  int write_out(model::attempt_key key, std::string_view text);
  int write_checkpoint(model::attempt_key key, std::string_view data);
  int write_snapshot(model::attempt_key key, std::string_view data);
  int write_result(model::attempt_key key, std::string_view text);
  /// Nothing happens when the attempt has none.
  void remove_work_dir(model::attempt_key key);

  /// Of the attempts that `is_over` names.
  void remove_work_dirs_if(const std::function<bool(model::attempt_key)>& is_over);

  /// Removes the empty directories of runs; to be called at the end.
  void remove_idle_run_dirs();

private:
  std::string logs_dir_;
  std::string work_dir_;
  std::unordered_set<model::attempt_key> log_dirs_; ///< task_idx stands for its thousand
  std::unordered_set<model::attempt_key> work_dirs_;
  std::unordered_map<model::run_no, std::uint32_t> run_dirs_; ///< below work_dir_: how many in it
};

} // namespace sluice::executors

// The files of the workflows that a workflow file starts, and that those start: each is read once,
// and none may start itself. Owned by one reading of one file.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "runtime/child_reader.hpp"
#include "runtime/workflow_file.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sluice::runtime {

class child_files {
public:
  explicit child_files(const logic::handler_lookup& has_handler) : has_handler_(has_handler) {}

  /// Reads a file, and what it starts. `shown` is the name that people see; `to` is what its tasks
  /// are added to, null: it is a workflow by itself.
  tl::expected<loaded_workflow, std::vector<file_problem>>
  load(const std::filesystem::path& file, const std::string& shown,
       const addition_target* to = nullptr);
  /// For the workflows that a text names which lies in a directory.
  child_loader loader(const std::filesystem::path& directory, const std::string& shown_directory);
  /// What is wrong with files that the outermost one starts; taken out.
  std::vector<file_problem> take_problems() { return std::move(problems_); }

private:
  tl::expected<std::shared_ptr<const model::workflow_spec>, std::string>
  load_child(const std::filesystem::path& file, const std::string& shown);
  std::string cycle_to(const std::filesystem::path& file) const;

  /// A file that is being read.
  struct open_file {
    std::filesystem::path file;
    std::string shown;
  };
  const logic::handler_lookup& has_handler_;
  std::vector<open_file> open_; ///< the outermost first
  std::map<std::filesystem::path, std::shared_ptr<const model::workflow_spec>>
    known_; ///< null: bad
  std::vector<file_problem> problems_;
};

} // namespace sluice::runtime

// From a workflow file, YAML or JSON, to a specification that is valid; or all that is wrong with
// it, with line and column. Plain functions, any thread.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "model/workflow.hpp"

#include <tl/expected.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::runtime {

/// One thing wrong with a file. Line and column count from 1, the column in characters; line 0 is
/// the file as a whole.
struct file_problem {
  int line = 0;
  int column = 0;
  std::string path; ///< keys and indices, `tasks.load.after[1]`; may be empty
  std::string message;
  std::string file; ///< another one, that this one starts the workflow of; empty: this one
  friend bool operator==(const file_problem&, const file_problem&) = default;
};

/// `file:line:col: path: message`, without what there is not. `file` is the one that was asked for.
std::string to_string(const std::string& file, const file_problem& problem);

struct loaded_workflow {
  std::shared_ptr<const model::workflow_spec> workflow;
  std::string source;       ///< the file's text
  std::string content_hash; ///< SHA-256 of the specification's canonical JSON, in hex
};

/// SHA-256 of the specification's canonical JSON, in hex: equal ones share a stored version.
std::string content_hash_of(const model::workflow_spec& workflow);

/// Reads and validates a file. By its extension `.json`, or a first character `{`, it is JSON. The
/// workflow's default name is that of the file without extension. Problems are sorted by place.
/// Problems of files that it starts the workflows of come last.
tl::expected<loaded_workflow, std::vector<file_problem>>
load_workflow_file(const std::filesystem::path& file, const logic::handler_lookup& has_handler);

enum class file_format { yaml, json };

/// The format by the first character that is not blank.
file_format format_of(std::string_view text);

/// As above, from a text. `base_dir` is absolute, the directory that relative paths start from, of
/// files of workflows too.
tl::expected<loaded_workflow, std::vector<file_problem>>
parse_workflow(std::string_view text, file_format format, const std::string& default_name,
               const std::string& base_dir, const logic::handler_lookup& has_handler);

/// What the tasks of a file are added to.
struct addition_target {
  std::shared_ptr<const model::workflow_spec> workflow; ///< that the run is one of
  std::uint32_t first = 0; ///< index behind those of all tasks and instances of the run
};

/// Reads a file whose tasks a run in progress is to be given, and validates them as part of that.
/// The file has `tasks`, and may have `defaults` for them, and `workflow`, the name of the run's.
/// What is returned are those tasks alone.
tl::expected<loaded_workflow, std::vector<file_problem>>
load_added_tasks(const std::filesystem::path& file, const addition_target& to,
                 const logic::handler_lookup& has_handler);

/// As above, from a text.
tl::expected<loaded_workflow, std::vector<file_problem>>
parse_added_tasks(std::string_view text, file_format format, const std::string& base_dir,
                  const addition_target& to, const logic::handler_lookup& has_handler);

class child_files;

/// Part of `child_files`: reads one file of those that are read together. `to` is null: it is a
/// workflow by itself.
tl::expected<loaded_workflow, std::vector<file_problem>>
read_workflow_file(const std::filesystem::path& file, const logic::handler_lookup& has_handler,
                   child_files& files, const std::string& shown_directory,
                   const addition_target* to);

} // namespace sluice::runtime

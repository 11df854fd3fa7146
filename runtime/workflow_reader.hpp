// The tree of a workflow file to a specification, by the table of keys. Says what has the wrong
// form; what a well-formed specification gets wrong is found by `logic::compile`.
#pragma once

#include "model/workflow.hpp"
#include "runtime/child_reader.hpp"
#include "runtime/document.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sluice::runtime {

struct workflow_reading {
  /// As much as could be understood; complete when there are no problems.
  std::shared_ptr<model::workflow_spec> workflow;
  std::vector<document_problem> problems;
  /// Tasks of which something could not be read, ascending.
  std::vector<std::uint32_t> read_in_part;
  bool has_bad_children = false; ///< files of workflows with problems of their own
};

/// `default_name` is the workflow's name when the file gives none.
workflow_reading read_workflow(const document_node& root, const std::string& default_name,
                               const std::string& base_dir, const child_loader& load_child);

} // namespace sluice::runtime

// The key `workflow` of a task in a workflow file: the file of another workflow, and the parameters
// it is given. Plain functions, used by the reader of workflow files only.
#pragma once

#include "model/workflow.hpp"
#include "runtime/node_reader.hpp"

#include <tl/expected.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sluice::runtime {

/// Reads the workflow in a file, whose name is relative to that of the file which names it. An
/// error is a sentence about that name; empty when what is wrong has been told of the file itself.
using child_loader =
  std::function<tl::expected<std::shared_ptr<const model::workflow_spec>, std::string>(
    const std::string& file)>;

/// Nothing when it could not be read, which has been told.
std::optional<model::workflow_action> read_child(node_reader& nodes, const placed_node& at,
                                                 const child_loader& load);

} // namespace sluice::runtime

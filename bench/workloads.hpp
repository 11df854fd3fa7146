// The workflows that are measured, built by the program: no text is parsed.
#pragma once

#include "model/workflow.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace sluice::bench {

using workflow_ptr = std::shared_ptr<const model::workflow_spec>;

/// `count` tasks that depend on nothing.
workflow_ptr independent_tasks(const std::string& name, const model::action& action,
                               std::size_t count);

/// One task that is done for each of `count` items.
workflow_ptr fanned_out_task(const std::string& name, const model::action& action,
                             std::uint32_t count);

/// `count` chains of `length` tasks, each after the one before. Tasks of a chain are neighbours.
workflow_ptr chains(const std::string& name, const model::action& action, std::size_t count,
                    std::size_t length);

} // namespace sluice::bench

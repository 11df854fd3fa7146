#include "runtime/recovery.hpp"

#include <system_error>

namespace sluice::runtime {
namespace {

/// A sentence about the first task that calls a handler which there is not; empty: there are all.
std::string missing_handler(const model::workflow_spec& workflow,
                            const executors::function_registry& functions) {
  for (const auto& task : workflow.tasks) {
    for (const auto role : {model::command_role::action, model::command_role::fallback}) {
      const auto* action = command_for(workflow, task, role);
      const auto* call = action == nullptr ? nullptr : std::get_if<model::call_action>(action);
      if (call != nullptr && functions.find(call->handler) == nullptr)
        return "task '" + task.name + "' calls '" + call->handler
               + "', which this program does not have";
    }
    if (const auto* child = child_of(task))
      if (auto missing = missing_handler(*child->spec, functions); !missing.empty())
        return missing;
  }
  return {};
}

} // namespace

expected<void> check_resumable(storage::reader& store, model::run_no run,
                               const executors::function_registry& functions) {
  const auto row = store.run(run);
  if (!row)
    return tl::unexpected(row.error());
  if (is_terminal(row->state))
    return fail(errc::conflict, "run " + to_string(run) + " has ended: it "
                                  + (row->state == model::run_state::cancelled ? "was " : "")
                                  + std::string{to_string(row->state)});
  if (row->parent)
    return fail(errc::conflict, "run " + to_string(run) + " is part of run "
                                  + to_string(row->parent->run_no) + ", and goes on with it");
  const auto workflow = store.workflow(run);
  if (!workflow)
    return tl::unexpected(workflow.error());
  if (const auto missing = missing_handler(**workflow, functions); !missing.empty())
    return fail(errc::invalid_argument, "run " + to_string(run) + " cannot go on here: " + missing);
  return {};
}

void remove_left_work(const std::filesystem::path& work_dir) {
  std::error_code ignored; // what cannot be removed now is in nobody's way
  std::filesystem::remove_all(work_dir, ignored);
}

} // namespace sluice::runtime

// What the verbs about single tasks have in common, of a run that is in progress or of one that was
// read back.
#pragma once

#include "logic/live_run.hpp"
#include "model/control.hpp"
#include "model/record.hpp"
#include "model/stored_run.hpp"

#include <string>

namespace sluice::logic {

model::task_names names_of(const live_run& run);
model::task_names names_of(const model::stored_run& run);

/// What was done, when it was done to one task.
model::control_result one_task(const live_run& run, std::string task);
model::control_result one_task(const model::stored_run& run, std::string task);

/// How many tasks are in each state.
model::run_counts counts_of(const model::stored_run& run);
/// The same once this one has moved.
model::run_counts counts_after(const model::stored_run& run, std::uint32_t moved,
                               model::task_state to);

/// What is asked of a task that its instances decide has to be asked of them: `conflict`.
expected<void> check_fan_out(const std::string& name, bool stands_for_instances, bool is_decided,
                             const char* verb);

} // namespace sluice::logic

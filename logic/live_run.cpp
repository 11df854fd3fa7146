#include "logic/live_run.hpp"

namespace sluice::logic {

bool live_run::is_failure_allowed(std::uint32_t task) const {
  return task_spec(task).settings.allow_failure.value_or(
    spec().defaults.allow_failure.value_or(false));
}

const model::value* run_scope::task_outputs(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  if (!idx)
    return nullptr;
  const auto kept = run_.outputs.find(*idx);
  return kept == run_.outputs.end() || kept->second.values.is_null() ? nullptr
                                                                     : &kept->second.values;
}

std::string_view run_scope::task_state(std::string_view task) const {
  const auto idx = run_.workflow->mentioned_task(task);
  return idx ? to_string(run_.tasks[*idx].state) : std::string_view{};
}

} // namespace sluice::logic

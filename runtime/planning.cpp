#include "runtime/planning.hpp"

#include "logic/compiled_workflow.hpp"
#include "logic/dag.hpp"

namespace sluice::runtime {

expected<model::execution_plan> plan_of(std::shared_ptr<const model::workflow_spec> workflow) {
  const auto compiled = logic::compile(std::move(workflow));
  if (!compiled) {
    const auto& problem = compiled.error().front();
    return fail(errc::invalid_argument, problem.path + ": " + problem.message);
  }
  return logic::make_plan((*compiled)->graph(), (*compiled)->spec().active_tasks);
}

} // namespace sluice::runtime

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
  const auto& spec = (*compiled)->spec();
  return logic::make_plan((*compiled)->graph(), spec.active_tasks, spec.first_finally());
}

} // namespace sluice::runtime

#include "actors/function_worker.hpp"

#include "actors/caf_error.hpp"
#include "executors/function_call.hpp"

#include <caf/all.hpp>

namespace sluice::actors {

function_worker_actor::behavior_type
function_worker(function_worker_actor::stateful_pointer<function_worker_state> self,
                std::shared_ptr<const executors::function_registry> functions, model::clock clock) {
  self->state.functions = std::move(functions);
  self->state.clock = std::move(clock);
  self->set_exception_handler(describe_exception);
  return {
    [self](const run_call& call) {
      const auto& st = self->state;
      model::attempt_report report;
      report.key = call.what->key;
      report.started_at = st.clock.wall();
      auto result = executors::invoke(*st.functions, *call.what, call.stop);
      report.finished_at = st.clock.wall();
      executors::fill_report(report, *call.what, std::move(result.result));
      self->send(caf::actor_cast<function_executor_actor>(self->current_sender()),
                 call_ended{std::make_shared<const model::attempt_report>(std::move(report))});
    },
  };
}

} // namespace sluice::actors

#include "actors/function_worker.hpp"

#include "actors/caf_error.hpp"
#include "executors/function_call.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

using worker_pointer = function_worker_actor::stateful_pointer<function_worker_state>;

/// An executor that was killed answers nothing: after so long it is asked again, which is safe.
constexpr auto patience = std::chrono::seconds(5);

/// For a handler, which may wait: the thread is its own.
std::function<expected<void>(model::checkpoint)> saver_of(worker_pointer self,
                                                          model::attempt_key key) {
  const auto executor = caf::actor_cast<function_executor_actor>(self->current_sender());
  return [self, executor, key](model::checkpoint what) {
    const save_checkpoint save{key, std::make_shared<const model::checkpoint>(std::move(what))};
    const caf::scoped_actor asking{self->system()};
    expected<void> result;
    do {
      result = {};
      asking->request(executor, patience, save)
        .receive([](checkpoint_kept) {},
                 [&](const caf::error& e) { result = tl::unexpected(from_caf(e)); });
    } while (!result && result.error().code == errc::timeout);
    return result;
  };
}

/// For a handler that says it lives.
std::function<void()> beater_of(worker_pointer self, model::attempt_key key) {
  const auto executor = caf::actor_cast<function_executor_actor>(self->current_sender());
  // Without a sender, as nobody waits for the answer.
  return [executor, key] {
    caf::anon_send(executor, model::sign_of_life{key, std::nullopt, nullptr});
  };
}

} // namespace

function_worker_actor::behavior_type
function_worker(worker_pointer self, std::shared_ptr<const executors::function_registry> functions,
                model::clock clock) {
  self->state.functions = std::move(functions);
  self->state.clock = std::move(clock);
  self->set_exception_handler(describe_exception);
  return {
    [self](const run_call& call) {
      const auto& st = self->state;
      model::attempt_report report;
      report.key = call.what->key;
      report.started_at = st.clock.wall();
      auto result = executors::invoke(*st.functions, *call.what, call.stop,
                                      {.save_checkpoint = saver_of(self, call.what->key),
                                       .heartbeat = beater_of(self, call.what->key)});
      report.finished_at = st.clock.wall();
      executors::fill_report(report, *call.what, std::move(result.result));
      self->send(caf::actor_cast<function_executor_actor>(self->current_sender()),
                 call_ended{std::make_shared<const model::attempt_report>(std::move(report))});
    },
  };
}

} // namespace sluice::actors

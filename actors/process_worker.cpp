#include "actors/process_worker.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {

process_worker_actor::behavior_type
process_worker(process_worker_actor::stateful_pointer<process_worker_state> self,
               model::attempt_key key, status_channel_actor status,
               std::shared_ptr<executors::launcher> launcher, model::milliseconds grace) {
  auto& state = self->state;
  state.key = key;
  state.status = std::move(status);
  state.launcher = std::move(launcher);
  state.grace = grace;
  self->set_exception_handler(describe_exception);
  return {
    [self](process_started) {
      self->send(self->state.status, model::attempt_started{self->state.key});
    },
    [self](const process_ended& ended) {
      self->state.over = true;
      self->send(self->state.status,
                 model::attempt_finished{*ended.report, model::executor_kind::process});
    },
    [self](const stop_process& stop) {
      auto& st = self->state;
      if (st.over)
        return;
      if (stop.mode == model::cancel_mode::immediate) {
        st.launcher->signal(st.key, executors::stop_signal::kill);
      } else {
        st.launcher->signal(st.key, executors::stop_signal::terminate);
        self->delayed_send(self, st.grace, grace_over{});
      }
    },
    [self](report_committed) {
      self->state.launcher->forget(self->state.key);
      self->quit();
    },
    [self](grace_over) {
      if (!self->state.over)
        self->state.launcher->signal(self->state.key, executors::stop_signal::kill);
    },
  };
}

} // namespace sluice::actors

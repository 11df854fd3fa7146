#include "actors/process_worker.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

using worker_pointer = process_worker_actor::stateful_pointer<process_worker_state>;

void send_report(worker_pointer self) {
  self->send(self->state.status,
             model::attempt_finished{*self->state.report, model::executor_kind::process});
}

void stop(worker_pointer self, const stop_process& stop) {
  auto& state = self->state;
  if (state.report)
    return;
  if (stop.mode == model::cancel_mode::immediate)
    return state.launcher->signal(stop.key, executors::stop_signal::kill);
  state.launcher->signal(stop.key, executors::stop_signal::terminate);
  self->delayed_send(self, state.grace, grace_over{stop.key});
}

} // namespace

process_worker_actor::behavior_type process_worker(worker_pointer self, status_channel_actor status,
                                                   std::shared_ptr<executors::launcher> launcher,
                                                   model::milliseconds grace) {
  auto& state = self->state;
  state.status = std::move(status);
  state.launcher = std::move(launcher);
  state.grace = grace;
  self->set_exception_handler(describe_exception);
  return {
    [self](process_started started) {
      self->send(self->state.status, model::attempt_started{started.key});
    },
    [self](process_validating validating) {
      self->send(self->state.status, model::attempt_validating{validating.key});
    },
    [self](const process_ended& ended) {
      self->state.report = ended.report;
      send_report(self);
    },
    [self](const stop_process& request) { stop(self, request); },
    [self](report_committed) {
      auto& st = self->state;
      if (const auto done = std::exchange(st.report, nullptr))
        st.launcher->forget(done->key);
    },
    [self](use_status_channel& change) {
      self->state.status = std::move(change.scheduler);
      if (self->state.report)
        send_report(self);
    },
    [self](grace_over over) {
      // Of an attempt that has ended the launcher knows nothing any more.
      self->state.launcher->signal(over.key, executors::stop_signal::kill);
    },
  };
}

} // namespace sluice::actors

#include "actors/process_executor.hpp"

#include "actors/caf_error.hpp"
#include "actors/process_worker.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace sluice::actors {
namespace {

using executor_pointer = process_executor_actor::stateful_pointer<process_executor_state>;

const process_executor_state::attempt* find(const process_executor_state& state,
                                            const model::attempt_key& key) {
  const auto it = state.attempts.find(key);
  return it == state.attempts.end() ? nullptr : &it->second;
}

void launch(executor_pointer self, launch_attempt& launch) {
  auto& state = self->state;
  const auto key = launch.what->key;
  if (state.attempts.contains(key))
    return;
  auto worker = self->spawn<caf::monitored>(process_worker, key, state.status, state.launcher,
                                            state.options.grace);
  const auto& own = launch.what->spec().settings.timeout;
  const auto timeout = own ? own : launch.what->workflow->defaults.timeout;
  state.keys.emplace(worker->id(), key);
  state.attempts.emplace(key, process_executor_state::attempt{std::move(worker), timeout});
  const process_executor_actor me{self};
  state.launcher->start(
    std::move(launch.what),
    {[me](model::attempt_key started) { caf::anon_send(me, process_started{started}); },
     [me](model::attempt_report report) {
       caf::anon_send(
         me, process_ended{std::make_shared<const model::attempt_report>(std::move(report))});
     }});
}

/// The clock of an attempt runs from its start, not from when it was asked for.
void start_clock(executor_pointer self, const model::attempt_key& key,
                 std::optional<model::milliseconds> timeout) {
  if (!timeout)
    return;
  self->state.timeouts.arm(key, steady_now(self) + *timeout);
  self->state.timer.arm(self, self->state.timeouts);
}

/// A worker that is gone before its attempt is over was lost: nobody may wait for it.
void worker_ended(executor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto known = state.keys.extract(down.source.id());
  if (!known)
    return;
  const auto key = known.mapped();
  state.attempts.erase(key);
  state.timeouts.disarm(key);
  if (down.reason && down.reason != caf::exit_reason::user_shutdown) {
    spdlog::warn("process worker lost run={} task={} attempt={}", key.run_no.value, key.task_idx,
                 key.attempt);
    state.launcher->signal(key, executors::stop_signal::kill); // then `process_ended` comes
  }
}

/// The attempt of a lost worker is over.
void report_lost(executor_pointer self, const process_ended& ended) {
  auto report = *ended.report;
  report.failure = model::failure{model::failure_class::lost, "", "its worker died"};
  report.outputs = nullptr;
  self->send(self->state.status,
             model::attempt_finished{std::move(report), model::executor_kind::process});
  self->state.launcher->forget(ended.report->key);
}

} // namespace

process_executor_actor::behavior_type process_executor(executor_pointer self,
                                                       executor_options options,
                                                       status_channel_actor status,
                                                       std::shared_ptr<executors::launcher> l) {
  auto& state = self->state;
  state.options = options;
  state.status = std::move(status);
  state.launcher = std::move(l);
  self->set_exception_handler(describe_exception);
  self->set_down_handler([self](const caf::down_msg& down) { worker_ended(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    for (const auto& [key, attempt] : self->state.attempts)
      self->send_exit(attempt.worker, exit.reason);
    self->quit(exit.reason);
  });
  return {
    [self](launch_attempt& start) { launch(self, start); },
    [self](const model::stop_attempt& stop) {
      if (const auto* attempt = find(self->state, stop.key))
        self->send(attempt->worker, stop_process{stop.mode});
    },
    [self](const model::acknowledge_report& done) {
      if (const auto* attempt = find(self->state, done.key))
        self->send(attempt->worker, report_committed{});
    },
    [self](process_started started) {
      const auto* attempt = find(self->state, started.key);
      if (attempt == nullptr)
        return;
      start_clock(self, started.key, attempt->timeout);
      self->send(attempt->worker, started);
    },
    [self](const process_ended& ended) {
      self->state.timeouts.disarm(ended.report->key);
      if (const auto* attempt = find(self->state, ended.report->key))
        self->send(attempt->worker, ended);
      else
        report_lost(self, ended);
    },
    [self](deadline_passed) {
      auto& st = self->state;
      st.timer.passed();
      for (const auto& key : st.timeouts.take_due(steady_now(self)))
        self->send(st.status, model::attempt_timed_out{key});
      st.timer.arm(self, st.timeouts);
    },
  };
}

} // namespace sluice::actors

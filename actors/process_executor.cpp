#include "actors/process_executor.hpp"

#include "actors/caf_error.hpp"
#include "actors/process_worker.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace sluice::actors {
namespace {

using executor_pointer = process_executor_actor::stateful_pointer<process_executor_state>;

process_executor_state::attempt* find(process_executor_state& state,
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
  const auto timeout =
    model::setting_of(*launch.what->workflow, launch.what->spec(), &model::task_settings::timeout);
  state.keys.emplace(worker->id(), key);
  state.attempts.emplace(key, process_executor_state::attempt{std::move(worker), timeout, nullptr});
  state.launcher->start(std::move(launch.what), state.listener);
}

/// The clock of an attempt runs from its start, not from when it was asked for.
void start_clock(executor_pointer self, const model::attempt_key& key,
                 std::optional<model::milliseconds> timeout) {
  if (!timeout)
    return;
  self->state.timeouts.arm(key, steady_now(self) + *timeout);
  self->state.timer.arm(self, self->state.timeouts);
}

void send_report(executor_pointer self, model::attempt_report report) {
  const auto key = report.key;
  self->send(self->state.status,
             model::attempt_finished{std::move(report), model::executor_kind::process});
  self->state.launcher->forget(key);
}

/// A worker that is gone before its attempt is over was lost: nobody may wait for it.
void worker_ended(executor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto known = state.keys.extract(down.source.id());
  if (!known)
    return;
  const auto key = known.mapped();
  const auto attempt = state.attempts.extract(key);
  state.timeouts.disarm(key);
  if (!down.reason || down.reason == caf::exit_reason::user_shutdown)
    return;
  spdlog::warn("process worker lost run={} task={} attempt={}", key.run_no.value, key.task_idx,
               key.attempt);
  if (const auto& report = attempt.mapped().report)
    send_report(self, *report); // it may have died before it did; twice is no harm
  else
    state.launcher->signal(key, executors::stop_signal::kill); // then its report comes
}

void on_started(executor_pointer self, const model::attempt_key& key) {
  const auto* attempt = find(self->state, key);
  if (attempt == nullptr)
    return;
  start_clock(self, key, attempt->timeout);
  self->send(attempt->worker, process_started{key});
}

void on_ended(executor_pointer self, model::attempt_report report) {
  self->state.timeouts.disarm(report.key);
  if (auto* attempt = find(self->state, report.key)) {
    attempt->report = std::make_shared<const model::attempt_report>(std::move(report));
    self->send(attempt->worker, process_ended{attempt->report});
    return;
  }
  report.failure = model::failure{model::failure_class::lost, "", "its worker died"};
  report.outputs = nullptr;
  send_report(self, std::move(report));
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
  state.listener = std::make_shared<const executors::launch_listener>(
    [me = process_executor_actor{self}](executors::launch_news news) {
      caf::anon_send(me,
                     process_news{std::make_shared<const executors::launch_news>(std::move(news))});
    });
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
    [self](const process_news& told) {
      for (const auto& key : told.news->started)
        on_started(self, key);
      for (const auto& report : told.news->ended)
        on_ended(self, report);
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

#include "actors/function_executor.hpp"

#include "actors/caf_error.hpp"
#include "executors/function_call.hpp"

#include <caf/all.hpp>

namespace sluice::actors {
namespace {

using executor_pointer = function_executor_actor::stateful_pointer<function_executor_state>;

void send_report(executor_pointer self, const model::attempt_report& finished) {
  self->send(self->state.status, model::attempt_finished{finished, model::executor_kind::function});
}

void report(executor_pointer self, model::attempt_report finished) {
  auto& state = self->state;
  const auto it = state.calls.find(finished.key);
  if (it == state.calls.end() || it->second.report)
    return;
  state.clocks.stop(finished.key);
  state.ends.disarm(finished.key);
  it->second.report = std::make_shared<const model::attempt_report>(std::move(finished));
  send_report(self, *it->second.report);
}

/// A commit on a slow disk may take long.
constexpr auto save_timeout = std::chrono::minutes(10);

/// Hands a handler's progress on. That the scheduler died does not matter: the next one is told
/// too.
void offer(executor_pointer self, const model::attempt_key& key) {
  const auto answer = [self, key](const expected<void>& result) {
    const auto it = self->state.calls.find(key);
    if (it == self->state.calls.end() || !it->second.saving)
      return;
    auto waits = std::exchange(it->second.saving, std::nullopt)->waits;
    if (result)
      waits.deliver(checkpoint_kept{});
    else
      waits.deliver(to_caf(result.error()));
  };
  self->request(self->state.status, save_timeout, self->state.calls.at(key).saving->what)
    .then([answer](checkpoint_kept) { answer({}); },
          [answer](const caf::error& e) {
            if (auto why = from_caf(e); why.code != errc::unavailable)
              answer(tl::unexpected(std::move(why)));
          });
}

caf::typed_response_promise<checkpoint_kept> save(executor_pointer self, save_checkpoint& ask) {
  auto promise = self->make_response_promise<checkpoint_kept>();
  const auto it = self->state.calls.find(ask.key);
  if (it == self->state.calls.end()) {
    promise.deliver(to_caf({errc::conflict, "attempt " + to_string(ask.key) + " is over"}));
    return promise;
  }
  const auto key = ask.key;
  it->second.saving = function_executor_state::save{std::move(ask), promise};
  offer(self, key);
  return promise;
}

void introduce(executor_pointer self) {
  executor_ready here{model::executor_kind::function, function_executor_actor{self}, {}};
  for (const auto& [key, call] : self->state.calls)
    here.attempts.push_back(key);
  self->send(self->state.status, std::move(here));
}

/// What the old scheduler was told may have died with it.
void on_new_scheduler(executor_pointer self, use_status_channel& change) {
  auto& state = self->state;
  state.status = std::move(change.scheduler);
  introduce(self);
  for (const auto& [key, call] : state.calls) {
    if (call.report)
      send_report(self, *call.report);
    else if (call.overdue)
      self->send(state.status, model::attempt_timed_out{key, *call.overdue});
    if (call.saving)
      offer(self, key);
  }
}

/// Calls an asynchronous handler here: it returns at once, with a result and the time of
/// its delivery.
void call_asynchronous(executor_pointer self, const model::start_attempt& start) {
  auto& state = self->state;
  auto& call = state.calls.at(start.key);
  model::attempt_report finished;
  finished.key = start.key;
  finished.started_at = state.clock.wall();
  auto result = executors::invoke(*state.functions, start, call.stop.get_token());
  executors::fill_report(finished, start, std::move(result.result));
  if (result.delay <= model::milliseconds{0}) {
    finished.finished_at = state.clock.wall();
    report(self, std::move(finished));
    return;
  }
  call.pending = std::move(finished);
  state.ends.arm(start.key, steady_now(self) + result.delay);
  self->send(state.status, model::attempt_started{start.key});
}

/// The scheduler never has more blocking calls under way than there are slots, so this spawns at
/// most that many workers.
void call_blocking(executor_pointer self, std::shared_ptr<const model::start_attempt> start) {
  auto& state = self->state;
  auto& call = state.calls.at(start->key);
  if (state.idle_workers.empty()) {
    call.worker = state.spawn_worker();
    state.workers.insert(call.worker->id());
    self->link_to(call.worker);
  } else {
    call.worker = std::move(state.idle_workers.back());
    state.idle_workers.pop_back();
  }
  self->send(state.status, model::attempt_started{start->key});
  self->send(call.worker, run_call{std::move(start), call.stop.get_token()});
}

void launch(executor_pointer self, launch_attempt& launch) {
  auto& state = self->state;
  const auto& start = *launch.what;
  const auto [at, is_new] = state.calls.try_emplace(start.key);
  if (!is_new)
    return;
  at->second.limits = limits_of(start);
  if (executors::is_asynchronous(*state.functions, start))
    at->second.limits.silence.reset(); // it has no thread to say anything
  state.clocks.start(self, start.key, at->second.limits);
  if (executors::is_asynchronous(*state.functions, start))
    call_asynchronous(self, start);
  else
    call_blocking(self, std::move(launch.what));
  state.clocks.wake(self, state.ends);
}

void stop(executor_pointer self, const model::attempt_key& key) {
  const auto it = self->state.calls.find(key);
  if (it == self->state.calls.end())
    return;
  it->second.stop.request_stop(); // a blocking handler ends when it looks at it
  if (!it->second.pending)
    return;
  auto finished = std::move(*it->second.pending);
  it->second.pending.reset();
  finished.failure = model::failure{model::failure_class::cancelled, "stopped", "stopped"};
  finished.outputs = nullptr;
  finished.finished_at = self->state.clock.wall();
  report(self, std::move(finished));
}

/// A delayed end has come.
void end_call(executor_pointer self, const model::attempt_key& key) {
  const auto it = self->state.calls.find(key);
  if (it == self->state.calls.end() || !it->second.pending)
    return;
  auto finished = std::move(*it->second.pending);
  it->second.pending.reset();
  finished.finished_at = self->state.clock.wall();
  report(self, std::move(finished));
}

/// A worker died with its call, unless it was told to.
void worker_ended(executor_pointer self, caf::actor_id worker) {
  self->state.workers.erase(worker);
  for (auto& [key, call] : self->state.calls) {
    if (!call.worker || call.worker->id() != worker || call.report)
      continue;
    model::attempt_report lost;
    lost.key = key;
    lost.failure = model::failure{model::failure_class::lost, "", "its worker died"};
    lost.finished_at = self->state.clock.wall();
    report(self, std::move(lost));
    return;
  }
}

} // namespace

function_executor_actor::behavior_type
function_executor(executor_pointer self, status_channel_actor status,
                  std::shared_ptr<const executors::function_registry> functions, model::clock clock,
                  function_worker_factory spawn_worker) {
  auto& state = self->state;
  state.status = std::move(status);
  state.functions = std::move(functions);
  state.clock = std::move(clock);
  state.spawn_worker = std::move(spawn_worker);
  introduce(self);
  self->set_exception_handler(describe_exception);
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    if (self->state.workers.contains(exit.source.id()))
      worker_ended(self, exit.source.id());
    else
      self->quit(exit.reason);
  });
  return {
    [self](launch_attempt& start) { launch(self, start); },
    [](const model::go_on&) {}, // a handler takes no snapshot
    [self](const model::stop_attempt& request) { stop(self, request.key); },
    [self](const model::acknowledge_report& done) { self->state.calls.erase(done.key); },
    [self](use_status_channel& change) { on_new_scheduler(self, change); },
    [self](save_checkpoint& ask) { return save(self, ask); },
    [self](const model::sign_of_life& sign) -> caf::result<sign_taken> {
      const auto it = self->state.calls.find(sign.key);
      if (it == self->state.calls.end() || it->second.report)
        return to_caf({errc::conflict, "attempt " + to_string(sign.key) + " is not under way"});
      self->state.clocks.hear(self, sign.key, it->second.limits);
      return sign_taken{};
    },
    [self](const call_ended& ended) {
      auto& st = self->state;
      const auto it = st.calls.find(ended.report->key);
      if (it == st.calls.end())
        return;
      st.idle_workers.push_back(std::exchange(it->second.worker, nullptr));
      report(self, *ended.report);
    },
    [self](deadline_passed) {
      auto& st = self->state;
      st.clocks.woken();
      for (const auto& key : st.ends.take_due(steady_now(self)))
        end_call(self, key);
      st.clocks.take_due(self, [&](const model::attempt_timed_out& over) {
        st.calls.at(over.key).overdue = over.why;
        self->send(st.status, over);
      });
      st.clocks.wake(self, st.ends);
    },
  };
}

} // namespace sluice::actors

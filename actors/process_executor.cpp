#include "actors/process_executor.hpp"

#include "actors/caf_error.hpp"
#include "actors/process_worker.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

namespace sluice::actors {
namespace {

using executor_pointer = process_executor_actor::stateful_pointer<process_executor_state>;

/// More often nobody can read it.
constexpr auto pause_after_progress = std::chrono::seconds(1);

/// As many as are likely to be needed again soon.
constexpr std::size_t most_idle_workers = 64;

process_executor_state::attempt* find(process_executor_state& state,
                                      const model::attempt_key& key) {
  const auto it = state.attempts.find(key);
  return it == state.attempts.end() ? nullptr : &it->second;
}

/// Adds numbers to those of the same name; whole ones stay whole.
void add_up(model::value& sums, const model::value& numbers) {
  for (const auto& [name, number] : numbers.items()) {
    auto& sum = sums[name];
    if (sum.is_number_integer() && number.is_number_integer())
      sum = sum.get<std::int64_t>() + number.get<std::int64_t>();
    else if (sum.is_number())
      sum = sum.get<double>() + number.get<double>();
    else
      sum = number;
  }
}

process_worker_actor take_worker(executor_pointer self) {
  auto& state = self->state;
  if (state.idle_workers.empty())
    return self->spawn<caf::monitored>(process_worker, state.status, state.launcher,
                                       state.options.grace);
  auto worker = std::move(state.idle_workers.back());
  state.idle_workers.pop_back();
  return worker;
}

void release_worker(executor_pointer self, process_worker_actor worker) {
  auto& state = self->state;
  state.keys.erase(worker->id());
  if (state.idle_workers.size() < most_idle_workers)
    state.idle_workers.push_back(std::move(worker));
  else
    self->send_exit(worker, caf::exit_reason::user_shutdown);
}

void launch(executor_pointer self, launch_attempt& launch) {
  auto& state = self->state;
  const auto key = launch.what->key;
  if (state.attempts.contains(key))
    return;
  auto worker = take_worker(self);
  const auto limits = limits_of(*launch.what);
  state.keys.emplace(worker->id(), key);
  process_executor_state::attempt attempt{std::move(worker), limits, std::nullopt, nullptr};
  attempt.prepares = launch.what->takes_snapshot;
  attempt.puts_out = !launch.what->spec().out.empty() && !undoes(launch.what->role);
  state.attempts.emplace(key, std::move(attempt));
  state.launcher->start(std::move(launch.what), state.listener);
}

void send_report(executor_pointer self, const model::attempt_report& report) {
  self->send(self->state.status, model::attempt_finished{report, model::executor_kind::process});
}

/// A worker that is gone before its attempt is over was lost: nobody may wait for it.
void worker_ended(executor_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto known = state.keys.extract(down.source.id());
  if (!known) {
    std::erase_if(state.idle_workers, [&](const auto& w) { return w->id() == down.source.id(); });
    return;
  }
  const auto key = known.mapped();
  spdlog::warn("process worker lost run={} task={} attempt={}", key.run_no.value, key.task_idx,
               key.attempt);
  state.clocks.stop(key);
  auto& attempt = state.attempts.at(key);
  attempt.worker = nullptr;
  if (attempt.report)
    send_report(self, *attempt.report); // it may have died before it did; twice is no harm
  else
    state.launcher->signal(key, executors::stop_signal::kill); // then its report comes
}

/// Tells the scheduler how far an attempt says it is and what it has used, at most once a second.
void tell_words(executor_pointer self, const model::attempt_key& key,
                process_executor_state::said& words) {
  if ((!words.progress && !words.has_used_more) || words.pauses)
    return;
  if (words.progress)
    self->send(self->state.status,
               model::progress_told{key, *std::exchange(words.progress, std::nullopt)});
  if (std::exchange(words.has_used_more, false))
    self->send(self->state.status, model::usage_told{key, words.usage});
  words.pauses = true;
  self->delayed_send(self, pause_after_progress, progress_pause_over{key});
}

/// Keeps what the attempt says beside that it lives.
void note(executor_pointer self, process_executor_state::attempt& attempt,
          model::sign_of_life sign) {
  if (sign.outputs.is_object())
    self->state.launcher->put_out(sign.key, std::move(sign.outputs));
  if (!sign.progress && sign.usage.is_null())
    return;
  if (attempt.words == nullptr)
    attempt.words = std::make_unique<process_executor_state::said>();
  auto& words = *attempt.words;
  if (sign.usage.is_object()) {
    add_up(words.usage, sign.usage);
    words.has_used_more = true;
  }
  if (sign.progress)
    words.progress = std::move(sign.progress);
  tell_words(self, sign.key, words);
}

void on_started(executor_pointer self, const model::attempt_key& key) {
  const auto* attempt = find(self->state, key);
  if (attempt == nullptr || !attempt->worker)
    return;
  // From its start, not from when it was asked for.
  self->state.clocks.start(self, key, attempt->limits);
  if (attempt->prepares)
    self->state.clocks.stop_listening(key); // heartbeats are what the action gives
  self->send(attempt->worker, process_started{key});
}

void on_snapshot(executor_pointer self, const model::snapshot_taken& taken) {
  auto* attempt = find(self->state, taken.key);
  if (attempt == nullptr)
    return;
  attempt->snapshot = taken.what;
  self->send(self->state.status, taken);
}

/// What the attempt took is stored. Told twice when the scheduler died in between.
void go_on(executor_pointer self, const model::attempt_key& key) {
  auto* attempt = find(self->state, key);
  if (attempt == nullptr || attempt->snapshot == nullptr)
    return;
  attempt->snapshot = nullptr;
  attempt->prepares = false;
  self->state.clocks.hear(self, key, attempt->limits);
  self->state.clocks.wake(self);
  self->state.launcher->go_on(key);
}

void on_validating(executor_pointer self, const model::attempt_key& key) {
  auto* attempt = find(self->state, key);
  if (attempt == nullptr)
    return;
  attempt->limits.silence.reset(); // heartbeats are what the action gives
  attempt->puts_out = false;
  self->state.clocks.stop_listening(key);
  if (attempt->worker)
    self->send(attempt->worker, process_validating{key});
}

void on_ended(executor_pointer self, model::attempt_report report) {
  auto& state = self->state;
  auto* attempt = find(state, report.key);
  if (attempt == nullptr)
    return;
  state.clocks.stop(report.key);
  attempt->snapshot = nullptr;
  if (attempt->words != nullptr)
    report.own_usage = std::move(attempt->words->usage);
  if (!attempt->worker) {
    report.failure = model::failure{model::failure_class::lost, "", "its worker died"};
    report.outputs = nullptr;
  }
  attempt->report = std::make_shared<const model::attempt_report>(std::move(report));
  if (attempt->worker)
    self->send(attempt->worker, process_ended{attempt->report});
  else
    send_report(self, *attempt->report);
}

void on_acknowledged(executor_pointer self, const model::attempt_key& key) {
  auto& state = self->state;
  auto attempt = state.attempts.extract(key);
  if (!attempt)
    return;
  auto& worker = attempt.mapped().worker;
  if (!worker)
    return state.launcher->forget(key);
  self->send(worker, report_committed{});
  release_worker(self, std::move(worker));
}

void introduce(executor_pointer self) {
  executor_ready here{model::executor_kind::process, process_executor_actor{self}, {}};
  for (const auto& [key, attempt] : self->state.attempts)
    here.attempts.push_back(key);
  self->send(self->state.status, std::move(here));
}

/// What the old scheduler was told may have died with it.
void on_new_scheduler(executor_pointer self, use_status_channel& change) {
  auto& state = self->state;
  state.status = std::move(change.scheduler);
  introduce(self);
  for (const auto& worker : state.idle_workers)
    self->send(worker, use_status_channel{state.status});
  for (const auto& [key, attempt] : state.attempts) {
    if (attempt.worker)
      self->send(attempt.worker, use_status_channel{state.status});
    else if (attempt.report)
      send_report(self, *attempt.report);
    if (attempt.snapshot)
      self->send(state.status, model::snapshot_taken{key, attempt.snapshot});
    if (attempt.overdue)
      self->send(state.status, model::attempt_timed_out{key, *attempt.overdue});
  }
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
  introduce(self);
  self->set_exception_handler(describe_exception);
  self->set_down_handler([self](const caf::down_msg& down) { worker_ended(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    for (const auto& [key, attempt] : self->state.attempts)
      if (attempt.worker)
        self->send_exit(attempt.worker, exit.reason);
    for (const auto& worker : self->state.idle_workers)
      self->send_exit(worker, exit.reason);
    self->quit(exit.reason);
  });
  return {
    [self](launch_attempt& start) { launch(self, start); },
    [self](const model::go_on& what) { go_on(self, what.key); },
    [self](const model::stop_attempt& stop) {
      const auto* attempt = find(self->state, stop.key);
      if (attempt != nullptr && attempt->worker)
        self->send(attempt->worker, stop_process{stop.key, stop.mode});
    },
    [self](const model::acknowledge_report& done) { on_acknowledged(self, done.key); },
    [self](use_status_channel& change) { on_new_scheduler(self, change); },
    [self](model::sign_of_life& sign) -> caf::result<sign_taken> {
      auto* attempt = find(self->state, sign.key);
      if (attempt == nullptr || attempt->report != nullptr)
        return to_caf({errc::conflict, "attempt " + to_string(sign.key) + " is not under way"});
      if (sign.outputs.is_object() && (!attempt->puts_out || attempt->prepares))
        return to_caf({errc::conflict,
                       "this command puts nothing out: its task has no 'out', or it "
                       "is not its action"});
      if (!attempt->prepares)
        self->state.clocks.hear(self, sign.key, attempt->limits);
      note(self, *attempt, std::move(sign));
      return sign_taken{};
    },
    [self](progress_pause_over over) {
      auto* attempt = find(self->state, over.key);
      if (attempt == nullptr || attempt->report != nullptr)
        return;
      attempt->words->pauses = false;
      tell_words(self, over.key, *attempt->words);
    },
    [self](const process_news& told) {
      for (const auto& key : told.news->started)
        on_started(self, key);
      for (const auto& taken : told.news->snapshots)
        on_snapshot(self, taken);
      for (const auto& key : told.news->validating)
        on_validating(self, key);
      for (const auto& report : told.news->ended)
        on_ended(self, report);
    },
    [self](deadline_passed) {
      auto& st = self->state;
      st.clocks.woken();
      st.clocks.take_due(self, [&](const model::attempt_timed_out& over) {
        st.attempts.at(over.key).overdue = over.why;
        self->send(st.status, over);
      });
      st.clocks.wake(self);
    },
  };
}

} // namespace sluice::actors

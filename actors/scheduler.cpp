#include "actors/scheduler.hpp"

#include "actors/caf_error.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace sluice::actors {
namespace {

using scheduler_pointer = scheduler_actor::stateful_pointer<scheduler_state>;
using dispatching = logic::scheduler_core::dispatching;

/// Reading outputs back is a point query; a reader that needs longer is stuck.
constexpr auto read_timeout = std::chrono::seconds(60);
constexpr auto pause_after_failed_read = std::chrono::seconds(1);
/// Between two saves of one attempt: progress of a second is soon made again.
constexpr auto pause_between_saves = std::chrono::seconds(1);

void react(scheduler_pointer self, const model::happening& what);
void first_is_answered(scheduler_pointer self, const std::string& digest);

/// Reads outputs back. That READERS died or the store cannot be read for now is no fault of the
/// task that waits for them: tried again until there is an answer.
void load_outputs(scheduler_pointer self, const model::load_outputs& load) {
  self
    ->request(self->state.readers, read_timeout,
              read_outputs{model::task_key{load.run_no, load.task_idx}})
    .then(
      [self, load](outputs_read& read) {
        react(self, model::outputs_loaded{load.run_no, load.task_idx, std::move(read.outputs)});
      },
      [self, load](const caf::error& e) {
        auto why = from_caf(e);
        if (why.code == errc::unavailable || why.code == errc::timeout)
          self->delayed_send(self, pause_after_failed_read, load_again{load});
        else
          react(self,
                model::outputs_loaded{load.run_no, load.task_idx, tl::unexpected(std::move(why))});
      });
}

/// Looks what a task's key stands for; tried again like the above.
void look_up_result(scheduler_pointer self, const model::look_up_key& key) {
  self
    ->request(self->state.readers, read_timeout, read_result{key.digest, self->state.clock.wall()})
    .then(
      [self, key](result_read& read) {
        react(self, model::key_looked_up{key.task, key.digest, std::move(read.found), key.number});
      },
      [self, key](const caf::error& e) {
        auto why = from_caf(e);
        if (why.code == errc::unavailable || why.code == errc::timeout)
          self->delayed_send(self, pause_after_failed_read, look_up_again{key});
        else
          react(self, model::key_looked_up{key.task, key.digest, tl::unexpected(std::move(why)),
                                           key.number});
      });
}

/// Reads back a run that an operator asks something of.
void load_run(scheduler_pointer self, model::load_run load) {
  self->request(self->state.readers, read_timeout, read_run{load.run_no})
    .then(
      [self, load](run_read& read) {
        react(self, model::run_loaded{load.run_no, std::move(read.run)});
      },
      [self, load](const caf::error& e) {
        auto why = from_caf(e);
        if (why.code == errc::unavailable || why.code == errc::timeout)
          self->delayed_send(self, pause_after_failed_read, load_run_again{load});
        else
          react(self, model::run_loaded{load.run_no, tl::unexpected(std::move(why))});
      });
}

void launch(scheduler_pointer self, std::shared_ptr<const model::start_attempt> start) {
  const auto kind = executor_of(start->action());
  self->send(self->state.executors[std::size_t(kind)], launch_attempt{std::move(start)});
}

/// The attempt ends without having been started.
void end_unstarted(scheduler_pointer self, const model::start_attempt& start,
                   model::failure failure) {
  model::attempt_report report;
  report.key = start.key;
  report.failure = std::move(failure);
  report.finished_at = self->state.clock.wall();
  react(self, model::attempt_finished{std::move(report), executor_of(start.action())});
}

/// What an attempt needs of its task has been read, or cannot be.
void resume(scheduler_pointer self, const std::shared_ptr<model::start_attempt>& start,
            std::optional<model::failure> failure) {
  const auto known = self->state.resuming.extract(start->key);
  if (!known || !self->state.core->is_current(start->key))
    return; // its executor died meanwhile
  if (known.mapped())
    failure = {model::failure_class::cancelled, "cancelled", "cancelled before it started"};
  if (failure)
    end_unstarted(self, *start, std::move(*failure));
  else
    launch(self, start);
}

/// As with outputs, that it cannot be read for now is no fault of the task.
auto when_unreadable(scheduler_pointer self, std::shared_ptr<model::start_attempt> start,
                     const char* code) {
  return [self, start = std::move(start), code](const caf::error& e) {
    auto why = from_caf(e);
    if (why.code == errc::unavailable || why.code == errc::timeout)
      self->delayed_send(self, pause_after_failed_read, resume_again{start});
    else
      resume(self, start,
             model::failure{model::failure_class::internal, code, std::move(why.message)});
  };
}

void read_snapshot_and_launch(scheduler_pointer self,
                              const std::shared_ptr<model::start_attempt>& start) {
  if (!start->has_snapshot)
    return resume(self, start, std::nullopt);
  self->request(self->state.readers, read_timeout, read_snapshot{start->key.task()})
    .then(
      [self, start](snapshot_read& read) {
        start->kept->snapshot = std::move(read.what);
        resume(self, start, std::nullopt);
      },
      when_unreadable(self, start, "snapshot_unreadable"));
}

void read_checkpoint_and_launch(scheduler_pointer self,
                                const std::shared_ptr<model::start_attempt>& start) {
  if (!start->has_checkpoint)
    return read_snapshot_and_launch(self, start);
  self->request(self->state.readers, read_timeout, read_checkpoint{start->key.task()})
    .then(
      [self, start](checkpoint_read& read) {
        start->kept->checkpoint = std::move(read.what);
        read_snapshot_and_launch(self, start);
      },
      when_unreadable(self, start, "checkpoint_unreadable"));
}

/// Reads what was saved for an attempt and what it undoes, one after the other, and starts it then.
void read_and_launch(scheduler_pointer self, const std::shared_ptr<model::start_attempt>& start) {
  if (!start->has_result)
    return read_checkpoint_and_launch(self, start);
  self->request(self->state.readers, read_timeout, read_outputs{start->key.task()})
    .then(
      [self, start](outputs_read& read) {
        start->kept->result = std::move(read.outputs);
        read_checkpoint_and_launch(self, start);
      },
      when_unreadable(self, start, "result_unreadable"));
}

/// Carries out one effect of a committed step.
struct effect_runner {
  scheduler_pointer self;

  executor_actor& executor(model::executor_kind kind) const {
    return self->state.executors[std::size_t(kind)];
  }
  /// To one that has not come yet there is nothing to say: it is told everything when it comes.
  template <class Message>
  void tell(model::executor_kind kind, const Message& message) const {
    if (const auto& there = executor(kind))
      self->send(there, message);
  }
  void answer(model::request_id request, const expected<model::run_no>& result) const {
    auto promise = self->state.answers.extract(request);
    if (!promise)
      return;
    if (result)
      promise.mapped().deliver(run_accepted{*result});
    else
      promise.mapped().deliver(to_caf(result.error()));
  }

  void operator()(model::start_attempt& start) const {
    if (!self->state.core->is_current(start.key))
      return; // its executor died while the dispatch was being committed
    const auto shared = std::make_shared<model::start_attempt>(std::move(start));
    if (!shared->has_checkpoint && !shared->has_snapshot && !shared->has_result)
      return launch(self, shared);
    self->state.resuming.emplace(shared->key, false);
    read_and_launch(self, shared);
  }
  void operator()(const model::go_on& what) const { tell(what.executor, what); }
  void operator()(const model::stop_attempt& stop) const {
    if (const auto at = self->state.resuming.find(stop.key); at != self->state.resuming.end())
      at->second = true;
    else
      tell(stop.executor, stop);
  }
  void operator()(const model::acknowledge_report& done) const { tell(done.executor, done); }
  void operator()(const model::load_outputs& load) const { load_outputs(self, load); }
  void operator()(const model::look_up_key& key) const { look_up_result(self, key); }
  void operator()(const model::load_run& load) const { load_run(self, load); }
  void operator()(model::change_timers& changes) const {
    if (self->state.timers) // else it is told everything when it comes
      self->send(self->state.timers, std::move(changes));
  }
  void operator()(const model::answer_submit& a) const {
    answer(a.request, a.result);
    if (const auto key = self->state.keys.extract(a.request))
      first_is_answered(self, key.mapped());
  }
  void operator()(const model::answer_cancel& a) const { answer(a.request, a.result); }
  void operator()(model::answer_control& a) const {
    auto promise = self->state.controls.extract(a.request);
    if (!promise)
      return;
    if (a.result)
      promise.mapped().deliver(run_controlled{std::move(*a.result)});
    else
      promise.mapped().deliver(to_caf(a.result.error()));
  }
  void operator()(const model::answer_drain& a) const {
    if (auto promise = self->state.drains.extract(a.request))
      promise.mapped().deliver(drained_all{});
  }
  void operator()(const model::answer_checkpoint& a) const {
    auto promise = self->state.savers.extract(a.request);
    if (!promise)
      return;
    if (a.result)
      promise.mapped().deliver(checkpoint_kept{});
    else
      promise.mapped().deliver(to_caf(a.result.error()));
  }
  void operator()(const model::pause_checkpoints& p) const {
    self->delayed_send(self, pause_between_saves, model::checkpoint_pause_over{p.key});
  }
  void operator()(const model::wake_up& what) const {
    const auto now = self->state.clock.wall();
    self->state.woken_for = what.at; // what was asked before does not count any more
    self->delayed_send(self, std::max(what.at - now, model::microseconds{0}), what);
  }
};

void release(scheduler_pointer self, std::vector<model::command> effects) {
  for (auto& effect : effects)
    std::visit(effect_runner{self}, effect);
}

void send_steps(scheduler_pointer self) {
  if (!self->state.writer)
    return;
  for (auto& step : self->state.window.take_sendable())
    self->send(self->state.writer, record_step{std::move(step)});
}

void push(scheduler_pointer self, logic::reaction&& step) {
  release(self, self->state.window.push(std::move(step)));
  send_steps(self);
}

/// Whether there is room for what a dispatch records, and someone who starts what is dispatched.
bool may_dispatch(const scheduler_state& state) {
  return state.window.has_room()
         && std::all_of(state.executors.begin(), state.executors.end(),
                        [](const auto& executor) { return bool(executor); });
}

void react(scheduler_pointer self, const model::happening& what) {
  auto& state = self->state;
  const auto mode = may_dispatch(state) ? dispatching::allowed : dispatching::held;
  push(self, state.core->react(what, state.clock.wall(), mode));
}

/// Something was committed: what waited for room goes on.
void go_on(scheduler_pointer self) {
  auto& state = self->state;
  send_steps(self);
  while (state.window.has_room() && !state.held.empty()) {
    const model::happening submission{std::move(state.held.front())};
    state.held.pop_front();
    react(self, submission);
  }
  if (may_dispatch(state))
    push(self, state.core->dispatch(state.clock.wall()));
}

/// Takes up what the store holds; a run that cannot go on here stays as it is.
void restore(scheduler_pointer self, const live_runs& stored) {
  self->state.core->restore(stored.capacity, self->state.clock.wall());
  for (const auto& run : *stored.runs) {
    if (auto restored = self->state.core->restore(run, self->state.clock.wall()))
      push(self, std::move(*restored));
    else
      spdlog::error("run not taken up run={} cause='{}'", run.run_no.value,
                    restored.error().message);
  }
  push(self, self->state.core->restore(*stored.breakers, self->state.clock.wall()));
}

/// Hands a submission to the core. False: it was refused.
bool take_submission(scheduler_pointer self, model::request_id id, const submit_run& request,
                     caf::typed_response_promise<run_accepted> promise) {
  auto& state = self->state;
  if (!state.window.has_room() && state.held.size() >= state.waiting_submissions) {
    promise.deliver(to_caf({errc::unavailable, "too many submissions wait for the store"}));
    return false;
  }
  state.answers.emplace(id, std::move(promise));
  model::run_submitted submission{id, *request.what};
  if (state.window.has_room())
    react(self, submission);
  else
    state.held.push_back(std::move(submission));
  return true;
}

/// The run of this key exists: all who wait are answered with it.
void answer_repeated(scheduler_pointer self, const std::string& digest,
                     const model::keyed_run& first) {
  const auto waiting = self->state.keyed.extract(digest);
  for (auto& submission : waiting.mapped()) {
    if (const auto run = repeated_run(first, *submission.request.what->key))
      submission.answer.deliver(run_accepted{*run});
    else
      submission.answer.deliver(to_caf(run.error()));
  }
}

/// The first who gave a key that nobody had given before begins its run.
void submit_first(scheduler_pointer self, const std::string& digest) {
  auto& state = self->state;
  const auto& first = state.keyed.at(digest).front();
  const auto id = ++state.last_request;
  state.keys.emplace(id, digest);
  if (take_submission(self, id, first.request, first.answer))
    return;
  state.keys.erase(id);
  first_is_answered(self, digest);
}

void look_up(scheduler_pointer self, const std::string& digest) {
  self->request(self->state.readers, read_timeout, read_key{digest, self->state.clock.wall()})
    .then(
      [self, digest](const key_read& key) {
        if (key.found)
          answer_repeated(self, digest, *key.found);
        else
          submit_first(self, digest);
      },
      [self, digest](const caf::error& e) {
        const auto waiting = self->state.keyed.extract(digest);
        for (auto& submission : waiting.mapped())
          submission.answer.deliver(e);
      });
}

/// Of those who gave the same key: for the others its run is in the store now, or still is not.
void first_is_answered(scheduler_pointer self, const std::string& digest) {
  const auto there = self->state.keyed.find(digest);
  there->second.pop_front();
  if (there->second.empty())
    self->state.keyed.erase(there);
  else
    look_up(self, digest);
}

caf::typed_response_promise<run_accepted> submit(scheduler_pointer self,
                                                 const submit_run& request) {
  auto& state = self->state;
  auto promise = self->make_response_promise<run_accepted>();
  if (!request.what->key) {
    take_submission(self, ++state.last_request, request, promise);
    return promise;
  }
  const auto& digest = request.what->key->digest;
  auto& waiting = state.keyed[digest];
  if (waiting.size() >= state.waiting_submissions) {
    promise.deliver(to_caf({errc::unavailable, "too many submissions wait for one key"}));
    return promise;
  }
  waiting.push_back({request, promise});
  if (waiting.size() == 1)
    look_up(self, digest);
  return promise;
}

caf::typed_response_promise<run_accepted> cancel(scheduler_pointer self, cancel_run& request) {
  auto promise = self->make_response_promise<run_accepted>();
  const auto id = ++self->state.last_request;
  self->state.answers.emplace(id, promise);
  react(self, model::cancel_requested{id, request.run_no, request.mode, std::move(request.actor)});
  return promise;
}

caf::typed_response_promise<run_controlled> control(scheduler_pointer self, control_run& request) {
  auto promise = self->make_response_promise<run_controlled>();
  const auto id = ++self->state.last_request;
  self->state.controls.emplace(id, promise);
  react(self, model::control_requested{id, request.run_no, std::move(request.what),
                                       std::move(request.actor)});
  return promise;
}

caf::typed_response_promise<drained_all> start_drain(scheduler_pointer self, drain request) {
  auto promise = self->make_response_promise<drained_all>();
  const auto id = ++self->state.last_request;
  self->state.drains.emplace(id, promise);
  react(self, model::drain_requested{id, request.mode});
  return promise;
}

caf::typed_response_promise<checkpoint_kept> save(scheduler_pointer self,
                                                  save_checkpoint& request) {
  auto promise = self->make_response_promise<checkpoint_kept>();
  const auto id = ++self->state.last_request;
  self->state.savers.emplace(id, promise);
  react(self, model::checkpoint_offered{id, request.key, std::move(request.what)});
  return promise;
}

} // namespace

scheduler_actor::behavior_type scheduler(scheduler_pointer self, logic::core_options core,
                                         scheduler_options options, model::clock clock,
                                         readers_actor readers, const live_runs& stored) {
  auto& state = self->state;
  core.slots = options.slots;
  core.most_slots = options.most_slots;
  core.dispatch_ahead = options.dispatch_ahead;
  core.asynchronous_calls = options.asynchronous_calls;
  core.crash_limit = options.crash_limit;
  core.capacity = std::move(options.capacity);
  core.breaker = options.breaker;
  core.gates = stored.gates;
  state.core = std::make_unique<logic::scheduler_core>(std::move(core));
  state.clock = std::move(clock);
  state.waiting_submissions = options.waiting_submissions;
  state.readers = std::move(readers);
  self->set_exception_handler(describe_exception);
  restore(self, stored);
  return {
    [self](model::attempt_started& e) { react(self, e); },
    [self](model::snapshot_taken& e) { react(self, std::move(e)); },
    [self](model::attempt_validating& e) { react(self, e); },
    [self](model::attempt_timed_out& e) { react(self, e); },
    [self](model::progress_told& e) { react(self, std::move(e)); },
    [self](model::usage_told& e) { react(self, std::move(e)); },
    [self](model::attempt_finished& e) { react(self, std::move(e)); },
    [self](executor_ready& ready) {
      self->state.executors[std::size_t(ready.kind)] = std::move(ready.executor);
      react(self, model::executor_ready{ready.kind, std::move(ready.attempts)});
    },
    [self](const model::timer_fired& e) { react(self, e); },
    [self](const submit_run& request) { return submit(self, request); },
    [self](cancel_run& request) { return cancel(self, request); },
    [self](control_run& request) { return control(self, request); },
    [self](const ask_run& request) -> caf::result<run_answered> {
      const auto& own = self->state;
      auto answer = own.core->answer(request.run_no, request.what, own.clock.wall());
      if (!answer)
        return to_caf(answer.error());
      return run_answered{std::move(*answer)};
    },
    [self](drain request) { return start_drain(self, request); },
    [self](save_checkpoint& request) { return save(self, request); },
    [self](committed done) {
      release(self, self->state.window.committed(done.step));
      go_on(self);
    },
    [self](last_commit_reported last) {
      auto& st = self->state;
      if (self->current_sender() != st.new_writer)
        return; // of a writer that was replaced meanwhile
      st.writer = std::exchange(st.new_writer, nullptr);
      release(self, self->state.window.writer_replaced(last.step));
      go_on(self);
    },
    [self](use_batch_writer& change) {
      // Steps go to it once it has said where the store stands: what the old one did not commit
      // comes first.
      self->state.writer = nullptr;
      self->state.new_writer = std::move(change.writer);
      self->send(self->state.new_writer, report_last_commit{});
    },
    [self](use_readers& change) { self->state.readers = std::move(change.readers); },
    [self](use_timer_service& change) {
      // Some may not be committed yet: one that fires leads to a step that is stored after them.
      self->state.timers = std::move(change.timers);
      self->send(self->state.timers,
                 watch_timers{scheduler_actor{self}, self->state.core->timers()});
    },
    [self](const load_again& again) { load_outputs(self, again.what); },
    [self](const look_up_again& again) { look_up_result(self, again.what); },
    [self](const load_run_again& again) { load_run(self, again.what); },
    [self](const resume_again& again) { read_and_launch(self, again.start); },
    [self](const model::checkpoint_pause_over& over) { react(self, over); },
    [self](const model::wake_up& what) {
      if (what.at == self->state.woken_for)
        go_on(self);
    },
  };
}

} // namespace sluice::actors

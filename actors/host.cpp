#include "actors/batch_writer.hpp"
#include "actors/caf_error.hpp"
#include "actors/event_hub.hpp"
#include "actors/event_subscriber.hpp"
#include "actors/function_executor.hpp"
#include "actors/function_worker.hpp"
#include "actors/host_actor.hpp"
#include "actors/process_executor.hpp"
#include "actors/readers.hpp"
#include "actors/scheduler.hpp"
#include "actors/timer_service.hpp"
#include "actors/wakeup.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace sluice::actors {
namespace {

using host_pointer = host_actor::stateful_pointer<host_state>;

/// A commit on a slow disk may take long; without an answer after this the caller has to look.
constexpr auto answer_timeout = std::chrono::minutes(10);

/// READERS restart, or the store comes back.
constexpr auto pause_after_failed_read = std::chrono::seconds(1);

const char* name_of(child which) {
  switch (which) {
  case child::scheduler:
    return "scheduler";
  case child::batch_writer:
    return "batch_writer";
  case child::process_executor:
    return "process_executor";
  case child::function_executor:
    return "function_executor";
  case child::event_hub:
    return "event_hub";
  case child::readers:
    return "readers";
  case child::timer_service:
    return "timer_service";
  }
  return "?";
}

/// Spawns a child on a thread of its own (SQL and handlers block), watched by HOST.
template <class Behavior, class... Args>
auto spawn_blocking(host_pointer self, Behavior behavior, Args&&... args) {
  return self->state.how == spawning::detached
           ? self->template spawn<caf::detached + caf::monitored>(behavior,
                                                                  std::forward<Args>(args)...)
           : self->template spawn<caf::monitored>(behavior, std::forward<Args>(args)...);
}

template <class Handle>
void adopt(host_pointer self, child which, Handle& slot, Handle fresh) {
  slot = std::move(fresh);
  self->state.children[slot->id()] = which;
}

logic::core_options core_options_of(const host_state& state) {
  logic::core_options core;
  core.next_run = state.runs.next_run;
  const auto functions = state.options.functions;
  core.has_handler = [functions](std::string_view name) {
    return functions->find(std::string{name}) != nullptr;
  };
  if (state.options.digest)
    core.digest = state.options.digest;
  if (state.options.local_offset)
    core.local_offset = state.options.local_offset;
  core.is_asynchronous = [functions](const std::string& name) {
    const auto* found = functions->find(name);
    return found != nullptr && std::holds_alternative<executors::asynchronous_handler>(*found);
  };
  return core;
}

/// Those that there are; one that is dead gets no messages.
std::vector<executor_actor> executors_of(const host_state& state) {
  std::vector<executor_actor> all;
  if (state.processes)
    all.emplace_back(state.processes);
  if (state.functions)
    all.emplace_back(state.functions);
  return all;
}

bool is_alive(const host_state& state, child which) {
  return std::any_of(state.children.begin(), state.children.end(),
                     [which](const auto& entry) { return entry.second == which; });
}

/// Asks SCHEDULER; when it dies instead of answering, the next one is asked.
void offer_drain(host_pointer self) {
  self->request(self->state.scheduler, caf::infinite, self->state.draining->what)
    .then([done = self->state.draining->done](drained_all) { done(); }, [](const caf::error&) {});
}

void start_child(host_pointer self, child which) {
  auto& state = self->state;
  const auto& options = state.options;
  switch (which) {
  case child::readers:
    adopt(self, which, state.readers, spawn_blocking(self, readers, options.open_reader));
    if (state.hub)
      self->send(state.hub, use_readers{state.readers});
    if (state.scheduler)
      self->send(state.scheduler, use_readers{state.readers});
    break;
  case child::event_hub:
    adopt(self, which, state.hub,
          event_hub_actor{self->spawn<caf::monitored>(event_hub, options.event_hub, state.readers,
                                                      state.first_seq)});
    if (state.writer)
      self->send(state.writer, use_event_hub{state.hub});
    for (const auto& [id, watcher] : state.watchers)
      self->send(watcher, use_event_hub{state.hub});
    break;
  case child::scheduler:
    adopt(self, which, state.scheduler,
          scheduler_actor{self->spawn<caf::monitored>(
            scheduler, core_options_of(state), options.scheduler, options.clock, state.readers,
            std::exchange(state.runs, live_runs{.next_run = state.runs.next_run}))});
    if (state.draining)
      offer_drain(self); // before the executors come: without them it dispatches nothing
    for (const auto& executor : executors_of(state))
      self->send(executor, use_status_channel{status_channel_actor{state.scheduler}});
    if (state.timers)
      self->send(state.scheduler, use_timer_service{state.timers});
    break;
  case child::timer_service:
    adopt(self, which, state.timers,
          timer_service_actor{self->spawn<caf::monitored>(timer_service, options.clock)});
    self->send(state.scheduler, use_timer_service{state.timers});
    break;
  case child::batch_writer:
    adopt(self, which, state.writer,
          spawn_blocking(self, batch_writer, options.store, state.incarnation,
                         commit_listener_actor{state.scheduler}, state.hub));
    self->send(state.scheduler, use_batch_writer{state.writer});
    break;
  case child::process_executor:
    adopt(self, which, state.processes,
          process_executor_actor{self->spawn<caf::monitored>(process_executor, options.executor,
                                                             status_channel_actor{state.scheduler},
                                                             options.launcher)});
    break;
  case child::function_executor: {
    const function_worker_factory spawn_worker = [self] {
      return self->state.how == spawning::detached
               ? self->system().spawn<caf::detached>(function_worker, self->state.options.functions,
                                                     self->state.options.clock)
               : self->system().spawn(function_worker, self->state.options.functions,
                                      self->state.options.clock);
    };
    adopt(self, which, state.functions,
          function_executor_actor{
            self->spawn<caf::monitored>(function_executor, status_channel_actor{state.scheduler},
                                        options.functions, options.clock, spawn_worker)});
    break;
  }
  }
}

void give_up(host_pointer self, error why) {
  if (std::exchange(self->state.failed, true))
    return;
  spdlog::error("runtime cannot go on cause={}", why.message);
  self->state.options.on_fatal(std::move(why));
}

/// Hands progress on to SCHEDULER. That this one died does not matter: the next one is told too.
void offer_save(host_pointer self, std::uint64_t id) {
  const auto answer = [self, id](const expected<void>& result) {
    if (const auto save = self->state.saves.extract(id))
      save.mapped().done(result);
  };
  self->request(self->state.scheduler, answer_timeout, self->state.saves.at(id).what)
    .then([answer](checkpoint_kept) { answer({}); },
          [answer](const caf::error& e) {
            if (auto why = from_caf(e); why.code != errc::unavailable)
              answer(tl::unexpected(std::move(why)));
          });
}

void save(host_pointer self, host_save_checkpoint ask) {
  const auto id = ++self->state.last_asked;
  self->state.saves.emplace(id, std::move(ask));
  offer_save(self, id);
}

/// Reads what the next SCHEDULER begins with, once its pause is over and the writer of the one
/// before has ended: until then more may be committed.
void take_up_runs(host_pointer self) {
  auto& state = self->state;
  if (!state.scheduler_is_due || is_alive(state, child::batch_writer))
    return;
  state.scheduler_is_due = false;
  self->request(state.readers, answer_timeout, read_runs{state.ours, state.options.clock.wall()})
    .then(
      [self](runs_read& read) {
        auto& st = self->state;
        if (st.failed)
          return;
        st.runs = std::move(read.found);
        ++st.incarnation;
        start_child(self, child::scheduler);
        start_child(self, child::batch_writer);
        for (const auto& [id, save] : st.saves)
          offer_save(self, id);
      },
      [self](const caf::error& e) {
        auto why = from_caf(e);
        if (why.code == errc::corrupt)
          return give_up(self, std::move(why));
        self->delayed_send(self, pause_after_failed_read, restart_child{child::scheduler});
      });
}

void restart_after_pause(host_pointer self, child which) {
  if (which == child::scheduler) {
    self->state.scheduler_is_due = true;
    take_up_runs(self);
  } else if (which == child::batch_writer && !is_alive(self->state, child::scheduler)) {
    return; // comes with the scheduler
  } else if (!is_alive(self->state, which)) {
    start_child(self, which);
  }
}

/// What SCHEDULER was asked and did not answer may have been done or not.
void fail_requests(host_state& state) {
  for (const auto& [id, done] : std::exchange(state.asked, {}))
    done({errc::unavailable, "the scheduler was restarted before it answered"});
}

/// After a pause; the next one begins with what is committed, so its writer goes first.
void restart_scheduler(host_pointer self, model::milliseconds pause) {
  fail_requests(self->state);
  if (is_alive(self->state, child::batch_writer))
    self->send_exit(self->state.writer, caf::exit_reason::kill);
  self->delayed_send(self, pause, restart_child{child::scheduler});
}

/// A child died: restarts it after a pause, or gives up.
void child_died(host_pointer self, const caf::down_msg& down) {
  auto& state = self->state;
  const auto known = state.children.extract(down.source.id());
  if (!known || state.failed)
    return;
  const auto which = known.mapped();
  const auto cause = from_caf(down.reason);
  const std::string what = std::string{name_of(which)} + " died: " + cause.message;
  if (cause.code == errc::corrupt)
    return give_up(self, {cause.code, what});
  if (which == child::batch_writer && !is_alive(state, child::scheduler))
    return take_up_runs(self); // it had to end for that
  using counting = logic::restart_policy::counting;
  const bool store_may_return = which == child::batch_writer && cause.code == errc::unavailable;
  const auto pause = state.restarts[which].next_pause(
    steady_now(self), store_may_return ? counting::unlimited : counting::limited);
  if (!pause)
    return give_up(self, {errc::internal, what + ", too often"});
  // A store that stays away is told once, not at every look.
  const bool is_news = *pause <= logic::restart_limits{}.first_pause;
  spdlog::log(is_news ? spdlog::level::warn : spdlog::level::debug,
              "actor restarts actor={} pause_ms={} cause={}", name_of(which), pause->count(),
              cause.message);
  if (which == child::scheduler)
    return restart_scheduler(self, *pause);
  if (which == child::process_executor) {
    // Its attempts start again only when nothing of the old ones runs any more.
    const host_actor me{self};
    const auto later = *pause;
    state.options.launcher->abandon_all([me, later] { caf::anon_send(me, attempts_gone{later}); });
    return;
  }
  self->delayed_send(self, *pause, restart_child{which});
}

/// In the order of the data's way, so that each still has whom it tells.
void stop_children(host_pointer self, const caf::exit_msg& exit) {
  auto& state = self->state;
  state.failed = true; // the children's ends are no news
  self->send_exit(state.processes, exit.reason);
  self->send_exit(state.functions, exit.reason);
  self->send_exit(state.timers, exit.reason);
  self->send_exit(state.scheduler, exit.reason);
  self->send_exit(state.writer, exit.reason);
  for (const auto& [id, watcher] : state.watchers)
    self->send_exit(watcher, exit.reason);
  self->send_exit(state.hub, exit.reason);
  self->send_exit(state.readers, exit.reason);
  self->quit(exit.reason);
}

/// Asks SCHEDULER; `take` is what its answer holds for the one who wants to know.
template <class Answer, class Request, class Result>
void ask_scheduler(host_pointer self, Request request, std::function<void(expected<Result>)> done,
                   Result Answer::*take) {
  auto& state = self->state;
  const auto id = ++state.last_asked;
  state.asked.emplace(id, [done](error why) { done(tl::unexpected(std::move(why))); });
  self->request(state.scheduler, answer_timeout, std::move(request))
    .then(
      [self, id, done, take](Answer& answer) {
        if (self->state.asked.erase(id) != 0)
          done(std::move(answer.*take));
      },
      [self, id](const caf::error& e) {
        if (const auto asked = self->state.asked.extract(id))
          asked.mapped()(from_caf(e));
      });
}

} // namespace

host_actor::behavior_type host_behavior(host_pointer self, host_options options,
                                        store_position position, spawning how) {
  auto& state = self->state;
  state.options = std::move(options);
  state.how = how;
  state.incarnation = position.incarnation;
  state.first_seq = position.last_seq;
  state.ours = {position.last_seq, state.options.resume};
  state.runs = std::move(position.runs);
  self->set_exception_handler(describe_exception);
  self->set_down_handler([self](const caf::down_msg& down) { child_died(self, down); });
  self->set_exit_handler([self](const caf::exit_msg& exit) { stop_children(self, exit); });
  for (const auto which : {child::readers, child::event_hub, child::scheduler, child::timer_service,
                           child::batch_writer, child::process_executor, child::function_executor})
    start_child(self, which);
  return {
    [self](host_submit& ask) {
      ask_scheduler(self, submit_run{std::move(ask.what)}, std::move(ask.done),
                    &run_accepted::run_no);
    },
    [self](host_cancel& ask) {
      ask_scheduler(self, std::move(ask.what), std::move(ask.done), &run_accepted::run_no);
    },
    [self](host_control& ask) {
      ask_scheduler(self, std::move(ask.what), std::move(ask.done), &run_controlled::result);
    },
    [self](host_ask& ask) {
      ask_scheduler(self, std::move(ask.what), std::move(ask.done), &run_answered::answer);
    },
    [self](host_drain& ask) {
      self->state.draining = std::move(ask);
      offer_drain(self);
    },
    [self](host_save_checkpoint& ask) { save(self, std::move(ask)); },
    [self](host_sign& ask) {
      self->request(self->state.processes, answer_timeout, std::move(ask.what))
        .then([done = ask.done](sign_taken) { done({}); },
              [done = ask.done](const caf::error& e) { done(tl::unexpected(from_caf(e))); });
    },
    [self](host_read_checkpoint& ask) {
      self->request(self->state.readers, answer_timeout, ask.what)
        .then([done = ask.done](checkpoint_read& read) { done(std::move(read.what)); },
              [done = ask.done](const caf::error& e) { done(tl::unexpected(from_caf(e))); });
    },
    [self](host_watch& ask) {
      auto& st = self->state;
      st.watchers[ask.id] =
        self->spawn(event_subscriber, std::move(ask.on_events), st.hub, st.first_seq);
    },
    [self](host_unwatch ask) {
      const auto watcher = self->state.watchers.extract(ask.id);
      if (watcher)
        self->send_exit(watcher.mapped(), caf::exit_reason::user_shutdown);
    },
    [self](restart_child restart) { restart_after_pause(self, restart.which); },
    [self](attempts_gone gone) {
      self->delayed_send(self, gone.pause, restart_child{child::process_executor});
    },
  };
}

} // namespace sluice::actors

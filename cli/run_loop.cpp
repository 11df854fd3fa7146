#include "cli/run_loop.hpp"

#include "runtime/footprint.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <poll.h>
#include <unistd.h>

namespace sluice::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t batch_size = 200;
constexpr std::size_t most_pending = 64 * 1024; // bytes that wait for a slow reader
constexpr std::chrono::seconds drain_time{20};  // and ten more between TERM and KILL
constexpr std::chrono::seconds rush_time{3};
constexpr std::chrono::milliseconds little_work{10}; // of the processor, in such a time
constexpr model::steady_time frame_time = 50ms;      // a person sees no more than that

} // namespace

run_loop::run_loop(session& s, runtime::orchestrator& node, event_inbox& inbox,
                   signal_watch& signals, watched_run run)
  : session_(s), node_(node), inbox_(inbox), signals_(signals), run_(run.run_no),
    tracker_(std::move(run.tracker)), names_(tracker_.shared_workflow()),
    progress_(make_progress(s, tracker_)), last_seq_(run.last_seq),
    settles_at_(s.clock.steady() + rush_time) {
  session_.out.hold();
}

expected<run_loop::outcome> run_loop::run() {
  while (true) {
    take_signals();
    settle_down();
    if (wants_events())
      if (auto taken = take_events(); !taken)
        return tl::unexpected(taken.error());
    redraw();
    session_.out.flush_ready();
    if (tracker_.ended_at()) {
      progress_->clear();
      return is_cancelled_ ? outcome::cancelled : outcome::ended;
    }
    if (is_drained_ && !is_behind_) {
      progress_->clear();
      return outcome::drained;
    }
    wait();
  }
}

bool run_loop::wants_events() const {
  return session_.out.pending() < most_pending;
}

expected<void> run_loop::take_events() {
  if (is_behind_)
    return read_missed_events();
  auto batch = inbox_.take(batch_size);
  for (auto& e : batch.events)
    handle(std::move(e));
  is_behind_ = batch.has_gap;
  if (const auto why = inbox_.closed_by(); why && batch.events.empty() && !tracker_.ended_at()) {
    progress_->clear();
    return tl::unexpected(*why);
  }
  return {};
}

expected<void> run_loop::read_missed_events() {
  if (!store_) {
    auto opened = runtime::history::open(session_.store_dir);
    if (!opened)
      return tl::unexpected(opened.error());
    store_ = std::move(*opened);
  }
  auto events = store_->events(run_, last_seq_, batch_size);
  if (!events)
    return tl::unexpected(events.error());
  is_behind_ = events->size() == batch_size;
  for (auto& e : *events)
    handle(std::move(e));
  if (!is_behind_)
    store_.reset(); // with its own copy of the workflow
  return {};
}

/// Of a task whose event came without: its run is older than the runtime.
std::string run_loop::name_of(std::uint32_t task_idx) {
  if (task_idx >= names_.size()) {
    auto names = runtime::history::open(session_.store_dir).and_then([this](auto store) {
      return store.names(run_);
    });
    if (names)
      names_ = std::move(*names);
  }
  return task_idx < names_.size() ? names_.name(task_idx) : std::to_string(task_idx);
}

/// The forms of added gates, for one, have to be known when they wait.
void run_loop::read_added_tasks() {
  auto workflow = runtime::history::open(session_.store_dir).and_then([this](auto store) {
    return store.workflow(run_);
  });
  if (workflow)
    tracker_.grow_to(std::move(*workflow));
}

void run_loop::handle(model::event e) {
  if (e.seq <= last_seq_) // read from the store already
    return;
  last_seq_ = e.seq;
  if (e.run_no != run_)
    return;
  if (e.task.empty() && e.task_idx)
    e.task = name_of(*e.task_idx);
  if (e.type == model::event_type::tasks_added)
    read_added_tasks();
  progress_->show(e);
  tracker_.apply(e);
  needs_redraw_ = true;
  if (!settles_at_)
    settles_at_ = session_.clock.steady() + rush_time;
}

void run_loop::take_signals() {
  constexpr int patience = 2;
  while (const auto signal = signals_.take()) {
    if (++signals_taken_ > patience || (drained_ && signals_taken_ > 1))
      ::_exit(128 + *signal); // the guard ends what still runs
    if (*signal == SIGTERM && signals_taken_ == 1)
      drain();
    else
      cancel();
  }
  if (drained_ && drained_->take())
    is_drained_ = is_behind_ = true; // what ended is stored, but may not have reached us
  if (stops_at_ && session_.clock.steady() >= *stops_at_) {
    stops_at_.reset();
    say("stopping the tasks of " + to_string(run_));
    node_.drain(model::drain_mode::stop, [] {}); // the first one calls back
  }
}

void run_loop::cancel() {
  const bool is_first = !std::exchange(is_cancelled_, true);
  node_.cancel(run_, is_first ? model::cancel_mode::graceful : model::cancel_mode::immediate,
               "ctrl-c");
  say(is_first ? "cancelling " + to_string(run_)
                   + ": waiting for its tasks to end; once more kills them at once"
               : "killing the tasks of " + to_string(run_));
}

void run_loop::drain() {
  drained_ = std::make_shared<awaited<bool>>();
  stops_at_ = session_.clock.steady() + drain_time;
  node_.drain(model::drain_mode::finish, [drained = drained_] { drained->deliver(true); });
  say("stopping: what runs may end within " + std::to_string(drain_time.count())
      + " s; once more stops at once");
}

void run_loop::say(const std::string& text) {
  if (session_.quiet())
    return;
  progress_->clear();
  session_.out.flush_ready();
  session_.err.line(text);
  session_.err.flush();
  needs_redraw_ = true;
}

void run_loop::redraw() {
  if (!progress_->is_live() || session_.out.pending() != 0)
    return;
  const auto now = session_.clock.steady();
  const auto since = now - drawn_at_;
  if (since < (needs_redraw_ ? frame_time : model::steady_time{1s}))
    return;
  progress_->redraw();
  drawn_at_ = now;
  needs_redraw_ = false;
}

/// Tasks have started or ended: what that took need not stay in memory for as long as the others
/// run.
void run_loop::settle_down() {
  if (!settles_at_ || session_.clock.steady() < *settles_at_)
    return;
  settles_at_.reset(); // until the next event
  if (runtime::processor_time() - worked_ < little_work)
    return;
  runtime::release_unused_memory();
  worked_ = runtime::processor_time();
  settles_at_ = session_.clock.steady() + rush_time; // thousands of starts take longer
}

int run_loop::timeout_ms() const {
  if (is_behind_ && wants_events())
    return 0;
  auto due = std::min(stops_at_.value_or(model::steady_time::max()),
                      settles_at_.value_or(model::steady_time::max()));
  if (progress_->is_live() && !session_.out.is_closed())
    due = std::min(due, drawn_at_ + (needs_redraw_ ? frame_time : model::steady_time{1s}));
  if (due == model::steady_time::max())
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - session_.clock.steady());
  return std::max(static_cast<int>(left.count()), 0);
}

void run_loop::wait() {
  std::array<pollfd, 4> fds{
    pollfd{signals_.descriptor(), POLLIN, 0},
    pollfd{wants_events() ? inbox_.descriptor() : -1, POLLIN, 0},
    pollfd{session_.out.pending() != 0 ? session_.out.descriptor() : -1, POLLOUT, 0},
    pollfd{drained_ ? drained_->descriptor() : -1, POLLIN, 0},
  };
  ::poll(fds.data(), fds.size(), timeout_ms()); // whatever it says, everything is looked at
}

} // namespace sluice::cli

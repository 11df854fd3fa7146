#include "executors/attempt_loop.hpp"

#include "executors/start_failure.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

using model::failure;
using model::failure_class;
using namespace std::chrono_literals;

// Between two looks for exits and signals: a start takes about a third of a millisecond.
constexpr int starts_per_turn = 8;
constexpr std::size_t most_events = 64; // taken at once
constexpr auto time_to_end = 10s;
// About as long as the starts that wait meanwhile take.
constexpr model::milliseconds longest_news_delay{10};

/// Null when the attempt has none: most have not.
const model::action* validation_of(const model::start_attempt& order) {
  if (undoes(order.role))
    return nullptr;
  return command_for(*order.workflow, order.spec(), model::command_role::validate);
}

int pidfd_open(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

std::string absolute_text(const std::filesystem::path& path) {
  std::error_code no_current_dir;
  auto full = std::filesystem::absolute(path, no_current_dir);
  return no_current_dir ? path.string() : full.string();
}

} // namespace

attempt_loop::attempt_loop(process_options options, int wake_fd)
  : options_{std::move(options)},
    files_{absolute_text(options_.logs_dir), absolute_text(options_.work_dir)}, starter_{options_,
                                                                                         files_} {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd, &event) != 0)
    open_error_ = errno;
}

attempt_loop::~attempt_loop() {
  for (const auto& [key, a] : attempts_)
    if (a.pidfd >= 0)
      ::close(a.pidfd);
  files_.remove_idle_run_dirs();
  if (spare_ >= 0)
    ::close(spare_);
  if (epoll_ >= 0)
    ::close(epoll_);
}

void attempt_loop::add(std::shared_ptr<const model::start_attempt> order,
                       std::shared_ptr<const launch_listener> listener) {
  if (stop_at_)
    return;
  const auto key = order->key;
  const auto [at, is_new] = attempts_.try_emplace(key);
  if (!is_new) {
    spdlog::error("attempt started twice run={} task={} attempt={}", key.run_no.value, key.task_idx,
                  key.attempt);
    return;
  }
  auto& a = at->second;
  a.key = key;
  a.workflow = order->workflow;
  a.task = order->task;
  a.role = order->role;
  a.takes_snapshot = order->takes_snapshot;
  if (order->holds.is_set())
    a.memory_bytes = limits_of(*order->holds).memory_bytes.value_or(0);
  a.order = std::move(order);
  a.listener = std::move(listener);
  a.due = now();
  starts_.push_back(key);
}

void attempt_loop::put_out(model::attempt_key key, const model::value& outputs) {
  const auto at = attempts_.find(key);
  if (at == attempts_.end() || at->second.passed != nullptr)
    return;
  auto& told = at->second.told;
  if (model::to_text(told).size() <= options_.output_limit_bytes) // else it fails by that anyway
    told.update(outputs);
}

void attempt_loop::signal(model::attempt_key key, stop_signal what) {
  const auto at = attempts_.find(key);
  if (at == attempts_.end())
    return;
  auto& a = at->second;
  a.is_stopped = true;
  if (a.state == attempt::phase::queued || a.state == attempt::phase::holding)
    return fail_start(a, {failure_class::cancelled, "cancelled", "cancelled before it started"});
  // A leader that has exited took its group along: all of it has been killed already.
  if (a.state != attempt::phase::running)
    return;
  if (what == stop_signal::kill)
    return kill_all_of(a);
  signal_group(a.pid, SIGTERM);
  signal_group(a.pid, SIGCONT); // a stopped process cannot act on the other
}

/// Its process group, and what has left that but not the attempt's control group.
/// @pre the leader is not reaped
void attempt_loop::kill_all_of(attempt& a) {
  signal_group(a.pid, SIGKILL);
  if (a.kit.group)
    a.kit.group->kill();
}

void attempt_loop::forget(model::attempt_key key) {
  files_.remove_work_dir(key);
}

void attempt_loop::abandon_all(std::function<void()> on_gone) {
  auto all = std::make_shared<abandonment>();
  all->on_gone = std::move(on_gone);
  told_.reset();
  news_ = {};
  for (auto at = attempts_.begin(); at != attempts_.end();) {
    auto& a = at->second;
    a.listener.reset();
    if (a.state == attempt::phase::queued || a.state == attempt::phase::holding) {
      live_ -= a.state == attempt::phase::holding ? 1 : 0;
      forget_secrets(a);
      at = attempts_.erase(at);
      continue;
    }
    if (a.state == attempt::phase::running)
      kill_all_of(a);
    a.abandoned.push_back(all);
    ++all->left;
    ++at;
  }
  starts_.clear();
  // Nobody will ask for it: the outcomes of those that have ended are read, the others have none.
  files_.remove_work_dirs_if([this](model::attempt_key key) { return !attempts_.contains(key); });
  if (all->left == 0 && all->on_gone)
    all->on_gone();
}

void attempt_loop::end_all() {
  stop_at_ = now() + time_to_end;
  abandon_all({});
}

bool attempt_loop::is_over() const {
  if (!stop_at_)
    return false;
  if (attempts_.empty())
    return true;
  if (now() < *stop_at_)
    return false;
  spdlog::warn("process groups are left that cannot be killed count={}", attempts_.size());
  return true;
}

int attempt_loop::timeout_ms() const {
  if (!starts_.empty() && has_free_slot() && !refused_since_)
    return 0;
  auto next = model::steady_time::max();
  if (!starts_.empty())
    next = has_free_slot() ? retry_at_ : give_back_at();
  for (const auto* a : leaving_)
    next = std::min(next, a->due);
  if (told_)
    next = std::min(next, news_due_);
  if (stop_at_)
    next = std::min(next, *stop_at_);
  if (next == model::steady_time::max())
    return -1;
  if (next <= now())
    return 0;
  const auto wait = std::chrono::ceil<model::milliseconds>(next - now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(wait, 0, 60'000));
}

bool attempt_loop::wait() {
  std::array<epoll_event, most_events> events;
  const int count = ::epoll_wait(epoll_, events.data(), events.size(), timeout_ms());
  bool is_woken = false;
  for (int i = 0; i < count; ++i) {
    const auto* source =
      static_cast<attempt::source*>(events[static_cast<std::size_t>(i)].data.ptr);
    if (source == nullptr)
      is_woken = true;
    else
      (source->is_output ? printed_ : exited_).push_back(source->of);
  }
  return is_woken;
}

void attempt_loop::work() {
  for (auto* a : printed_) // before the ends, after which they are no more
    if (a->kit.output)
      a->kit.output->read_some();
  printed_.clear();
  for (auto* a : exited_) // a running attempt ends by this only, so none of them is stale
    leader_exited(*a);
  exited_.clear();
  if (!may_tell_later())
    tell(); // before the next starts, which take long
  look_at_groups();
  start_some();
  if (!has_free_slot())
    give_back_starts();
  if (!may_tell_later())
    tell();
}

void attempt_loop::start_some() {
  for (int i = 0; i < starts_per_turn && !starts_.empty() && has_free_slot(); ++i) {
    if (refused_since_ && now() < retry_at_)
      return;
    const auto at = attempts_.find(starts_.front());
    if (at != attempts_.end() && launch(at->second) == launch_result::refused)
      return;
    starts_.pop_front();
  }
  if (starts_.empty())
    refused_since_.reset();
}

launch_news& attempt_loop::news_for(const std::shared_ptr<const launch_listener>& listener) {
  if (told_ != listener) {
    tell();
    told_ = listener;
    news_due_ = now() + longest_news_delay;
  }
  return news_;
}

/// While enough starts wait here, nothing waits for what could follow from the news. Told a few at
/// a time, they cost one message and one commit together.
bool attempt_loop::may_tell_later() const {
  return starts_.size() >= options_.slots && now() < news_due_;
}

void attempt_loop::tell() {
  if (const auto listener = std::exchange(told_, nullptr))
    (*listener)(std::exchange(news_, {}));
}

attempt_loop::launch_result attempt_loop::launch(attempt& a) {
  std::optional<failure> why;
  try {
    why = try_launch(a);
  } catch (const std::exception& e) { // nothing that may throw follows the start of the process
    why = failure{failure_class::internal, "start_failed",
                  std::string{"cannot start the attempt: "} + e.what()};
  }
  if (!why) {
    refused_since_.reset();
    drop_order_unless_needed(a);
    if (a.listener)
      news_for(a.listener).started.push_back(a.key);
    return launch_result::done;
  }
  // A process that could not be watched has run: no second start under this number.
  if (why->code == host_full && !a.started_at)
    return refuse(a, std::move(*why));
  fail_start(a, std::move(*why));
  return launch_result::done;
}

std::optional<failure> attempt_loop::try_launch(attempt& a) {
  if (auto files = starter_.prepare_files(*a.order); !files)
    return std::move(files.error());
  if (!has_spare_descriptor())
    return explain({.err = errno, .program = a.order->spec().name});
  return start_watched(a, a.takes_snapshot ? model::command_role::snapshot : a.role);
}

/// Nothing when its process runs.
std::optional<failure> attempt_loop::start_watched(attempt& a, model::command_role role) {
  const auto pid = starter_.start(*a.order, role, a.kit);
  if (!pid)
    return pid.error();
  if (const int err = watch(a, *pid); err != 0)
    return failure{failure_class::resource, std::string{host_full},
                   "cannot watch the process, so it was killed: " + errno_text(err)};
  return std::nullopt;
}

/// Few attempts have more than one command, and the order holds their inputs.
void attempt_loop::drop_order_unless_needed(attempt& a) {
  if (!a.takes_snapshot && validation_of(*a.order) == nullptr)
    a.order.reset();
}

attempt_loop::launch_result attempt_loop::refuse(attempt& a, failure why) {
  const auto at = now();
  if (!refused_since_) {
    refused_since_ = at;
    spdlog::warn("start postponed run={} task={} attempt={} cause='{}'", a.key.run_no.value,
                 a.key.task_idx, a.key.attempt, why.message);
  }
  if (at - std::max(a.due, *refused_since_) >= options_.give_up_start_after) {
    fail_start(a, std::move(why));
    return launch_result::done;
  }
  retry_at_ = at + options_.retry_start_after;
  return launch_result::refused;
}

bool attempt_loop::has_spare_descriptor() {
  if (spare_ < 0)
    spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return spare_ >= 0;
}

/// Makes the exit of a process that runs an event. Returns 0; or an errno value, and the process
/// has been killed.
int attempt_loop::watch(attempt& a, pid_t pid) {
  a.pid = pid;
  if (!a.started_at)
    a.started_at = options_.clock.wall();
  a.pidfd = pidfd_open(pid); // no race: only we reap it
  if (a.pidfd < 0 && errno == EMFILE) {
    ::close(std::exchange(spare_, -1));
    a.pidfd = pidfd_open(pid);
  }
  if (a.pidfd >= 0 && (!a.kit.output || wait_for(a.kit.output->read_end(), a.output))
      && wait_for(a.pidfd, a.exit)) {
    live_ += a.state == attempt::phase::queued ? 1 : 0;
    a.state = attempt::phase::running;
    return 0;
  }
  const int err = errno;
  a.kit.output.reset(); // and with it goes what epoll knows
  signal_group(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
    ;
  return err;
}

bool attempt_loop::wait_for(int fd, attempt::source& source) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &source;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void attempt_loop::fail_start(attempt& a, failure why) {
  if (why.failure_class != failure_class::cancelled)
    files_.append_to_log(a.key, "sluice: " + why.message);
  model::attempt_report report;
  report.key = a.key;
  report.usage = a.usage;
  report.started_at = a.started_at;
  report.finished_at = options_.clock.wall();
  report.failure = std::move(why);
  finish(a, std::move(report));
}

model::steady_time attempt_loop::give_back_at() const {
  const auto first = attempts_.find(starts_.front());
  return first == attempts_.end() ? now() : first->second.due + options_.give_back_after;
}

/// Starts are asked for a little ahead of free slots. When none becomes free after all, the tasks
/// go back to those who choose: others may be more urgent by then.
void attempt_loop::give_back_starts() {
  while (!starts_.empty() && !attempts_.contains(starts_.front()))
    starts_.pop_front(); // stopped meanwhile
  if (starts_.empty() || now() < give_back_at())
    return;
  for (; !starts_.empty(); starts_.pop_back()) { // the last first: each goes back to the front
    const auto at = attempts_.find(starts_.back());
    if (at == attempts_.end())
      continue;
    model::attempt_report report;
    report.key = at->first;
    report.finished_at = options_.clock.wall();
    report.failure = failure{failure_class::lost, "no_slot", "no slot became free for it"};
    report.given_back = true;
    finish(at->second, std::move(report));
  }
}

} // namespace sluice::executors

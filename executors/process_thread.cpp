#include "executors/process_thread.hpp"

#include "executors/attempt_loop.hpp"
#include "executors/thread_slice.hpp"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <system_error>
#include <thread>
#include <variant>
#include <vector>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::executors {
namespace {

// Descriptors of the process beside one for each attempt: database, log, sockets, epoll.
constexpr rlim_t descriptors_of_the_rest = 128;
constexpr std::size_t commands_kept = 256; // room for them, between one batch and the next

struct start_command {
  std::shared_ptr<const model::start_attempt> order;
  std::shared_ptr<const launch_listener> listener;
};
struct go_on_command {
  model::attempt_key key;
};
struct put_out_command {
  model::attempt_key key;
  model::value outputs;
};
struct signal_command {
  model::attempt_key key;
  stop_signal what;
};
struct forget_command {
  model::attempt_key key;
};
struct abandon_command {
  std::function<void()> on_gone;
};
struct stop_command {};
using thread_command = std::variant<start_command, go_on_command, put_out_command, signal_command,
                                    forget_command, abandon_command, stop_command>;

void apply(attempt_loop& loop, thread_command& command) {
  if (auto* start = std::get_if<start_command>(&command))
    loop.add(std::move(start->order), std::move(start->listener));
  else if (const auto* go_on = std::get_if<go_on_command>(&command))
    loop.go_on(go_on->key);
  else if (auto* put_out = std::get_if<put_out_command>(&command))
    loop.put_out(put_out->key, put_out->outputs);
  else if (const auto* signal = std::get_if<signal_command>(&command))
    loop.signal(signal->key, signal->what);
  else if (const auto* forget = std::get_if<forget_command>(&command))
    loop.forget(forget->key);
  else if (auto* abandon = std::get_if<abandon_command>(&command))
    loop.abandon_all(std::move(abandon->on_gone));
  else
    loop.end_all();
}

/// A descriptor that makes the thread's epoll return.
class wake_up {
public:
  wake_up() : fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, error_{fd_ < 0 ? errno : 0} {}
  wake_up(const wake_up&) = delete;
  wake_up& operator=(const wake_up&) = delete;
  ~wake_up() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  int fd() const { return fd_; }
  int error() const { return error_; }
  void set() { [[maybe_unused]] const auto n = ::eventfd_write(fd_, 1); }
  void clear() {
    eventfd_t ignored = 0;
    [[maybe_unused]] const auto n = ::eventfd_read(fd_, &ignored);
  }

private:
  int fd_;
  int error_;
};

} // namespace

struct process_thread::state {
  explicit state(process_options options) : loop{std::move(options), wake.fd()} {}

  void push(thread_command command) {
    bool was_empty = false;
    {
      const std::lock_guard lock{mutex};
      was_empty = queue.empty();
      queue.push_back(std::move(command));
    }
    if (was_empty) // else the thread has been woken for the first of them
      wake.set();
  }

  void take_commands(bool is_woken) {
    if (is_woken)
      wake.clear(); // before the queue is emptied: what comes later wakes again
    {
      const std::lock_guard lock{mutex};
      taken.swap(queue);
    }
    for (auto& command : taken)
      apply(loop, command);
    taken.clear();
    if (taken.capacity() > commands_kept)
      taken.shrink_to_fit(); // thousands of starts at once are rare
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "processes");
    prefer_short_slices(slice_heirs::none);
    while (!loop.is_over()) {
      // Commands before exits: what an attempt put out is said before its process can end. A full
      // batch of exits may leave no room for the wake-up.
      take_commands(loop.wait());
      loop.work();
    }
  }

  wake_up wake;
  attempt_loop loop;
  std::mutex mutex;
  std::vector<thread_command> queue; ///< bounded by the attempts the scheduler has under way
  std::vector<thread_command> taken;
  std::thread thread;
};

expected<std::unique_ptr<process_thread>> process_thread::create(process_options options) {
  auto s = std::make_unique<state>(std::move(options));
  const int err = s->wake.error() != 0 ? s->wake.error() : s->loop.open_error();
  if (err != 0)
    return fail(errc::unavailable, "cannot set up the process thread: " + errno_text(err));
  // The thread inherits the mask, so that no signal of the program is ever delivered to it.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  int thread_err = 0;
  try {
    s->thread = std::thread{[p = s.get()] { p->run(); }};
  } catch (const std::system_error& e) {
    thread_err = e.code().value();
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (thread_err != 0)
    return fail(errc::unavailable, "cannot start the process thread: " + errno_text(thread_err));
  return std::unique_ptr<process_thread>{new process_thread{std::move(s)}};
}

process_thread::process_thread(std::unique_ptr<state> s) : state_{std::move(s)} {}

process_thread::~process_thread() {
  state_->push(stop_command{});
  state_->thread.join();
}

void process_thread::start(std::shared_ptr<const model::start_attempt> attempt,
                           std::shared_ptr<const launch_listener> listener) {
  state_->push(start_command{std::move(attempt), std::move(listener)});
}

void process_thread::go_on(model::attempt_key attempt) {
  state_->push(go_on_command{attempt});
}

void process_thread::put_out(model::attempt_key attempt, model::value outputs) {
  state_->push(put_out_command{attempt, std::move(outputs)});
}

void process_thread::signal(model::attempt_key key, stop_signal what) {
  state_->push(signal_command{key, what});
}

void process_thread::forget(model::attempt_key key) {
  state_->push(forget_command{key});
}

void process_thread::abandon_all(std::function<void()> on_gone) {
  state_->push(abandon_command{std::move(on_gone)});
}

std::size_t allow_descriptors_for(std::size_t attempts) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return attempts;
  const auto wanted = static_cast<rlim_t>(attempts) + descriptors_of_the_rest;
  if (limit.rlim_cur < wanted) {
    auto raised = limit;
    raised.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
      limit = raised;
  }
  if (limit.rlim_cur <= descriptors_of_the_rest)
    return 1;
  return std::min<std::size_t>(attempts, limit.rlim_cur - descriptors_of_the_rest);
}

} // namespace sluice::executors

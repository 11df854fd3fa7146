// P4: how long a run of one task takes from the moment it was meant to be submitted until its end
// is known, while runs arrive at a fixed rate whether or not those before have ended. Limit: what
// no run can leave out, two commits one after the other and, for a process, its own life.
#include "bench/bare_loop.hpp"
#include "bench/bare_store.hpp"
#include "bench/figure.hpp"
#include "bench/node.hpp"
#include "bench/workloads.hpp"
#include "runtime/clock.hpp"

#include <cstdlib>
#include <unordered_map>

#include <sys/timerfd.h>
#include <unistd.h>

namespace {

using namespace sluice;
using model::steady_time;

/// Ticks at a fixed interval of the monotonic clock. Ticks that nobody waited for are not lost: the
/// next waits return at once.
class ticker {
public:
  ticker(steady_time first, steady_time interval) {
    const itimerspec ticks{.it_interval = to_timespec(interval), .it_value = to_timespec(first)};
    if (timer_ < 0 || ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &ticks, nullptr) != 0)
      bench::give_up("cannot set a timer");
  }
  ~ticker() { ::close(timer_); }
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  void wait() {
    while (due_ == 0)
      if (::read(timer_, &due_, sizeof due_) != sizeof due_)
        due_ = 0;
    --due_;
  }

private:
  static timespec to_timespec(steady_time t) {
    const auto seconds = std::chrono::floor<model::seconds>(t);
    return {.tv_sec = seconds.count(), .tv_nsec = (t - seconds).count()};
  }

  int timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  std::uint64_t due_ = 0;
};

/// When each run was meant to start, and when its end was seen. An end can be known before the
/// answer to the submission, so that whichever comes second completes the pair.
class latency_book {
public:
  void intended(model::run_no run, steady_time at) {
    const std::lock_guard hold{mutex_};
    note(intended_, run, at);
  }
  void ended(model::run_no run, steady_time at) {
    const std::lock_guard hold{mutex_};
    note(ended_, run, at);
  }

  /// Milliseconds of each run, once so many have ended.
  std::vector<double> wait_for(std::size_t runs) {
    std::unique_lock hold{mutex_};
    completed_.wait(hold, [&] { return latencies_ms_.size() == runs; });
    return latencies_ms_;
  }

private:
  using times = std::unordered_map<model::run_no, steady_time>;

  void note(times& where, model::run_no run, steady_time at) {
    where.emplace(run, at);
    const auto start = intended_.find(run), end = ended_.find(run);
    if (start == intended_.end() || end == ended_.end())
      return;
    latencies_ms_.push_back(
      std::chrono::duration<double, std::milli>(end->second - start->second).count());
    completed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable completed_;
  times intended_, ended_;
  std::vector<double> latencies_ms_;
};

struct load {
  std::string id, what;
  model::action action;
  std::size_t runs = 0;
  model::microseconds interval{0};
  double p50_budget_ms = 0, p99_budget_ms = 0;
  bool starts_process = false;
};

/// Stops the node at the end, so that nothing of it calls back any more.
std::vector<double> latencies_ms(runtime::orchestrator& node, const load& load,
                                 const bench::workflow_ptr& workflow) {
  const auto clock = runtime::system_clock();
  latency_book book;
  const auto watch = node.watch([&](std::span<const model::event> events) {
    const auto seen = clock.steady();
    for (const auto& event : events)
      if (event.type == model::event_type::run_finished) {
        if (event.to != model::to_string(model::run_state::succeeded))
          bench::give_up("a measured run did not succeed");
        book.ended(event.run_no, seen);
      }
  });
  const auto first = clock.steady() + model::milliseconds{10};
  ticker ticks{first, load.interval};
  for (std::size_t i = 0; i < load.runs; ++i) {
    const steady_time at = first + i * load.interval;
    ticks.wait();
    node.submit(
      bench::submission_of(workflow, workflow->name),
      [&book, at](expected<model::run_no> run) { book.intended(bench::must(std::move(run)), at); });
  }
  auto latencies = book.wait_for(load.runs);
  node.stop();
  return latencies;
}

/// Milliseconds of bare sequences at the same rate, a fifth as many: a commit, a process if there
/// is one, a commit.
std::vector<double> bare_ms(const load& load, const std::filesystem::path& dir) {
  bench::bare_commit disk{dir};
  bench::bare_starter processes{dir / "bare"};
  ticker ticks{runtime::system_clock().steady() + load.interval, load.interval};
  std::vector<double> samples;
  for (std::size_t i = 0; i < load.runs / 5; ++i) {
    ticks.wait();
    double seconds = disk.seconds();
    if (load.starts_process)
      seconds += processes.run().total();
    seconds += disk.seconds();
    samples.push_back(seconds * 1e3);
  }
  return samples;
}

void measure(const load& load, int repetitions) {
  const auto workflow = bench::independent_tasks("open-loop", load.action, 1);
  bench::figure p50{.id = load.id,
                    .what = load.what + ", median from the intended start",
                    .unit = "ms",
                    .wanted = {bench::budget_kind::figure_at_most, load.p50_budget_ms}};
  bench::figure p99{.id = load.id + ".p99",
                    .what = "the same, 99th percentile",
                    .unit = "ms",
                    .wanted = {bench::budget_kind::figure_at_most, load.p99_budget_ms}};
  for (int i = 0; i < repetitions; ++i) {
    bench::scratch_directory scratch;
    const auto bare = bench::as_process_thread([&] { return bare_ms(load, scratch.path()); });
    const auto node = bench::start_node(scratch.path() / "store", 8);
    bench::run_timer first{*node};
    first.time(bench::submission_of(workflow, workflow->name)); // stores the workflow
    const bench::stopwatch since;
    const auto latencies = latencies_ms(*node, load, workflow);
    const auto ours = since.elapsed();
    p50.values.push_back(bench::percentile(latencies, 0.5));
    p50.limits.push_back(bench::percentile(bare, 0.5));
    p50.costs.push_back(ours / double(load.runs));
    p50.costs.back().seconds = bench::percentile(latencies, 0.5) / 1e3;
    p99.values.push_back(bench::percentile(latencies, 0.99));
    p99.limits.push_back(bench::percentile(bare, 0.99));
  }
  bench::print(p50);
  bench::print(p99);
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::atoi(argv[1]) : 3;
  measure({.id = "P4n",
           .what = "1,000 native one-task runs a second for 10 s, against two fdatasyncs",
           .action = model::call_action{"noop"},
           .runs = 10'000,
           .interval = model::milliseconds{1},
           .p50_budget_ms = 2,
           .p99_budget_ms = 10},
          repetitions);
  measure({.id = "P4p",
           .what = "100 process one-task runs a second for 20 s, against two fdatasyncs and a bare "
                   "process",
           .action = model::exec_action{{"/bin/true"}},
           .runs = 2'000,
           .interval = model::milliseconds{10},
           .p50_budget_ms = 4,
           .p99_budget_ms = 25,
           .starts_process = true},
          repetitions);
}

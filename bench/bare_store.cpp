#include "bench/bare_store.hpp"

#include "bench/measure.hpp"
#include "logic/scheduler_core.hpp"
#include "runtime/clock.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include <fcntl.h>
#include <unistd.h>

namespace sluice::bench {
namespace {

constexpr std::size_t steps_per_group = 5000;
constexpr std::size_t writes_per_file = 64;

/// The steps of one run of calls that all succeed, as the scheduler's core makes them: each report
/// is a step, with the dispatches that it makes possible.
class recorder {
public:
  explicit recorder(model::run_no run)
    : core_([run] {
        logic::core_options options;
        options.next_run = run;
        options.is_asynchronous = [](const std::string&) { return true; };
        return options;
      }()) {}

  std::vector<storage::step_ptr> record(const model::submission& what) {
    react(model::run_submitted{1, what});
    while (!under_way_.empty()) {
      model::attempt_report report;
      report.key = under_way_.front();
      report.started_at = report.finished_at = now();
      under_way_.pop_front();
      react(model::attempt_finished{std::move(report), model::executor_kind::function});
    }
    return std::move(steps_);
  }

private:
  static model::wall_time now() { return runtime::system_clock().wall(); }

  void react(const model::happening& what) {
    auto reaction = core_.react(what, now());
    for (const auto& effect : reaction.effects)
      if (const auto* start = std::get_if<model::start_attempt>(&effect))
        under_way_.push_back(start->key);
    steps_.push_back(std::make_shared<const model::step>(
      model::step{steps_.size() + 1, std::move(reaction.records), std::move(reaction.counts)}));
  }

  logic::scheduler_core core_;
  std::deque<model::attempt_key> under_way_;
  std::vector<storage::step_ptr> steps_;
};

} // namespace

bare_store::bare_store(const std::filesystem::path& dir) {
  const storage::store_paths paths{dir};
  std::filesystem::create_directories(dir);
  store_ = must(storage::open_store(paths));
}

double bare_store::run_seconds(const model::submission& what) {
  return commit_seconds(recorder{{++last_run_}}.record(what));
}

double bare_store::submit_seconds(const model::submission& what) {
  auto steps = recorder{{++last_run_}}.record(what);
  steps.resize(1);
  return commit_seconds(std::move(steps));
}

double bare_store::commit_seconds(std::vector<storage::step_ptr> steps) {
  const auto incarnation = static_cast<std::uint64_t>(last_run_);
  std::span<const storage::step_ptr> left{steps};
  const stopwatch since;
  while (!left.empty()) {
    const auto group = left.first(std::min(left.size(), steps_per_group));
    must(store_->commit(incarnation, group));
    if (store_->refused() > 0)
      give_up("the bare store refused a record");
    left = left.subspan(group.size());
  }
  return since.elapsed().seconds;
}

bare_commit::bare_commit(const std::filesystem::path& dir)
  : file_(::open((dir / "bare_commit").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  for (std::size_t i = 0; i < writes_per_file; ++i)
    seconds(); // from here on no write changes the file's size
}

bare_commit::~bare_commit() {
  ::close(file_);
}

double bare_commit::seconds() {
  static constexpr std::array<char, 4 * 4096> pages{};
  const auto offset = static_cast<off_t>(next_++ % writes_per_file * pages.size());
  const stopwatch since;
  if (::pwrite(file_, pages.data(), pages.size(), offset) != ssize_t{pages.size()}
      || ::fdatasync(file_) != 0)
    give_up("cannot write a file of the benchmark");
  return since.elapsed().seconds;
}

} // namespace sluice::bench

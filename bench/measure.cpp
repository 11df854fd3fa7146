#include "bench/measure.hpp"

#include "model/json.hpp"
#include "runtime/clock.hpp"

#include <algorithm>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sluice::bench {
namespace {

/// Asks ext4 to put each directory made below this one into another group of blocks. Creating a
/// file there looks at every file that was deleted in its group lately, on a file system without a
/// journal for minutes: one measurement would slow down the next. Elsewhere nothing happens.
void spread_directories_below(const std::string& path) {
  const int dir = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int flags = 0;
  if (dir >= 0 && ::ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_TOPDIR_FL;
    [[maybe_unused]] const int ignored = ::ioctl(dir, FS_IOC_SETFLAGS, &flags);
  }
  if (dir >= 0)
    ::close(dir);
}

} // namespace

scratch_directory::scratch_directory() {
  std::string name = (std::filesystem::current_path() / "bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    must(expected<int>{fail(errc::unavailable, "cannot make a scratch directory " + name)});
  spread_directories_below(name);
  path_ = name;
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

sample_summary summarize(std::vector<double> samples) {
  if (samples.empty())
    return {};
  std::sort(samples.begin(), samples.end());
  const auto middle = samples.size() / 2;
  const double median =
    samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
  return {samples.front(), median, samples.back()};
}

run_timer::run_timer(runtime::orchestrator& node)
  : node_(node), watch_(node.watch([this](std::span<const model::event> events) {
      const std::lock_guard hold{mutex_};
      for (const auto& event : events)
        if (event.type == model::event_type::run_finished)
          ended_[event.run_no] =
            model::parse_run_state(event.to).value_or(model::run_state::failed);
      changed_.notify_all();
    })) {}

double run_timer::seconds(const model::workflow_spec& workflow) {
  model::submission what;
  what.workflow = std::make_shared<const model::workflow_spec>(workflow);
  what.content_hash = workflow.name;
  const auto clock = runtime::system_clock();
  const auto before = clock.steady();
  const auto run_no = must(node_.submit(std::move(what)));
  std::unique_lock hold{mutex_};
  changed_.wait(hold, [&] { return ended_.contains(run_no); });
  if (ended_[run_no] != model::run_state::succeeded)
    must(expected<int>{fail(errc::internal, "the measured run did not succeed")});
  return std::chrono::duration<double>(clock.steady() - before).count();
}

void print(const figure& f) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < f.values.size() && i < f.limits.size(); ++i)
    ratios.push_back(f.values[i] / f.limits[i]);
  const auto as_json = [](const sample_summary& s) {
    return model::value{{"min", s.least}, {"median", s.median}, {"max", s.most}};
  };
  const model::value line{{"id", f.id},
                          {"what", f.what},
                          {"unit", f.unit},
                          {"figure", as_json(summarize(f.values))},
                          {"limit", as_json(summarize(f.limits))},
                          {"ratio", as_json(summarize(ratios))},
                          {"budget", {{"ratio_at_least", f.budget}}}};
  std::printf("%s\n", model::to_text(line).c_str());
}

} // namespace sluice::bench

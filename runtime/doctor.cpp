#include "runtime/doctor.hpp"

#include "executors/cgroup.hpp"
#include "executors/guard_process.hpp"
#include "runtime/replay.hpp"

#include <array>
#include <system_error>

#include <unistd.h>

namespace sluice::runtime {
namespace {

/// Below this a store that grows is soon in trouble.
constexpr std::uintmax_t little_space = std::uintmax_t{1} << 30;
/// Of the newest runs the events are compared with the rows.
constexpr std::size_t runs_looked_at = 20;

std::string megabytes(std::uintmax_t bytes) {
  return std::to_string(bytes >> 20) + " MB";
}

class examination {
public:
  explicit examination(const std::filesystem::path& dir) : paths_{dir} {}

  std::vector<finding> run() {
    guard();
    limits();
    std::error_code absent;
    if (!std::filesystem::exists(paths_.dir, absent)) {
      add(verdict::good, "store", "there is none in '" + paths_.dir.string() + "' yet",
          "the first `sluice run` makes it");
      disk(std::filesystem::absolute(paths_.dir).parent_path());
      return std::move(found_);
    }
    holder();
    database();
    directories();
    disk(paths_.dir);
    return std::move(found_);
  }

private:
  void add(verdict how, std::string subject, std::string text, std::string advice = {}) {
    found_.push_back({how, std::move(subject), std::move(text), std::move(advice)});
  }

  void guard() {
    if (const auto program = executors::find_guard({}))
      add(verdict::good, "guard", *program);
    else
      add(verdict::problem, "guard", program.error().message,
          "without it nothing runs: put sluice-guard beside sluice, or install the package again");
  }

  /// Of a runtime that is started where this is asked: another place may be better.
  void limits() {
    if (const auto dir = executors::cgroup_tree::find())
      return add(verdict::good, "limits",
                 "attempts are held to mem and cpu by control groups in '" + dir->string() + "'");
    else
      add(verdict::good, "limits",
          "attempts are held to mem by a limit of each process, cpu is only counted: "
            + dir.error().message,
          "docs/capacity.md says what that means");
  }

  void holder() {
    const auto holder = storage::store_lock::holder(paths_);
    add(verdict::good, "store",
        holder ? "in use by process " + std::to_string(holder->pid) + " (" + holder->command + ")"
               : "in use by nobody");
  }

  void database() {
    auto reader = storage::open_reader(paths_);
    auto store = history::open(paths_.dir);
    if (!reader || !store) {
      const auto& why = reader ? store.error() : reader.error();
      const bool is_other_version = why.code == errc::conflict; // and it says what to run
      return add(verdict::problem, "database", why.message,
                 is_other_version ? "" : "docs/operations.md says how to restore a backup");
    }
    const auto damage = (*reader)->damage();
    if (!damage || !damage->empty())
      return add(verdict::problem, "database", damage ? damage->front() : damage.error().message,
                 "keep a copy of the directory, then restore a backup: docs/operations.md");
    std::error_code absent;
    const auto size = std::filesystem::file_size(paths_.database(), absent);
    add(verdict::good, "database", "sound, " + megabytes(absent ? 0 : size));
    runs(*store);
    checkpoints(**reader);
  }

  void runs(history& store) {
    const auto newest = store.runs({.state = "", .workflow = "", .limit = runs_looked_at});
    const auto interrupted =
      store.runs({.state = "interrupted", .limit = runs_looked_at, .whole_only = true});
    if (!newest || !interrupted)
      return add(verdict::problem, "runs", (newest ? interrupted.error() : newest.error()).message);
    for (const auto& run : *interrupted)
      add(verdict::warning, "runs", run.workflow + " " + to_string(run.run_no) + " is interrupted",
          "go on with: sluice run --resume " + to_string(run.run_no));
    bool agree = true;
    for (const auto& run : *newest) {
      const auto replayed = replay(store, run, std::nullopt);
      if (replayed && replayed->is_sound())
        continue;
      agree = false;
      const auto what = !replayed                   ? replayed.error().message
                        : replayed->misfits.empty() ? replayed->problems.front()
                                                    : replayed->misfits.front();
      const bool can_mend = replayed && replayed->misfits.empty();
      add(verdict::problem, "runs", to_string(run.run_no) + ": " + what,
          (can_mend ? "repair it with: sluice replay --repair " : "see: sluice replay ")
            + to_string(run.run_no));
    }
    if (agree)
      add(verdict::good, "runs",
          "events and rows agree in the newest " + std::to_string(newest->size()));
  }

  void checkpoints(storage::reader& reader) {
    const auto kept = reader.checkpoint_totals();
    if (!kept)
      return add(verdict::problem, "checkpoints", kept.error().message);
    if (kept->count == 0)
      return add(verdict::good, "checkpoints", "none is kept");
    add(verdict::good, "checkpoints",
        std::to_string(kept->count) + " kept, " + std::to_string(kept->bytes) + " bytes in all, "
          + std::to_string(kept->bytes / kept->count) + " on average, "
          + std::to_string(kept->stored_bytes) + " on disk");
  }

  void directories() {
    for (const auto& [name, dir] : std::array<std::pair<const char*, std::filesystem::path>, 2>{
           {{"logs", paths_.logs()}, {"work", paths_.work()}}}) {
      std::error_code absent;
      const auto& place = std::filesystem::exists(dir, absent) ? dir : paths_.dir;
      if (::access(place.c_str(), W_OK | X_OK) == 0)
        add(verdict::good, name, "can be written");
      else
        add(verdict::problem, name,
            "'" + place.string() + "' cannot be written: " + errno_text(errno),
            "tasks cannot start: give the directory back to the user that runs sluice");
    }
  }

  void disk(const std::filesystem::path& dir) {
    std::error_code failed;
    const auto space = std::filesystem::space(dir, failed);
    if (failed)
      return add(verdict::warning, "disk", "cannot be asked: " + failed.message());
    const auto text = megabytes(space.available) + " free of " + megabytes(space.capacity);
    if (space.available >= little_space)
      return add(verdict::good, "disk", text);
    add(space.available == 0 ? verdict::problem : verdict::warning, "disk", text,
        "when it is full nothing new starts until there is room again");
  }

  storage::store_paths paths_;
  std::vector<finding> found_;
};

} // namespace

std::string_view to_string(verdict v) {
  constexpr std::array<std::string_view, 3> names{"good", "warning", "problem"};
  return names[static_cast<std::size_t>(v)];
}

std::vector<finding> examine(const std::filesystem::path& store_dir) {
  return examination{store_dir}.run();
}

} // namespace sluice::runtime

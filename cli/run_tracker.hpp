// How far a run is, followed by its committed events. A plain value on the thread that prints.
#pragma once

#include "cli/words.hpp"
#include "model/event.hpp"
#include "model/workflow.hpp"
#include "runtime/history.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace sluice::cli {

struct running_task {
  std::uint32_t attempt = 0;
  model::wall_time since;
  std::string_view doing;    ///< when that is more than to run: `cancelling`, `validating`
  std::string progress = {}; ///< what it said last
  std::string name = {};
};

/// Something that is held back.
struct waiting_task {
  hindrance what;
  std::string name;
};

class run_tracker {
public:
  explicit run_tracker(std::shared_ptr<const model::workflow_spec> workflow);
  /// Of a run that is under way, or ended and is about to be retried: counts what is decided of it.
  run_tracker(std::shared_ptr<const model::workflow_spec> workflow, const runtime::run_view& run);

  /// Of such a run: learns which of its tasks are held back, and which are fanned out.
  expected<void> read_tasks(runtime::history& store, const runtime::run_view& run);

  /// Events in order of their seq; those of other runs are to be kept away.
  void apply(const model::event& e);

  /// The workflow with the tasks that the run was given since.
  void grow_to(std::shared_ptr<const model::workflow_spec> workflow) {
    workflow_ = std::move(workflow);
  }

  const model::workflow_spec& workflow() const { return *workflow_; }
  const std::shared_ptr<const model::workflow_spec>& shared_workflow() const { return workflow_; }
  /// Tasks that count: instances do in the place of the task they are of.
  std::size_t total() const { return total_; }
  std::size_t done() const { return succeeded_ + failed_ + skipped_ + cancelled_ + rolled_back_; }
  std::size_t failed() const { return failed_; }
  std::size_t skipped() const { return skipped_; }
  std::size_t cancelled() const { return cancelled_; }
  std::size_t rolled_back() const { return rolled_back_; }
  /// By task index.
  const std::map<std::uint32_t, running_task>& running() const { return running_; }
  /// Tasks that are held back, and by what; by task index.
  const std::map<std::uint32_t, waiting_task>& waiting() const { return waiting_; }
  model::run_state state() const { return state_; }
  /// When it was submitted, or its last generation began.
  std::optional<model::wall_time> since() const { return since_; }
  std::optional<model::wall_time> ended_at() const { return ended_at_; }
  /// When the attempt that an event ends began: its start, else its dispatch.
  std::optional<model::wall_time> began_at(const model::event& e) const;

private:
  /// The entry of the event's task; one that an earlier runtime began has none before.
  running_task& under_way(const model::event& e);
  void task_ended(std::uint32_t task, std::string_view state);
  void expand(const model::event& e);
  void fold(const model::event& e);
  std::size_t& count_of(std::string_view state); ///< a terminal one

  std::shared_ptr<const model::workflow_spec> workflow_;
  std::map<std::uint32_t, running_task> running_;
  std::map<std::uint32_t, waiting_task> waiting_;
  std::set<std::uint32_t> fanned_out_; ///< tasks whose instances count
  std::size_t total_ = 0;
  std::size_t succeeded_ = 0, failed_ = 0, skipped_ = 0, cancelled_ = 0, rolled_back_ = 0;
  model::run_state state_ = model::run_state::queued;
  std::optional<model::wall_time> since_, ended_at_;
};

} // namespace sluice::cli

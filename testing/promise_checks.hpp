// What the runtime promises whatever happens, checked against the store, event by event and at
// every start of a process. Owned by a scenario, which tells what its processes did.
// Single-threaded.
#pragma once

#include "logic/compiled_workflow.hpp"
#include "logic/event_fold.hpp"
#include "logic/scheduler_core.hpp"
#include "storage/store.hpp"
#include "testing/capacity_checks.hpp"
#include "testing/gate_checks.hpp"
#include "testing/group_checks.hpp"
#include "testing/key_checks.hpp"
#include "testing/run_queue_checks.hpp"
#include "testing/scenario.hpp"
#include "testing/scenario_node.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace sluice::testing {

/// What the processes of a scenario did.
struct process_deeds {
  std::set<model::attempt_key> started; ///< and were confirmed
  std::set<model::attempt_key> ended_well;
  std::set<model::attempt_key> ended_badly;
  std::map<model::attempt_key, std::string> taken;    ///< snapshots
  std::map<model::attempt_key, model::value> put_out; ///< at their ends
};

class promise_checks {
public:
  using workflow_ptr = std::shared_ptr<const logic::compiled_workflow>;

  /// Both have to outlive the checks.
  promise_checks(const scenario_node_options& node, const process_deeds& deeds)
    : node_(node), deeds_(deeds) {}

  // --- what it is told ---------------------------------------------------------------------------

  /// Returns the number by which a workflow is known: its run has it for a hash.
  std::size_t submitted(workflow_ptr workflow) {
    submitted_.push_back(std::move(workflow));
    return submitted_.size() - 1;
  }
  void clock_was_set() { clock_was_set_ = true; }
  /// A runtime has answered that a switch is set: then it is stored. Nobody else sets it meanwhile.
  void switch_was_set(const model::set_switch& what);
  /// A runtime begins: its subscriber sees what comes from now on.
  void subscribed() { seen_ = fold_.last_seq(); }

  // --- what it looks at --------------------------------------------------------------------------

  /// The first one counts.
  void violate(std::string what);
  /// The event log goes on legally, and what it touched is in the tables.
  void look();
  /// Effects come after their commit, one at a time, and within capacity.
  void check_start(const model::start_attempt& order,
                   const std::vector<model::attempt_key>& under_way);
  /// An action begins after its snapshot.
  void check_go_on(const model::attempt_key& key);
  /// A subscriber sees every event once, in order, and none that is not committed.
  void check_seen(std::span<const model::event> events);
  /// All rows of all runs are what the events say.
  void compare_all();
  /// What a scheduler makes of the store is what the events say. Only a task that fired early and
  /// did not start may be judged otherwise now: more of its upstreams are decided.
  void check_recovery();
  /// The runtime has acknowledged a save, with a number that grows from save to save.
  void progress_kept(const model::attempt_key& key, std::uint64_t progress);
  /// Runs that are stored and have not ended.
  std::vector<model::run_no> unfinished() const;

  // --- what it knows -----------------------------------------------------------------------------

  /// The first promise that was broken.
  const std::optional<std::string>& violation() const { return violation_; }
  const move_counts& moves() const { return moves_; }
  /// All that is stored.
  const logic::event_fold& fold() const { return fold_; }
  const workflow_ptr& workflow(model::run_no run) const { return workflows_.at(run); }
  bool is_stored(model::run_no run, std::size_t submitted) const {
    const auto stored = submitted_as_.find(run);
    return stored != submitted_as_.end() && stored->second == submitted;
  }
  /// As people type it.
  std::string name_of(model::task_key key);
  /// The task of the specification that it is, or is an instance of.
  const model::task_spec& spec_of(model::task_key key) const;
  const std::set<model::task_key>& held() const { return held_; }
  const std::set<model::task_key>& paused() const { return paused_; }
  /// Tasks that only wait, and what for.
  const std::map<model::task_key, model::wait_reason>& at_gates() const { return gates_.waiting(); }
  std::int64_t seen() const { return seen_; }
  std::uint64_t events_of_operators() const { return events_of_operators_; }

private:
  /// The task starts anew, or is decided: what was promised of its earlier attempts does not hold
  /// any more.
  void note_reset(const model::event& event);
  /// A task that is held is tried again as if it had not been tried, save for what it has kept.
  void note_hold(const model::event& event);
  /// A process's task succeeds or fails because its process did.
  void check_outcome(const model::event& event);
  /// A run that is an attempt belongs to the one that has just begun.
  void note_submission(const model::event& event);
  void note_addition(const model::event& event);
  void note_child(const model::event& event);
  /// A task whose attempt is a run ends as that did.
  void check_child(const model::event& event);
  /// Runs that are attempts last exactly as long as those.
  void check_children();
  bool is_under_way_as_run(model::attempt_key key) const;
  /// A task that is fanned out ends as its instances did.
  void check_instances(const model::event& event);
  /// No more of them run than may at once.
  void check_siblings(const model::start_attempt& order,
                      const std::vector<model::attempt_key>& under_way);
  /// No more of a group run than may at once.
  void check_group(const model::start_attempt& order,
                   const std::vector<model::attempt_key>& under_way);
  void check_budgets(const model::event& event);
  /// What succeeded is undone one after the other, the last first.
  void check_compensation(const model::event& event);
  bool is_completed(model::task_key key) const;
  /// A run that is rolled back has left nothing as it was.
  void check_rolled_back(const model::event& event);
  /// What the task's current attempt runs.
  const model::action& command_of(model::task_key key) const;
  model::command_role role_of(model::task_key key) const;
  /// A retry comes within its budget, and not before it is due.
  void check_retry(const model::event& event);
  void check_key(const model::event& event);
  std::string what_has_key(model::task_key key);
  void check_gate(const model::event& event);
  void compare_gates();
  /// While a breaker is open no attempt of its kind starts before the end of the pause, and nothing
  /// waits for one that is closed.
  void check_breaker(const model::event& event);
  /// What is stored against kinds of tasks is what the events say.
  void compare_breakers();
  /// What is stored for a rollback is what the events say.
  void compare_snapshot(model::task_key key);
  /// A task that is never repeated runs once. To undo it once more is what is safe.
  void check_repetition(const model::start_attempt& order);
  /// Exactly the tasks that wait for a retry have a timer for it, and what is over has none.
  void compare_timers(model::run_no run);
  void compare_run(model::run_no run);
  void compare_tasks(model::run_no run, std::uint32_t from, std::size_t count);
  bool needs_snapshot(model::task_key key) const;
  /// One is taken in the first attempt that gets so far, and handed to the rollback.
  void check_snapshot(const model::start_attempt& order);
  void check_upstreams(const model::attempt_key& key, const logic::folded_run& run);
  bool take_up_parents(logic::scheduler_core& core, const model::stored_run& run);
  void check_recovered(const logic::live_run& live, std::uint32_t task);
  bool may_come_early(const model::event& event) const;
  storage::reader& reader();

  const scenario_node_options& node_;
  const process_deeds& deeds_;
  std::optional<std::string> violation_;
  move_counts moves_{};
  bool clock_was_set_ = false;

  std::unique_ptr<storage::reader> reader_;
  logic::event_fold fold_;
  std::vector<workflow_ptr> submitted_;
  std::map<model::run_no, std::size_t> submitted_as_;
  std::map<model::run_no, workflow_ptr> workflows_; ///< stored
  std::uint64_t events_of_operators_ = 0;
  std::int64_t seen_ = 0;

  std::map<model::attempt_key, model::command_role> roles_; ///< of processes
  std::map<model::task_key, std::string> snapshots_;        ///< that are stored, as told
  std::set<model::task_key> left_out_; ///< tasks of which instances were, as too many had failed
  std::set<model::task_key> bears_;    ///< that succeeded though some of their instances failed
  std::set<model::task_key> fell_back_, rolls_back_, held_, paused_, marked_;
  /// That can be compensated, by the attempt that succeeded, as they did.
  std::map<model::run_no, std::vector<model::attempt_key>> completions_;
  std::map<model::task_key, model::wall_time> retry_at_; ///< as told
  /// What is known against kinds of tasks (workflow, task), as told.
  std::map<std::pair<std::string, std::string>, model::breaker_state> breakers_;
  key_checks keys_;
  std::map<model::attempt_key, model::run_no> children_; ///< runs that are attempts
  group_checks groups_;
  capacity_checks capacity_;
  run_queue_checks run_queue_;
  gate_checks gates_;
  std::map<model::task_key, std::uint64_t> kept_;        ///< progress of each task, as it was told
  std::map<model::task_key, std::uint32_t> reset_after_; ///< the attempt after which it was
};

} // namespace sluice::testing

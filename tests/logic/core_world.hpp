// A scheduler core with hands. A test plays the executors and the store; after every step the
// records are folded, as a store would do it, and compared with what the core holds. Effects are
// carried out at once: holding them back is commit_window's business.
#pragma once

#include "logic/scheduler_core.hpp"
#include "logic/transitions.hpp"
#include "tests/logic/flow.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::logic {

/// A run as its records tell it.
struct recorded_run {
  std::shared_ptr<const model::workflow_spec> spec;
  std::vector<model::task_state> tasks;
  std::vector<std::uint32_t> attempts;
  std::vector<std::string> reasons;                    ///< of each task's last move
  std::vector<std::optional<model::failure>> failures; ///< last one of each task
  std::vector<std::string> inputs;                     ///< of each task's last attempt, JSON text
  std::vector<std::uint32_t> losses;
  std::vector<std::uint32_t> retries;
  std::vector<std::int64_t> finished_us;
  std::vector<bool> has_outputs;
  std::vector<std::uint32_t> generations; ///< in which each task was made pending last
  std::vector<bool> has_started;          ///< in that generation
  std::uint32_t generation = 1;
  bool paused = false;
  std::vector<bool> fell_back;
  std::vector<bool> rolls_back;
  std::vector<bool> is_over; ///< its current attempt
  std::vector<bool> has_snapshot;
  std::map<std::uint32_t, model::failure> stops; ///< why those fail that are being stopped
  std::vector<std::uint32_t> completions;
  std::map<std::uint32_t, std::string> completed_inputs; ///< JSON text
  bool run_rolls_back = false;
  model::value params;
  std::optional<model::attempt_key> parent;
  model::value results;
  model::wall_time submitted_at;
  model::run_state state = model::run_state::running;
  model::state_counts counts{}; ///< as last written
  bool degraded = false;
  std::string error;
  std::string actor; ///< of its last move
  std::vector<model::instance_range> ranges;
  std::vector<model::kept_signal> signals;
  std::map<std::uint32_t, model::wall_time> gates_since; ///< of those that wait
  std::map<std::uint32_t, model::awaited> awaited;       ///< by gates that wait
  std::map<std::uint32_t, model::value> gate_outputs;    ///< of gates that have let through

  model::task_names names() const { return model::task_names{spec, ranges}; }
  std::uint32_t node(std::uint32_t task) const { return names().node(task); }
  /// Instances count in the place of the task they are of.
  bool is_counted(std::uint32_t task) const;
  void resize(std::size_t size);
  bool is_held(std::size_t task) const {
    return tasks[task] == model::task_state::waiting && reasons[task] == "hold";
  }
};

class core_world {
public:
  enum class checking { all, nothing };

  scheduler_core core;
  std::map<model::run_no, recorded_run> runs;
  model::run_no last_run;
  model::wall_time now = model::from_us(1'700'000'000'000'000);
  reaction last; ///< of the latest step
  std::size_t steps = 0;
  std::size_t most_at_once = 0;
  scheduler_core::dispatching mode = scheduler_core::dispatching::allowed;

  std::map<model::task_key, model::start_attempt> under_way;
  std::vector<model::attempt_key> starts; ///< all of them, in order
  std::vector<model::stop_attempt> stops;
  std::vector<model::acknowledge_report> acknowledged;
  std::vector<model::load_outputs> loads;          ///< asked for and not answered yet
  std::vector<model::look_up_key> look_ups;        ///< asked and not answered yet
  std::map<std::string, model::keyed_result> keys; ///< by digest, as stored
  std::map<model::task_key, model::value> reused;  ///< outputs of tasks that took them over
  std::set<model::timer> timers;                   ///< as stored
  /// What is known against kinds of tasks (workflow, task), as stored.
  std::map<std::pair<std::string, std::string>, model::breaker_state> breakers;
  std::map<std::string, model::switch_state> switches;                            ///< as stored
  std::vector<model::quota_pass> passes;                                          ///< likewise
  std::map<std::pair<model::limit_kind, std::string>, model::store_limit> limits; ///< likewise
  std::vector<model::answer_submit> submit_answers;
  std::vector<model::answer_cancel> cancel_answers;
  std::vector<model::answer_control> control_answers;
  std::vector<model::load_run> run_loads; ///< asked for and not answered yet
  std::vector<model::answer_drain> drain_answers;
  std::vector<model::answer_checkpoint> checkpoint_answers;
  std::vector<model::attempt_key> pauses; ///< between saves
  std::vector<std::string> saved;         ///< tokens of checkpoints, in order
  std::vector<std::string> warnings;
  std::vector<model::attempt_key> gone_on;                ///< whose actions began after a snapshot
  std::map<model::task_key, model::capacity_grant> holds; ///< what is under way has beside a slot
  std::vector<model::stored_capacity::start> rate_starts;
  std::optional<model::wall_time> wake_up_at; ///< as it was asked for last
  /// What attempts have used, as stored; of those under way with the time since which they are.
  std::map<model::attempt_key, model::used_by_attempt> used;

  /// Enough room that everything that is ready starts.
  static core_options roomy() {
    core_options options;
    options.slots = 1'000'000;
    return options;
  }
  static core_options with_slots(std::uint32_t slots) {
    auto options = roomy();
    options.slots = slots;
    return options;
  }
  explicit core_world(core_options options = roomy(), checking how = checking::all);
  explicit core_world(const flow& f) : core_world() { submit(f); }
  core_world(const core_world&) = delete;
  core_world& operator=(const core_world&) = delete;
  ~core_world();

  // --- what happens ----------------------------------------------------------------------------

  model::run_no submit(const flow& f);
  model::run_no submit(std::string_view text) { return submit(flow{text}); }

  model::attempt_report report_of(model::attempt_key key) const;
  void report(model::attempt_report what);
  void finish(std::string_view task, model::value outputs = {});
  void fail(std::string_view task, int code = 1,
            model::failure_class type = model::failure_class::exit);
  void lose(std::string_view task);
  void lose_executor(model::executor_kind kind = model::executor_kind::process);
  void take_snapshot(std::string_view task);
  void validating(std::string_view task);
  void confirm(std::string_view task);
  /// All that the task's attempt has used so far.
  void use(std::string_view task, model::value usage);
  void time_out(std::string_view task);
  void cancel(model::cancel_mode how = model::cancel_mode::graceful);
  /// Asks, and reads the run back when it is not in progress.
  expected<model::control_result> control(model::control what);
  void load_run();
  expected<model::control_result> retry(model::retry_scope scope = model::retry_scope::failed,
                                        std::string task = "");
  expected<model::control_result> mark(std::string task, model::task_state as);
  /// Gives the last run the tasks of a flow.
  expected<model::control_result> add(const flow& f);
  void drain(model::drain_mode how);
  /// Answers the oldest question for outputs that is about this task.
  void load(std::string_view task, expected<model::value> outputs);
  /// Answers a question for what a key stands for; the oldest, if it is not said which.
  void look_up(std::size_t which = 0);
  /// The scheduler dies, and another one takes up what is recorded. What runs goes on; questions
  /// for outputs are forgotten.
  void restart();
  model::stored_run stored(model::run_no run_no) const;
  static bool is_completed(const recorded_run& run, std::uint32_t task);
  /// The timer that is set for a task of the last run. @pre there is one
  model::timer timer(std::string_view task,
                     model::timer_kind kind = model::timer_kind::retry) const;
  /// That of the last run itself. @pre there is one
  model::timer run_timer() const;
  /// That of the first group of the last run, or of one kind of the run. @pre there is one
  model::timer group_timer(model::timer_kind kind, std::optional<std::uint32_t> group = 0) const;
  bool has_group_timer(model::timer_kind kind, std::optional<std::uint32_t> group = 0) const;
  /// Lets time pass until a timer is due, and some more.
  void fire(const model::timer& which, model::microseconds late = {});
  void fire(std::string_view task, model::timer_kind kind = model::timer_kind::retry);
  void dispatch();
  /// Lets time pass until the core asked to be woken.
  void wake();
  void step(const model::happening& what);

  /// Ends attempts, oldest first, until none is under way. Tasks named in `failing` fail.
  void play(std::string_view failing = "");

  // --- what is ---------------------------------------------------------------------------------

  const recorded_run& recorded() const { return runs.at(last_run); }
  std::uint32_t index(std::string_view task) const;
  model::task_key key(std::string_view task) const { return {last_run, index(task)}; }
  bool is_under_way(std::string_view task) const { return under_way.count(key(task)) != 0; }
  /// The attempt that is under way.
  model::attempt_key current(std::string_view task) const;
  std::uint32_t attempt(std::string_view task) const { return recorded().attempts[index(task)]; }
  const model::start_attempt& started(std::string_view task) const;
  std::string state(std::string_view task) const;
  /// `a=succeeded b=skipped`, of some tasks or of all.
  std::string states(std::string_view some = "") const;
  std::string run_state() const;
  std::string reason(std::string_view task) const;
  model::failure failure(std::string_view task) const;
  std::string failure_class(std::string_view task) const;
  std::string env(std::string_view task, std::string_view name) const;
  /// Names of the tasks of the last run that are under way, in order of the workflow.
  std::string running() const;

private:
  static constexpr model::microseconds time_of_a_step{1'000};
  model::wall_time tick() { return now += time_of_a_step; }

  std::string oldest() const;

  void take(reaction&& done);

  // The records as a store applies them; what does not fit is collected, and fails in `compare`.
  void expect(bool fits, const std::string& what);
  void fold(const model::run_created& r);
  void fold(const model::run_moved& r);
  void fold(const model::run_paused& r);
  void fold(const model::run_retried& r);
  void fold(const model::tasks_added& r);
  void fold(const model::task_expanded& r);
  void fold(const model::task_reset& r);
  void fold(const model::task_marked& r);
  void fold(const model::task_reused& r);
  void fold(const model::gate_passed& r);
  void fold(const model::signal_received& r);
  void fold(const model::held_retried& r);
  void fold(const model::attempt_dispatched& r);
  void fold(const model::attempt_ended& r);
  bool has_succeeded(const std::string& digest) const;
  /// Nothing is done again that has succeeded with the same key, and nothing twice at once.
  void check_key(model::task_key starting);
  void fold_breaker(const model::attempt_outcome& outcome);
  void fold(const model::task_moved& r);
  void fold(const model::warning_raised& r);
  void fold(const model::progress_made&);
  void fold(const model::usage_noted& r);
  void fold(const model::snapshot_saved& r);
  void fold(const model::checkpoint_saved& r);

  void carry_out(const model::start_attempt& e);
  void carry_out(const model::stop_attempt& e);
  void carry_out(const model::acknowledge_report& e);
  void carry_out(const model::go_on& e);
  void carry_out(const model::load_outputs& e);
  void carry_out(const model::look_up_key& e);
  void carry_out(const model::change_timers& e);
  void carry_out(const model::answer_submit& e);
  void carry_out(const model::answer_cancel& e);
  void carry_out(const model::answer_control& e);
  void carry_out(const model::load_run& e);
  void carry_out(const model::answer_drain& e);
  void carry_out(const model::answer_checkpoint& e);
  void carry_out(const model::pause_checkpoints& e);
  void carry_out(const model::wake_up& e);

  /// Nothing is held that there is not, and no rate is passed.
  void check_holds(const model::attempt_dispatched& r);
  /// What was recorded is what the core holds.
  void compare();

  /// A run that is an attempt lasts as long as that.
  void compare_children();
  bool is_paused(const recorded_run& run) const;

  /// Tasks wait while their breaker is open, and something is to come of it, unless their runs are
  /// paused: a pause ends, or an attempt is the probe, and no other one starts.
  void compare_breakers();

  checking how_;
  core_options options_;
  bool is_restoring_ = false;
  std::string problem_;
  model::request_id last_request_ = 0;
};

} // namespace sluice::logic

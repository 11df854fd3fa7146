// The whole scheduler without threads, clock or store: it takes what happened and the time, changes
// its state, and returns records to commit and effects to release after the commit. Owned by
// SCHEDULER, or by a test; one caller at a time. Its cost follows what happened: a finished task
// touches its dependants' counters and nothing else.
#pragma once

#include "logic/breaker.hpp"
#include "logic/capacity_ledger.hpp"
#include "logic/dispatch_pace.hpp"
#include "logic/live_run.hpp"
#include "logic/reaction.hpp"
#include "logic/ready_order.hpp"
#include "logic/slot_scaling.hpp"
#include "model/event.hpp"
#include "model/question.hpp"
#include "model/stored_run.hpp"

#include <array>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace sluice::logic {

struct core_options {
  std::uint32_t slots = 4; ///< attempts at once, processes and blocking calls
  /// With a backlog there are up to so many, and `slots` without; when it is more.
  std::uint32_t most_slots = 0;
  /// Processes dispatched beyond the slots while attempts are short; their executor holds them back
  /// until a slot is free.
  std::uint32_t dispatch_ahead = 0;
  std::uint32_t asynchronous_calls = 1024; ///< at once, beside the slots
  std::uint32_t child_runs = 1024; ///< at once, of attempts that are runs; at each of their levels
  std::uint32_t crash_limit = 5;   ///< losses a task survives when it says nothing, at most 254
  breaker_options breaker;
  capacity_ledger::options capacity;                ///< what there is beside slots
  std::size_t kept_output_bytes = 16u << 10;        ///< of one task; larger ones are read back
  std::size_t kept_outputs_total_bytes = 64u << 20; ///< of all live runs
  /// Whether a native handler runs without holding a slot; unknown handlers never get here.
  std::function<bool(const std::string& handler)> is_asynchronous;
  handler_lookup has_handler;
  /// Of the text that says what a task's key stands for; it becomes the key in the store.
  /// And of the text of a workflow, which its version has in the store.
  std::function<std::string(const std::string&)> digest = [](const auto& text) { return text; };
  model::run_no next_run{1};
  /// Of all runs of the store, as it holds them; null: nothing.
  std::shared_ptr<const model::stored_gates> gates;
  /// What is ready for so long is told to people.
  model::milliseconds long_wait{600'000};
  /// By how much the machine's own time is ahead of UTC then.
  std::function<model::microseconds(model::wall_time)> local_offset = [](model::wall_time) {
    return model::microseconds{0};
  };
};

/// Counters for metrics and tests.
struct core_statistics {
  std::uint64_t stale_reports = 0; ///< not of the current attempt: dropped
  std::uint64_t attempts_lost = 0;
};

class scheduler_core {
public:
  explicit scheduler_core(core_options options);

  enum class dispatching { allowed, held };

  /// One step: applies what happened, then fills free capacity unless dispatching is held (because
  /// too much is uncommitted).
  reaction react(const model::happening& what, model::wall_time now,
                 dispatching mode = dispatching::allowed);

  /// Takes up a run that the store holds and nobody runs. Attempts that were under way count as
  /// such until their executor tells what became of them. An error, `invalid_argument`, says why it
  /// cannot go on here: a handler that this program does not have. A run that is an attempt of
  /// another one comes after that.
  expected<reaction> restore(const model::stored_run& stored, model::wall_time now);
  /// Takes up what the store holds against kinds of tasks. Once, when all runs are taken up and
  /// before anything happens.
  reaction restore(const std::vector<model::stored_breaker>& stored, model::wall_time now);

  /// Takes up what people allow, and what attempts took of rates. Once, before all runs.
  void restore(const model::stored_capacity& stored, model::wall_time now);

  /// A step of its own that only fills free capacity: there is room again.
  reaction dispatch(model::wall_time now);

  const core_statistics& statistics() const { return statistics_; }
  std::size_t live_runs() const { return runs_.size(); }
  /// Of those that executors run; not those that are runs.
  std::size_t attempts_under_way() const;
  /// All that are set, for a TIMER SERVICE that starts with none.
  std::vector<model::timer> timers() const;
  /// Of outputs that are held in memory for tasks that may read them; of all live runs.
  std::size_t kept_outputs_bytes() const { return kept_outputs_bytes_; }
  /// Whether this is a task's current attempt and under way. A start whose commit took so long that
  /// the attempt was declared lost meanwhile must not be carried out.
  bool is_current(const model::attempt_key& key) const;
  /// What people ask about a run in progress. Errors: `not_found`.
  expected<model::value> answer(model::run_no run, const model::question& asked,
                                model::wall_time now) const;
  /// For tests and reports; null when the run is not live.
  const live_run* find_run(model::run_no run) const;

private:
  void on(const model::run_submitted& e);
  void on(const model::attempt_started& e);
  void on(const model::snapshot_taken& e);
  void on(const model::attempt_validating& e);
  void on(const model::attempt_timed_out& e);
  void on(const model::attempt_finished& e);
  void on(const model::executor_ready& e);
  void on(const model::cancel_requested& e);
  void on(const model::control_requested& e);
  void on(const model::run_loaded& e);
  void on(const model::drain_requested& e);
  void on(const model::outputs_loaded& e);
  static void keep_loaded(const live_run& run, kept_outputs& kept, const model::outputs_loaded& e);
  void on(const model::key_looked_up& e);
  void on(const model::timer_fired& e);
  void on(const model::checkpoint_offered& e);
  void on(const model::checkpoint_pause_over& e);
  void on(const model::progress_told& e);
  void on(const model::usage_told& e);

  // scheduler_control.cpp: what operators ask of runs.
  expected<model::control_result> act(const model::control_requested& asked,
                                      const model::stored_run& run);
  expected<model::control_result> act_live(const model::control_requested& asked, live_run& run);
  expected<model::control_result> retry(const model::stored_run& ended,
                                        const model::retry_run& what);
  expected<model::control_result> rollback(const model::stored_run& ended);
  expected<model::control_result> pause(live_run& run, const model::pause_run& what);
  expected<model::control_result> resume(live_run& run);
  expected<model::control_result> set_paused(const model::stored_run& run, bool paused);

  // scheduler_task_control.cpp: what operators ask of single tasks.
  expected<model::control_result> retry(live_run& run, const model::retry_task& what);
  expected<model::control_result> retry(const model::stored_run& run,
                                        const model::retry_task& what);
  expected<model::control_result> mark(live_run& run, const model::mark_task& what);
  expected<model::control_result> mark(const model::stored_run& run, const model::mark_task& what);
  void record_mark(model::task_key key, std::uint32_t attempt, model::task_state from,
                   model::task_state to, std::optional<model::failure> failure);
  expected<model::control_result> pause(live_run& run, const model::pause_task& what);
  expected<model::control_result> resume(live_run& run, const model::resume_task& what);
  expected<model::control_result> set_paused(const model::stored_run& run, const std::string& name,
                                             bool paused);
  void decide_otherwise(live_run& run, std::uint32_t task, model::task_state as);

  // scheduler_additions.cpp: tasks that a run is given while it is in progress.
  expected<model::control_result> add(live_run& run, const model::add_tasks& what);
  expected<model::control_result> add(const model::stored_run& run, const model::add_tasks& what);
  void take_in(live_run& run, std::shared_ptr<const compiled_workflow> workflow);
  static void read_outputs_later(live_run& run, std::uint32_t task);

  // scheduler_restore.cpp: a run's way back from the store.
  live_run& take_up(std::shared_ptr<const compiled_workflow> workflow,
                    const model::stored_run& stored);
  void go_on(live_run& run, const model::stored_run& stored);
  void restore_task(live_run& run, std::uint32_t task, const model::stored_run& stored);
  static void restore_group(live_run& run, instance_group& group, const model::stored_run& stored);
  void restore_outputs(live_run& run, const model::stored_run& stored);
  void restore_failures(live_run& run, const model::stored_run& stored);
  void judge_again(live_run& run);
  void judge_groups(live_run& run);
  join_verdict verdict_on(const live_run& run, std::uint32_t task) const;

  // scheduler_readiness.cpp: a task's way to `ready`, and the outputs kept for it.
  bool evaluate_env(live_run& run);
  void judge_roots(live_run& run);
  void begin_finally(live_run& run);
  void tell_outcome(live_run& run);
  void apply_verdict(live_run& run, std::uint32_t task, join_verdict verdict);
  void go_on_after_pause(live_run& run, std::uint32_t task);
  void prepare(live_run& run, std::uint32_t task);
  void prepare_instance(live_run& run, std::uint32_t instance);
  bool wait_for_outputs(live_run& run, std::uint32_t task);
  void freeze_undecided(live_run& run, std::uint32_t task);
  bool conditions_hold(live_run& run, std::uint32_t task, const task_expressions& expressions);
  bool holds(live_run& run, std::uint32_t task, const expression& condition, const char* key);
  bool evaluate_values(live_run& run, std::uint32_t task, const task_expressions& expressions);
  void fail_expression(live_run& run, std::uint32_t task, std::string message,
                       const char* code = "expression");
  void make_ready(live_run& run, std::uint32_t task);
  enum class place : std::uint8_t { first, last };
  void make_ready_again(live_run& run, std::uint32_t task, place where);
  void keep_outputs(live_run& run, std::uint32_t task, const model::value& outputs);
  void release_outputs(live_run& run, std::uint32_t task);

  // scheduler_fan_out.cpp: tasks that are done once for each of some items.
  void expand(live_run& run, std::uint32_t task);
  void add_instances(live_run& run, model::instance_range range);
  void feed_instances();
  void feed(live_run& run, std::uint32_t task);
  void admit(live_run& run, std::uint32_t instance);
  void admit_later(live_run& run, std::uint32_t instance);
  void enqueue(live_run& run, std::uint32_t task, place where);
  void unqueue(live_run& run, std::uint32_t task);
  void follow_with_group(live_run& run, std::uint32_t task, model::task_state to);
  static void tally(live_run& run, instance_group& group, std::uint32_t instance);
  void settle_instance(live_run& run, std::uint32_t instance);
  void give_up_instances(live_run& run, instance_group& group);
  void judge_instances(live_run& run, std::uint32_t task);
  void expire_instances(live_run& run, const model::timer& due);
  void fail_instances(live_run& run, std::uint32_t task, const std::string& message);

  // scheduler_retries.cpp: what follows a failed attempt.
  std::optional<model::milliseconds> delay_before_retry(const live_run& run,
                                                        const model::attempt_key& key,
                                                        const model::failure& failure) const;
  void fail_attempt(live_run& run, const model::attempt_report& report, model::failure failure);
  void fail_for_good(live_run& run, const model::attempt_report& report, model::failure failure);
  void hold(live_run& run, const model::attempt_report& report, model::failure failure);
  void retry_is_due(live_run& run, std::uint32_t task, model::wall_time due);
  enum class trouble_of : std::uint8_t { run, siblings };
  void give_up(live_run& run, std::uint32_t task, trouble_of what);

  // scheduler_breakers.cpp: kinds of tasks that keep failing.
  struct task_kind {
    logic::breaker breaker;
    std::set<model::task_key> waiting; ///< for it; of live runs
  };
  task_kind* kind_of(const live_run& run, std::uint32_t task);
  void stir(const live_run& run, std::uint32_t task);
  void stir_kinds_of(const live_run& run);
  bool is_held_back(const live_run& run, std::uint32_t task);
  void wait_for_breaker(live_run& run, std::uint32_t task,
                        std::optional<model::wall_time> due = std::nullopt);
  void wait_until(live_run& run, std::uint32_t task, model::wall_time end_of_pause);
  void breaker_is_due(live_run& run, std::uint32_t task, model::wall_time due);
  void release_from_breaker(live_run& run, std::uint32_t task,
                            std::optional<model::wall_time> due = std::nullopt);
  void release_and_settle(model::task_key key);
  void release_all(task_kind& kind);
  void give_up_probe(const live_run& run, std::uint32_t task);
  void follow_with_breaker(const live_run& run, std::uint32_t task, model::task_state to);
  std::optional<model::breaker_state> judge_kind(const live_run& run, const model::attempt_key& key,
                                                 const std::optional<model::failure>& failure);
  void settle_breakers();
  void settle_step();
  void hold_back(task_kind& kind, const std::string& workflow, const std::string& task_name);
  template <class Visit>
  void for_each_of_kind(const std::string& workflow, const std::string& task_name,
                        const Visit& visit);

  // scheduler_idempotency.cpp: tasks with a key, of which one success is enough.
  struct key_in_use {
    model::task_key holder;            ///< starts, or looks whether it has to
    bool is_first = false;             ///< nobody has succeeded with it, so the holder may start
    std::set<model::task_key> waiting; ///< for what comes of the holder
    std::uint64_t asked = 0;           ///< the last question about it
  };
  bool evaluate_key(live_run& run, std::uint32_t task, const value_template& text);
  void hold_key(live_run& run, std::uint32_t task, const std::string& digest);
  bool may_begin(live_run& run, std::uint32_t task);
  void ask_for_result(const std::string& digest, key_in_use& key);
  bool is_undone(model::task_key task) const;
  void reuse(live_run& run, std::uint32_t task, const model::keyed_result& done);
  void release_key(live_run& run, std::uint32_t task);
  void lend_key(live_run& run, std::uint32_t task);

  // scheduler_gates.cpp: tasks that only wait.
  void begin_gate(live_run& run, std::uint32_t task);
  void begin_wait(live_run& run, std::uint32_t task, const model::value& until);
  void wait_at_gate(live_run& run, std::uint32_t task, model::awaited what);
  void pass_gate(live_run& run, std::uint32_t task, model::gate_passed how);
  void turn_away(live_run& run, std::uint32_t task, model::task_state to, std::string code,
                 std::string message, model::decision whose,
                 std::optional<model::wall_time> due = std::nullopt);
  void gate_is_due(live_run& run, std::uint32_t task, model::wall_time due);
  void leave_gate(live_run& run, std::uint32_t task);
  void begin_hours(live_run& run, std::uint32_t task);
  model::wall_time opening_of(const model::gate_spec& gate) const;

  // scheduler_switches.cpp: switches of the store that tasks need to be open.
  const model::switch_state* closed_for(const live_run& run, std::uint32_t task) const;
  bool stops_at_switch(live_run& run, std::uint32_t task);
  void pass_switch(live_run& run, std::uint32_t task);
  expected<model::control_result> set(const model::set_switch& what);
  void shut_out(const std::string& name, std::vector<std::string>& touched);
  void let_in(const std::string& name, std::vector<std::string>& touched);
  void look_at_switches(live_run& run, const model::stored_run& stored);

  // scheduler_quotas.cpp: gates that let only so many pass in a time.
  struct quota_book {
    std::deque<model::wall_time> passes; ///< the last ones
    std::uint64_t last_number = 0;
    std::set<std::pair<model::wall_time, model::task_key>> waiting; ///< as they came
  };
  void begin_quota(live_run& run, std::uint32_t task);
  std::optional<model::wall_time> room_in(const quota_book& book,
                                          const model::quota_limit& limit) const;
  void pass_quota(live_run& run, std::uint32_t task, quota_book& book,
                  std::optional<model::wall_time> due = std::nullopt);
  void settle_quotas();
  expected<model::control_result> decide_by_hand(live_run& run, const model::decide_gate& what);
  expected<model::control_result> decide_by_hand(const model::stored_run& run,
                                                 const model::decide_gate& what);
  bool take_kept_signal(live_run& run, std::uint32_t task);
  void let_through(live_run& run, std::uint32_t task, const model::kept_signal& signal);
  std::vector<std::string> serve_signals(live_run& run);
  expected<model::control_result> send(live_run& run, const model::send_signal& what);
  expected<model::control_result> send(const model::stored_run& run,
                                       const model::send_signal& what);

  // scheduler_rollback.cpp: what undoes a task, and what undoes a run.
  static void explain_missing_rollback(const live_run& run, std::uint32_t task,
                                       model::failure& why);
  void begin_rollback(live_run& run, std::uint32_t task, model::failure why);
  void end_rollback(live_run& run, const model::attempt_report& report);
  void repeat_rollback(live_run& run, const model::attempt_report& report);
  bool is_under_way(const live_run& run, std::uint32_t task) const;
  void note_completion(live_run& run, std::uint32_t task);
  bool compensate_next(live_run& run);

  // scheduler_children.cpp: attempts that are runs.
  model::run_no begin_run(std::shared_ptr<const compiled_workflow> workflow,
                          const model::submission& what, std::optional<model::attempt_key> parent);
  void start_child(live_run& run, std::uint32_t task, const model::value& params);
  const std::string& hash_of_child(live_run& run, std::uint32_t task);
  void join_parent(live_run& run, const model::attempt_key& parent);
  void take_up_children();
  void stop_children();
  void end_with_children();
  static model::attempt_report report_of(const live_run& child, model::wall_time now);
  void follow_pause(live_run& run, bool stops);
  bool check_params(live_run& run, std::uint32_t task, const model::value& params);

  // scheduler_run_queue.cpp: runs that wait for others of their workflow.
  struct run_line {
    std::uint32_t active = 0;        ///< that have begun, and not ended
    std::set<model::run_no> waiting; ///< for them
  };
  static std::string name_of_line(const live_run& run);
  bool has_to_queue(const live_run& run);
  void enter_line(const live_run& run);
  void leave_line(const live_run& run);
  void begin_next_runs();
  void begin_queued(live_run& run);
  void begin_tasks(live_run& run);
  void cancel_queued(live_run& run, const std::string& reason,
                     std::optional<model::wall_time> due = std::nullopt);

  // scheduler_results.cpp: what a run comes to.
  void end_run(live_run& run);
  bool load_results(live_run& run);
  static void fail_results(live_run& run, std::string why);
  void evaluate_results(live_run& run);

  // scheduler_timers.cpp: durable timers, and what a deadline does.
  void set_timer(live_run& run, timer_slot slot, model::wall_time due);
  void remove_timer(live_run& run, timer_slot slot);
  void set_deadline(live_run& run);
  void set_deadlines(live_run& run, model::wall_time since);
  void set_deadline(live_run& run, std::uint32_t task, model::wall_time since);
  void follow_with_timers(live_run& run, std::uint32_t task, model::task_state to);
  void act_on(live_run& run, const model::timer& due);
  void expire(live_run& run, const model::timer& due, std::string message);
  void expire_run(live_run& run, model::wall_time due);

  // scheduler_groups.cpp: what holds for a group of tasks, and what ends tasks from beside them.
  void begin_timebox(live_run& run, std::uint32_t task);
  void timebox_is_over(live_run& run, const model::timer& due);
  void remove_common_timers(live_run& run);
  void put_off(live_run& run, task_group& group, capacity_pool pool);
  void call_up_group(live_run& run, std::uint32_t task);
  enum class reach : std::uint8_t { what_waits, all };
  void fail_early(live_run& run, std::uint32_t task, model::stop_reason why,
                  const model::failure& failure, reach how_far,
                  std::optional<model::wall_time> due = std::nullopt);
  static model::failure failure_of_stop(live_run& run, std::uint32_t task, const std::string& code);
  void cancel_early(live_run& run, std::uint32_t task, model::cancel_mode mode);
  expected<model::control_result> cancel(live_run& run, const model::cancel_group& what);
  expected<model::control_result> cancel(const model::stored_run& run,
                                         const model::cancel_group& what);

  // scheduler_budgets.cpp: what tasks may use together.
  void make_pots(live_run& run);
  void restore_pots(live_run& run, const model::stored_run& stored);
  void grow_pots(live_run& run, std::uint32_t first, std::uint32_t end);
  template <class Visit>
  void for_each_pot(live_run& run, std::uint32_t task, const Visit& visit);
  static std::optional<model::amount> weight_in(const live_run& run, const pot& pot,
                                                std::uint32_t task);
  void follow_with_pots(live_run& run, std::uint32_t task, model::task_state to);
  void expect_instances(live_run& run, std::uint32_t task, std::uint32_t count);
  void begin_use(live_run& run, std::uint32_t task, model::start_attempt& start);
  void begin_time(live_run& run, std::uint32_t task);
  void end_use(live_run& run, const model::attempt_report& report);
  void settle_pots(live_run& run);
  void stop_for(live_run& run, std::uint32_t index, const excess& why);
  void warn_of(live_run& run, std::uint32_t index);
  void watch_time(live_run& run, std::uint32_t index);

  // scheduler_core.cpp: a run's first state, and what becomes of an attempt.
  expected<std::shared_ptr<const compiled_workflow>>
  compile_here(std::shared_ptr<const model::workflow_spec> spec) const;
  live_run& add_run(model::run_no run_no, std::shared_ptr<const compiled_workflow> workflow,
                    model::value params, model::wall_time submitted_at,
                    std::uint32_t generation = 1);
  void finish(live_run& run, const model::attempt_report& report);
  static model::attempt_report as_given_back(const live_run& run, model::attempt_report report);
  void lose(live_run& run, const model::attempt_report& report);
  enum class next : std::uint8_t { by_state, fallback };
  void end_attempt(live_run& run, const model::attempt_report& report, model::task_state to,
                   std::optional<model::failure> failure, next follows = next::by_state);
  live_run* reported(const model::attempt_key& key);

  // scheduler_dispatch.cpp: which task starts, and when.
  bool has_capacity(const live_run& run, std::uint32_t task, capacity_pool pool);
  bool is_queued(const live_run& run, std::uint32_t task, capacity_pool pool) const;
  bool is_due(const live_run& run, const ready_entry& entry, capacity_pool pool) const;
  void fill_capacity();
  void dispatch_ready();
  bool dispatch_front(capacity_pool pool);
  void dispatch_task(live_run& run, std::uint32_t task);
  model::start_attempt order_for(live_run& run, std::uint32_t task) const;
  void take_capacity(live_run& run, std::uint32_t task);
  void release_capacity(live_run& run, const model::attempt_key& key);
  void call_up(live_run& run);
  capacity_pool pool_of(const live_run& run, std::uint32_t task) const;

  // scheduler_preemption.cpp: which attempts make room for a task with a higher priority.
  struct beneficiary;
  void preempt_for(const live_run& run, std::uint32_t task, ready_order::lane& lane,
                   capacity_pool pool);
  std::vector<model::attempt_key> find_victims(const beneficiary& who) const;
  std::vector<model::attempt_key> let_off_needless(std::vector<model::attempt_key> victims,
                                                   const beneficiary& who) const;
  bool are_enough(const std::vector<model::attempt_key>& victims, const beneficiary& who) const;
  bool may_be_stopped_for(const beneficiary& who, const model::attempt_key& key,
                          model::priority priority) const;
  bool keep_for(const beneficiary& who, const std::vector<model::attempt_key>& victims);
  std::vector<const model::capacity_grant*>
  held_by(const std::vector<model::attempt_key>& attempts) const;

  // scheduler_capacity.cpp: what tasks need beside slots.
  bool evaluate_needs(live_run& run, std::uint32_t task, const capacity_expressions& expressions);
  expected<std::string> limit_key(const live_run& run, std::uint32_t task,
                                  const std::optional<value_template>& text) const;
  bool hold_shape(live_run& run, std::uint32_t task, const capacity_demand& demand);
  void let_go_of_shape(live_run& run, std::uint32_t task);
  void let_go_of_shapes(live_run& run);
  void queue(live_run& run, capacity_pool pool, model::priority base, const ready_entry& entry);
  bool take_needs(live_run& run, std::uint32_t task, ready_order::lane& lane);
  void give_back_needs(live_run& run, std::uint32_t task);
  void restore_needs(live_run& run, std::uint32_t task, const model::stored_run& stored);
  bool take_back_lanes();

  void ask_for_wake_up();

  // scheduler_limits.cpp: what people allow for the whole store.
  expected<model::control_result> set(const model::set_store_limit& what);
  void apply(const model::store_limit& what);
  model::value limits() const;
  void judge_slots();
  // scheduler_explain.cpp: why tasks do not run.
  model::value waits_of(const live_run& run, const model::list_waits& what) const;
  model::wait_reason why_ready_waits(const live_run& run, std::uint32_t task) const;
  model::wait_reason why_held_back(const live_run& run, std::uint32_t task) const;
  model::wait_reason why_waits(const live_run& run, std::uint32_t task) const;
  model::value explain(const live_run& run, std::uint32_t task, model::wall_time now) const;
  void explain_timers(const live_run& run, std::uint32_t task, model::wall_time now,
                      model::value& v) const;
  void explain_needs(shape_id shape, model::value& v) const;
  model::value holders_of(const model::capacity_need& need) const;
  void explain_place(const live_run& run, std::uint32_t task, model::wall_time now,
                     model::value& v) const;

  // scheduler_long_waits.cpp: what has been ready for long.
  void look_for_long_waits();
  void note_long_wait(const ready_entry& entry, capacity_pool pool,
                      std::optional<model::wall_time>& oldest);
  void plan_look();

  // scheduler_checkpoints.cpp: progress that attempts save.
  void record_checkpoint(live_run& run, const model::attempt_key& key);
  void end_checkpoints(live_run& run, const model::attempt_key& key);
  void answer_checkpoints(const std::vector<model::request_id>& requests,
                          const expected<void>& result);

  // scheduler_settling.cpp: a task's end, what follows from it, and the end of the run.
  void change_state(live_run& run, std::uint32_t task, model::task_state to);
  void decide(live_run& run, std::uint32_t task);
  void move_task(live_run& run, std::uint32_t task, model::task_state to, std::string reason,
                 std::optional<model::failure> failure = std::nullopt,
                 std::optional<model::wall_time> due = std::nullopt);
  void move_run(live_run& run, model::run_state to,
                std::optional<model::wall_time> due = std::nullopt);
  void settle(live_run& run);
  void tell_dependents(live_run& run);
  void settle_dependents(live_run& run, std::uint32_t task);
  void judge_failures(live_run& run, std::uint32_t task);
  void count_failure(live_run& run, std::uint32_t task);
  void open_failure(live_run& run, std::uint32_t task);
  void note_failure(live_run& run, std::uint32_t task, const std::string& message);
  void unhandled_failure(live_run& run, std::uint32_t task);
  void recount_failures(live_run& run);
  void count_borne_failures(live_run& run);
  void stop_on_failure(live_run& run);
  std::vector<std::string> stop_attempts(live_run& run);
  void stop_task(live_run& run, std::uint32_t task, model::stop_reason why,
                 std::optional<model::wall_time> due = std::nullopt);
  void ask_to_stop(const live_run& run, std::uint32_t task, model::cancel_mode mode);
  void cancel(live_run& run, model::cancel_mode mode);
  void cancel_tasks(live_run& run, model::cancel_mode mode, const std::string& reason);
  void abandon(live_run& run, const std::string& why);

  /// A fault in one run ends that run; the others go on.
  template <class Work>
  void guarded(live_run& run, const Work& work) {
    try {
      work();
    } catch (const std::exception& e) {
      abandon(run, e.what());
    }
  }
  reaction finish_step();

  core_options options_;
  core_statistics statistics_;
  std::map<model::run_no, live_run> runs_;
  std::array<std::uint32_t, capacity_pool_count> limit_{};
  std::array<std::uint32_t, capacity_pool_count> busy_{};
  dispatch_pace pace_;
  slot_scaling scaling_;
  std::optional<std::uint32_t> allowed_slots_; ///< by people
  std::unique_ptr<capacity_ledger> capacity_;
  /// Attempts that may be stopped for others, the least first.
  std::set<std::pair<model::priority, model::attempt_key>> preemptible_;
  std::set<model::attempt_key> preempting_; ///< being stopped for another task; one at a time
  std::optional<model::wall_time> wake_asked_;
  std::optional<model::wall_time> long_wait_due_; ///< to look for some; nothing is ready without it
  std::uint64_t turns_ = 0;
  std::array<ready_order, capacity_pool_count> order_; ///< may hold decided tasks, and gone runs
  std::array<std::unordered_set<model::attempt_key>, model::executor_kind_count> under_way_;
  std::size_t kept_outputs_bytes_ = 0;
  bool is_draining_ = false;
  std::vector<model::request_id> drains_; ///< not answered yet
  /// What an attempt offered in the pause after its last save; only the latest counts.
  struct held_checkpoint {
    model::checkpoint_ptr what; ///< null: nothing since
    std::vector<model::request_id> waiting;
  };
  std::unordered_map<model::attempt_key, held_checkpoint> saving_; ///< those in such a pause

  /// Asked of runs that are not in progress and are being read back, in order.
  std::map<model::run_no, std::deque<model::control_requested>> asked_;

  /// Of tasks that have failed lately, by workflow and task: few, most of the time none.
  std::map<std::string, std::map<std::string, task_kind>> kinds_;

  /// By digest: keys of tasks that are ready, under way or waiting for one that is.
  std::unordered_map<std::string, key_in_use> keys_;
  std::uint64_t questions_ = 0; ///< about keys, to the store

  /// Runs in progress that are attempts of others.
  std::map<model::attempt_key, model::run_no> children_;
  std::map<std::string, run_line> lines_;             ///< of runs of one workflow at one level
  bool has_all_runs_ = false;                         ///< that were in progress before a restart
  std::map<std::string, model::switch_state> closed_; ///< switches, by name
  std::map<std::string, std::set<model::task_key>> at_switches_; ///< that wait for one to open
  std::map<std::string, quota_book> quotas_;
  std::map<std::pair<model::limit_kind, std::string>, model::store_limit> store_limits_;

  // Of the step in progress.
  model::wall_time now_;
  std::string actor_;
  reaction step_;
  std::set<model::run_no> touched_;
  std::set<model::timer> timers_set_; ///< and not removed again
  /// Kinds whose breaker opened, closed or lost its probe: what follows for their tasks is open.
  std::set<std::pair<std::string, std::string>> stirred_;
  std::set<std::string> stirred_quotas_; ///< whose first one in the queue is another, or may pass
  std::set<model::task_key> hungry_;     ///< fanned-out tasks: room for another instance, perhaps
  bool has_begun_runs_ = false;          ///< whose tasks have not had their turn
  std::size_t begun_tasks_ = 0;          ///< of runs that attempts of the step are
  std::vector<std::pair<model::attempt_key, model::cancel_mode>> child_stops_; ///< not passed on
  std::set<std::string> stirred_lines_;      ///< in which another run may begin
  std::deque<model::run_no> ended_children_; ///< whose attempts have not ended
};

} // namespace sluice::logic

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
  std::vector<std::uint32_t> completions;
  std::map<std::uint32_t, std::string> completed_inputs; ///< JSON text
  bool run_rolls_back = false;
  model::value params;
  model::wall_time submitted_at;
  model::run_state state = model::run_state::running;
  model::state_counts counts{}; ///< as last written
  bool degraded = false;
  std::string error;
  std::string actor; ///< of its last move

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
  std::vector<model::answer_submit> submit_answers;
  std::vector<model::answer_cancel> cancel_answers;
  std::vector<model::answer_control> control_answers;
  std::vector<model::load_run> run_loads; ///< asked for and not answered yet
  std::vector<model::answer_drain> drain_answers;
  std::vector<model::answer_checkpoint> checkpoint_answers;
  std::vector<model::attempt_key> pauses; ///< between saves
  std::vector<std::string> saved;         ///< tokens of checkpoints, in order
  std::vector<std::string> warnings;
  std::vector<model::attempt_key> gone_on; ///< whose actions began after a snapshot

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
  explicit core_world(core_options options = roomy(), checking how = checking::all)
    : core(options), how_(how), options_(std::move(options)) {}
  explicit core_world(const flow& f) : core_world() { submit(f); }

  // --- what happens ----------------------------------------------------------------------------

  model::run_no submit(const flow& f) {
    model::submission request;
    request.workflow = std::make_shared<const model::workflow_spec>(f.spec);
    request.params = f.params;
    step(model::run_submitted{++last_request_, std::move(request)});
    REQUIRE(submit_answers.back().request == last_request_);
    if (submit_answers.back().result)
      last_run = *submit_answers.back().result;
    return last_run;
  }
  model::run_no submit(std::string_view text) { return submit(flow{text}); }

  model::attempt_report report_of(model::attempt_key key) const {
    model::attempt_report report;
    report.key = key;
    report.started_at = now;
    report.finished_at = now;
    return report;
  }
  void report(model::attempt_report what) {
    const auto open = under_way.find(what.key.task());
    auto executor = model::executor_kind::process;
    if (open != under_way.end() && open->second.key == what.key) {
      executor = executor_of(open->second.action());
      under_way.erase(open);
    }
    step(model::attempt_finished{std::move(what), executor});
  }
  void finish(std::string_view task, model::value outputs = {}) {
    auto what = report_of(current(task));
    what.outputs = std::move(outputs);
    report(std::move(what));
  }
  void fail(std::string_view task, int code = 1,
            model::failure_class type = model::failure_class::exit) {
    auto what = report_of(current(task));
    what.failure = {type, std::to_string(code), "exit code " + std::to_string(code)};
    report(std::move(what));
  }
  void lose(std::string_view task) {
    auto what = report_of(current(task));
    what.failure = {model::failure_class::lost, "", "its worker died"};
    report(std::move(what));
  }
  void lose_executor(model::executor_kind kind = model::executor_kind::process) {
    std::erase_if(under_way,
                  [&](const auto& open) { return executor_of(open.second.action()) == kind; });
    step(model::executor_ready{kind, {}});
  }
  void take_snapshot(std::string_view task) {
    step(model::snapshot_taken{current(task), std::make_shared<const std::string>("as it was")});
  }
  void validating(std::string_view task) { step(model::attempt_validating{current(task)}); }
  void confirm(std::string_view task) { step(model::attempt_started{current(task)}); }
  void time_out(std::string_view task) { step(model::attempt_timed_out{current(task)}); }
  void cancel(model::cancel_mode how = model::cancel_mode::graceful) {
    step(model::cancel_requested{++last_request_, last_run, how, "operator"});
  }
  /// Asks, and reads the run back when it is not in progress.
  expected<model::control_result> control(model::control what) {
    step(model::control_requested{++last_request_, last_run, std::move(what), "operator"});
    while (!run_loads.empty())
      load_run();
    REQUIRE(control_answers.back().request == last_request_);
    return control_answers.back().result;
  }
  void load_run() {
    const auto run_no = run_loads.front().run_no;
    run_loads.erase(run_loads.begin());
    model::run_loaded loaded{run_no, sluice::fail(errc::not_found, "there is no such run")};
    if (runs.contains(run_no))
      loaded.run = std::make_shared<const model::stored_run>(stored(run_no));
    step(loaded);
  }
  expected<model::control_result> retry(model::retry_scope scope = model::retry_scope::failed,
                                        std::string task = "") {
    return control(model::retry_run{scope, std::move(task)});
  }
  expected<model::control_result> mark(std::string task, model::task_state as) {
    return control(model::mark_task{std::move(task), as});
  }
  void drain(model::drain_mode how) { step(model::drain_requested{++last_request_, how}); }
  /// Answers the oldest question for outputs that is about this task.
  void load(std::string_view task, expected<model::value> outputs) {
    const auto asked = std::find_if(loads.begin(), loads.end(), [&](const auto& l) {
      return l.run_no == last_run && l.task_idx == index(task);
    });
    REQUIRE(asked != loads.end());
    loads.erase(asked);
    step(model::outputs_loaded{last_run, index(task), std::move(outputs)});
  }
  /// Answers a question for what a key stands for; the oldest, if it is not said which.
  void look_up(std::size_t which = 0) {
    const auto asked = look_ups.at(which);
    look_ups.erase(look_ups.begin() + std::ptrdiff_t(which));
    model::key_looked_up answer{asked.task, asked.digest, std::nullopt};
    if (has_succeeded(asked.digest))
      answer.found = keys.at(asked.digest);
    step(answer);
  }
  /// The scheduler dies, and another one takes up what is recorded. What runs goes on; questions
  /// for outputs are forgotten.
  void restart() {
    loads.clear();
    look_ups.clear();
    run_loads.clear();
    options_.next_run = {std::int64_t(runs.size()) + 1};
    core = scheduler_core{options_};
    std::vector<model::run_no> live;
    for (const auto& [run_no, run] : runs)
      if (!is_terminal(run.state))
        live.push_back(run_no);
    is_restoring_ = true; // what comes later is missing until the end
    for (const auto run_no : live) {
      auto restored = core.restore(stored(run_no), tick());
      REQUIRE(restored);
      take(std::move(*restored));
    }
    is_restoring_ = false;
    std::vector<model::stored_breaker> known;
    for (const auto& [kind, state] : breakers)
      known.push_back({kind.first, kind.second, state});
    take(core.restore(known, tick()));
  }
  model::stored_run stored(model::run_no run_no) const {
    const auto& run = runs.at(run_no);
    model::stored_run all;
    all.run_no = run_no;
    all.workflow = run.spec;
    all.params = run.params;
    all.state = run.state;
    all.generation = run.generation;
    all.paused = run.paused;
    all.submitted_at = run.submitted_at;
    all.rolls_back = run.run_rolls_back;
    all.error = run.error;
    all.completions = run.completions;
    for (const auto& timer : timers)
      if (timer.run_no == run_no)
        all.timers.push_back(timer);
    for (std::uint32_t i = 0; i < run.tasks.size(); ++i) {
      all.tasks.push_back({.state = run.tasks[i],
                           .losses = std::uint8_t(run.losses[i]),
                           .has_outputs = run.has_outputs[i],
                           .started = run.has_started[i],
                           .kept = run.generations[i] < run.generation,
                           .fell_back = run.fell_back[i],
                           .rolls_back = run.rolls_back[i],
                           .is_waiting = run.rolls_back[i] && run.is_over[i],
                           .completed = is_completed(run, i),
                           .attempt = run.attempts[i],
                           .finished_us = run.finished_us[i]});
      if ((run.retries[i] > 0 || run.is_held(i)) && !is_terminal(run.tasks[i]))
        all.retries.emplace(
          i, model::stored_retries{run.retries[i], run.failures[i].value_or(model::failure{})});
      if (!run.reasons[i].empty())
        all.reasons.emplace(i, run.reasons[i]);
      if (run.failures[i])
        all.messages.emplace(i, run.failures[i]->message);
      if (run.rolls_back[i] && !is_completed(run, i) && !is_terminal(run.tasks[i]))
        all.rollbacks.emplace(i, run.failures[i].value());
      for (const auto& [digest, known] : keys)
        if (known.task == model::task_key{run_no, i})
          all.keys.emplace(i, digest);
      if (run.has_snapshot[i])
        all.snapshots.insert(i);
      if (!run.inputs[i].empty())
        all.inputs.emplace(i, *model::parse_json(run.inputs[i]));
    }
    for (const auto& [i, text] : run.completed_inputs)
      if (!text.empty())
        all.inputs.insert_or_assign(i, *model::parse_json(text));
    return all;
  }
  static bool is_completed(const recorded_run& run, std::uint32_t task) {
    return run.completed_inputs.count(task) != 0;
  }
  /// The timer that is set for a task of the last run. @pre there is one
  model::timer timer(std::string_view task,
                     model::timer_kind kind = model::timer_kind::retry) const {
    const auto set = std::find_if(timers.begin(), timers.end(), [&](const auto& t) {
      return t.run_no == last_run && t.task_idx == index(task) && t.kind == kind;
    });
    INFO("timer of task " << task);
    REQUIRE(set != timers.end());
    return *set;
  }
  /// That of the last run itself. @pre there is one
  model::timer run_timer() const {
    const auto set = std::find_if(timers.begin(), timers.end(), [&](const auto& t) {
      return t.run_no == last_run && !t.task_idx;
    });
    REQUIRE(set != timers.end());
    return *set;
  }
  /// Lets time pass until a timer is due, and some more.
  void fire(const model::timer& which, model::microseconds late = {}) {
    now = std::max(now, which.due + late - time_of_a_step);
    step(model::timer_fired{which});
  }
  void fire(std::string_view task, model::timer_kind kind = model::timer_kind::retry) {
    fire(timer(task, kind));
  }
  void dispatch() { take(core.dispatch(tick())); }
  void step(const model::happening& what) { take(core.react(what, tick(), mode)); }

  /// Ends attempts, oldest first, until none is under way. Tasks named in `failing` fail.
  void play(std::string_view failing = "") {
    const auto names = words(failing);
    for (std::string name; !(name = oldest()).empty();)
      if (std::find(names.begin(), names.end(), name) == names.end())
        finish(name);
      else
        fail(name);
  }

  // --- what is ---------------------------------------------------------------------------------

  const recorded_run& recorded() const { return runs.at(last_run); }
  std::uint32_t index(std::string_view task) const {
    const auto& tasks = recorded().spec->tasks;
    const auto found =
      std::find_if(tasks.begin(), tasks.end(), [&](const auto& t) { return t.name == task; });
    REQUIRE(found != tasks.end());
    return static_cast<std::uint32_t>(found - tasks.begin());
  }
  model::task_key key(std::string_view task) const { return {last_run, index(task)}; }
  bool is_under_way(std::string_view task) const { return under_way.count(key(task)) != 0; }
  /// The attempt that is under way.
  model::attempt_key current(std::string_view task) const {
    INFO("task " << task);
    REQUIRE(is_under_way(task));
    return under_way.at(key(task)).key;
  }
  std::uint32_t attempt(std::string_view task) const { return recorded().attempts[index(task)]; }
  const model::start_attempt& started(std::string_view task) const {
    current(task);
    return under_way.at(key(task));
  }
  std::string state(std::string_view task) const {
    const auto* live = core.find_run(last_run);
    return std::string{
      to_string(live != nullptr ? live->tasks[index(task)].state : recorded().tasks[index(task)])};
  }
  /// `a=succeeded b=skipped`, of some tasks or of all.
  std::string states(std::string_view some = "") const {
    auto names = words(some);
    if (names.empty())
      for (const auto& task : recorded().spec->tasks)
        names.push_back(task.name);
    std::string text;
    for (const auto& name : names)
      text += (text.empty() ? "" : " ") + name + "=" + state(name);
    return text;
  }
  std::string run_state() const { return std::string{to_string(recorded().state)}; }
  std::string reason(std::string_view task) const { return recorded().reasons[index(task)]; }
  model::failure failure(std::string_view task) const {
    INFO("task " << task);
    REQUIRE(recorded().failures[index(task)].has_value());
    return *recorded().failures[index(task)];
  }
  std::string failure_class(std::string_view task) const {
    return std::string{to_string(failure(task).failure_class)};
  }
  std::string env(std::string_view task, std::string_view name) const {
    for (const auto& [key, text] : started(task).env)
      if (key == name)
        return text;
    return "(unset)";
  }
  /// Names of the tasks of the last run that are under way, in order of the workflow.
  std::string running() const {
    std::string text;
    for (const auto& [task, start] : under_way)
      if (task.run_no == last_run)
        text += (text.empty() ? "" : " ") + start.spec().name;
    return text;
  }

private:
  static constexpr model::microseconds time_of_a_step{1'000};
  model::wall_time tick() { return now += time_of_a_step; }

  std::string oldest() const {
    const model::start_attempt* first = nullptr;
    for (const auto& [task, start] : under_way)
      if (task.run_no == last_run && (first == nullptr || start.key.attempt < first->key.attempt))
        first = &start;
    return first == nullptr ? std::string{} : first->spec().name;
  }

  void take(reaction&& done) {
    ++steps;
    last = std::move(done);
    for (const auto& record : last.records)
      std::visit([this](const auto& r) { fold(r); }, record);
    for (const auto& counts : last.counts)
      runs.at(counts.run_no).counts = counts.counts;
    for (const auto& removed : last.timers.removed)
      expect(timers.erase(removed) == 1, "a timer is removed that is not set");
    for (const auto& set : last.timers.set)
      expect(timers.insert(set).second, "a timer is set twice");
    for (const auto& effect : last.effects)
      std::visit([this](const auto& e) { carry_out(e); }, effect);
    most_at_once = std::max(most_at_once, under_way.size());
    if (how_ == checking::all && !is_restoring_)
      compare();
  }

  // The records as a store applies them; what does not fit is collected, and fails in `compare`.
  void expect(bool fits, const std::string& what) {
    if (!fits && problem_.empty())
      problem_ = what;
  }
  void fold(const model::run_created& r) {
    expect(runs.count(r.run_no) == 0, "a run is created twice");
    auto& run = runs[r.run_no];
    run.spec = r.request.workflow;
    const auto size = run.spec->tasks.size();
    run.tasks.assign(size, model::task_state::pending);
    run.attempts.assign(size, 0);
    run.reasons.resize(size);
    run.failures.resize(size);
    run.inputs.resize(size);
    run.losses.resize(size);
    run.retries.resize(size);
    run.finished_us.resize(size);
    run.has_outputs.resize(size);
    run.generations.assign(size, 1);
    run.has_started.resize(size);
    run.fell_back.resize(size);
    run.rolls_back.resize(size);
    run.is_over.resize(size);
    run.has_snapshot.resize(size);
    run.params = r.request.params;
    run.submitted_at = r.at;
  }
  void fold(const model::run_moved& r) {
    auto& run = runs.at(r.run_no);
    expect(run.state == r.from, "a run moves from a state it is not in");
    expect(!is_terminal(r.to)
             || std::all_of(run.tasks.begin(), run.tasks.end(),
                            [](auto s) { return model::is_terminal(s); }),
           "a run ends before its tasks");
    expect(is_legal(r.from, r.to), "a run moves where it cannot go");
    run.run_rolls_back = run.run_rolls_back || r.to == model::run_state::rolling_back;
    run.paused = run.paused && !is_terminal(r.from);
    run.state = r.to;
    run.degraded = r.degraded;
    run.error = r.error;
    run.actor = r.actor;
  }
  void fold(const model::run_paused& r) {
    auto& run = runs.at(r.run_no);
    expect(run.paused != r.is_paused && !is_terminal(run.state), "a pause of what is paused");
    run.paused = r.is_paused;
  }
  void fold(const model::run_retried& r) {
    auto& run = runs.at(r.run_no);
    expect(run.state == r.from && is_terminal(r.from), "a run is retried that has not ended");
    expect(r.generation == run.generation + 1, "generations are not counted in order");
    run.state = model::run_state::running;
    run.generation = r.generation;
    run.paused = run.run_rolls_back = false;
    run.error.clear();
    run.degraded = false;
    run.actor = r.actor;
  }
  void fold(const model::task_reset& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.tasks.at(idx) == r.from && is_terminal(r.from), "an undecided task is reset");
    expect(run.attempts[idx] == r.attempt, "a task is reset with another attempt");
    expect(run.generation == r.generation, "a task is reset in another generation");
    reused.erase(r.key);
    run.tasks[idx] = model::task_state::pending;
    run.generations[idx] = r.generation;
    run.has_started[idx] = false;
    run.fell_back[idx] = run.rolls_back[idx] = run.has_snapshot[idx] = false;
    std::erase(run.completions, idx);
    run.completed_inputs.erase(idx);
    run.losses[idx] = run.retries[idx] = 0;
    run.finished_us[idx] = 0;
    run.has_outputs[idx] = false;
    run.reasons[idx].clear();
    run.failures[idx].reset();
    run.inputs[idx].clear();
  }
  void fold(const model::task_marked& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.tasks.at(idx) == as_stored(r.from), "a task is marked from another state");
    expect(run.attempts[idx] == r.attempt, "a task is marked with another attempt");
    run.tasks[idx] = r.to;
    run.reasons[idx] = "mark";
    run.has_snapshot[idx] = run.has_snapshot[idx] && r.to == model::task_state::failed;
    run.failures[idx] = r.failure;
    run.finished_us[idx] = model::to_us(r.at);
  }
  void fold(const model::task_reused& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.tasks.at(idx) == as_stored(r.from), "a result is taken over from another state");
    expect(run.attempts[idx] == r.attempt, "a result is taken over with another attempt");
    expect(runs.at(r.of.run_no).tasks.at(r.of.task_idx) == model::task_state::succeeded,
           "the result of what did not succeed is taken over");
    reused.emplace(r.key, r.outputs);
    run.tasks[idx] = model::task_state::succeeded;
    run.reasons[idx].clear();
    run.has_outputs[idx] = !r.outputs.is_null();
    run.has_snapshot[idx] = false;
    run.finished_us[idx] = model::to_us(r.at);
  }
  void fold(const model::held_retried& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.is_held(idx), "a task is tried again that was not held");
    expect(run.attempts[idx] == r.attempt, "a task is tried again with another attempt");
    run.tasks[idx] = model::task_state::pending;
    run.reasons[idx].clear();
    run.losses[idx] = run.retries[idx] = 0;
    run.fell_back[idx] = false;
  }
  void fold(const model::attempt_dispatched& r) {
    check_key(r.key.task());
    if (r.key_digest.is_set())
      keys[*r.key_digest] = {r.key.task(), {}};
    auto& run = runs.at(r.key.run_no);
    expect(r.generation == run.generation, "an attempt is of another generation");
    expect(!run.paused, "an attempt of a paused run is dispatched");
    run.has_started[r.key.task_idx] = true;
    auto& state = run.tasks.at(r.key.task_idx);
    const auto idx = r.key.task_idx;
    const bool undone = undoes(r.role);
    expect(state == (undone ? model::task_state::rolling_back : model::task_state::pending),
           "a dispatched task was not pending");
    run.is_over[idx] = false;
    expect(++run.attempts[r.key.task_idx] == r.key.attempt, "attempts are not counted in order");
    run.inputs[r.key.task_idx] = r.inputs;
    expect(r.role
             == (is_completed(run, idx) ? model::command_role::compensate
                 : run.rolls_back[idx]  ? model::command_role::rollback
                 : run.fell_back[idx]   ? model::command_role::fallback
                                        : model::command_role::action),
           "an attempt runs another command than it should");
    if (!undone)
      state = model::task_state::dispatched;
  }
  void fold(const model::attempt_ended& r) {
    const auto& outcome = r.outcome;
    auto& run = runs.at(outcome.key.run_no);
    const auto idx = outcome.key.task_idx;
    expect(run.attempts.at(idx) == outcome.key.attempt, "an attempt ends that is not current");
    expect(run.tasks[idx] == as_stored(outcome.from), "an attempt ends from another state");
    expect(is_active(outcome.from), "an attempt ends that was not under way");
    expect((outcome.state == model::task_state::succeeded
            || outcome.state == model::task_state::rolled_back)
             != outcome.failure.has_value(),
           "only what did not succeed has a failure");
    run.tasks[idx] = as_stored(outcome.state);
    run.is_over[idx] = true;
    if (is_terminal(outcome.state) ? outcome.failure.has_value() : !run.rolls_back[idx])
      run.failures[idx] = outcome.failure; // why it rolls back stays until that fails too
    run.losses[idx] = outcome.losses;
    run.retries[idx] = outcome.retries;
    run.has_outputs[idx] = run.has_outputs[idx] || !outcome.outputs.is_null();
    const bool needs_none = outcome.state == model::task_state::succeeded
                            || outcome.state == model::task_state::rolled_back;
    expect(outcome.drops_snapshot == (needs_none && run.has_snapshot[idx]),
           "a snapshot is dropped at another time");
    run.has_snapshot[idx] = run.has_snapshot[idx] && !needs_none;
    if (outcome.is_completion) {
      expect(outcome.state == model::task_state::succeeded && !is_completed(run, idx),
             "what did not succeed is to be compensated");
      run.completions.push_back(idx);
      run.completed_inputs[idx] = run.inputs[idx];
    }
    expect(!outcome.falls_back || !run.fell_back[idx], "a task falls back twice");
    run.fell_back[idx] = run.fell_back[idx] || outcome.falls_back;
    run.finished_us[idx] = model::to_us(outcome.finished_at);
    if (outcome.state != model::task_state::cancelled)
      run.reasons[idx].clear(); // as the store does
    if (outcome.key_digest.is_set())
      keys[*outcome.key_digest] = {outcome.key.task(), outcome.outputs};
    if (outcome.state == model::task_state::waiting)
      run.reasons[idx] = "hold";
    fold_breaker(outcome);
  }
  bool has_succeeded(const std::string& digest) const {
    const auto known = keys.find(digest);
    if (known == keys.end())
      return false;
    const auto task = known->second.task;
    return runs.at(task.run_no).tasks[task.task_idx] == model::task_state::succeeded;
  }
  /// Nothing is done again that has succeeded with the same key, and nothing twice at once.
  void check_key(model::task_key starting) {
    const auto* live = core.find_run(starting.run_no);
    const auto key = live->keys.find(starting.task_idx);
    if (key == live->keys.end() || runs.at(starting.run_no).rolls_back[starting.task_idx])
      return;
    expect(!has_succeeded(key->second), "what has succeeded with a key starts again");
    for (const auto& [task, start] : under_way) {
      const auto& other = core.find_run(task.run_no)->keys;
      const auto held = other.find(task.task_idx);
      expect(task == starting || held == other.end() || held->second != key->second,
             "two tasks with the same key run at once");
    }
  }
  void fold_breaker(const model::attempt_outcome& outcome) {
    using enum model::failure_class;
    const auto& run = runs.at(outcome.key.run_no);
    const auto idx = outcome.key.task_idx;
    if ((run.fell_back[idx] && !outcome.falls_back) || run.rolls_back[idx])
      return expect(!outcome.breaker, "another command says something about the action");
    const std::pair kind{run.spec->name, run.spec->tasks[outcome.key.task_idx].name};
    const auto known = breakers.find(kind);
    const auto before = known == breakers.end() ? model::breaker_state{} : known->second;
    const std::set counted{exit, transient, timeout, heartbeat, validation, resource};
    const auto& policy =
      setting_of(*run.spec, run.spec->tasks[outcome.key.task_idx], &model::task_settings::retry);
    const bool stops =
      policy && outcome.failure
      && std::any_of(policy->stop_on.begin(), policy->stop_on.end(), [&](const auto& pattern) {
           return pattern.failure_class == outcome.failure->failure_class
                  && (pattern.code.empty() || pattern.code == outcome.failure->code);
         });
    const bool counts =
      outcome.failure && counted.count(outcome.failure->failure_class) != 0 && !stops;
    if (!outcome.breaker) {
      expect(!counts && (outcome.failure || before.failures == 0),
             "an attempt says something about its kind, and it is not told");
      return;
    }
    const auto& after = *outcome.breaker;
    expect(counts || !outcome.failure, "an attempt says nothing about its kind");
    expect(after.failures == (counts ? before.failures + 1 : 0), "failures are not counted");
    expect(after.open_until.has_value() == (after.failures >= options_.breaker.failures),
           "a breaker opens at another time");
    expect(!after.open_until || after.open_until == before.open_until
             || *after.open_until == now + options_.breaker.pause,
           "a breaker is open for another time");
    if (after.failures == 0)
      breakers.erase(kind);
    else
      breakers[kind] = after;
  }
  void fold(const model::task_moved& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.tasks.at(idx) == as_stored(r.from), "a task moves from another state");
    expect(run.attempts[idx] == r.attempt, "a task moves with another attempt");
    run.tasks[idx] = as_stored(r.to);
    run.reasons[idx] = r.reason;
    const bool compensates = r.from == model::task_state::succeeded;
    if (r.to == model::task_state::rolling_back
        && (compensates || r.from == model::task_state::failed)) {
      expect(compensates ? is_completed(run, idx) : !run.rolls_back[idx],
             "a task rolls back twice, or what never succeeded is compensated");
      run.rolls_back[idx] = true;
      run.losses[idx] = 0;
    }
    run.finished_us[idx] = model::to_us(r.at);
    if (r.failure)
      run.failures[idx] = r.failure;
  }
  void fold(const model::warning_raised& r) { warnings.push_back(r.message); }
  void fold(const model::progress_made&) {}
  void fold(const model::snapshot_saved& r) {
    auto& run = runs.at(r.key.run_no);
    const auto idx = r.key.task_idx;
    expect(run.attempts.at(idx) == r.key.attempt, "a snapshot is not of the current attempt");
    expect(run.tasks[idx] == model::task_state::dispatched, "what does not run takes a snapshot");
    expect(!run.has_snapshot[idx], "a task takes a second snapshot");
    run.has_snapshot[idx] = true;
  }
  void fold(const model::checkpoint_saved& r) {
    const auto& run = runs.at(r.key.run_no);
    expect(run.attempts.at(r.key.task_idx) == r.key.attempt,
           "a save is not of the current attempt");
    expect(is_active(run.tasks[r.key.task_idx]), "what does not run saves its progress");
    saved.push_back(r.what->token);
  }

  void carry_out(const model::start_attempt& e) {
    expect(core.is_current(e.key), "an attempt is started that is not current");
    const auto& run = runs.at(e.key.run_no);
    const bool is_rollback = e.role == model::command_role::rollback;
    const bool needs_one =
      command_for(*e.workflow, e.spec(), model::command_role::snapshot) != nullptr
      && executor_of(e.spec().action) == model::executor_kind::process;
    const bool has_one = run.has_snapshot[e.key.task_idx];
    expect(e.takes_snapshot
             == (needs_one && !has_one && !undoes(e.role)
                 && executor_of(e.action()) == model::executor_kind::process),
           "an attempt takes a snapshot, or none, that should not");
    expect(e.has_snapshot == (is_rollback && has_one) && (!is_rollback || has_one == needs_one),
           "a rollback is not given its snapshot");
    expect(e.key.task_idx == e.task, "a start names another task");
    expect(under_way.emplace(e.key.task(), e).second, "a task has two attempts at once");
    starts.push_back(e.key);
  }
  void carry_out(const model::stop_attempt& e) {
    expect(under_way.count(e.key.task()) != 0, "what does not run is stopped");
    stops.push_back(e);
  }
  void carry_out(const model::acknowledge_report& e) { acknowledged.push_back(e); }
  void carry_out(const model::go_on& e) {
    expect(runs.at(e.key.run_no).has_snapshot[e.key.task_idx],
           "an action begins whose snapshot is not stored");
    gone_on.push_back(e.key);
  }
  void carry_out(const model::load_outputs& e) { loads.push_back(e); }
  void carry_out(const model::look_up_key& e) { look_ups.push_back(e); }
  void carry_out(const model::change_timers& e) {
    expect(e.what.set == last.timers.set && e.what.removed == last.timers.removed,
           "other timers are armed than stored");
  }
  void carry_out(const model::answer_submit& e) { submit_answers.push_back(e); }
  void carry_out(const model::answer_cancel& e) { cancel_answers.push_back(e); }
  void carry_out(const model::answer_control& e) { control_answers.push_back(e); }
  void carry_out(const model::load_run& e) { run_loads.push_back(e); }
  void carry_out(const model::answer_drain& e) { drain_answers.push_back(e); }
  void carry_out(const model::answer_checkpoint& e) { checkpoint_answers.push_back(e); }
  void carry_out(const model::pause_checkpoints& e) { pauses.push_back(e.key); }

  /// What was recorded is what the core holds.
  void compare() {
    expect(core.attempts_under_way() == under_way.size(), "the core counts other attempts");
    std::size_t live_runs = 0;
    for (const auto& [run_no, run] : runs) {
      const auto* live = core.find_run(run_no);
      expect((live == nullptr) == is_terminal(run.state), "a run is live that has ended");
      model::state_counts counts{};
      for (const auto state : run.tasks)
        ++counts[std::size_t(state)];
      expect(counts == run.counts, "the counts written last are not those of the states");
      if (live == nullptr)
        continue;
      ++live_runs;
      expect(live->counts == counts, "the core counts other states");
      expect(live->state == run.state, "the core has another state of the run");
      for (std::size_t i = 0; i < run.tasks.size(); ++i) {
        expect(as_stored(live->tasks[i].state) == run.tasks[i], "the core has another state");
        expect(live->tasks[i].attempt == run.attempts[i], "the core has another attempt");
        expect(live->held.contains(std::uint32_t(i)) == run.is_held(i), "the core holds others");
        expect(run.tasks[i] == model::task_state::paused // which may have waited for one
                 || (run.tasks[i] == model::task_state::retry_wait)
                      == live->timers.contains({std::uint32_t(i), model::timer_kind::retry}),
               "a task waits for a retry that never comes, or a retry comes that nobody waits for");
      }
    }
    compare_breakers();
    for (const auto& timer : timers) {
      const auto* live = core.find_run(timer.run_no);
      expect(live != nullptr, "a timer is set for a run that has ended");
      if (live == nullptr || !timer.task_idx)
        continue;
      const auto state = live->tasks[*timer.task_idx].state;
      expect(!is_terminal(state), "a timer is set for a task that is decided");
      expect(timer.kind != model::timer_kind::queue_timeout
               || as_stored(state) == model::task_state::pending,
             "a task that is not in the queue has a timer for it");
      expect(timer.kind != model::timer_kind::breaker || state == model::task_state::waiting,
             "a task that does not wait for its breaker has a timer for it");
    }
    const auto held = core.timers();
    expect(std::set<model::timer>(held.begin(), held.end()) == timers,
           "the core holds other timers than are stored");
    expect(core.live_runs() == live_runs, "the core holds another number of runs");
    expect(live_runs > 0 || core.kept_outputs_bytes() == 0, "outputs are kept for nobody");
    REQUIRE(problem_ == "");
  }

  /// Tasks wait while their breaker is open, and something is to come of it, unless their runs are
  /// paused: a pause ends, or an attempt is the probe, and no other one starts.
  void compare_breakers() {
    struct members {
      std::size_t waiting = 0, awake = 0, timed = 0, queued = 0, others = 0;
    };
    std::map<std::pair<std::string, std::string>, members> kinds;
    for (const auto& [run_no, run] : runs) {
      const auto* live = core.find_run(run_no);
      for (std::uint32_t i = 0; live != nullptr && i < live->tasks.size(); ++i) {
        auto& kind = kinds[{run.spec->name, run.spec->tasks[i].name}];
        const auto state = live->tasks[i].state;
        if (!live->tasks[i].does_its_action())
          continue;
        const bool waits = state == model::task_state::waiting && run.reasons[i] == "breaker";
        kind.waiting += waits;
        kind.awake += waits && !run.paused;
        kind.timed += live->timers.contains({i, model::timer_kind::breaker});
        kind.queued += state == model::task_state::ready;
        const bool asks = state == model::task_state::pending && live->keys.contains(i);
        kind.others += is_active(state) || live->tasks[i].loads > 0 || asks;
      }
    }
    for (const auto& [name, kind] : kinds) {
      const auto known = breakers.find(name);
      const bool is_open = known != breakers.end() && known->second.open_until;
      expect(is_open || kind.waiting == 0, "tasks wait for a breaker that is closed");
      expect(!is_open || kind.queued <= 1, "more than the probe is ready behind an open breaker");
      expect(kind.awake == 0 || kind.timed + kind.queued + kind.others > 0,
             "tasks wait for a breaker that nobody probes");
    }
  }

  checking how_;
  core_options options_;
  bool is_restoring_ = false;
  std::string problem_;
  model::request_id last_request_ = 0;
};

} // namespace sluice::logic

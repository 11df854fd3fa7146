#include "testing/scenario.hpp"

#include "logic/compiled_workflow.hpp"
#include "logic/event_fold.hpp"
#include "logic/scheduler_core.hpp"
#include "storage/open.hpp"
#include "testing/key_checks.hpp"
#include "testing/random_workflow.hpp"
#include "testing/scenario_node.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <memory>
#include <set>

namespace sluice::testing {
namespace {

using model::task_state;

/// Far more than the longest scenario needs.
constexpr std::size_t most_steps = 2'000'000;
/// So often in a row there is nothing to do but to let time pass: then something waits forever.
constexpr std::size_t most_idle_steps = 5'000;
/// After so many of them time passes faster: a timer that was being set when the wall clock jumped
/// may be due in a day.
constexpr std::size_t patient_idle_steps = 1'000;

std::string unique_store_name() {
  static std::atomic<std::uint64_t> count{0};
  return "scenario_" + std::to_string(++count);
}

class scenario {
public:
  explicit scenario(const scenario_options& options)
    : random_(options.seed), faults_left_(std::min(random_.below(21), options.most_faults)) {
    node_options_.store_name = unique_store_name();
    node_options_.slots = static_cast<std::uint32_t>(1 + random_.below(8));
    node_options_.dispatch_ahead = random_.percent(50) ? node_options_.slots : 0;
    runs_left_ = 1 + random_.below(2);
    cancels_left_ = random_.percent(30) ? 1 : 0;
    // Sooner than with the defaults: a random task has few attempts.
    node_options_.breaker = {
      .failures = static_cast<std::uint32_t>(1 + random_.below(random_.percent(70) ? 2 : 4)),
      .pause = model::milliseconds{1 + random_.below(random_.percent(60) ? 5'000 : 60'000)}};
    retries_left_ = random_.percent(40) ? 1 + random_.below(2) : 0;
    rollbacks_left_ = random_.percent(30) ? 1 + random_.below(2) : 0;
    pauses_left_ = random_.percent(80) ? 1 + random_.below(16) : 0;
    marks_left_ = random_.percent(70) ? 1 + random_.below(18) : 0;
  }

  scenario_report run() {
    open_node();
    do {
      while (!report_.violation && !is_over() && report_.steps < most_steps) {
        step();
        look();
        ++report_.steps;
      }
      if (report_.violation)
        return report_;
      if (!is_over())
        violate("it does not end");
      settle(); // and a run that was not accepted by a scheduler that died may yet come
    } while (is_busy() && !report_.violation);
    compare_all();
    if (seen_ != fold_.last_seq() && !node_->has_given_up())
      violate("a subscriber saw " + std::to_string(seen_) + " of "
              + std::to_string(fold_.last_seq()) + " events");
    return report_;
  }

private:
  // --- what happens ------------------------------------------------------------------------------

  void open_node() {
    asked_.clear();
    controls_asked_ = 0;
    // A runtime begins with what is stored; its subscriber with what comes then.
    seen_ = fold_.last_seq();
    node_ = std::make_unique<scenario_node>(
      node_options_,
      [this](const auto& order, const auto& under_way) { check_start(order, under_way); },
      [this](const auto& key) { check_go_on(key); },
      [this](std::span<const model::event> events) { check_seen(events); });
    if (runs_left_ == 0 && fold_.runs().empty())
      runs_left_ = 1;
  }

  void step() {
    if (node_->has_given_up())
      return replace_node();
    const auto waiting = node_->waiting();
    const auto attempts = node_->launcher().keys();
    const auto roll = random_.below(100);
    const bool may_submit = runs_left_ > 0 && (!is_busy() || roll >= 99);
    if (may_submit)
      return submit();
    if (faults_left_ > 0 && random_.below(60) == 0)
      return strike();
    // Few tasks wait for their breaker, and not for long: then operators are busier.
    const std::size_t patience = is_any_waiting() ? 1 : 5;
    if (cancels_left_ > 0 && !unfinished().empty() && random_.below(60 * patience) == 0)
      return cancel();
    if (retries_left_ > 0 && !fold_.runs().empty() && (!is_busy() || random_.below(300) == 0))
      return retry();
    if (rollbacks_left_ > 0 && !fold_.runs().empty() && (!is_busy() || random_.below(300) == 0))
      return roll_back();
    if (marks_left_ > 0 && !fold_.runs().empty() && random_.below(20 * patience) == 0)
      return mark();
    if (!held_.empty() && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(100) == 0))
      return answer();
    if (pauses_left_ > 0 && !fold_.runs().empty() && random_.below(200) == 0)
      return pause();
    if (!paused_.empty() && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(150) == 0))
      return resume_task();
    if (const auto run = paused_run();
        run && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(200) == 0))
      return control(*run, model::resume_run{});
    if (const auto run = run_stopping_finally(); run && forced_.insert(*run).second) // seldom
      return node_->cancel(*run, model::cancel_mode::immediate);
    if (const auto run = run_rolling_back(); // seldom too
        run && interrupted_.insert(*run).second && random_.percent(70))
      return control(*run, model::pause_run{model::pause_mode::stop});
    if (waiting > 0 && roll < 75)
      return deliver(waiting);
    if (!attempts.empty() && roll < 94)
      return play(attempts[random_.below(attempts.size())]);
    idle_ = waiting == 0 && attempts.empty() ? idle_ + 1 : 0;
    if (idle_ > most_idle_steps)
      return violate("nothing happens any more");
    const auto pace = random_.below(100);
    const auto longest = idle_ > patient_idle_steps ? 3'600'000
                         : pace < 80                ? 20
                         : pace < 97                ? 1'000
                                                    : 30'000;
    node_->skip(model::milliseconds{random_.below(static_cast<std::size_t>(longest))});
  }

  void deliver(std::size_t waiting) {
    idle_ = 0;
    node_->run_one(random_.below(waiting));
  }

  void submit() {
    --runs_left_;
    const auto size = random_.percent(90) ? 5 + random_.below(40) : 5 + random_.below(196);
    // All of one name: their tasks share breakers.
    const auto spec = std::make_shared<const model::workflow_spec>(random_workflow(random_, size));
    const auto compiled = logic::compile(spec, [](std::string_view) { return true; });
    if (!compiled)
      return violate("the random workflow is not valid: " + compiled.error().front().message);
    report_.tasks += size;
    const auto number = submitted_.size();
    submitted_.push_back(*compiled);
    asked_.insert(number);
    // The hash is what its run is known by.
    node_->submit(spec, std::to_string(number),
                  [this, number](const expected<model::run_no>& answer) {
                    asked_.erase(number);
                    look();
                    if (!answer) { // refused, or its scheduler died: nothing was promised
                      if (runs_left_ == 0 && fold_.runs().empty())
                        runs_left_ = 1;
                      return;
                    }
                    const auto stored = workflows_.find(*answer);
                    if (stored == workflows_.end() || stored->second != submitted_[number])
                      violate("a run was accepted that is not stored");
                  });
  }

  void cancel() {
    --cancels_left_;
    node_->cancel(unfinished().front(), random_.percent(50) ? model::cancel_mode::graceful
                                                            : model::cancel_mode::immediate);
  }

  /// An operator starts a run again, which may not have ended.
  void retry() {
    --retries_left_;
    const auto run = some_run();
    control(run, model::retry_run{model::retry_scope(random_.below(3)), some_task(run)});
  }

  /// An operator rolls back a run, which may not have ended or have nothing to compensate.
  void roll_back() {
    --rollbacks_left_;
    control(some_run(), model::rollback_run{});
  }

  /// An operator decides a task, which may run or be decided.
  void mark() {
    --marks_left_;
    const auto run = some_run();
    constexpr std::array decided{task_state::succeeded, task_state::skipped, task_state::failed};
    constexpr std::array rare{
      task_state::retry_wait, task_state::retry_wait, task_state::retry_wait, task_state::waiting,
      task_state::paused,     task_state::paused,     task_state::failed,     task_state::pending};
    control(run, model::mark_task{some_task(run, rare[random_.below(rare.size())]),
                                  decided[random_.below(decided.size())]});
  }

  /// An operator decides on a task that is held.
  void answer() {
    const auto key = *std::next(held_.begin(), std::ptrdiff_t(random_.below(held_.size())));
    const auto name = workflows_.at(key.run_no)->spec().tasks[key.task_idx].name;
    constexpr std::array decided{task_state::succeeded, task_state::skipped, task_state::failed};
    if (random_.percent(60))
      control(key.run_no, model::retry_task{name});
    else
      control(key.run_no, model::mark_task{name, decided[random_.below(decided.size())]});
  }

  /// An operator goes on with a task that is paused.
  void resume_task() {
    const auto key = *std::next(paused_.begin(), std::ptrdiff_t(random_.below(paused_.size())));
    control(key.run_no,
            model::resume_task{workflows_.at(key.run_no)->spec().tasks[key.task_idx].name});
  }

  /// An operator pauses a run, which may have ended, or a task of it, which may run. They are
  /// resumed when nothing else happens.
  void pause() {
    --pauses_left_;
    if (random_.percent(70)) {
      const auto run = some_run();
      constexpr std::array rare{task_state::retry_wait, task_state::retry_wait,
                                task_state::retry_wait, task_state::waiting,
                                task_state::waiting,    task_state::pending};
      return control(run, model::pause_task{some_task(run, rare[random_.below(rare.size())])});
    }
    control(some_run(), model::pause_run{random_.percent(50) ? model::pause_mode::let_end
                                                             : model::pause_mode::stop});
  }
  std::optional<model::run_no> paused_run() const {
    for (const auto& [run, folded] : fold_.runs())
      if (folded.paused && !is_terminal(folded.state))
        return run;
    return std::nullopt;
  }

  model::run_no some_run() {
    const auto first = fold_.runs().begin();
    return std::next(first, std::ptrdiff_t(random_.below(fold_.runs().size())))->first;
  }
  std::string some_task(model::run_no run) {
    const auto& tasks = workflows_.at(run)->spec().tasks;
    return tasks[random_.below(tasks.size())].name;
  }
  /// One in this state, as stored, or any when there is none.
  std::string some_task(model::run_no run, task_state state) {
    const auto& folded = fold_.find(run)->tasks;
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < folded.size(); ++i)
      if (folded[i].state == state)
        found.push_back(i);
    return found.empty()
             ? some_task(run)
             : workflows_.at(run)->spec().tasks[found[random_.below(found.size())]].name;
  }

  void control(model::run_no run, const model::control& what) {
    ++controls_asked_;
    const auto before = events_of_operators_;
    // Of a run that is paused already, and of which nothing runs, there is nothing to stop.
    const auto* pause = std::get_if<model::pause_run>(&what);
    const bool may_be_nothing = pause != nullptr && pause->mode == model::pause_mode::stop;
    node_->control(
      run, what,
      [this, run, before, may_be_nothing](const expected<model::control_result>& answer) {
        --controls_asked_;
        look();
        if (answer
            && ((events_of_operators_ == before && !may_be_nothing)
                || fold_.find(run)->generation < answer->generation))
          violate("what an operator asked for was answered, and is not stored");
      });
  }

  /// A run in which a task of finally is being stopped.
  std::optional<model::run_no> run_stopping_finally() const {
    for (const auto run : unfinished()) {
      const auto& tasks = fold_.find(run)->tasks;
      const auto first = workflows_.at(run)->spec().first_finally();
      if (std::any_of(tasks.begin() + first, tasks.end(),
                      [](const auto& task) { return task.state == task_state::cancelling; }))
        return run;
    }
    return std::nullopt;
  }

  /// A run in which something is being undone.
  std::optional<model::run_no> run_rolling_back() const {
    for (const auto& key : node_->launcher().keys())
      if (undoes(node_->launcher().order(key).role))
        return key.run_no;
    return std::nullopt;
  }

  /// A process does something.
  void play(model::attempt_key key) {
    const auto asked = asked_to_stop(key);
    if (node_->launcher().order(key).takes_snapshot && !has_gone_on(key))
      return asked ? end_badly(key, model::failure_class::exit, "15") : take_snapshot(key);
    if (asked == executors::stop_signal::kill)
      return end_badly(key, model::failure_class::exit, "9");
    if (asked && random_.percent(60))
      return random_.percent(20) ? end_well(key) : end_badly(key, model::failure_class::exit, "15");
    const auto roll = random_.below(100);
    const auto& order = node_->launcher().order(key);
    const bool has_validation =
      command_for(*order.workflow, order.spec(), model::command_role::validate) != nullptr;
    if (has_validation && !undoes(order.role) && random_.percent(45)) {
      if (started_.contains(key) && validating_.insert(key).second)
        node_->launcher().validate(key);
    } else if (roll < 35) {
      if (started_.insert(key).second)
        node_->launcher().confirm(key, node_->wall());
    } else if (roll < 80) {
      end_well(key);
    } else if (roll < 92) {
      end_badly(key, model::failure_class::exit, "1");
    } else if (roll < 95) {
      end_badly(key, model::failure_class::permanent, "program_not_found");
    } else {
      save(key);
    }
  }

  void take_snapshot(model::attempt_key key) {
    const auto roll = random_.below(100);
    if (taken_.contains(key))
      return; // it waits
    if (roll < 30 && started_.insert(key).second)
      return node_->launcher().confirm(key, node_->wall());
    if (roll < 80)
      return node_->launcher().hold(key, taken_[key] = std::string(random_.below(20'000), 'x')
                                                       + to_string(key));
    if (roll < 90)
      end_badly(key, model::failure_class::exit, "1");
  }

  /// A process saves its progress, which is a number that only grows.
  void save(model::attempt_key key) {
    const auto progress = ++progress_;
    node_->save_checkpoint(
      key, {std::to_string(progress), std::string(random_.below(20'000), 'x')},
      [this, key, task = key.task(), progress](const expected<void>& answer) {
        if (!answer || key.attempt <= reset_after_[task])
          return; // stale, or the runtime is going down; or its task has started anew since
        kept_[task] = std::max(kept_[task], progress);
        look();
        const auto stored = reader().checkpoint(task);
        const auto state = fold_.find(task.run_no)->tasks[task.task_idx].state;
        if (!stored
            || (state != task_state::succeeded
                && (!*stored || std::stoull((*stored)->what.token) < progress)))
          violate("progress of " + to_string(task) + " was kept that is not stored");
      });
  }

  void end_well(model::attempt_key key) {
    ended_well_.insert(key);
    auto out = undoes(node_->launcher().order(key).role) ? model::value{} : outputs();
    put_out_[key] = out;
    node_->launcher().end(key, node_->wall(), std::nullopt, std::move(out));
  }

  void end_badly(model::attempt_key key, model::failure_class why, std::string code) {
    ended_badly_.insert(key);
    node_->launcher().end(key, node_->wall(), model::failure{why, std::move(code), "it failed"});
  }

  std::optional<executors::stop_signal> asked_to_stop(model::attempt_key key) const {
    std::optional<executors::stop_signal> asked;
    for (const auto& sent : node_->launcher().signals)
      if (sent.key == key)
        asked = sent.what;
    return asked;
  }

  model::value outputs() {
    if (random_.percent(40))
      return {};
    // The larger text is more than a scheduler keeps in memory.
    return {{"v", random_.below(10)}, {"text", std::string(random_.percent(20) ? 20'000 : 3, 'x')}};
  }

  void strike() {
    auto what = static_cast<fault>(random_.below(fault_count));
    if (waiting_start() && random_.percent(10))
      what = fault::start_handed_back;                // seldom possible, so taken more often
    if (waits_with_snapshot() && random_.percent(30)) // its commit, or its answer, is on the way
      what = random_.percent(50) ? fault::scheduler_crash : fault::runtime_crash;
    if (!carry_out(what))
      return;
    --faults_left_;
    report_.story.push_back("step " + std::to_string(report_.steps) + ": "
                            + std::string{to_string(what)} + " after event "
                            + std::to_string(fold_.last_seq()));
    ++report_.faults[std::size_t(what)];
  }

  /// An attempt whose process has not started.
  std::optional<model::attempt_key> waiting_start() const {
    for (const auto& key : node_->launcher().keys())
      if (!started_.contains(key) && !taken_.contains(key))
        return key;
    return std::nullopt;
  }
  bool waits_with_snapshot() const {
    const auto keys = node_->launcher().keys();
    return std::any_of(keys.begin(), keys.end(), [this](const auto& key) {
      return taken_.contains(key) && !has_gone_on(key);
    });
  }
  bool has_gone_on(const model::attempt_key& key) const {
    const auto& gone_on = node_->launcher().gone_on;
    return std::find(gone_on.begin(), gone_on.end(), key) != gone_on.end();
  }

  /// Whether there was something to do it to.
  bool carry_out(fault what) {
    auto& launcher = node_->launcher();
    switch (what) {
    case fault::batch_writer_crash:
      return node_->crash(actors::child::batch_writer);
    case fault::process_executor_crash:
      return node_->crash(actors::child::process_executor);
    case fault::function_executor_crash:
      return node_->crash(actors::child::function_executor);
    case fault::event_hub_crash:
      return node_->crash(actors::child::event_hub);
    case fault::readers_crash:
      return node_->crash(actors::child::readers);
    case fault::timer_service_crash:
      return node_->crash(actors::child::timer_service);
    case fault::scheduler_crash:
      return node_->crash(actors::child::scheduler);
    case fault::process_worker_crash:
      return node_->crash_worker(random_.below(1'000));
    case fault::runtime_crash:
      replace_node();
      return true;
    case fault::commit_fails:
    case fault::commit_unanswered:
      node_->store().fail_next(1 + random_.below(3), {errc::unavailable, "the disk is full"},
                               what == fault::commit_fails ? fault_moment::before_commit
                                                           : fault_moment::after_commit);
      return true;
    case fault::clock_jumps:
      node_options_.wall_offset +=
        model::microseconds{3'600'000'000} * (std::int64_t(random_.below(49)) - 24);
      node_->jump_to(node_options_.wall_offset);
      return true;
    case fault::report_doubled:
    case fault::report_late:
      if (launcher.ends_told() == 0)
        return false;
      launcher.repeat_end(what == fault::report_doubled ? launcher.ends_told() - 1
                                                        : random_.below(launcher.ends_told()));
      return true;
    case fault::start_handed_back:
      if (const auto key = waiting_start()) {
        launcher.hand_back(*key, node_->wall());
        return true;
      }
      return false;
    }
    return false;
  }

  /// The runtime is gone from one moment to the next; another one opens the store.
  void replace_node() {
    node_->store().fail_next(std::numeric_limits<std::size_t>::max(),
                             {errc::unavailable, "the runtime is gone"});
    node_.reset();
    look();
    compare_all();
    check_recovery();
    node_options_.resume = unfinished();
    open_node();
  }

  std::vector<model::run_no> unfinished() const {
    std::vector<model::run_no> runs;
    for (const auto& [run, folded] : fold_.runs())
      if (!is_terminal(folded.state))
        runs.push_back(run);
    return runs;
  }
  bool is_any_waiting() const {
    return std::any_of(fold_.runs().begin(), fold_.runs().end(), [](const auto& run) {
      return run.second.counts[std::size_t(task_state::waiting)] > 0;
    });
  }
  bool is_busy() const { return !asked_.empty() || controls_asked_ > 0 || !unfinished().empty(); }
  bool is_over() const {
    return runs_left_ == 0 && retries_left_ == 0 && rollbacks_left_ == 0 && !is_busy();
  }

  void settle() {
    for (int i = 0; i < 100; ++i) { // restarts that are under way take up to five seconds each
      while (node_->waiting() > 0)
        node_->run_one(0);
      node_->skip(model::milliseconds{1'000});
    }
    look();
    if (!is_busy() && !node_->has_given_up() && !node_->launcher().keys().empty())
      violate("a process runs although all runs are over");
  }

  // --- what is promised --------------------------------------------------------------------------

  void violate(std::string what) {
    if (!report_.violation)
      report_.violation = std::move(what);
  }

  /// The event log goes on legally, and what it touched is in the tables.
  void look() {
    auto& reader = this->reader();
    const auto last = reader.last_seq();
    if (!last || *last == fold_.last_seq())
      return;
    const auto events =
      reader.events({.after_seq = fold_.last_seq(), .run_no = {}, .limit = 100'000});
    if (!events)
      return violate("the events cannot be read: " + events.error().message);
    std::set<model::task_key> touched, with_snapshots;
    for (const auto& event : *events) {
      if (const auto fits = fold_.apply(event); !fits)
        return violate(fits.error().message);
      if (event.type == model::event_type::run_submitted)
        workflows_[event.run_no] =
          submitted_.at(std::stoul(event.data.at("hash").get<std::string>()));
      events_of_operators_ += event.actor == "operator" ? 1 : 0;
      if (event.type == model::event_type::task_snapshot) {
        const model::task_key task{event.run_no, *event.task_idx};
        if (!snapshots_.emplace(task, taken_.at({task.run_no, task.task_idx, *event.attempt}))
               .second)
          violate(to_string(task) + " has two snapshots");
        with_snapshots.insert(task);
      }
      if (!event.task_idx)
        check_rolled_back(event);
      if (event.task_idx && !event.is_note()) {
        if (event.type == model::event_type::task_reset
            || event.type == model::event_type::task_marked)
          note_reset(event);
        note_hold(event);
        check_outcome(event);
        check_compensation(event);
        check_retry(event);
        check_breaker(event);
        check_key(event);
        if (event.type == model::event_type::task_fallback
            && !fell_back_.insert({event.run_no, *event.task_idx}).second)
          violate(to_string(event.run_no) + " has a task that falls back twice");
        if (event.type == model::event_type::task_rolling_back
            && !rolls_back_.insert({event.run_no, *event.task_idx}).second)
          violate(to_string(event.run_no) + " has a task that rolls back twice");
        touched.insert({event.run_no, *event.task_idx});
        if ((event.to == to_string(task_state::succeeded)
             || event.to == to_string(task_state::rolled_back))
            && snapshots_.erase({event.run_no, *event.task_idx}) != 0)
          with_snapshots.insert({event.run_no, *event.task_idx});
        ++report_.moves[std::size_t(*model::parse_task_state(event.from))]
                       [std::size_t(*model::parse_task_state(event.to))];
      }
    }
    for (const auto& key : touched)
      compare_tasks(key.run_no, key.task_idx, 1);
    for (const auto& key : with_snapshots)
      compare_snapshot(key);
    std::set<model::run_no> runs;
    for (const auto& event : *events)
      runs.insert(event.run_no);
    for (const auto run : runs) {
      compare_run(run);
      compare_timers(run);
    }
    compare_breakers();
  }

  /// The task starts anew, or is decided: what was promised of its earlier attempts does not hold
  /// any more.
  void note_reset(const model::event& event) {
    const model::task_key key{event.run_no, *event.task_idx};
    reset_after_[key] = event.attempt.value_or(0);
    if (event.type == model::event_type::task_marked)
      marked_.insert(key);
    else
      std::erase_if(completions_[event.run_no], [&](auto of) { return of.task() == key; });
    kept_.erase(key);
    if (event.to != to_string(task_state::failed)) // else its rollback may follow
      snapshots_.erase(key);
    fell_back_.erase(key);
    rolls_back_.erase(key);
  }

  /// A task that is held is tried again as if it had not been tried, save for what it has kept.
  void note_hold(const model::event& event) {
    const model::task_key key{event.run_no, *event.task_idx};
    if (event.type == model::event_type::task_paused)
      paused_.insert(key);
    else
      paused_.erase(key);
    if (event.type == model::event_type::task_held) {
      held_.insert(key);
      return;
    }
    const bool was_held = held_.erase(key) != 0;
    if (!was_held || event.type != model::event_type::task_released)
      return;
    if (event.actor != "operator")
      violate(to_string(key) + " goes on though nobody has decided so");
    reset_after_[key] = event.attempt.value_or(0);
    fell_back_.erase(key);
  }

  /// A process's task succeeds or fails because its process did.
  void check_outcome(const model::event& event) {
    const model::attempt_key key{event.run_no, *event.task_idx, event.attempt.value_or(0)};
    if ((event.type != model::event_type::task_finished
         && event.type != model::event_type::task_retrying
         && event.type != model::event_type::task_held)
        || executor_of(command_of(key.task())) != model::executor_kind::process)
      return;
    const bool succeeded = event.to == to_string(task_state::succeeded)
                           || event.to == to_string(task_state::rolled_back);
    const auto by_process = event.data.is_object() ? event.data.value("class", "") : "";
    if (succeeded ? !ended_well_.contains(key)
                  : by_process == "exit" && !ended_badly_.contains(key))
      violate(to_string(key) + " is " + event.to + ", which its process did not say");
  }

  /// What succeeded is undone one after the other, the last first.
  void check_compensation(const model::event& event) {
    const model::attempt_key key{event.run_no, *event.task_idx, event.attempt.value_or(0)};
    auto& completions = completions_[event.run_no];
    if (event.type == model::event_type::task_finished
        && event.to == to_string(task_state::succeeded)
        && workflows_.at(event.run_no)->is_compensable(key.task_idx))
      completions.push_back(key);
    if (event.type != model::event_type::task_rolling_back
        || event.from != to_string(task_state::succeeded))
      return;
    reset_after_[key.task()] = key.attempt; // the progress of its action was dropped
    kept_.erase(key.task());
    const auto& run = *fold_.find(event.run_no);
    const auto own = std::find_if(completions.begin(), completions.end(),
                                  [&](auto of) { return of.task() == key.task(); });
    if (own == completions.end() || run.state != model::run_state::rolling_back)
      return violate(to_string(key) + " is compensated, though it did nothing that has to be");
    if (std::any_of(own + 1, completions.end(), [&](auto later) {
          return run.tasks[later.task_idx].state == task_state::succeeded;
        }))
      violate(to_string(key) + " is compensated before one that succeeded after it");
    const auto first_finally = workflows_.at(event.run_no)->spec().first_finally();
    for (std::uint32_t task = 0; task < first_finally; ++task)
      if (task != key.task_idx && !is_terminal(run.tasks[task].state))
        violate(to_string(key) + " is compensated beside something else");
  }
  bool is_completed(model::task_key key) const {
    const auto of_run = completions_.find(key.run_no);
    return of_run != completions_.end()
           && std::any_of(of_run->second.begin(), of_run->second.end(),
                          [&](auto of) { return of.task() == key; });
  }
  /// A run that is rolled back has left nothing as it was.
  void check_rolled_back(const model::event& event) {
    if (event.to != to_string(model::run_state::rolled_back))
      return;
    for (const auto& key : completions_[event.run_no])
      if (const auto state = fold_.find(event.run_no)->tasks[key.task_idx].state;
          state == task_state::succeeded || state == task_state::failed) // else marked as skipped
        violate(to_string(key) + " is not undone, though its run is rolled back");
  }

  /// What the task's current attempt runs.
  const model::action& command_of(model::task_key key) const {
    const auto& spec = workflows_.at(key.run_no)->spec();
    return *command_for(spec, spec.tasks[key.task_idx], role_of(key));
  }
  model::command_role role_of(model::task_key key) const {
    return rolls_back_.contains(key)
             ? (is_completed(key) ? model::command_role::compensate : model::command_role::rollback)
           : fell_back_.contains(key) ? model::command_role::fallback
                                      : model::command_role::action;
  }

  /// A retry comes within its budget, and not before it is due.
  void check_retry(const model::event& event) {
    const model::task_key key{event.run_no, *event.task_idx};
    const auto name = to_string(key);
    if (event.type == model::event_type::task_retrying) {
      const auto& spec = workflows_.at(event.run_no)->spec();
      const auto& policy =
        model::setting_of(spec, spec.tasks[*event.task_idx], &model::task_settings::retry);
      if (!policy || event.data["retry"].get<std::uint32_t>() > policy->max)
        violate(name + " is repeated more often than it may");
      retry_at_[key] = model::from_us(event.data["due_us"].get<std::int64_t>());
    } else if (event.from == to_string(task_state::retry_wait)
               && (event.type == model::event_type::task_due
                   || event.type == model::event_type::task_waiting)) {
      // Waits go by the monotonic clock, and their ends are told in wall time.
      const bool was_set = report_.faults[std::size_t(fault::clock_jumps)] > 0;
      if (!was_set && event.at < retry_at_.at(key))
        violate(name + " is repeated before its time");
    }
  }

  void check_key(const model::event& event) {
    const auto& tasks = workflows_.at(event.run_no)->spec().tasks;
    const auto wrong = keys_.see(event, tasks[*event.task_idx]);
    const bool was_set = report_.faults[std::size_t(fault::clock_jumps)] > 0; // keys may expire
    if (!wrong.empty() && !was_set)
      violate(wrong);
  }

  /// While a breaker is open no attempt of its kind starts before the end of the pause, and nothing
  /// waits for one that is closed.
  void check_breaker(const model::event& event) {
    const auto& spec = workflows_.at(event.run_no)->spec();
    const std::pair kind{spec.name, spec.tasks[*event.task_idx].name};
    if (const auto* told = told_breaker(event)) {
      auto& state = breakers_[kind];
      state = {told->at("failures").get<std::uint32_t>(), std::nullopt};
      if (told->contains("open_until_us"))
        state.open_until = model::from_us(told->at("open_until_us").get<std::int64_t>());
      if (state.failures == 0)
        breakers_.erase(kind);
    }
    const auto known = breakers_.find(kind);
    const bool is_open = known != breakers_.end() && known->second.open_until;
    const bool was_set = report_.faults[std::size_t(fault::clock_jumps)] > 0;
    if (event.type == model::event_type::task_waiting && !is_open && event.data.contains("breaker"))
      violate("a task waits for a breaker that is closed");
    const bool is_action = role_of({event.run_no, *event.task_idx}) == model::command_role::action;
    if (event.type == model::event_type::task_dispatched && is_open && is_action && !was_set
        && event.at < *known->second.open_until)
      violate("an attempt starts behind an open breaker");
  }
  /// What an attempt that ended changed; a task that waits only repeats it.
  static const model::value* told_breaker(const model::event& event) {
    if (!event.data.is_object() || event.type == model::event_type::task_waiting)
      return nullptr;
    const auto found = event.data.find("breaker");
    return found == event.data.end() ? nullptr : &*found;
  }

  /// What is stored against kinds of tasks is what the events say.
  void compare_breakers() {
    const auto stored = reader().breakers();
    if (!stored)
      return violate("the breakers cannot be read: " + stored.error().message);
    std::map<std::pair<std::string, std::string>, model::breaker_state> rows;
    for (const auto& row : *stored)
      rows[{row.workflow, row.task}] = row.state;
    if (rows != breakers_)
      violate("the breakers that are stored are not what the events say");
  }

  /// What is stored for a rollback is what the events say.
  void compare_snapshot(model::task_key key) {
    const auto stored = reader().snapshot(key);
    const auto told = snapshots_.find(key);
    if (!stored
        || (told == snapshots_.end() ? stored->has_value()
                                     : !*stored || (*stored)->what != told->second))
      violate("the snapshot of " + to_string(key) + " is not what its events say");
  }

  /// A task that is never repeated runs once. To undo it once more is what is safe.
  void check_repetition(const model::start_attempt& order) {
    const auto& policy =
      model::setting_of(*order.workflow, order.spec(), &model::task_settings::retry);
    if (!policy || !policy->never || undoes(order.role))
      return;
    const auto before = reset_after_[order.key.task()];
    for (auto earlier = order.key; --earlier.attempt > before;)
      if (roles_[earlier] != order.role)
        break;
      else if (started_.contains(earlier) || ended_well_.contains(earlier)
               || ended_badly_.contains(earlier))
        violate(to_string(order.key) + " starts after " + to_string(earlier)
                + ", though it is never to be repeated");
  }

  /// Exactly the tasks that wait for a retry have a timer for it, and what is over has none.
  void compare_timers(model::run_no run) {
    const auto timers = reader().timers(run);
    const auto& folded = *fold_.find(run);
    if (!timers)
      return violate("the timers of " + to_string(run) + " cannot be read");
    std::uint32_t retries = 0;
    for (const auto& timer : *timers) {
      if (timer.task_idx ? !fits(timer.kind, folded.tasks[*timer.task_idx].state)
                         : is_terminal(folded.state))
        violate(to_string(run) + " has a timer of kind " + std::string{to_string(timer.kind)}
                + " for what does not wait for it");
      retries += timer.kind == model::timer_kind::retry
                     && folded.tasks[*timer.task_idx].state == task_state::retry_wait
                   ? 1
                   : 0;
    }
    if (retries != folded.counts[std::size_t(task_state::retry_wait)])
      violate("a task of " + to_string(run) + " waits for a retry that has no timer");
  }

  static bool fits(model::timer_kind kind, task_state stored) {
    switch (kind) {
    case model::timer_kind::retry:
      return stored == task_state::retry_wait || stored == task_state::paused;
    case model::timer_kind::deadline:
      return !is_terminal(stored);
    case model::timer_kind::queue_timeout:
      return stored == task_state::pending; // `ready` is never stored
    case model::timer_kind::breaker:
      return stored == task_state::waiting;
    }
    return false;
  }

  void compare_all() {
    for (const auto& [run, folded] : fold_.runs()) {
      compare_run(run);
      compare_timers(run);
      compare_tasks(run, 0, folded.tasks.size());
      for (std::uint32_t task = 0; task < folded.tasks.size(); ++task)
        if (needs_snapshot({run, task}))
          compare_snapshot({run, task});
    }
    compare_breakers();
  }

  void compare_run(model::run_no run) {
    const auto row = reader().run(run);
    const auto* folded = fold_.find(run);
    if (!row || row->state != folded->state || row->counts != folded->counts
        || row->generation != folded->generation || row->paused != folded->paused)
      violate("the row of " + to_string(run) + " is not what its events say");
  }

  void compare_tasks(model::run_no run, std::uint32_t from, std::size_t count) {
    const auto rows =
      reader().tasks({.run_no = run, .from_idx = from, .state = {}, .limit = count});
    const auto& folded = fold_.find(run)->tasks;
    if (!rows || rows->size() != count)
      return violate("tasks of " + to_string(run) + " are missing");
    for (const auto& row : *rows)
      if (logic::folded_task{row.state, row.attempt} != folded[row.key.task_idx])
        violate("the row of " + to_string(run) + "/" + std::to_string(row.key.task_idx)
                + " is not what its events say");
  }

  /// Effects come after their commit, one at a time, and within capacity.
  void check_start(const model::start_attempt& order,
                   const std::vector<model::attempt_key>& under_way) {
    look();
    const auto name = to_string(order.key);
    const auto* run = fold_.find(order.key.run_no);
    if (run == nullptr)
      return violate(name + " starts before its run is stored");
    const auto& task = run->tasks[order.key.task_idx];
    if (task.attempt != order.key.attempt
        || (task.state != task_state::dispatched && task.state != task_state::cancelling
            && task.state != task_state::rolling_back))
      violate(name + " starts while the store holds its task as "
              + std::string{to_string(task.state)} + ", attempt " + std::to_string(task.attempt));
    for (const auto& other : under_way)
      if (other.task() == order.key.task())
        violate(name + " starts beside " + to_string(other));
    if (under_way.size() >= node_options_.slots + node_options_.dispatch_ahead)
      violate(name + " starts although all slots are taken");
    const auto given = order.checkpoint == nullptr ? 0 : std::stoull(order.checkpoint->token);
    if (given < kept_[order.key.task()])
      violate(name + " starts without the progress that was kept");
    if (order.has_result)
      for (const auto& of : completions_[order.key.run_no])
        if (of.task() == order.key.task() && order.result != put_out_[of])
          violate(name + " undoes something else than its task put out");
    roles_[order.key] = order.role;
    if (order.role != role_of(order.key.task()))
      violate(name + " starts with another command than it should");
    if (order.role != model::command_role::compensate)
      check_upstreams(order.key, *run);
    check_repetition(order);
    check_snapshot(order);
  }

  bool needs_snapshot(model::task_key key) const {
    const auto& spec = workflows_.at(key.run_no)->spec();
    return command_for(spec, spec.tasks[key.task_idx], model::command_role::snapshot) != nullptr;
  }
  /// One is taken in the first attempt that gets so far, and handed to the rollback.
  void check_snapshot(const model::start_attempt& order) {
    const auto name = to_string(order.key);
    const auto told = snapshots_.find(order.key.task());
    if (!undoes(order.role)) {
      if (order.takes_snapshot != (needs_snapshot(order.key.task()) && told == snapshots_.end()))
        violate(name + " takes a snapshot when there is one, or none when there is none");
    } else if (order.role == model::command_role::rollback && needs_snapshot(order.key.task())
               && (told == snapshots_.end() || order.snapshot == nullptr
                   || *order.snapshot != told->second)) {
      violate(name + " rolls back without what it is to put back");
    }
  }
  void check_go_on(const model::attempt_key& key) {
    look();
    if (!snapshots_.contains(key.task()))
      violate(to_string(key) + " begins before its snapshot is stored");
  }

  void check_upstreams(const model::attempt_key& key, const logic::folded_run& run) {
    const auto& workflow = workflows_.at(key.run_no);
    const auto upstreams = workflow->graph().upstreams(key.task_idx);
    const auto rule = workflow->spec().tasks[key.task_idx].join.rule;
    const auto first_finally = workflow->spec().first_finally();
    if (key.task_idx >= first_finally
        && !std::all_of(run.tasks.begin(), run.tasks.begin() + first_finally,
                        [](const auto& task) { return is_terminal(task.state); }))
      violate(to_string(key) + " starts before the tasks that finally comes after");
    const auto decided = std::count_if(upstreams.begin(), upstreams.end(), [&](auto upstream) {
      return is_terminal(run.tasks[upstream].state);
    });
    const bool early =
      rule == model::join_rule::one_success || rule == model::join_rule::one_failed;
    if (early ? decided == 0 && !upstreams.empty() : std::size_t(decided) != upstreams.size())
      violate(to_string(key) + " starts before its upstreams are decided");
    if (rule == model::join_rule::all_success)
      for (const auto upstream : upstreams) {
        const auto allowed = model::setting_of(workflow->spec(), workflow->spec().tasks[upstream],
                                               &model::task_settings::allow_failure);
        const auto state = run.tasks[upstream].state;
        // One that was allowed to fail may have been marked since the task fired.
        if (state != task_state::succeeded
            && !(allowed.value_or(false)
                 && (state == task_state::failed || state == task_state::rolled_back
                     || marked_.contains({key.run_no, upstream}))))
          violate(to_string(key) + " starts although an upstream did not succeed");
      }
  }

  /// What a scheduler makes of the store is what the events say. Only a task that fired early and
  /// did not start may be judged otherwise now: more of its upstreams are decided.
  void check_recovery() {
    for (const auto run : unfinished()) {
      const auto stored = reader().stored_run(run);
      if (!stored)
        return violate(to_string(run) + " cannot be read: " + stored.error().message);
      logic::scheduler_core core{{}};
      const auto restored = core.restore(*stored, model::wall_time{});
      if (!restored)
        return violate(to_string(run) + " cannot be taken up: " + restored.error().message);
      auto expected = fold_;
      for (const auto& record : restored->records) {
        auto event = model::event_of(record);
        event.seq = expected.last_seq() + 1;
        if (const auto fits = expected.apply(event); !fits)
          return violate(fits.error().message);
      }
      if (!restored->records.empty() && !fires_early(model::event_of(restored->records.front())))
        return violate("taking up " + to_string(run) + " decides what was decided otherwise: "
                       + text_of(model::event_of(restored->records.front())));
      const auto& folded = *expected.find(run);
      const auto* live = core.find_run(run);
      if (is_terminal(folded.state) ? live != nullptr : live == nullptr || !is_equal(*live, folded))
        violate("the recovered state of " + to_string(run) + " is not what its events say");
      for (std::uint32_t task = 0; live != nullptr && task < live->tasks.size(); ++task)
        if (!is_terminal(live->tasks[task].state)
            && (live->role(task) != role_of({run, task})
                || live->held.contains(task) != held_.contains({run, task})))
          violate("the recovered " + to_string(model::task_key{run, task})
                  + " runs another command, or waits for something else");
        else if (!is_terminal(live->tasks[task].state)
                 && live->snapshots.contains(task) != snapshots_.contains({run, task}))
          violate("the recovered " + to_string(model::task_key{run, task})
                  + " knows another snapshot");
      const auto timers = core.timers();
      const std::set recovered(timers.begin(), timers.end());
      if (restored->timers.empty() && live != nullptr
          && recovered != std::set(stored->timers.begin(), stored->timers.end()))
        violate("the recovered timers of " + to_string(run) + " are not those that are stored");
    }
  }
  static std::string text_of(const model::event& e) {
    return std::string{to_string(e.type)} + " of " + std::to_string(e.task_idx.value_or(0)) + ", "
           + e.from + " to " + e.to + " " + model::to_text(e.data);
  }
  bool fires_early(const model::event& event) const {
    const auto& tasks = workflows_.at(event.run_no)->spec().tasks;
    const auto rule = tasks[event.task_idx.value_or(0)].join.rule;
    return rule == model::join_rule::one_success || rule == model::join_rule::one_failed;
  }
  static bool is_equal(const logic::live_run& live, const logic::folded_run& folded) {
    return live.state == folded.state && live.generation == folded.generation
           && live.paused == folded.paused && live.counts == folded.counts
           && std::equal(live.tasks.begin(), live.tasks.end(), folded.tasks.begin(),
                         folded.tasks.end(), [](const auto& task, const auto& told) {
                           return logic::folded_task{as_stored(task.state), task.attempt} == told;
                         });
  }

  /// A subscriber sees every event once, in order, and none that is not committed.
  void check_seen(std::span<const model::event> events) {
    for (const auto& event : events) {
      if (event.seq != seen_ + 1)
        violate("a subscriber sees event " + std::to_string(event.seq) + " after "
                + std::to_string(seen_));
      seen_ = event.seq;
    }
    look();
    if (seen_ > fold_.last_seq())
      violate("a subscriber sees an event that is not stored");
  }

  storage::reader& reader() {
    if (reader_ == nullptr)
      reader_ = std::move(*storage::open_reader_in_memory(node_options_.store_name));
    return *reader_;
  }

  dice random_;
  std::size_t faults_left_;
  std::size_t runs_left_ = 0;
  std::size_t cancels_left_ = 0;
  std::size_t retries_left_ = 0;
  std::size_t rollbacks_left_ = 0;
  std::size_t marks_left_ = 0;
  std::size_t pauses_left_ = 0;
  std::uint64_t events_of_operators_ = 0;
  std::size_t controls_asked_ = 0; ///< of this runtime, and not answered
  std::size_t idle_ = 0;
  scenario_node_options node_options_;
  scenario_report report_;

  std::unique_ptr<storage::reader> reader_;
  logic::event_fold fold_;
  std::vector<std::shared_ptr<const logic::compiled_workflow>> submitted_;
  std::set<std::size_t> asked_; ///< of these, those that this runtime has not answered
  std::map<model::run_no, std::shared_ptr<const logic::compiled_workflow>> workflows_; ///< stored
  std::set<model::attempt_key> started_;                    ///< confirmed
  std::set<model::attempt_key> validating_;                 ///< so it was told
  std::map<model::attempt_key, std::string> taken_;         ///< snapshots, by processes
  std::map<model::task_key, std::string> snapshots_;        ///< that are stored, as told
  std::map<model::attempt_key, model::command_role> roles_; ///< of processes
  std::set<model::task_key> fell_back_;
  std::set<model::run_no> forced_;      ///< to end, while a task of finally was being stopped
  std::set<model::run_no> interrupted_; ///< by a pause, while a task of it was rolled back
  std::set<model::task_key> rolls_back_;
  std::set<model::task_key> held_, paused_;
  /// That can be compensated, by the attempt that succeeded, as they did; and what they put out.
  std::map<model::run_no, std::vector<model::attempt_key>> completions_;
  std::map<model::attempt_key, model::value> put_out_;
  std::set<model::attempt_key> ended_well_;
  std::set<model::attempt_key> ended_badly_;
  std::map<model::task_key, model::wall_time> retry_at_; ///< as told
  /// What is known against kinds of tasks (workflow, task), as told.
  std::map<std::pair<std::string, std::string>, model::breaker_state> breakers_;
  key_checks keys_;
  std::uint64_t progress_ = 0;                    ///< that was saved last
  std::map<model::task_key, std::uint64_t> kept_; ///< of each task, as it was told
  std::set<model::task_key> marked_;
  std::map<model::task_key, std::uint32_t> reset_after_; ///< the attempt after which it was
  std::int64_t seen_ = 0;
  std::unique_ptr<scenario_node> node_; // last: while it ends it calls back into the others
};

} // namespace

std::string_view to_string(fault f) {
  static constexpr std::array<std::string_view, fault_count> names{
    "batch_writer_crash",      "process_executor_crash",
    "function_executor_crash", "process_worker_crash",
    "event_hub_crash",         "readers_crash",
    "timer_service_crash",     "scheduler_crash",
    "runtime_crash",           "commit_fails",
    "commit_unanswered",       "clock_jumps",
    "report_doubled",          "report_late",
    "start_handed_back"};
  return names[std::size_t(f)];
}

scenario_report run_scenario(const scenario_options& options) {
  return scenario{options}.run();
}

scenario_options shortest_failing(scenario_options options) {
  auto shorter = options;
  for (shorter.most_faults = 0; shorter.most_faults < options.most_faults; ++shorter.most_faults)
    if (run_scenario(shorter).violation)
      return shorter;
  return options;
}

} // namespace sluice::testing

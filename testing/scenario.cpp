#include "testing/scenario.hpp"

#include "testing/promise_checks.hpp"
#include "testing/random_workflow.hpp"
#include "testing/scenario_node.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
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
    : random_(options.seed), workflow_(options.workflow),
      faults_left_(std::min(random_.below(21), options.most_faults)) {
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
    closings_left_ = random_.percent(40) ? 1 + random_.below(4) : 0;
    limits_left_ = random_.percent(30) ? 1 + random_.below(4) : 0;
    signals_left_ = random_.percent(50) ? random_.below(6) : 0;
    marks_left_ = random_.percent(70) ? 1 + random_.below(18) : 0;
    additions_left_ = !workflow_ && random_.percent(40) ? 1 + random_.below(4) : 0;
  }

  scenario_report run() {
    live();
    report_.violation = checks_.violation();
    report_.moves = checks_.moves();
    return std::move(report_);
  }

private:
  void live() {
    open_node();
    do {
      while (!is_broken() && !is_over() && report_.steps < most_steps) {
        step();
        checks_.look();
        ++report_.steps;
      }
      if (is_broken())
        return;
      if (!is_over())
        violate("it does not end");
      settle(); // and a run that was not accepted by a scheduler that died may yet come
    } while (is_busy() && !is_broken());
    checks_.compare_all();
    if (const auto last = fold().last_seq(); checks_.seen() != last && !node_->has_given_up())
      violate("a subscriber saw " + std::to_string(checks_.seen()) + " of " + std::to_string(last)
              + " events");
  }

  void open_node() {
    asked_.clear();
    controls_asked_ = 0;
    // A runtime begins with what is stored; its subscriber with what comes then.
    checks_.subscribed();
    node_ = std::make_unique<scenario_node>(
      node_options_,
      [this](const auto& order, const auto& under_way) { checks_.check_start(order, under_way); },
      [this](const auto& key) { checks_.check_go_on(key); },
      [this](std::span<const model::event> events) { checks_.check_seen(events); });
    if (runs_left_ == 0 && fold().runs().empty())
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
    if (cancels_left_ > 0 && !checks_.unfinished().empty() && random_.below(60 * patience) == 0)
      return cancel();
    if (retries_left_ > 0 && !fold().runs().empty() && (!is_busy() || random_.below(300) == 0))
      return retry();
    if (rollbacks_left_ > 0 && !fold().runs().empty() && (!is_busy() || random_.below(300) == 0))
      return roll_back();
    if (marks_left_ > 0 && !fold().runs().empty() && random_.below(20 * patience) == 0)
      return mark();
    if (!checks_.held().empty() && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(100) == 0))
      return answer();
    if (pauses_left_ > 0 && !fold().runs().empty() && random_.below(200) == 0)
      return pause();
    if (additions_left_ > 0 && !checks_.unfinished().empty() && random_.below(60) == 0)
      return add_tasks();
    if (is_any_at_gate() && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(100) == 0))
      return let_through();
    if (closings_left_ > 0 && controls_asked_ == 0 && random_.below(100) == 0) {
      --closings_left_;
      return set_switch(random_.below(2), model::switch_position::closed);
    }
    if (limits_left_ > 0 && controls_asked_ == 0 && random_.below(100) == 0)
      return limit_something();
    if (!limits_.empty() && controls_asked_ == 0
        && ((waiting == 0 && attempts.empty()) || random_.below(200) == 0))
      return set_limit(*limits_.begin(), std::nullopt);
    if (signals_left_ > 0 && !fold().runs().empty() && random_.below(100) == 0)
      return send_early();
    if (!checks_.paused().empty() && controls_asked_ == 0
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
    const auto spec = workflow_ ? workflow_ : some_workflow();
    const auto compiled = logic::compile(spec, [](std::string_view) { return true; });
    if (!compiled)
      return violate("the workflow is not valid: " + compiled.error().front().message);
    report_.tasks += spec->tasks.size();
    const auto number = checks_.submitted(*compiled);
    asked_.insert(number);
    // The hash is what its run is known by.
    node_->submit(spec, std::to_string(number),
                  [this, number](const expected<model::run_no>& answer) {
                    asked_.erase(number);
                    checks_.look();
                    if (!answer) { // refused, or its scheduler died: nothing was promised
                      if (runs_left_ == 0 && fold().runs().empty())
                        runs_left_ = 1;
                      return;
                    }
                    if (!checks_.is_stored(*answer, number))
                      violate("a run was accepted that is not stored");
                  });
  }

  /// All of one name: their tasks share breakers.
  std::shared_ptr<const model::workflow_spec> some_workflow() {
    const auto size = random_.percent(90) ? 5 + random_.below(40) : 5 + random_.below(196);
    return std::make_shared<const model::workflow_spec>(random_workflow(random_, size));
  }

  void cancel() {
    --cancels_left_;
    if (random_.percent(40))
      return control(checks_.unfinished().front(),
                     model::cancel_group{random_.percent(50) ? "g0" : "g1",
                                         random_.percent(50) ? model::cancel_mode::graceful
                                                             : model::cancel_mode::immediate});
    const auto runs = checks_.unfinished();
    const auto which = random_.percent(50) ? 0 : random_.below(runs.size()); // or part of one
    node_->cancel(runs[which], random_.percent(50) ? model::cancel_mode::graceful
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
    const auto key =
      *std::next(checks_.held().begin(), std::ptrdiff_t(random_.below(checks_.held().size())));
    const auto name = checks_.name_of(key);
    constexpr std::array decided{task_state::succeeded, task_state::skipped, task_state::failed};
    if (random_.percent(60))
      control(key.run_no, model::retry_task{name});
    else
      control(key.run_no, model::mark_task{name, decided[random_.below(decided.size())]});
  }

  /// Whether something waits for an operator, or for a signal.
  bool is_any_at_gate() const {
    return std::any_of(checks_.at_gates().begin(), checks_.at_gates().end(), [](const auto& at) {
      return at.second == model::wait_reason::approval || at.second == model::wait_reason::signal
             || at.second == model::wait_reason::gate;
    });
  }

  /// An operator approves, rejects or sends what a task waits for, if it does.
  void let_through() {
    const auto& all = checks_.at_gates();
    const auto [key, reason] = *std::next(all.begin(), std::ptrdiff_t(random_.below(all.size())));
    if (reason == model::wait_reason::gate)
      set_switch(random_.below(2), model::switch_position::open);
    else if (reason == model::wait_reason::signal)
      control(key.run_no, model::send_signal{gate_name(checks_.spec_of(key)), "now", "somebody"});
    else // which is refused when it waits for something else
      control(key.run_no, model::decide_gate{checks_.name_of(key),
                                             random_.percent(70) ? model::verdict::approved
                                                                 : model::verdict::rejected,
                                             model::value::object(),
                                             {"somebody", ""}});
  }

  /// Somebody opens or closes a switch, which may be so already.
  void set_switch(std::size_t which, model::switch_position to) {
    ++controls_asked_;
    const model::set_switch what{"s" + std::to_string(which), to, {"somebody", ""}};
    node_->control({}, what, [this, what](const expected<model::control_result>& answer) {
      --controls_asked_;
      checks_.look();
      if (answer)
        checks_.switch_was_set(what);
    });
  }

  /// Somebody allows less of something, until it is taken back.
  void limit_something() {
    --limits_left_;
    constexpr std::int64_t one = 1'000;
    const auto amount = std::int64_t(random_.below(3));
    switch (random_.below(4)) {
    case 0:
      return set_limit({model::limit_kind::slots, ""}, amount);
    case 1:
      return set_limit({model::limit_kind::pool, "pool"}, amount);
    case 2:
      return set_limit({model::limit_kind::resource, "gpu"}, amount * one);
    default:
      return set_limit({model::limit_kind::resource, "cpu"}, amount * one);
    }
  }

  using limited = std::pair<model::limit_kind, std::string>;
  void set_limit(const limited& what, std::optional<std::int64_t> amount) {
    ++controls_asked_;
    if (amount)
      limits_.insert(what);
    const model::store_limit limit{what.first, what.second, amount, "somebody", {}};
    node_->control({}, model::set_store_limit{limit}, [this, what, amount](const auto& answer) {
      --controls_asked_;
      const bool is_gone = answer || answer.error().code == errc::not_found;
      if (!amount && is_gone)
        limits_.erase(what);
    });
  }

  /// Somebody sends a signal that no gate may wait for yet, or ever.
  void send_early() {
    --signals_left_;
    control(some_run(), model::send_signal{"go", signals_left_, "somebody"});
  }

  /// An operator goes on with a task that is paused.
  void resume_task() {
    const auto key =
      *std::next(checks_.paused().begin(), std::ptrdiff_t(random_.below(checks_.paused().size())));
    control(key.run_no, model::resume_task{checks_.name_of(key)});
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

  /// An operator gives a run further tasks, which may be ending or part of another one.
  void add_tasks() {
    --additions_left_;
    const auto runs = checks_.unfinished();
    const auto run = runs[random_.percent(80) ? 0 : random_.below(runs.size())];
    const auto before = spec_of(run).additions.size();
    control(run,
            model::add_tasks{
              std::make_shared<const model::workflow_spec>(random_addition(random_, spec_of(run)))},
            [this, run, before] {
              if (spec_of(run).additions.size() <= before)
                violate("a run was given tasks that are not stored");
              ++report_.additions;
            });
  }

  std::optional<model::run_no> paused_run() const {
    for (const auto& [run, folded] : fold().runs())
      if (folded.paused && !is_terminal(folded.state))
        return run;
    return std::nullopt;
  }

  model::run_no some_run() {
    const auto first = fold().runs().begin();
    return std::next(first, std::ptrdiff_t(random_.below(fold().runs().size())))->first;
  }
  std::string some_task(model::run_no run) {
    return checks_.name_of(
      {run, static_cast<std::uint32_t>(random_.below(fold().find(run)->tasks.size()))});
  }
  /// One in this state, as stored, or any when there is none.
  std::string some_task(model::run_no run, task_state state) {
    const auto& folded = fold().find(run)->tasks;
    std::vector<std::uint32_t> found;
    for (std::uint32_t i = 0; i < folded.size(); ++i)
      if (folded[i].state == state)
        found.push_back(i);
    return found.empty() ? some_task(run)
                         : checks_.name_of({run, found[random_.below(found.size())]});
  }

  /// `then` is called when it was done.
  void control(
    model::run_no run, const model::control& what, const std::function<void()>& then = [] {}) {
    ++controls_asked_;
    const auto before = checks_.events_of_operators();
    // Of a run that is paused already, and of which nothing runs, there is nothing to stop.
    const auto* pause = std::get_if<model::pause_run>(&what);
    // And of a group that is decided there is nothing to cancel.
    const bool may_be_nothing = (pause != nullptr && pause->mode == model::pause_mode::stop)
                                || std::holds_alternative<model::cancel_group>(what);
    node_->control(
      run, what,
      [this, run, before, may_be_nothing, then](const expected<model::control_result>& answer) {
        --controls_asked_;
        checks_.look();
        if (answer
            && ((checks_.events_of_operators() == before && !may_be_nothing)
                || fold().find(run)->generation < answer->generation))
          violate("what an operator asked for was answered, and is not stored");
        if (answer)
          then();
      });
  }

  /// A run in which a task of finally is being stopped.
  std::optional<model::run_no> run_stopping_finally() const {
    for (const auto run : checks_.unfinished()) {
      const auto& folded = *fold().find(run);
      for (std::uint32_t task = 0; task < folded.tasks.size(); ++task)
        if (folded.tasks[task].state == task_state::cancelling
            && spec_of(run).is_finally(folded.node(task)))
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
    if (has_budget(*order.workflow) && random_.percent(25))
      return node_->use(key, {{"cost", 0.25 * static_cast<double>(random_.below(8))},
                              {"tokens", random_.below(100)}});
    const bool has_validation =
      command_for(*order.workflow, order.spec(), model::command_role::validate) != nullptr;
    if (has_validation && !undoes(order.role) && random_.percent(45)) {
      if (deeds_.started.contains(key) && validating_.insert(key).second)
        node_->launcher().validate(key);
    } else if (roll < 35) {
      if (deeds_.started.insert(key).second)
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
    if (deeds_.taken.contains(key))
      return; // it waits
    if (roll < 30 && deeds_.started.insert(key).second)
      return node_->launcher().confirm(key, node_->wall());
    if (roll < 80)
      return node_->launcher().hold(key, deeds_.taken[key] = std::string(random_.below(20'000), 'x')
                                                             + to_string(key));
    if (roll < 90)
      end_badly(key, model::failure_class::exit, "1");
  }

  /// A process saves its progress, which is a number that only grows.
  void save(model::attempt_key key) {
    const auto progress = ++progress_;
    node_->save_checkpoint(key, {std::to_string(progress), std::string(random_.below(20'000), 'x')},
                           [this, key, progress](const expected<void>& answer) {
                             if (answer) // else it is stale, or the runtime is going down
                               checks_.progress_kept(key, progress);
                           });
  }

  void end_well(model::attempt_key key) {
    deeds_.ended_well.insert(key);
    const auto& order = node_->launcher().order(key);
    auto out = undoes(order.role) ? model::value{} : outputs(order.spec());
    deeds_.put_out[key] = out;
    node_->launcher().end(key, node_->wall(), std::nullopt, std::move(out));
  }

  void end_badly(model::attempt_key key, model::failure_class why, std::string code) {
    deeds_.ended_badly.insert(key);
    node_->launcher().end(key, node_->wall(), model::failure{why, std::move(code), "it failed"});
  }

  std::optional<executors::stop_signal> asked_to_stop(model::attempt_key key) const {
    std::optional<executors::stop_signal> asked;
    for (const auto& sent : node_->launcher().signals)
      if (sent.key == key)
        asked = sent.what;
    return asked;
  }

  /// All that the task declares; of a random one often nothing, which its readers put up with.
  model::value outputs(const model::task_spec& task) {
    if (task.out.empty() || (!workflow_ && random_.percent(40)))
      return {};
    auto values = model::value::object();
    for (const auto& [name, type] : task.out)
      values[name] = some_value(type);
    return values;
  }

  model::value some_value(model::value_type type) {
    using enum model::value_type;
    switch (type) {
    case integer:
      return random_.below(10);
    case real:
      return 0.5 * static_cast<double>(random_.below(10));
    case boolean:
      return random_.percent(50);
    case date:
      return "2026-03-01";
    case timestamp:
      return "2026-03-01T07:30:00Z";
    case list:
      return model::value::array({1, "two"});
    case map:
      return {{"key", 1}};
    case text:
    case file:
      break;
    }
    return std::string(random_.percent(20) ? 20'000 : 3, 'x'); // or more than a scheduler keeps
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
                            + std::to_string(fold().last_seq()));
    ++report_.faults[std::size_t(what)];
  }

  /// An attempt whose process has not started.
  std::optional<model::attempt_key> waiting_start() const {
    for (const auto& key : node_->launcher().keys())
      if (!deeds_.started.contains(key) && !deeds_.taken.contains(key))
        return key;
    return std::nullopt;
  }
  bool waits_with_snapshot() const {
    const auto keys = node_->launcher().keys();
    return std::any_of(keys.begin(), keys.end(), [this](const auto& key) {
      return deeds_.taken.contains(key) && !has_gone_on(key);
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
      checks_.clock_was_set();
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
    checks_.look();
    checks_.compare_all();
    checks_.check_recovery();
    node_options_.resume = checks_.unfinished();
    open_node();
  }

  bool is_any_waiting() const {
    return std::any_of(fold().runs().begin(), fold().runs().end(), [](const auto& run) {
      return run.second.counts[std::size_t(task_state::waiting)] > 0;
    });
  }
  bool is_busy() const {
    return !asked_.empty() || controls_asked_ > 0 || !checks_.unfinished().empty();
  }
  bool is_over() const {
    return runs_left_ == 0 && retries_left_ == 0 && rollbacks_left_ == 0 && !is_busy();
  }

  void settle() {
    for (int i = 0; i < 100; ++i) { // restarts that are under way take up to five seconds each
      while (node_->waiting() > 0)
        node_->run_one(0);
      node_->skip(model::milliseconds{1'000});
    }
    checks_.look();
    if (!is_busy() && !node_->has_given_up() && !node_->launcher().keys().empty())
      violate("a process runs although all runs are over");
  }

  const logic::event_fold& fold() const { return checks_.fold(); }
  const model::workflow_spec& spec_of(model::run_no run) const {
    return checks_.workflow(run)->spec();
  }
  void violate(std::string what) { checks_.violate(std::move(what)); }
  bool is_broken() const { return checks_.violation().has_value(); }

  dice random_;
  std::shared_ptr<const model::workflow_spec> workflow_; ///< null: random ones
  std::size_t faults_left_;
  std::size_t runs_left_ = 0;
  std::size_t cancels_left_ = 0;
  std::size_t retries_left_ = 0;
  std::size_t rollbacks_left_ = 0;
  std::size_t marks_left_ = 0;
  std::size_t pauses_left_ = 0;
  std::size_t signals_left_ = 0;
  std::size_t closings_left_ = 0;
  std::size_t limits_left_ = 0;
  std::set<limited> limits_; ///< that may be set
  std::size_t additions_left_ = 0;
  std::size_t controls_asked_ = 0; ///< of this runtime, and not answered
  std::size_t idle_ = 0;
  scenario_node_options node_options_;
  scenario_report report_;
  process_deeds deeds_;
  promise_checks checks_{node_options_, deeds_};

  std::set<std::size_t> asked_; ///< of the workflows that were submitted: not answered yet
  std::set<model::attempt_key> validating_; ///< so it was told
  std::set<model::run_no> forced_;          ///< to end, while a task of finally was being stopped
  std::set<model::run_no> interrupted_;     ///< by a pause, while a task of it was rolled back
  std::uint64_t progress_ = 0;              ///< that was saved last
  std::unique_ptr<scenario_node> node_;     // last: while it ends it calls back into the others
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

// The rules of a run, evaluated naively: all of them over all tasks until nothing changes. Written
// from the state model and not from the scheduler core, which is compared with it.
#pragma once

#include "tests/logic/core_world.hpp"

#include <functional>
#include <set>

namespace sluice::logic {

class reference_run {
public:
  enum class is {
    pending,
    loading,
    ready,
    retrying,
    held,    ///< by its breaker
    on_hold, ///< it failed for good, and a person is to decide
    paused,
    active,
    succeeded,
    failed,
    skipped,
    cancelled,
    rolled_back
  };
  enum class stopped { no, by_timeout, by_deadline, by_cancel };

  /// What an expression comes to when the task fires; nothing: an error.
  using condition = std::function<std::optional<bool>(const reference_run&)>;
  using input = std::function<std::optional<model::value>(const reference_run&)>;

  struct task {
    model::join_rule rule = model::join_rule::all_success;
    bool allow_failure = false;
    bool never_again = false;
    std::uint32_t max_retries = 0;
    bool has_fallback = false;
    bool has_rollback = false;
    bool needs_snapshot = false; ///< for that
    bool has_compensation = false;
    bool holds = false;      ///< a person decides when its last attempt has failed
    bool is_expired = false; ///< its deadline has passed
    bool is_finally = false;
    bool has_key = false;
    bool is_asking = false;                 ///< what its key stands for: its inputs are known
    std::set<std::uint32_t> upstreams;      ///< none outside finally when it is of finally
    std::set<std::uint32_t> state_mentions; ///< in join or `when`
    std::set<std::uint32_t> output_mentions;
    condition join, when; ///< empty: none
    std::vector<std::pair<std::string, input>> in;

    is state = is::pending;
    stopped stop = stopped::no;
    model::value inputs;
    model::value outputs;
    is after_loading = is::ready;
    is was = is::pending; ///< before its pause
    std::uint32_t losses = 0;
    std::uint32_t retries = 0;
    bool fell_back = false;
    bool rolls_back = false; ///< what it did is undone: it has failed, or its run is rolled back
    bool has_snapshot = false;
    bool completed = false; ///< it succeeded, and can be compensated
    std::uint32_t attempts = 0;
    bool has_started = false;      ///< since the last retry
    bool in_store = false;         ///< its outputs, since a restart
    bool is_to_evaluate = false;   ///< started before a restart: its inputs are to be found again
    std::set<std::uint32_t> reads; ///< what for that has to be read back
    bool kept = false;             ///< decided before the last retry
  };

  std::vector<task> tasks;
  bool stops_on_failure = true;
  bool compensates = false; ///< then, too
  std::uint32_t crash_limit = 5;
  std::size_t kept_output_bytes = 64;

  /// Of the tasks that an expression error fails in the very cascade in which the run stops, the
  /// rules do not say which come first. This says whether the stop came first for a task.
  std::function<bool(std::uint32_t)> stopped_before;

  bool stopping = false;
  bool cancelling = false;
  bool rolls_back = false;                ///< its tasks are compensated, or were
  bool in_finally = false;                ///< all that comes before has been done
  bool finally_is_over = false;           ///< and the run that had ended is rolled back
  std::vector<std::uint32_t> completions; ///< tasks that can be compensated, as they succeeded
  bool is_expired = false;                ///< its deadline has passed, and ended it
  bool has_to_stop = false; ///< `stopped_before` said so; `settle` has to come to the same
  std::set<std::uint32_t> unhandled;
  /// How it ended, and whether degraded; once a task was marked since then.
  std::optional<std::pair<model::run_state, bool>> how_it_ended;

  static bool is_loading(const task& t) {
    return t.state == is::loading || (t.state == is::paused && t.was == is::loading);
  }
  static bool is_decided(is state) { return state >= is::succeeded; }
  bool is_over() const {
    return std::all_of(tasks.begin(), tasks.end(),
                       [](const task& t) { return is_decided(t.state); });
  }
  bool is_degraded() const {
    if (how_it_ended)
      return how_it_ended->second;
    return std::any_of(tasks.begin(), tasks.end(),
                       [](const task& t) { return has_failed(t) && t.allow_failure; });
  }
  /// Whether the tasks of finally have their turn.
  bool is_finally_due() const {
    return std::all_of(tasks.begin(), tasks.end(),
                       [](const task& t) { return t.is_finally || is_decided(t.state); });
  }
  model::run_state end() const {
    if (how_it_ended)
      return how_it_ended->first;
    return is_expired   ? model::run_state::failed
           : cancelling ? model::run_state::cancelled
           : (fails_in_finally() && !finally_is_over) || fails_before_finally()
             ? model::run_state::failed
           : rolls_back ? model::run_state::rolled_back
                        : model::run_state::succeeded;
  }

  model::run_state outcome_before_finally() const {
    return is_expired               ? model::run_state::failed
           : cancelling             ? model::run_state::cancelled
           : fails_before_finally() ? model::run_state::failed
           : rolls_back             ? model::run_state::rolled_back
                                    : model::run_state::succeeded;
  }

  /// Applies the rules until nothing changes; to finally, when nothing changes among the others.
  void settle() {
    settle_some(false);
    if (!is_finally_due() || (!in_finally && compensate_next()))
      return;
    in_finally = true;
    settle_some(true);
  }
  void settle_some(bool with_finally) {
    for (bool changed = true; changed;) {
      changed = false;
      for (auto& t : tasks)
        if (t.state == is::pending && (with_finally || !t.is_finally))
          changed = apply_join(t) || changed;
      if (changed)
        continue;
      for (std::uint32_t i = 0; i < tasks.size(); ++i)
        if (has_failed(tasks[i]) && !tasks[i].allow_failure && is_unhandled(i))
          changed = unhandled.insert(i).second || changed;
      const bool has_new = std::any_of(unhandled.begin(), unhandled.end(), [&](auto i) {
        return !tasks[i].kept && !tasks[i].is_finally;
      });
      if (has_new && stops_on_failure && !stopping && !cancelling && !rolls_back) {
        stopping = changed = true;
        for (auto& t : tasks)
          if (is_idle(t) && wants_success(t) && !t.rolls_back)
            t.state = t.state == is::retrying || t.state == is::on_hold
                          || ((t.state == is::held || t.state == is::paused) && t.retries > 0)
                        ? failed(t)
                        : is::skipped;
      }
    }
  }

  void dispatched(std::uint32_t i) {
    tasks[i].state = is::active;
    tasks[i].is_to_evaluate = false;
    ++tasks[i].attempts;
    tasks[i].has_started = true;
  }
  /// What is being stopped does nothing any more.
  void took_snapshot(std::uint32_t i) {
    tasks[i].has_snapshot = tasks[i].has_snapshot || tasks[i].stop == stopped::no;
  }
  void timed_out(std::uint32_t i) {
    if (tasks[i].stop == stopped::no)
      tasks[i].stop = stopped::by_timeout;
  }
  /// What finally sees of the run is what holds when that is evaluated.
  void tell_outcome() {
    for (auto& t : tasks)
      for (const auto& [name, from] : t.in)
        if (t.is_finally && is_loading(t) && !t.is_asking && (name == "state" || name == "failed"))
          t.inputs[name] = *from(*this);
  }
  void cancelled(model::cancel_mode mode) {
    cancelling = true;
    tell_outcome();
    for (auto& t : tasks) {
      if (t.is_finally || (t.rolls_back && !t.completed) ? mode == model::cancel_mode::graceful
                                                         : is_expired)
        continue; // runs all the same; or is being ended already
      if (is_idle(t))
        t.state = is::cancelled;
      else if (t.state == is::active)
        t.stop = stopped::by_cancel;
    }
  }
  void ended(std::uint32_t i, const model::attempt_report& report) {
    auto& t = tasks[i];
    const auto stop = std::exchange(t.stop, stopped::no);
    if (t.rolls_back)
      return rollback_ended(t, stop, report);
    if (stop == stopped::by_cancel) {
      t.state = is::cancelled;
    } else if (stop == stopped::by_deadline) {
      t.state = failed(t);
    } else if (stop == stopped::by_timeout) {
      t.state = after_failure(t);
    } else if (!report.failure) {
      t.state = is::succeeded;
      t.outputs = report.outputs;
      t.completed = t.has_compensation && !t.is_finally;
      if (t.completed)
        completions.push_back(i);
    } else if (report.failure->failure_class != model::failure_class::lost) {
      t.state = after_failure(t);
    } else if (++t.losses > crash_limit || t.never_again) {
      t.state = after_last_failure(t);
    } else {
      goes_on(t);
      if (stopping && wants_success(t))
        t.state = is::skipped;
    }
  }
  /// Another scheduler took the run up: it has no outputs in memory, and knows of no task that has
  /// not started that its rules have held.
  void restarted() {
    note_what_is_in_store();
    for (auto& t : tasks) {
      if ((t.has_started || t.state == is::held) && !is_decided(t.state)) {
        if (!t.has_started)
          for (const auto& [name, from] : t.in)
            t.inputs[name] = *from(*this); // of what is decided by now
        evaluate_again(t);
        if (t.state == is::paused)
          t.was = t.was == is::retrying ? is::retrying : is::ready;
        else if (t.state != is::active && t.state != is::retrying && t.state != is::held
                 && t.state != is::on_hold)
          t.state = t.reads.empty() && !asks_for_key(t) ? is::ready : is::loading;
        t.after_loading = is::ready;
      } else if (is_idle(t)) {
        (t.state == is::paused ? t.was : t.state) = is::pending;
        t.inputs = nullptr;
      }
    }
  }
  /// What a retry of this scope starts again; `reason` tells why a task was skipped.
  std::set<std::uint32_t> picked(const model::retry_run& what, std::uint32_t named,
                                 const std::function<std::string(std::uint32_t)>& reason) const {
    std::set<std::uint32_t> all;
    const bool by_failure = what.scope == model::retry_scope::failed;
    for (std::uint32_t i = 0; i < tasks.size(); ++i)
      if (by_failure ? tasks[i].state == is::failed || tasks[i].state == is::rolled_back
                         || tasks[i].state == is::cancelled
                         || (tasks[i].state == is::skipped && reason(i) == "run_failed")
                     : i == named)
        all.insert(i);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::uint32_t i = 0; i < tasks.size(); ++i)
        for (const auto u : tasks[i].upstreams)
          if (all.count(u) != 0
              && (!by_failure || (tasks[i].state == is::skipped && reason(i) == "upstream")))
            changed = all.insert(i).second || changed;
    }
    if (what.scope == model::retry_scope::downstream)
      all.erase(named);
    for (bool changed = !by_failure; changed;) { // what was undone has to be done again
      changed = false;
      for (std::uint32_t i = 0; i < tasks.size(); ++i)
        if (all.count(i) != 0)
          for (const auto u : tasks[i].upstreams)
            if (tasks[u].completed && tasks[u].state != is::succeeded)
              changed = all.insert(u).second || changed;
    }
    const bool repeats_others =
      std::any_of(all.begin(), all.end(), [&](auto i) { return !tasks[i].is_finally; });
    for (std::uint32_t i = 0; repeats_others && i < tasks.size(); ++i)
      if (tasks[i].is_finally)
        all.insert(i);
    return all;
  }
  /// Whether an operator may pause a task.
  bool may_pause(std::uint32_t i) const {
    return is_idle(tasks[i]) && !tasks[i].rolls_back && tasks[i].state != is::on_hold
           && tasks[i].state != is::paused;
  }
  /// Whether an operator may decide a task so.
  bool may_mark(std::uint32_t i, is as) const {
    const bool is_needed = std::any_of(tasks.begin(), tasks.end(), [&](const task& t) {
      const bool sees_it =
        t.upstreams.count(i) != 0 || (in_finally && t.is_finally && !tasks[i].is_finally);
      return sees_it && !t.rolls_back
             && (t.state == is::ready || t.state == is::loading
                 || (t.state == is::paused && t.was != is::pending));
    });
    return (is_idle(tasks[i]) && !tasks[i].rolls_back)
           || (tasks[i].state == is::failed && as != is::failed && (!is_needed || is_over()));
  }
  void marked(std::uint32_t i, is as) {
    if (is_over() && !how_it_ended)
      how_it_ended = {end(), is_degraded()};
    auto& t = tasks[i];
    t.state = t.state == is::on_hold && as == is::failed ? failed(t) : as;
    if (!t.completed)
      t.outputs = nullptr;
    unhandled.clear(); // found again
    settle();
    tell_outcome();
  }
  void retried(const std::set<std::uint32_t>& reset) {
    how_it_ended.reset();
    stopping = cancelling = is_expired = has_to_stop = rolls_back = in_finally = false;
    finally_is_over = false;
    unhandled.clear();
    std::erase_if(completions, [&](std::uint32_t i) { return reset.count(i) != 0; });
    for (std::uint32_t i = 0; i < tasks.size(); ++i) {
      auto& t = tasks[i];
      t.kept = reset.count(i) == 0;
      if (t.kept)
        continue;
      t.state = is::pending;
      t.inputs = t.outputs = nullptr;
      t.losses = t.retries = 0;
      t.fell_back = t.rolls_back = t.has_snapshot = t.completed = false;
      t.is_expired = t.in_store = t.is_to_evaluate = t.has_started = false;
    }
    note_what_is_in_store();
  }
  /// What is undone when the ended run is rolled back.
  std::size_t count_compensations() const {
    return std::size_t(std::count_if(tasks.begin(), tasks.end(), [](const task& t) {
      return t.completed && (t.state == is::succeeded || t.state == is::failed);
    }));
  }
  void rolled_back_by_operator() {
    how_it_ended.reset();
    stopping = cancelling = is_expired = has_to_stop = in_finally = false;
    rolls_back = finally_is_over = true;
    unhandled.clear(); // found again
    for (auto& t : tasks)
      if (t.completed && t.state == is::failed)
        t.state = is::succeeded;
    note_what_is_in_store();
  }
  /// An operator lets a task that is on hold try again.
  void tried_again(std::uint32_t i) {
    auto& t = tasks[i];
    t.losses = t.retries = 0;
    t.fell_back = false;
    goes_on(t);
  }
  void paused(std::uint32_t i) {
    tasks[i].was = tasks[i].state;
    tasks[i].state = is::paused;
  }
  void resumed(std::uint32_t i) {
    auto& t = tasks[i];
    t.state = t.was;
    if (t.was != is::held && t.was != is::ready)
      return;
    goes_on(t);
    if (!t.has_started && asks_for_key(t)) // another task may have begun with it
      t.state = is::loading;
  }
  void retry_is_due(std::uint32_t i) {
    if (tasks[i].state == is::paused)
      tasks[i].was = is::ready;
    else
      goes_on(tasks[i]);
  }
  void left_queue(std::uint32_t i) { tasks[i].state = failed(tasks[i]); }
  void passed_deadline(std::uint32_t i) {
    auto& t = tasks[i];
    t.is_expired = true;
    if (is_idle(t))
      t.state = failed(t);
    else if (t.stop == stopped::no)
      t.stop = stopped::by_deadline;
  }
  void passed_deadline() {
    if (cancelling)
      return;
    cancelling = is_expired = true;
    for (auto& t : tasks)
      if (t.is_finally || t.rolls_back)
        continue;
      else if (is_idle(t))
        t.state = is::cancelled;
      else if (t.state == is::active && t.stop == stopped::no)
        t.stop = stopped::by_deadline;
  }
  /// What it waited for was read back.
  void loaded(std::uint32_t i) {
    tasks[i].state = tasks[i].after_loading;
    tasks[i].is_to_evaluate = false;
  }
  void held_back(std::uint32_t i, bool is_evaluated) {
    tasks[i].state = is::held;
    tasks[i].is_to_evaluate = !is_evaluated;
  }
  void released(std::uint32_t i) { goes_on(tasks[i]); }
  /// Another task with the same key had succeeded.
  void reused(std::uint32_t i, model::value outputs) {
    tasks[i].state = is::succeeded;
    tasks[i].outputs = std::move(outputs);
  }
  void not_loaded(std::uint32_t i) { tasks[i].state = is::failed; }

  bool reads_large(std::uint32_t i) const {
    const auto& names = tasks[i].output_mentions;
    return std::any_of(names.begin(), names.end(), [&](auto u) { return is_large(tasks[u]); });
  }

private:
  /// Itself: not only to be compensated.
  static bool has_failed(const task& t) {
    return (t.state == is::failed || t.state == is::rolled_back) && !t.completed;
  }
  /// What finally can still see of a task that was compensated since.
  static bool has_put_out(const task& t) {
    return (t.state == is::succeeded || t.completed) && !t.outputs.is_null();
  }
  void note_what_is_in_store() {
    for (auto& t : tasks)
      t.in_store = has_put_out(t);
    for (auto& t : tasks)
      if (t.completed && t.state == is::succeeded)
        evaluate_again(t);
  }
  void evaluate_again(task& t) {
    t.is_to_evaluate = true;
    t.reads.clear();
    for (const auto u : t.output_mentions)
      if (tasks[u].in_store && is_decided(tasks[u].state))
        t.reads.insert(u);
  }
  /// Undoes the last of what succeeded. Returns whether there was any.
  bool compensate_next() {
    const auto last = std::find_if(completions.rbegin(), completions.rend(),
                                   [this](auto i) { return tasks[i].state == is::succeeded; });
    const bool is_asked_for =
      compensates && std::any_of(unhandled.begin(), unhandled.end(), [this](auto i) {
        return !tasks[i].is_finally && !tasks[i].kept;
      });
    if (cancelling || last == completions.rend() || !(rolls_back || is_asked_for))
      return false;
    rolls_back = true;
    auto& t = tasks[*last];
    t.rolls_back = true;
    t.losses = 0;
    goes_on(t);
    return true;
  }
  /// What has done something, and can undo it, does so first.
  is failed(task& t) const {
    if (!t.has_rollback || t.rolls_back || !t.has_started || (t.needs_snapshot && !t.has_snapshot))
      return is::failed;
    t.rolls_back = true;
    t.losses = 0;
    goes_on(t);
    return t.state;
  }
  void rollback_ended(task& t, stopped stop, const model::attempt_report& report) const {
    const bool is_lost =
      report.failure && report.failure->failure_class == model::failure_class::lost;
    if (stop == stopped::by_cancel)
      t.state = is::cancelled;
    else if (stop == stopped::no && !report.failure)
      t.state = is::rolled_back;
    else if (stop == stopped::no && is_lost && ++t.losses <= crash_limit)
      goes_on(t);
    else
      t.state = is::failed;
  }
  bool fails_in_finally() const {
    return std::any_of(unhandled.begin(), unhandled.end(),
                       [this](std::uint32_t i) { return tasks[i].is_finally; });
  }
  bool fails_before_finally() const {
    if (rolls_back)
      return std::any_of(tasks.begin(), tasks.end(), [](const task& t) {
        return t.completed && (t.state == is::failed || t.state == is::succeeded);
      });
    return std::any_of(unhandled.begin(), unhandled.end(),
                       [this](std::uint32_t i) { return !tasks[i].is_finally; });
  }
  static bool is_idle(const task& t) {
    return t.state == is::pending || t.state == is::loading || t.state == is::ready
           || t.state == is::retrying || t.state == is::held || t.state == is::on_hold
           || t.state == is::paused;
  }
  /// With another attempt.
  void goes_on(task& t) const {
    t.state = t.is_to_evaluate && (!t.reads.empty() || asks_for_key(t)) ? is::loading : is::ready;
    t.after_loading = is::ready;
  }
  static bool asks_for_key(const task& t) { return t.has_key && !t.rolls_back; }
  is after_failure(task& t) const {
    if (t.retries == t.max_retries || t.fell_back || is_given_up(t))
      return after_last_failure(t);
    ++t.retries;
    return is::retrying;
  }
  is after_last_failure(task& t) const {
    if (is_given_up(t))
      return failed(t);
    if (!t.has_fallback || t.fell_back)
      return t.holds && !stopping && !cancelling && !rolls_back ? is::on_hold : failed(t);
    t.fell_back = true;
    goes_on(t);
    return t.state;
  }
  bool is_given_up(const task& t) const {
    const bool by_run = !t.is_finally && (cancelling || (stopping && wants_success(t)));
    return t.is_expired || by_run;
  }
  static bool wants_success(const task& t) {
    if (t.is_finally)
      return false;
    return t.rule == model::join_rule::all_success || t.rule == model::join_rule::none_failed
           || t.rule == model::join_rule::one_success;
  }
  bool is_large(const task& t) const {
    return has_put_out(t) && (t.in_store || model::to_text(t.outputs).size() > kept_output_bytes);
  }
  bool handles(std::uint32_t dependent, std::uint32_t upstream) const {
    const auto& t = tasks[dependent];
    return t.upstreams.count(upstream) != 0
           && (t.rule == model::join_rule::one_failed || t.rule == model::join_rule::all_failed
               || t.state_mentions.count(upstream) != 0);
  }
  bool is_unhandled(std::uint32_t failed) const {
    for (std::uint32_t i = 0; i < tasks.size(); ++i)
      if (handles(i, failed) && (tasks[i].state == is::succeeded || !is_decided(tasks[i].state)))
        return false;
    return true;
  }

  /// Returns whether the task's join is decided now.
  bool apply_join(task& t) {
    using model::join_rule;
    const auto n = t.upstreams.size();
    std::size_t success = 0, failure = 0, skipped = 0, cancelled = 0;
    for (const auto u : t.upstreams) {
      const auto& up = tasks[u];
      const bool allowed = has_failed(up) && up.allow_failure;
      success += up.state == is::succeeded || allowed;
      failure += has_failed(up) && !allowed;
      skipped += up.state == is::skipped;
      cancelled += up.state == is::cancelled;
    }
    const bool all_decided = success + failure + skipped + cancelled == n;
    const auto decide = [&](bool fires, bool cannot) {
      if (fires)
        fire(t);
      else if (cannot)
        t.state = is::skipped;
      return fires || cannot;
    };
    switch (t.rule) {
    case join_rule::all_success:
      return decide(success == n, failure + skipped + cancelled > 0);
    case join_rule::none_failed:
      return decide(all_decided && failure + cancelled == 0, failure + cancelled > 0);
    case join_rule::all_failed:
      return decide(failure == n, success + skipped + cancelled > 0);
    case join_rule::all_done:
    case join_rule::expression:
      return decide(all_decided, false);
    case join_rule::one_success:
      return decide(success > 0, all_decided);
    case join_rule::one_failed:
      return decide(failure > 0, all_decided);
    }
    return false;
  }
  void fire(task& t) {
    const auto what = evaluate(t);
    const auto self = std::uint32_t(&t - tasks.data());
    t.state = reads_large(self) || (what == is::ready && t.has_key) ? is::loading : what;
    t.after_loading = what;
    if (t.state == is::failed && wants_success(t) && stops_on_failure && !stopping
        && stopped_before(self)) {
      t.state = is::skipped;
      has_to_stop = true;
    }
  }
  is evaluate(task& t) const {
    for (const auto& holds : {t.join, t.when}) {
      if (!holds)
        continue;
      const auto verdict = holds(*this);
      if (!verdict || !*verdict)
        return verdict ? is::skipped : is::failed;
    }
    for (const auto& [name, from] : t.in) {
      auto v = from(*this);
      if (!v)
        return is::failed;
      t.inputs[name] = std::move(*v);
    }
    return is::ready;
  }
};

} // namespace sluice::logic

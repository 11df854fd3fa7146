// Of the scheduler core: random graphs with random outcomes, compared with the naive reference.
#include "tests/logic/reference_run.hpp"

#include <numeric>
#include <random>
#include <tuple>

using namespace sluice;
using namespace sluice::logic;
using is = reference_run::is;

namespace {

class dice {
public:
  explicit dice(unsigned seed) : random_(seed) {}
  unsigned below(std::size_t n) { return unsigned(random_() % n); }
  bool percent(unsigned p) { return below(100) < p; }
  template <class Container>
  auto one_of(const Container& from) {
    return *std::next(from.begin(), below(from.size()));
  }

private:
  std::mt19937 random_;
};

/// One workflow twice: as the core gets it, and as the reference understands it.
struct generated {
  flow workflow;
  reference_run reference;
};

std::string name_of(std::uint32_t task) {
  return "t" + std::to_string(task);
}

std::optional<model::value> output_of(const reference_run& run, std::uint32_t task) {
  const auto& t = run.tasks[task];
  if ((t.state != is::succeeded && !t.completed) || !t.outputs.contains("v"))
    return std::nullopt;
  return t.outputs["v"];
}

class generator {
public:
  generator(dice& random, std::uint32_t size) : random_(random) {
    made_.reference.tasks.resize(size);
    for (std::uint32_t i = 0; i < size; ++i)
      made_.workflow.add_task(name_of(i)).out("v").out("big", model::value_type::text);
    std::vector<std::uint32_t> order(size); // so that upstreams are not always lower indices
    for (std::uint32_t i = 0; i < size; ++i)
      std::swap(order[i] = i, order[random_.below(i + 1)]);
    for (std::uint32_t i = 0; i < size; ++i)
      make(order[i], {order.begin(), order.begin() + i});
    if (random_.percent(30))
      make_finally(size);
    made_.workflow.param("yes", true).param("no", false).param("n", 1);
    if (random_.percent(40)) {
      made_.workflow.carry_on();
      made_.reference.stops_on_failure = false;
    } else if (random_.percent(50)) {
      made_.workflow.compensate();
      made_.reference.compensates = true;
    }
    if (random_.percent(30))
      made_.workflow.active_tasks(1 + random_.below(4));
    if (random_.percent(5))
      made_.workflow.deadline(model::milliseconds{1 + random_.below(200)});
  }
  generated take() { return std::move(made_); }

private:
  /// The tasks of finally come last; they see the others, but wait only for each other.
  void make_finally(std::uint32_t others) {
    const auto count = 1 + random_.below(4);
    made_.reference.tasks.resize(others + count);
    std::vector<std::uint32_t> all(others), earlier;
    std::iota(all.begin(), all.end(), 0u);
    for (auto self = others; self < others + count; ++self) {
      made_.workflow.add_task(name_of(self)).out("v").out("big", model::value_type::text);
      ++made_.workflow.spec.finally_count;
      made_.reference.tasks[self].is_finally = true;
      make(self, earlier);
      see(self, all);
      earlier.push_back(self);
    }
  }
  void see(std::uint32_t self, const std::vector<std::uint32_t>& others) {
    auto& t = made_.reference.tasks[self];
    auto editor = made_.workflow[name_of(self)];
    editor.in("state", "${{ run.state }}").in("failed", "${{ size(run.failed) }}");
    t.in.emplace_back("state", [](const reference_run& run) {
      return model::value(to_string(run.outcome_before_finally()));
    });
    t.in.emplace_back("failed", [](const reference_run& run) {
      return model::value(std::count_if(run.tasks.begin(), run.tasks.end(), [](const auto& other) {
        return (other.state == is::failed || (other.state == is::rolled_back && !other.completed))
               && !other.is_finally;
      }));
    });
    const auto u = random_.one_of(others);
    t.output_mentions.insert(u);
    editor.in("seen", "${{ default(tasks." + name_of(u) + ".out.v, -1) }}");
    t.in.emplace_back("seen", [u](const reference_run& run) {
      const auto v = output_of(run, u);
      return v ? v : model::value(-1);
    });
  }

  void make(std::uint32_t self, const std::vector<std::uint32_t>& earlier) {
    auto& t = made_.reference.tasks[self];
    auto editor = made_.workflow[name_of(self)];
    if (!earlier.empty())
      for (auto n = random_.below(5); n > 0; --n)
        t.upstreams.insert(random_.one_of(earlier));
    for (const auto u : t.upstreams)
      editor.after(name_of(u));
    t.rule = t.upstreams.empty()
               ? (random_.percent(70) ? model::join_rule::all_success : model::join_rule::all_done)
               : model::join_rule(random_.below(7));
    if (t.rule == model::join_rule::expression)
      join_by_expression(t, editor);
    else
      editor.join(std::string{to_string(t.rule)});
    t.allow_failure = random_.percent(15);
    editor.allow_failure(t.allow_failure);
    if (random_.percent(30)) {
      t.max_retries = 1 + random_.below(3);
      editor.retry({.max = t.max_retries});
    } else if (random_.percent(10)) {
      t.never_again = true;
      editor.never_again();
    }
    if (random_.percent(5))
      editor.deadline(model::milliseconds{1 + random_.below(100)});
    if (random_.percent(10))
      editor.queue_timeout(model::milliseconds{1 + random_.below(20)});
    const bool is_called = random_.percent(32);
    if (is_called)
      editor.call(random_.percent(60) ? "async" : "sync");
    if (random_.percent(15)) {
      t.has_fallback = true;
      const auto kind = random_.below(3);
      editor.fallback(kind == 0 ? model::action{model::call_action{"async"}}
                                : model::action{model::run_action{"true"}});
    }
    if (random_.percent(15)) {
      t.has_rollback = true;
      editor.rollback();
      if (!is_called && random_.percent(50)) {
        t.needs_snapshot = true;
        editor.snapshot();
      }
    }
    if (random_.percent(15)) { // tasks of other runs have the same name
      t.has_key = true;
      editor.idempotency("key-" + std::to_string(random_.below(2)));
    }
    if (random_.percent(15)) {
      t.holds = true;
      editor.hold();
    }
    if (!t.is_finally && random_.percent(40)) {
      t.has_compensation = true;
      editor.compensate();
    }
    if (random_.percent(30))
      add_condition(t, editor, earlier);
    if (random_.percent(50))
      add_input(t, editor, earlier);
  }

  void join_by_expression(reference_run::task& t, task_editor& editor) {
    const auto a = random_.one_of(t.upstreams);
    const auto b = random_.one_of(t.upstreams);
    t.state_mentions.insert({a, b});
    editor.join("tasks." + name_of(a) + ".state == 'failed' || tasks." + name_of(b)
                + ".state == 'succeeded'");
    t.join = [a, b](const reference_run& run) {
      return run.tasks[a].state == is::failed || run.tasks[b].state == is::succeeded;
    };
  }

  void add_condition(reference_run::task& t, task_editor& editor,
                     const std::vector<std::uint32_t>& earlier) {
    const auto kind = random_.below(earlier.empty() ? 3 : 6);
    if (kind == 0) {
      editor.when("params.yes");
      t.when = [](const reference_run&) { return true; };
    } else if (kind == 1) {
      editor.when("params.no");
      t.when = [](const reference_run&) { return false; };
    } else if (kind == 2) {
      editor.when("params.n"); // no boolean
      t.when = [](const reference_run&) { return std::nullopt; };
    } else {
      const auto u = random_.one_of(earlier);
      const auto task = "tasks." + name_of(u);
      t.upstreams.insert(u);
      if (kind == 3) {
        t.state_mentions.insert(u);
        editor.when(task + ".state == 'succeeded'");
        t.when = [u](const reference_run& run) { return run.tasks[u].state == is::succeeded; };
      } else {
        t.output_mentions.insert(u);
        const bool strict = kind == 4;
        editor.when(strict ? task + ".out.v > 3" : "default(" + task + ".out.v, 0) > 3");
        t.when = [u, strict](const reference_run& run) -> std::optional<bool> {
          const auto v = output_of(run, u);
          if (!v && strict)
            return std::nullopt;
          return v && *v > 3;
        };
      }
    }
  }

  void add_input(reference_run::task& t, task_editor& editor,
                 const std::vector<std::uint32_t>& earlier) {
    for (auto n = 1 + random_.below(3); n > 0; --n) {
      const auto name = "in" + std::to_string(n);
      if (earlier.empty() || random_.percent(20)) {
        editor.in(name, "constant");
        t.in.emplace_back(name, [](const reference_run&) { return model::value("constant"); });
        continue;
      }
      const auto u = random_.one_of(earlier);
      const bool strict = random_.percent(15);
      const auto output = "tasks." + name_of(u) + ".out.v";
      t.upstreams.insert(u);
      t.output_mentions.insert(u);
      editor.in(name, strict ? "${{ " + output + " }}" : "${{ default(" + output + ", -1) }}");
      t.in.emplace_back(name, [u, strict](const reference_run& run) {
        const auto v = output_of(run, u);
        return v || strict ? v : model::value(-1);
      });
    }
  }

  dice& random_;
  generated made_;
};

/// Drives the core and the references side by side.
class random_play {
public:
  random_play(dice& random, core_options options)
    : random_(random), options_(options), world_(options) {}

  void submit() {
    auto made = generator{random_, 5 + random_.below(56)}.take();
    made.reference.crash_limit = options_.crash_limit;
    made.reference.kept_output_bytes = options_.kept_output_bytes;
    const auto before = references_.size();
    const model::run_no run{std::int64_t(before) + 1};
    made.reference.stopped_before = [this, run](std::uint32_t task) {
      return world_.runs.at(run).reasons[task] == "run_failed";
    };
    references_.emplace(run, std::move(made.reference));
    active_tasks_.push_back(made.workflow.spec.active_tasks);
    world_.mode = pick_mode();
    world_.submit(made.workflow);
    REQUIRE(world_.submit_answers.back().result == run);
    compare();
  }
  bool is_over() const { return world_.core.live_runs() == 0; }

  /// An operator starts a run again that has ended, if there is one.
  bool retry() {
    std::vector<model::run_no> ended;
    for (const auto& [run_no, reference] : references_)
      if (world_.core.find_run(run_no) == nullptr)
        ended.push_back(run_no);
    if (ended.empty())
      return false;
    world_.mode = pick_mode();
    const auto run = world_.last_run = random_.one_of(ended);
    auto& reference = references_.at(run);
    const auto named = random_.below(reference.tasks.size());
    const model::retry_run what{model::retry_scope(random_.below(3)), name_of(named)};
    const auto reset =
      reference.picked(what, named, [&](auto i) { return world_.runs.at(run).reasons[i]; });
    std::erase_if(world_.loads, [run](const auto& asked) { return asked.run_no == run; });
    // What had failed may be marked since: then nothing starts, and the run ends otherwise.
    const auto state = world_.run_state();
    const bool may = what.scope == model::retry_scope::failed
                       ? state == "failed" || state == "cancelled"
                       : !reset.empty();
    if (may)
      reference.retried(reset);
    const auto done = world_.control(what);
    REQUIRE(done.has_value() == may);
    if (done)
      REQUIRE(done->tasks.size() == reset.size());
    compare();
    return done.has_value();
  }

  /// An operator rolls back a run that has ended, if there is one.
  bool roll_back() {
    std::vector<model::run_no> ended;
    for (const auto& [run_no, reference] : references_)
      if (world_.core.find_run(run_no) == nullptr)
        ended.push_back(run_no);
    if (ended.empty())
      return false;
    world_.mode = pick_mode();
    const auto run = world_.last_run = random_.one_of(ended);
    auto& reference = references_.at(run);
    std::erase_if(world_.loads, [run](const auto& asked) { return asked.run_no == run; });
    const auto count = reference.count_compensations();
    const bool may =
      count > 0 && (world_.run_state() == "succeeded" || world_.run_state() == "failed");
    if (may)
      reference.rolled_back_by_operator();
    const auto done = world_.control(model::rollback_run{});
    REQUIRE(done.has_value() == may);
    if (done)
      REQUIRE(done->tasks.size() == count);
    compare();
    return done.has_value();
  }

  /// An operator pauses a run, or goes on with it.
  void pause_or_resume() {
    world_.mode = pick_mode();
    const auto run = world_.last_run = random_.one_of(references_).first;
    const bool live = world_.core.find_run(run) != nullptr;
    const bool was_paused = world_.runs.at(run).paused;
    const auto done =
      was_paused ? world_.control(model::resume_run{}) : world_.control(model::pause_run{});
    REQUIRE(done.has_value() == live);
    REQUIRE(world_.runs.at(run).paused == (was_paused != live));
    compare();
  }

  /// An operator decides some task of some run.
  void mark() {
    world_.mode = pick_mode();
    const auto run = world_.last_run = random_.one_of(references_).first;
    auto& reference = references_.at(run);
    const auto task = random_.below(reference.tasks.size());
    const auto as = std::array{is::succeeded, is::skipped, is::failed}[random_.below(3)];
    const bool may = reference.may_mark(task, as);
    const auto done = world_.mark(name_of(task), as == is::succeeded ? model::task_state::succeeded
                                                 : as == is::skipped ? model::task_state::skipped
                                                                     : model::task_state::failed);
    REQUIRE(done.has_value() == may);
    if (may)
      reference.marked(task, as);
    compare();
  }

  /// An operator lets some task try again, which is mostly one that is held.
  void retry_task() {
    world_.mode = pick_mode();
    auto [run, task] = some_task();
    if (const auto held = held_tasks(); !held.empty() && random_.percent(80))
      std::tie(run, task) = random_.one_of(held);
    world_.last_run = run;
    auto& reference = references_.at(run);
    const bool may = reference.tasks[task].state == is::on_hold;
    if (may)
      reference.tried_again(task);
    const auto done = world_.control(model::retry_task{name_of(task)});
    REQUIRE(done.has_value() == may);
    compare();
  }

  /// An operator pauses some task, or goes on with it.
  void pause_or_resume_task() { pause_or_resume(some_task()); }

  void one_event() {
    world_.mode = pick_mode();
    const auto roll = random_.below(100);
    if (roll < 3 && may_cancel_)
      cancel();
    else if (roll < 5)
      lose_executor();
    else if (roll < 9)
      stale_report();
    else if (roll < 11)
      restart();
    else if (roll < 20 && !world_.timers.empty())
      fire();
    else if (roll < 30 && !world_.loads.empty())
      load();
    else if (roll < 40 && !world_.look_ups.empty())
      world_.look_up(random_.below(world_.look_ups.size()));
    else if (!world_.under_way.empty())
      attempt_event();
    else if (!world_.loads.empty())
      load();
    else if (!world_.look_ups.empty())
      world_.look_up();
    else if (!world_.timers.empty())
      fire();
    else if (!held_tasks().empty())
      retry_task();
    else if (const auto paused = tasks_in(is::paused); !paused.empty())
      pause_or_resume(random_.one_of(paused));
    else
      nudge();
    compare();
  }
  void allow_cancel(bool allowed) { may_cancel_ = allowed; }

private:
  using task_of_run = std::pair<model::run_no, std::uint32_t>;
  task_of_run some_task() {
    const auto run = random_.one_of(references_).first;
    return {run, random_.below(references_.at(run).tasks.size())};
  }
  std::vector<task_of_run> held_tasks() const { return tasks_in(is::on_hold); }
  std::vector<task_of_run> tasks_in(is state) const {
    std::vector<task_of_run> found;
    for (const auto& [run, reference] : references_)
      for (std::uint32_t i = 0; i < reference.tasks.size(); ++i)
        if (reference.tasks[i].state == state)
          found.emplace_back(run, i);
    return found;
  }
  void pause_or_resume(task_of_run which) {
    world_.mode = pick_mode();
    const auto [run, task] = which;
    world_.last_run = run;
    auto& reference = references_.at(run);
    const bool resumes = reference.tasks[task].state == is::paused;
    const bool may = resumes || reference.may_pause(task);
    if (resumes)
      reference.resumed(task);
    else if (may)
      reference.paused(task);
    const auto done = resumes ? world_.control(model::resume_task{name_of(task)})
                              : world_.control(model::pause_task{name_of(task)});
    REQUIRE(done.has_value() == may);
    compare();
  }
  scheduler_core::dispatching pick_mode() {
    return random_.percent(10) ? scheduler_core::dispatching::held
                               : scheduler_core::dispatching::allowed;
  }
  void settle_all() {
    for (auto& [run_no, reference] : references_) {
      reference.settle();
      REQUIRE((reference.stopping || !reference.has_to_stop));
    }
  }
  void nudge() { // everything is held, paused or over
    for (const auto& [run_no, run] : world_.runs)
      if (run.paused && !is_terminal(run.state)) {
        world_.last_run = run_no;
        world_.mode = scheduler_core::dispatching::held;
        REQUIRE(world_.control(model::resume_run{}));
      }
    const auto before = world_.starts.size();
    world_.mode = scheduler_core::dispatching::allowed;
    world_.dispatch();
    const bool asks = !world_.loads.empty() || !world_.look_ups.empty(); // a run that goes on
    REQUIRE((world_.starts.size() > before || asks || is_over())); // else nothing would ever happen
  }
  void cancel() {
    world_.last_run = random_.one_of(references_).first;
    const bool live = world_.core.find_run(world_.last_run) != nullptr;
    const auto mode =
      random_.percent(50) ? model::cancel_mode::graceful : model::cancel_mode::immediate;
    if (live) // before the core's step: what it starts in it is compared
      references_.at(world_.last_run).cancelled(mode);
    world_.cancel(mode);
    REQUIRE(world_.cancel_answers.back().result.has_value() == live);
  }
  void lose_executor() {
    const auto kind = model::executor_kind(random_.below(model::executor_kind_count));
    model::attempt_report lost;
    lost.failure = {model::failure_class::lost, "", ""};
    const auto before = world_.under_way;
    world_.lose_executor(kind);
    for (const auto& [key, start] : before) // in order of keys, as is promised
      if (executor_of(start.action()) == kind) {
        references_.at(key.run_no).ended(key.task_idx, lost);
        references_.at(key.run_no).settle();
      }
  }
  void restart() {
    world_.restart();
    for (auto& [run_no, reference] : references_)
      reference.restarted();
    compare_states();
    world_.mode = scheduler_core::dispatching::allowed;
    world_.dispatch();
  }
  void stale_report() {
    if (world_.starts.empty())
      return world_.dispatch();
    auto key = random_.one_of(world_.starts);
    const auto kind = random_.below(3);
    if (kind == 0)
      key.run_no.value += 1000;
    else if (kind == 1)
      key.attempt += 1000;
    else if (world_.core.is_current(key))
      return world_.dispatch();
    auto report = world_.report_of(key);
    report.outputs = {{"v", 666}};
    const auto before = world_.core.statistics().stale_reports;
    world_.step(model::attempt_finished{report, model::executor_kind::process});
    REQUIRE(world_.core.statistics().stale_reports == before + 1);
  }
  void load() {
    const auto at = world_.loads.begin() + random_.below(world_.loads.size());
    const auto asked = *at;
    world_.loads.erase(at);
    auto& reference = references_.at(asked.run_no);
    model::outputs_loaded answer{asked.run_no, asked.task_idx,
                                 reference.tasks[asked.task_idx].outputs};
    if (random_.percent(10)) {
      answer.outputs = tl::unexpected(error{errc::unavailable, "unreadable"});
      broken_load_ = asked;
    }
    world_.step(answer);
  }
  void fire() {
    const auto timer = random_.one_of(world_.timers);
    auto& reference = references_.at(timer.run_no);
    if (timer.kind == model::timer_kind::retry)
      reference.retry_is_due(*timer.task_idx);
    else if (timer.kind == model::timer_kind::breaker)
      ; // whether the task is the probe then depends on other runs
    else if (timer.kind == model::timer_kind::queue_timeout)
      reference.left_queue(*timer.task_idx);
    else if (timer.task_idx)
      reference.passed_deadline(*timer.task_idx);
    else
      reference.passed_deadline();
    world_.fire(timer);
  }
  void attempt_event() {
    const auto [key, start] = random_.one_of(world_.under_way); // copies: it is about to end
    auto& reference = references_.at(key.run_no);
    const auto roll = random_.below(100);
    const bool prepares = start.takes_snapshot && !reference.tasks[key.task_idx].has_snapshot;
    if (prepares && random_.percent(80)) {
      reference.took_snapshot(key.task_idx);
      world_.step(model::snapshot_taken{start.key, std::make_shared<const std::string>("")});
    } else if (roll < 8) {
      world_.step(model::attempt_started{start.key});
    } else if (roll < 10 && !prepares) { // whatever else it is doing, such as being stopped
      world_.step(model::attempt_validating{start.key});
    } else if (roll < 13) {
      reference.timed_out(key.task_idx);
      world_.step(model::attempt_timed_out{start.key});
    } else {
      auto report = world_.report_of(start.key);
      if (random_.percent(10))
        report.started_at.reset();
      if (roll < 75)
        report.outputs = some_outputs();
      else if (roll < 92)
        report.failure = {model::failure_class::exit, "1", "exit code 1"};
      else
        report.failure = {model::failure_class::lost, "", "its worker died"};
      world_.report(report);
      reference.ended(key.task_idx, report);
    }
  }
  model::value some_outputs() {
    model::value outputs;
    if (random_.percent(80))
      outputs["v"] = int(random_.below(8));
    if (random_.percent(30))
      outputs["big"] = std::string(100, 'x');
    return outputs;
  }

  /// Tasks that wait for outputs, or for what their key stands for, go on when the core says so;
  /// whether they may, is checked.
  void follow_loads() {
    for (bool changed = true; changed;) {
      changed = false;
      for (auto& [run_no, reference] : references_)
        for (std::uint32_t i = 0; i < reference.tasks.size(); ++i) {
          if (const auto taken = world_.reused.find({run_no, i});
              taken != world_.reused.end()
              && !reference_run::is_decided(reference.tasks[i].state)) {
            reference.reused(i, taken->second);
            changed = true;
            continue;
          }
          const auto state = state_in_core(run_no, i);
          if (!reference_run::is_loading(reference.tasks[i]) || is_waiting_in_core(run_no, i)
              || state == model::task_state::waiting || state == model::task_state::paused)
            continue;
          if (reference.stopped_before(i))
            continue; // it waited to the end: the stop is to come, by another task
          const auto& failed = world_.runs.at(run_no).failures[i];
          if (failed && failed->message.starts_with("cannot read the outputs")) {
            REQUIRE(broken_load_);
            REQUIRE(broken_load_->run_no == run_no);
            REQUIRE(reference.tasks[i].output_mentions.count(broken_load_->task_idx) == 1);
            reference.not_loaded(i);
          } else {
            reference.loaded(i);
          }
          changed = true;
        }
      settle_all();
      follow_breakers(); // of what follows from that
    }
    broken_load_.reset();
  }

  /// Breakers and keys reach over runs, so the core says which tasks they hold back and let go;
  /// whether they may is checked by `core_world`.
  void follow_breakers() {
    for (auto& [run_no, reference] : references_) {
      const auto* live = world_.core.find_run(run_no);
      for (std::uint32_t i = 0; i < reference.tasks.size(); ++i) {
        const auto state = reference.tasks[i].state;
        const bool waits = state_in_core(run_no, i) == model::task_state::waiting;
        if (waits && (state == is::ready || state == is::loading))
          reference.held_back(i, !live->tasks[i].was_started);
        else if (!waits && state == is::held && !world_.reused.contains({run_no, i}))
          reference.released(i);
      }
    }
  }

  /// For outputs, before it can be queued.
  bool is_waiting_in_core(model::run_no run_no, std::uint32_t task) const {
    const auto state = state_in_core(run_no, task);
    return state == model::task_state::pending
           || (state == model::task_state::rolling_back
               && world_.core.find_run(run_no)->tasks[task].loads > 0);
  }

  model::task_state state_in_core(model::run_no run_no, std::uint32_t task) const {
    const auto* live = world_.core.find_run(run_no);
    return live != nullptr ? live->tasks[task].state : world_.runs.at(run_no).tasks[task];
  }

  static model::task_state shown(const reference_run::task& t, model::task_state in_core) {
    using enum model::task_state;
    if (t.rolls_back && !reference_run::is_decided(t.state))
      return t.stop == reference_run::stopped::no ? rolling_back : cancelling;
    switch (t.state) {
    case is::pending:
    case is::loading:
      return pending;
    case is::ready:
      return ready;
    case is::retrying:
      return retry_wait;
    case is::paused:
      return paused;
    case is::held:
    case is::on_hold:
      return waiting;
    case is::active: // a confirmed start is the core's affair
      return t.stop != reference_run::stopped::no          ? cancelling
             : in_core == running || in_core == validating ? in_core
                                                           : dispatched;
    case is::succeeded:
      return succeeded;
    case is::failed:
      return failed;
    case is::skipped:
      return skipped;
    case is::cancelled:
      return cancelled;
    case is::rolled_back:
      return rolled_back;
    }
    return pending;
  }

  void compare() {
    compare_states();
    note_askers();
    check_capacity();
  }

  void compare_states() {
    settle_all();
    follow_breakers();
    follow_loads();
    note_starts();
    for (const auto& [run_no, reference] : references_) {
      CAPTURE(run_no.value);
      const auto& recorded = world_.runs.at(run_no);
      for (std::uint32_t i = 0; i < reference.tasks.size(); ++i) {
        const auto in_core = state_in_core(run_no, i);
        if (in_core != shown(reference.tasks[i], in_core)) {
          CAPTURE(i);
          REQUIRE(to_string(in_core) == to_string(shown(reference.tasks[i], in_core)));
        }
      }
      const bool live = world_.core.find_run(run_no) != nullptr;
      REQUIRE(live != reference.is_over());
      if (live) {
        REQUIRE((recorded.state == model::run_state::cancelling) == reference.cancelling);
        REQUIRE((recorded.state == model::run_state::rolling_back)
                == (reference.rolls_back && !reference.cancelling));
        continue;
      }
      REQUIRE(to_string(recorded.state) == to_string(reference.end()));
      REQUIRE(recorded.degraded == reference.is_degraded());
      if (reference.how_it_ended)
        continue; // what it failed by may have been marked since
      const bool may_say_something =
        recorded.state == model::run_state::failed || reference.rolls_back;
      bool names_one = !may_say_something && recorded.error.empty();
      names_one = names_one || (reference.rolls_back && says_what_is_left(run_no));
      for (const auto i : reference.unhandled)
        names_one = names_one || recorded.error.starts_with("task '" + name_of(i) + "' failed");
      names_one = names_one || (reference.is_expired && recorded.error.starts_with("not done"));
      REQUIRE(names_one);
    }
  }

  void note_askers() {
    for (auto& [run_no, reference] : references_)
      if (const auto* live = world_.core.find_run(run_no))
        for (std::uint32_t i = 0; i < reference.tasks.size(); ++i)
          reference.tasks[i].is_asking = live->keys.contains(i);
  }

  /// Whether exactly the tasks are named that should have been compensated.
  bool says_what_is_left(model::run_no run_no) const {
    const auto& recorded = world_.runs.at(run_no);
    const auto& reference = references_.at(run_no);
    std::size_t left = 0, named = 0;
    for (const auto i : reference.completions) {
      const auto state = reference.tasks[i].state;
      left += state == is::failed || state == is::succeeded
              || (reference.cancelling && state == is::cancelled);
      const auto name = "'" + name_of(i) + "'";
      const auto from = recorded.error.find("compensated: ");
      named += from != std::string::npos && recorded.error.find(name, from) != std::string::npos;
    }
    return std::min<std::size_t>(left, 10) == std::min<std::size_t>(named, 10);
  }

  /// Nothing starts before its join is decided, twice at once, or with other inputs.
  void note_starts() {
    for (; seen_starts_ < world_.starts.size(); ++seen_starts_) {
      const auto key = world_.starts[seen_starts_];
      auto& reference = references_.at(key.run_no);
      auto& task = reference.tasks[key.task_idx];
      CAPTURE(to_string(key));
      REQUIRE((task.state == is::ready));
      reference.dispatched(key.task_idx);
      REQUIRE(key.attempt == task.attempts);
      REQUIRE(world_.under_way.at(key.task()).inputs == task.inputs);
    }
  }

  /// No limit is exceeded, and nothing that is ready waits beside free capacity.
  void check_capacity() {
    std::map<model::run_no, std::uint32_t> active;
    std::array<std::uint32_t, 2> used{};
    for (const auto& [key, start] : world_.under_way) {
      ++active[key.run_no];
      ++used[is_asynchronous(start.action())];
    }
    REQUIRE(used[0] <= options_.slots);
    REQUIRE(used[1] <= options_.asynchronous_calls);
    for (const auto& [run_no, reference] : references_) {
      const auto limit = active_tasks_[std::size_t(run_no.value) - 1];
      REQUIRE((!limit || active[run_no] <= *limit));
      if (world_.mode == scheduler_core::dispatching::held || world_.runs.at(run_no).paused
          || (limit && active[run_no] == *limit))
        continue;
      const auto& spec = *world_.runs.at(run_no).spec;
      for (std::uint32_t i = 0; i < reference.tasks.size(); ++i)
        if (reference.tasks[i].state == is::ready) {
          const auto& task = reference.tasks[i];
          const auto role = task.rolls_back && task.completed ? model::command_role::compensate
                            : task.rolls_back                 ? model::command_role::rollback
                            : task.fell_back                  ? model::command_role::fallback
                                                              : model::command_role::action;
          const bool asynchronous = is_asynchronous(*command_for(spec, spec.tasks[i], role));
          CAPTURE(run_no.value, i, asynchronous);
          REQUIRE(used[asynchronous]
                  == (asynchronous ? options_.asynchronous_calls : options_.slots));
        }
    }
  }
  bool is_asynchronous(const model::action& what) const {
    const auto* call = std::get_if<model::call_action>(&what);
    return call != nullptr && options_.is_asynchronous(call->handler);
  }

  dice& random_;
  core_options options_;
  core_world world_;
  std::map<model::run_no, reference_run> references_;
  std::vector<std::optional<std::uint32_t>> active_tasks_;
  std::optional<model::load_outputs> broken_load_;
  std::size_t seen_starts_ = 0;
  bool may_cancel_ = false;
};

} // namespace

TEST_CASE("scheduler_core: random runs end as the naive reference says",
          "[logic][scheduler_core][random]") {
  const auto seed = GENERATE(range(0u, 400u));
  CAPTURE(seed);
  dice random{seed};
  core_options options;
  options.slots = 1 + random.below(8);
  options.asynchronous_calls = 1 + random.below(3);
  options.crash_limit = random.below(4);
  options.kept_output_bytes = 64;
  options.breaker = {.failures = 1 + random.below(5),
                     .pause = model::milliseconds{1 + random.below(50)}};
  options.is_asynchronous = [](const std::string& handler) { return handler == "async"; };

  random_play play{random, options};
  play.allow_cancel(random.percent(30));
  play.submit();
  auto more_runs = random.below(3);
  auto retries = random.below(4);
  auto rollbacks = random.below(3);
  const bool marks = random.percent(40);
  const bool pauses = random.percent(40);
  for (int events = 0; !play.is_over() || more_runs > 0; ++events) {
    REQUIRE(events < 20'000);
    if (retries > 0 && random.percent(3)) {
      retries -= play.retry() ? 1 : 0;
    } else if (rollbacks > 0 && random.percent(3)) {
      rollbacks -= play.roll_back() ? 1 : 0;
    } else if (pauses && random.percent(3)) {
      play.pause_or_resume();
    } else if (pauses && random.percent(5)) {
      play.pause_or_resume_task();
    } else if (marks && random.percent(2)) {
      play.mark();
    } else if (random.percent(2)) {
      play.retry_task();
    } else if (more_runs > 0 && (play.is_over() || random.percent(5))) {
      play.submit();
      --more_runs;
    } else {
      play.one_event();
    }
  }
}

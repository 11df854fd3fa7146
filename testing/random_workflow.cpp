#include "testing/random_workflow.hpp"

#include <optional>
#include <string>

namespace sluice::testing {
namespace {

std::string name_of(std::size_t task) {
  return "t" + std::to_string(task);
}

class workflow_maker {
public:
  workflow_maker(dice& random, std::size_t tasks, std::size_t level = 0)
    : random_(random), level_(level) {
    spec_.name = "random" + (level == 0 ? "" : " at level " + std::to_string(level));
    spec_.base_dir = "/";
    spec_.on_failure = model::on_failure(random_.below(3));
    if (random_.percent(25))
      spec_.active_tasks = static_cast<std::uint32_t>(1 + random_.below(4));
    if (random_.percent(15))
      spec_.active_runs = static_cast<std::uint32_t>(1 + random_.below(2));
    if (random_.percent(10))
      spec_.deadline = model::milliseconds{1'000 + random_.below(120'000)};
    for (std::size_t i = 0; i < tasks; ++i)
      spec_.tasks.push_back(task(i));
    if (random_.percent(40))
      add_finally(tasks);
    if (random_.percent(60)) // what it comes to; now and then that cannot be evaluated
      spec_.out = {{"v", "${{ " + some_output(random_.below(tasks)) + " }}"}, {"text", "done"}};
    if (random_.percent(35))
      add_groups();
    if (random_.percent(25))
      spec_.budget = budget();
  }

  /// Further tasks of a workflow.
  workflow_maker(dice& random, const model::workflow_spec& to)
    : random_(random), level_(0), spec_(to), first_finally_(to.first_finally()),
      end_of_finally_(to.planned_count()) {
    for (auto left = 1 + random_.below(3); left > 0; --left) {
      spec_.tasks.push_back(task(spec_.tasks.size()));
      if (random_.percent(20))
        spec_.tasks.back().settings->group = "g" + std::to_string(random_.below(2));
    }
    model::workflow_spec added;
    added.name = to.name;
    added.base_dir = to.base_dir;
    added.tasks.assign(spec_.tasks.begin() + std::ptrdiff_t(to.tasks.size()), spec_.tasks.end());
    spec_ = std::move(added);
  }

  model::workflow_spec take() { return std::move(spec_); }

private:
  /// They see all others, but wait only for each other.
  void add_finally(std::size_t others) {
    spec_.finally_count = static_cast<std::uint32_t>(1 + random_.below(3));
    for (std::uint32_t i = 0; i < spec_.finally_count; ++i) {
      model::task_spec t;
      t.name = name_of(others + i);
      act(t);
      repeat(t, place::in_finally);
      if (random_.percent(20))
        need(t);
      if (random_.percent(10))
        fan_out(t, random_.below(others));
      if (i > 0 && random_.percent(60))
        t.after.push_back(name_of(others + i - 1));
      join(t);
      t.settings->allow_failure = random_.percent(30);
      if (child_of(t) == nullptr)
        t.in.emplace_back("state", "${{ run.state }}");
      if (child_of(t) == nullptr && random_.percent(50))
        t.in.emplace_back("from", "${{ " + some_output(random_.below(others)) + " }}");
      if (random_.percent(20))
        t.when = "size(run.failed) > 0";
      spec_.tasks.push_back(std::move(t));
    }
  }

  /// Some tasks belong together; of what holds for them, each with its own odds.
  void add_groups() {
    for (const char* name : {"g0", "g1"}) {
      bool has_tasks = false;
      for (auto& task : spec_.tasks)
        if (!task.settings->group && random_.percent(30)) {
          task.settings->group = name;
          has_tasks = true;
        }
      if (!has_tasks)
        continue;
      auto& group = spec_.groups.emplace_back();
      group.name = name;
      if (random_.percent(40))
        group.timebox = model::milliseconds{1 + random_.below(60'000)};
      if (random_.percent(50))
        group.active_tasks = static_cast<std::uint32_t>(1 + random_.below(3));
      if (random_.percent(40))
        group.budget = budget();
    }
  }

  model::budget_spec budget() {
    model::budget_spec budget;
    const auto which = random_.below(7) + 1;
    if ((which & 1) != 0)
      budget.limits[0] = model::to_amount(0.5 * static_cast<double>(1 + random_.below(40)));
    if ((which & 2) != 0)
      budget.limits[1] = model::to_amount(static_cast<double>(1 + random_.below(2'000)));
    if ((which & 4) != 0)
      budget.limits[2] = model::to_amount(static_cast<double>(1 + random_.below(200)));
    if (random_.percent(40))
      budget.on_exceeded = model::on_exceeded::warn;
    budget.is_split = random_.percent(40);
    return budget;
  }

  /// It is done once for each of a few items, now and then for none, or for what an upstream says.
  void fan_out(model::task_spec& t, std::optional<std::size_t> upstream) {
    auto& fan_out = *t.fan_out;
    const auto roll = random_.below(100);
    if (upstream && roll < 25)
      fan_out.items = model::foreach_items{"${{ [" + some_output(*upstream) + "] }}"};
    else if (roll < 50)
      fan_out.items = model::foreach_items{model::value::array({"a", "b", "c d", 4})};
    else if (roll < 60)
      fan_out.items = model::matrix_items{
        {{"x", {1, 2}}, {"y", {"p", "q"}}}, {}, model::value::array({{{"x", 2}, {"y", "q"}}})};
    else
      fan_out.items = model::foreach_items{random_.below(random_.percent(90) ? 6 : 100)};
    if (random_.percent(40))
      fan_out.max_parallel = static_cast<std::uint32_t>(1 + random_.below(3));
    if (random_.percent(30))
      fan_out.max_failures = static_cast<std::uint32_t>(random_.below(3));
    if (random_.percent(20))
      fan_out.min_success = static_cast<std::uint32_t>(random_.below(4));
    if (random_.percent(30) && child_of(t) == nullptr)
      t.in.emplace_back("item", "${{ item }}");
    if (t.settings->idempotency)
      *t.settings->idempotency += " ${{ item }}";
    else if (random_.percent(15))
      t.when = "item != 2 && item != 'b'";
  }

  model::task_spec task(std::size_t self) {
    model::task_spec t;
    t.name = name_of(self);
    const bool is_gate = random_.percent(10);
    if (is_gate) {
      only_wait(t);
    } else {
      act(t);
      repeat(t, place::before);
      if (random_.percent(60)) {
        need(t);
        rank(t);
      }
    }
    if (random_.percent(15))
      fan_out(t, self > 0 ? std::optional{near(self)} : std::nullopt);
    if (is_gate && t.fans_out()) {
      t.fan_out->max_parallel.reset(); // nothing of it runs
      t.in.clear();
    }
    if (self > 0)
      for (auto left = random_.below(4); left > 0; --left)
        add_upstream(t, near(self));
    join(t);
    if (random_.percent(10))
      t.settings->allow_failure = true;
    if (self > 0 && !t.when && random_.percent(20))
      t.when = condition(near(self));
    if (self > 0 && !is_gate && child_of(t) == nullptr && random_.percent(30))
      t.in.emplace_back("from", "${{ " + some_output(near(self)) + " }}");
    return t;
  }

  void act(model::task_spec& t) {
    const auto roll = random_.below(100);
    if (roll < 8) {
      t.action = model::call_action{"noop"};
    } else if (roll < 12) {
      t.action = model::call_action{"fail"};
    } else if (roll < 16) {
      t.action = model::call_action{"sleep"};
      t.in.emplace_back("seconds", static_cast<int>(random_.below(5)));
    } else if (level_ < most_levels && roll < 22) {
      t.action = child();
    } else {
      t.action = model::exec_action{{"/bin/true"}};
      t.out = {{"v", model::value_type::integer}, {"text", model::value_type::text}};
    }
    if (random_.percent(25))
      t.settings->timeout = model::milliseconds{1 + random_.below(3'000)};
    if (random_.percent(10) && child_of(t) == nullptr)
      t.settings->heartbeat = model::milliseconds{1 + random_.below(5'000)};
    if (random_.percent(5))
      t.settings->deadline = model::milliseconds{1 + random_.below(20'000)};
    if (random_.percent(5))
      t.settings->queue_timeout = model::milliseconds{1 + random_.below(5'000)};
  }

  /// A small workflow of its own, which may have another one in it.
  model::workflow_action child() {
    auto spec = workflow_maker{random_, 1 + random_.below(4), level_ + 1}.take();
    model::workflow_action made;
    if (random_.percent(30)) {
      model::param_spec param;
      param.name = "n";
      param.type = model::value_type::integer;
      param.default_value = 1;
      spec.params.push_back(std::move(param));
      made.params->emplace_back("n", random_.percent(80) ? "${{ 1 + 1 }}" : "${{ run.id }}");
    }
    made.spec = std::make_shared<const model::workflow_spec>(std::move(spec));
    return made;
  }

  /// For a time, an approval or a signal.
  void only_wait(model::task_spec& t) {
    if (random_.percent(10))
      t.settings->deadline = model::milliseconds{1 + random_.below(20'000)};
    const auto roll = random_.below(100);
    if (roll < 40) {
      const auto length = std::to_string(random_.below(random_.percent(80) ? 5'000 : 60'000));
      t.action = model::wait_action{random_.percent(80)   ? length + "ms"
                                    : random_.percent(50) ? "${{ '" + length + "ms' }}"
                                                          : "2001-01-01T00:00:00Z"};
      return;
    }
    model::gate_spec gate;
    if (roll < 55) {
      gate.which = roll < 47 ? model::gate_kind::named_switch : model::gate_kind::quota;
      gate.name = "s" + std::to_string(random_.below(2));
      if (roll >= 47)
        gate.quota = model::quota_limit{static_cast<std::uint32_t>(1 + random_.below(3)),
                                        model::milliseconds{1 + random_.below(5'000)}};
      if (random_.percent(20))
        gate.on_closed = model::on_closed(random_.below(3));
      t.action = model::gate_action{std::move(gate)};
      return;
    }
    gate.which = roll < 78 ? model::gate_kind::approval : model::gate_kind::signal;
    if (gate.which == model::gate_kind::approval)
      gate.prompt = "is ${{ run.id }} fine?";
    else if (random_.percent(60))
      gate.name = "go";
    if (random_.percent(40))
      gate.expires = model::milliseconds{1 + random_.below(30'000)};
    if (gate.expires)
      gate.on_expire = model::on_expire(random_.below(3));
    if (random_.percent(30))
      gate.on_closed = random_.percent(50) ? model::on_closed::skip : model::on_closed::fail;
    t.action = model::gate_action{std::move(gate)};
  }

  enum class place { before, in_finally };
  void repeat(model::task_spec& t, place where) {
    const auto roll = random_.below(100);
    if (roll < 30) {
      model::retry_policy retry;
      retry.max = static_cast<std::uint32_t>(1 + random_.below(3));
      retry.base = model::milliseconds{random_.below(random_.percent(50) ? 2'000 : 30'000)};
      retry.cap = model::milliseconds{1 + random_.below(60'000)};
      retry.jitter = 0.25 * static_cast<double>(random_.below(5));
      if (random_.percent(20))
        retry.on = {{model::failure_class::timeout, ""}, {model::failure_class::exit, "15"}};
      t.settings->retry = std::move(retry);
    } else if (roll < 38) {
      t.settings->retry = model::retry_policy{};
      t.settings->retry->never = true;
    }
    if (random_.percent(25))
      set_command(*t.settings, model::command_role::fallback,
                  random_.percent(70) ? model::action{model::exec_action{{"/bin/true"}}}
                                      : model::action{model::call_action{"echo"}});
    if (random_.percent(15)) {
      set_command(*t.settings, model::command_role::rollback, model::run_action{"true"});
      if (random_.percent(50) && std::holds_alternative<model::exec_action>(t.action))
        set_command(*t.settings, model::command_role::snapshot, model::run_action{"true"});
    }
    if (random_.percent(30))
      t.settings->on_exhausted = model::on_exhausted::hold;
    if (where == place::before && random_.percent(25))
      set_command(*t.settings, model::command_role::compensate, model::run_action{"true"});
    if (random_.percent(20) && std::holds_alternative<model::exec_action>(t.action))
      set_command(*t.settings, model::command_role::validate, model::run_action{"true"});
    if (random_.percent(10))
      t.settings->gates = {"s" + std::to_string(random_.below(2))};
    if (t.settings->gates && random_.percent(20))
      t.settings->on_closed = model::on_closed(random_.below(3));
    if (random_.percent(10)) // tasks of other runs have the same name
      t.settings->idempotency = "key " + std::to_string(random_.below(2));
    if (random_.percent(15))
      t.settings->crash_limit = static_cast<std::uint32_t>(random_.below(3));
  }

  void rank(model::task_spec& t) {
    if (random_.percent(20))
      t.settings->priority = static_cast<model::priority>(25 * random_.below(5));
    if (child_of(t) == nullptr && random_.percent(20))
      t.settings->preemptible = true;
  }

  /// Beside a slot; now and then more than there is.
  void need(model::task_spec& t) {
    auto& settings = *t.settings;
    if (random_.percent(12)) {
      auto& alternatives = settings.resources.emplace();
      if (random_.percent(40))
        alternatives.push_back({{"gpu", random_.percent(40) ? 500 : 1'000}});
      const auto most = random_.percent(95) ? 8 : 20;
      alternatives.push_back({{"cpu", std::int64_t(500 * (1 + random_.below(most)))}});
    }
    if (random_.percent(8))
      settings.concurrency = model::concurrency_spec{
        random_.percent(50) ? std::optional{"key " + std::to_string(random_.below(2))}
                            : std::nullopt,
        std::uint32_t(1 + random_.below(2))};
    if (random_.percent(5)) {
      const auto which = 1 + random_.below(2); // who says the same key means the same rate
      settings.rate = model::rate_spec{"rate " + std::to_string(which), std::uint32_t(which),
                                       model::milliseconds{1'500 * which}};
    }
    if (random_.percent(3))
      settings.pool = "pool";
    if (child_of(t) != nullptr) { // it would hold what its own tasks may need
      settings.resources.reset();
      settings.pool.reset();
    }
  }

  /// An earlier task, mostly one of the last few, so that chains get long.
  std::size_t near(std::size_t self) {
    const auto reach = random_.percent(70) ? std::min<std::size_t>(self, 6) : self;
    const auto found = self - 1 - random_.below(reach);
    return found >= first_finally_ && found < end_of_finally_ ? random_.below(first_finally_)
                                                              : found;
  }

  void add_upstream(model::task_spec& t, std::size_t upstream) {
    const auto name = name_of(upstream);
    for (const auto& there : t.after)
      if (there == name)
        return;
    t.after.push_back(name);
  }

  void join(model::task_spec& t) {
    if (t.after.empty()) {
      if (random_.percent(30))
        t.join.rule = model::join_rule::all_done;
      return;
    }
    if (random_.percent(50))
      return; // the default rule
    t.join.rule = static_cast<model::join_rule>(random_.below(7));
    if (t.join.rule == model::join_rule::expression)
      t.join.expression = "tasks." + random_.one_of(t.after) + ".state == 'failed' || tasks."
                          + random_.one_of(t.after) + ".state == 'succeeded'";
  }

  bool is_command(std::size_t task) const { return declares_output(spec_.tasks[task], "v"); }

  std::string condition(std::size_t upstream) {
    const auto task = "tasks." + name_of(upstream);
    if (spec_.tasks[upstream].fans_out())
      return random_.percent(50) && is_command(upstream)
               ? "size(default(" + task + ".out.v, [])) > 1"
               : "size(default(" + task + ".states, [])) > 2";
    if (is_command(upstream) && random_.percent(50))
      return "default(" + task + ".out.v, 0) > 3";
    return task + ".state != 'skipped'";
  }

  /// An expression that reads an upstream; now and then one that fails without its output.
  std::string some_output(std::size_t upstream) {
    const auto task = "tasks." + name_of(upstream);
    if (!is_command(upstream))
      return task + ".state";
    if (spec_.tasks[upstream].fans_out())
      return "size(default(" + task + ".out.v, []))";
    const auto output = task + (random_.percent(30) ? ".out.text" : ".out.v");
    return random_.percent(10) ? output : "default(" + output + ", 0)";
  }

  static constexpr std::size_t most_levels = 2;

  dice& random_;
  std::size_t level_; ///< so many workflows it is part of
  model::workflow_spec spec_;
  std::size_t first_finally_ = 0, end_of_finally_ = 0; ///< of those that there were, by position
};

} // namespace

model::workflow_spec random_workflow(dice& random, std::size_t tasks) {
  return workflow_maker{random, tasks}.take();
}

model::workflow_spec random_addition(dice& random, const model::workflow_spec& to) {
  return workflow_maker{random, to}.take();
}

} // namespace sluice::testing

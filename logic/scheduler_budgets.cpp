// What the tasks of a run, or of a group, may use together: money, tokens and time. What they use
// is counted as soon as it is told, and acted on when the run settles.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {

using model::amount;
using model::budget_kind;
using model::task_state;
using model::timer_kind;

namespace {

/// A point in time that comes out a little different when it is worked out anew.
constexpr auto same_moment = model::milliseconds{1};

/// Whether it may yet start, or start again.
bool is_expected(task_state state) {
  return !is_terminal(state) && !is_active(state);
}

/// Digits only, for a program to read.
std::string plain_number(budget_kind kind, amount a) {
  return kind == budget_kind::cost ? model::to_text(kind, a)
                                   : std::to_string(a / model::amount_unit);
}

std::string variable_of(budget_kind kind) {
  switch (kind) {
  case budget_kind::cost:
    return "SLUICE_BUDGET_COST";
  case budget_kind::tokens:
    return "SLUICE_BUDGET_TOKENS";
  case budget_kind::time:
    return "SLUICE_BUDGET_SECONDS";
  }
  return {};
}

std::string text_of(const live_run& run, std::uint32_t index, const excess& why) {
  const auto of = index < run.groups.size() ? "group '" + run.spec().groups[index].name + "'"
                                            : std::string{"the run"};
  const auto numbers = std::string{to_string(why.kind)} + " " + model::to_text(why.kind, why.used)
                       + " of " + model::to_text(why.kind, why.limit);
  return why.task ? "task '" + run.name(*why.task)
                      + "' has used more than its share of the budget of " + of + ": " + numbers
                  : "the budget of " + of + " is used up: " + numbers;
}

} // namespace

template <class Visit>
void scheduler_core::for_each_pot(live_run& run, std::uint32_t task, const Visit& visit) {
  const auto of_run = static_cast<std::uint32_t>(run.groups.size());
  if (const auto group = run.declared_group(task); group && run.pots[*group])
    visit(*run.pots[*group], *group);
  if (run.pots[of_run])
    visit(*run.pots[of_run], of_run);
}

/// Nothing when what is left is not split, or not for this task.
std::optional<amount> scheduler_core::weight_in(const live_run& run, const pot& pot,
                                                std::uint32_t task) {
  if (!pot.spec().is_split || run.cleans_up(task))
    return std::nullopt;
  return weight_of(pot.spec(), run.task_spec(task).name);
}

void scheduler_core::make_pots(live_run& run) {
  const auto& spec = run.spec();
  if (!has_budget(spec))
    return;
  for (const auto& group : spec.groups)
    run.pots.push_back(group.budget ? std::optional{pot{*group.budget}} : std::nullopt);
  run.pots.push_back(spec.budget ? std::optional{pot{*spec.budget}} : std::nullopt);
  for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
    if (is_expected(run.tasks[task].state) && !run.stands_for_instances(task)
        && !run.is_superseded(task))
      for_each_pot(run, task,
                   [&](pot& p, std::uint32_t) { p.expect(weight_in(run, p, task).value_or(0)); });
}

/// What was spent stays spent, in whichever generation. What runs gets a share of what it left.
void scheduler_core::restore_pots(live_run& run, const model::stored_run& stored) {
  make_pots(run);
  if (run.pots.empty())
    return;
  for (const auto& use : stored.used)
    if (!use.under_way_since || !is_under_way(run, use.task_idx))
      for_each_pot(run, use.task_idx, [&](pot& p, std::uint32_t) { p.add_spent(use.used); });
  for (const auto& use : stored.used)
    if (use.under_way_since && is_under_way(run, use.task_idx))
      for_each_pot(run, use.task_idx, [&](pot& p, std::uint32_t) {
        p.resume(use.task_idx, weight_in(run, p, use.task_idx), use.used, *use.under_way_since,
                 now_);
      });
  for (std::uint32_t i = 0; i < run.pots.size(); ++i) {
    if (!run.pots[i])
      continue;
    run.stirred_pots.insert(i);
    // It was told with what made it so; of time that passes in an attempt that is not known.
    for (std::size_t kind = 0; kind < model::budget_kind_count; ++kind) {
      const auto found = run.pots[i]->exceeded(budget_kind(kind), {});
      run.pots[i]->warned[kind] = found && found->is_over;
    }
  }
}

/// Further tasks use them too. What is used up is so for them.
void scheduler_core::grow_pots(live_run& run, std::uint32_t first, std::uint32_t end) {
  if (run.pots.empty())
    return;
  const auto& spec = run.spec(); // another one than before
  for (std::uint32_t i = 0; i < run.pots.size(); ++i)
    if (run.pots[i])
      run.pots[i]->point_to(i < spec.groups.size() ? *spec.groups[i].budget : *spec.budget);
  for (auto task = first; task < end; ++task)
    for_each_pot(run, task, [&](pot& p, std::uint32_t index) {
      p.expect(weight_in(run, p, task).value_or(0));
      p.stopped = pot::handled::nothing;
      run.stirred_pots.insert(index);
    });
}

/// A task goes to another state: it may start any more, or not.
void scheduler_core::follow_with_pots(live_run& run, std::uint32_t task, task_state to) {
  const bool was = is_expected(run.tasks[task].state), is = is_expected(to);
  if (was == is || run.stands_for_instances(task))
    return;
  for_each_pot(run, task, [&](pot& p, std::uint32_t) {
    const auto weight = weight_in(run, p, task).value_or(0);
    is ? p.expect(weight) : p.expect_no_more(weight);
  });
}

/// They have shares in the place of the task that they are of.
void scheduler_core::expect_instances(live_run& run, std::uint32_t task, std::uint32_t count) {
  if (count == 0)
    return;
  for_each_pot(run, task, [&](pot& p, std::uint32_t) {
    p.expect(weight_in(run, p, task).value_or(0) * (std::int64_t{count} - 1));
  });
}

/// An attempt is dispatched, and is told what it may use.
void scheduler_core::begin_use(live_run& run, std::uint32_t task, model::start_attempt& start) {
  pot::allowance least;
  for_each_pot(run, task, [&](pot& p, std::uint32_t) {
    const auto may = p.begin(task, weight_in(run, p, task), now_);
    for (std::size_t i = 0; i < may.size(); ++i)
      if (may[i])
        least[i] = std::min(least[i].value_or(*may[i]), *may[i]);
  });
  for (std::size_t i = 0; i < least.size(); ++i)
    if (least[i])
      start.env.emplace_back(variable_of(budget_kind(i)), plain_number(budget_kind(i), *least[i]));
}

/// Its attempt has started.
void scheduler_core::begin_time(live_run& run, std::uint32_t task) {
  for_each_pot(run, task, [&](pot& p, std::uint32_t index) {
    p.start(task, now_);
    run.stirred_pots.insert(index);
  });
  settle(run);
}

void scheduler_core::on(const model::usage_told& e) {
  live_run* run = reported(e.key);
  if (run == nullptr)
    return;
  step_.records.push_back(model::usage_noted{e.key, e.usage, now_});
  if (run->pots.empty())
    return;
  guarded(*run, [&] {
    for_each_pot(*run, e.key.task_idx, [&](pot& p, std::uint32_t index) {
      p.tell(e.key.task_idx, model::amounts_of(e.usage));
      run->stirred_pots.insert(index);
    });
    settle(*run);
  });
}

void scheduler_core::end_use(live_run& run, const model::attempt_report& report) {
  const auto used =
    report.own_usage.is_set() ? model::amounts_of(*report.own_usage) : model::amounts{};
  const auto took =
    report.started_at ? report.finished_at - *report.started_at : model::microseconds{0};
  for_each_pot(run, report.key.task_idx, [&](pot& p, std::uint32_t index) {
    p.end(report.key.task_idx, used, took);
    run.stirred_pots.insert(index);
  });
}

/// Acts on what was used since it was looked at last.
void scheduler_core::settle_pots(live_run& run) {
  while (!run.stirred_pots.empty()) {
    const auto index = run.stirred_pots.extract(run.stirred_pots.begin()).value();
    if (!run.pots[index])
      continue;
    auto& pot = *run.pots[index];
    if (pot.spec().on_exceeded == model::on_exceeded::warn) {
      warn_of(run, index);
    } else if (const auto why = pot.exceeded(now_)) {
      const auto level = why->is_over ? pot::handled::over : pot::handled::empty;
      if (std::exchange(pot.stopped, std::max(pot.stopped, level)) < level)
        stop_for(run, index, *why);
    }
    watch_time(run, index);
  }
}

/// Nothing more starts, and what runs is stopped when more was used than there is.
void scheduler_core::stop_for(live_run& run, std::uint32_t index, const excess& why) {
  const model::failure failure{model::failure_class::budget, std::string{to_string(why.kind)},
                               text_of(run, index, why)};
  const auto how_far = why.is_over ? reach::all : reach::what_waits;
  const auto fail_all = [&](std::uint32_t member) {
    run.for_each_counted(member, [&](std::uint32_t task) {
      fail_early(run, task, model::stop_reason::budget, failure, how_far);
    });
  };
  if (index < run.groups.size())
    for (const auto member : run.workflow->members(index))
      fail_all(member);
  else
    for (const auto member : run.spec().indices())
      if (!run.is_finally(member))
        fail_all(member);
}

/// Once for each kind.
void scheduler_core::warn_of(live_run& run, std::uint32_t index) {
  auto& of = *run.pots[index];
  for (std::size_t i = 0; i < model::budget_kind_count; ++i) {
    const auto why = of.exceeded(budget_kind(i), now_);
    if (of.warned[i] || !why || !why->is_over)
      continue;
    of.warned[i] = true;
    const auto task = why->task ? *why->task : of.some_task().value_or(0);
    step_.records.push_back(
      model::warning_raised{run.key_of(task), text_of(run, index, *why), now_});
  }
}

/// Its time passes while nothing is told: a timer tells when it will be over.
void scheduler_core::watch_time(live_run& run, std::uint32_t index) {
  const auto& of = *run.pots[index];
  const bool is_of_run = index == run.groups.size();
  const timer_slot slot{std::nullopt, timer_kind::budget,
                        is_of_run ? std::nullopt : std::optional{index}};
  const bool is_done = of.stopped == logic::pot::handled::over || run.in_finally
                       || of.warned[std::size_t(budget_kind::time)] || is_terminal(run.state);
  const auto due = is_done ? std::nullopt : of.time_is_over_at(now_);
  const auto set = run.timers.find(slot);
  if (!due)
    return remove_timer(run, slot);
  if (set != run.timers.end() && set->second > *due - same_moment
      && set->second < *due + same_moment)
    return;
  set_timer(run, slot, *due);
}

} // namespace sluice::logic

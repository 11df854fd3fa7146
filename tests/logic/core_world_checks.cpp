// What the core says, as a store and executors take it, and whether that fits.
#include "tests/logic/core_world.hpp"

namespace sluice::logic {

void core_world::expect(bool fits, const std::string& what) {
  if (!fits && problem_.empty())
    problem_ = what;
}

void recorded_run::resize(std::size_t size) {
  tasks.resize(size, model::task_state::pending);
  attempts.resize(size);
  reasons.resize(size);
  failures.resize(size);
  inputs.resize(size);
  losses.resize(size);
  retries.resize(size);
  finished_us.resize(size);
  has_outputs.resize(size);
  generations.resize(size, generation);
  has_started.resize(size);
  fell_back.resize(size);
  rolls_back.resize(size);
  is_over.resize(size);
  has_snapshot.resize(size);
}

bool recorded_run::is_counted(std::uint32_t task) const {
  if (!spec->has(task))
    return !model::range_of(ranges, task)->superseded;
  const auto* range = model::current_range(ranges, task);
  return range == nullptr || range->items->size() == 0;
}

void core_world::fold(const model::tasks_added& r) {
  auto& run = runs.at(r.run_no);
  expect(run.state == model::run_state::running, "a run is given tasks that does not go on");
  expect(r.addition().first == run.tasks.size(), "added tasks do not come after all others");
  run.spec = r.workflow;
  run.resize(run.spec->index_end());
  for (auto task = r.addition().first; task < run.spec->index_end(); ++task)
    run.generations[task] = run.generation;
}

void core_world::fold(const model::task_expanded& r) {
  auto& run = runs.at(r.key.run_no);
  expect(run.tasks.at(r.key.task_idx) == model::task_state::pending,
         "what is decided is fanned out");
  expect(model::current_range(run.ranges, r.key.task_idx) == nullptr, "a task is fanned out twice");
  expect(r.instances.first == run.tasks.size(), "instances do not come after all tasks");
  expect(r.generation == run.generation, "a task is fanned out in another generation");
  run.ranges.push_back(r.instances);
  run.resize(r.instances.end());
}

void core_world::fold(const model::run_created& r) {
  expect(runs.count(r.run_no) == 0, "a run is created twice");
  auto& run = runs[r.run_no];
  run.spec = r.request->workflow;
  run.resize(run.spec->tasks.size());
  run.params = r.request->params;
  run.parent = r.parent;
  for (const auto& [other, of] : runs)
    expect(!r.parent || other == r.run_no || of.parent != r.parent, "an attempt is two runs");
  run.submitted_at = r.at;
  run.state = r.state;
}

void core_world::fold(const model::run_moved& r) {
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
  run.results = r.results;
  run.degraded = r.degraded;
  run.error = r.error;
  run.actor = r.actor;
}

void core_world::fold(const model::run_paused& r) {
  auto& run = runs.at(r.run_no);
  expect(run.paused != r.is_paused && !is_terminal(run.state), "a pause of what is paused");
  run.paused = r.is_paused;
}

void core_world::fold(const model::run_retried& r) {
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

void core_world::fold(const model::task_reset& r) {
  auto& run = runs.at(r.key.run_no);
  const auto idx = r.key.task_idx;
  expect(run.tasks.at(idx) == r.from && is_terminal(r.from), "an undecided task is reset");
  expect(run.attempts[idx] == r.attempt, "a task is reset with another attempt");
  expect(run.generation == r.generation, "a task is reset in another generation");
  expect(run.spec->has(idx) || !model::range_of(run.ranges, idx)->superseded,
         "an instance is reset that counts no more");
  for (auto& range : run.ranges) {
    if (!r.folds || range.task != idx || range.superseded)
      continue;
    range.superseded = true;
    for (auto instance = range.first; instance < range.end(); ++instance) {
      std::erase(run.completions, instance);
      run.completed_inputs.erase(instance);
      run.has_snapshot[instance] = false;
    }
  }
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

void core_world::fold(const model::task_marked& r) {
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

void core_world::fold(const model::task_reused& r) {
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

void core_world::fold(const model::gate_passed& r) {
  auto& run = runs.at(r.key.run_no);
  const auto idx = r.key.task_idx;
  expect(run.tasks.at(idx) == as_stored(r.from), "a gate lets through from another state");
  expect(r.attempt == 0 && run.attempts[idx] == 0, "a gate has an attempt");
  if (r.signal) {
    const auto taken =
      std::erase_if(run.signals, [&](const auto& s) { return s.number == *r.signal; });
    expect(taken == 1, "a gate takes a signal that is not kept");
  }
  run.tasks[idx] = model::task_state::succeeded;
  run.reasons[idx].clear();
  run.awaited.erase(idx);
  run.gates_since.erase(idx);
  if (r.quota.is_set())
    passes.push_back(*r.quota);
  run.gate_outputs[idx] = r.outputs;
  run.has_outputs[idx] = !r.outputs.is_null();
  run.finished_us[idx] = model::to_us(r.at);
}

void core_world::fold(const model::signal_received& r) {
  auto& run = runs.at(r.run_no);
  expect(!is_terminal(run.state), "a run that has ended is sent a signal");
  expect(run.signals.empty() || run.signals.back().number < r.what.number,
         "signals are not counted in order");
  run.signals.push_back(r.what);
}

void core_world::fold(const model::held_retried& r) {
  auto& run = runs.at(r.key.run_no);
  const auto idx = r.key.task_idx;
  expect(run.is_held(idx), "a task is tried again that was not held");
  expect(run.attempts[idx] == r.attempt, "a task is tried again with another attempt");
  run.tasks[idx] = model::task_state::pending;
  run.reasons[idx].clear();
  run.losses[idx] = run.retries[idx] = 0;
  run.fell_back[idx] = false;
}

void core_world::fold(const model::attempt_dispatched& r) {
  check_key(r.key.task());
  check_holds(r);
  if (r.key_digest.is_set())
    keys[*r.key_digest] = {r.key.task(), {}};
  auto& run = runs.at(r.key.run_no);
  expect(r.generation == run.generation, "an attempt is of another generation");
  expect(!is_paused(run), "an attempt of a paused run is dispatched");
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
  used[r.key] = {idx, {}, r.at};
}

void core_world::fold(const model::attempt_ended& r) {
  const auto& outcome = r.outcome;
  auto& run = runs.at(outcome.key.run_no);
  const auto idx = outcome.key.task_idx;
  holds.erase(outcome.key.task());
  expect(run.attempts.at(idx) == outcome.key.attempt, "an attempt ends that is not current");
  expect(run.tasks[idx] == as_stored(outcome.from), "an attempt ends from another state");
  expect(is_active(outcome.from), "an attempt ends that was not under way");
  expect((outcome.state == model::task_state::succeeded
          || outcome.state == model::task_state::rolled_back)
           != outcome.failure.has_value(),
         "only what did not succeed has a failure");
  run.tasks[idx] = as_stored(outcome.state);
  run.is_over[idx] = true;
  run.stops.erase(idx);
  auto& use = used.at(outcome.key);
  if (outcome.own_usage.is_set())
    use.used = model::amounts_of(*outcome.own_usage);
  if (outcome.started_at)
    use.used[std::size_t(model::budget_kind::time)] =
      std::max<model::amount>((outcome.finished_at - *outcome.started_at).count(), 0);
  use.under_way_since.reset();
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

bool core_world::has_succeeded(const std::string& digest) const {
  const auto known = keys.find(digest);
  if (known == keys.end())
    return false;
  const auto task = known->second.task;
  return runs.at(task.run_no).tasks[task.task_idx] == model::task_state::succeeded;
}

void core_world::check_key(model::task_key starting) {
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

void core_world::fold_breaker(const model::attempt_outcome& outcome) {
  using enum model::failure_class;
  const auto& run = runs.at(outcome.key.run_no);
  const auto idx = outcome.key.task_idx;
  if ((run.fell_back[idx] && !outcome.falls_back) || run.rolls_back[idx])
    return expect(!outcome.breaker, "another command says something about the action");
  const auto& spec = run.spec->task(run.node(idx));
  const std::pair kind{run.spec->name, spec.name};
  const auto known = breakers.find(kind);
  const auto before = known == breakers.end() ? model::breaker_state{} : known->second;
  const std::set counted{exit, transient, timeout, heartbeat, validation, resource};
  const auto& policy = setting_of(*run.spec, spec, &model::task_settings::retry);
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

void core_world::fold(const model::task_moved& r) {
  auto& run = runs.at(r.key.run_no);
  const auto idx = r.key.task_idx;
  expect(run.tasks.at(idx) == as_stored(r.from), "a task moves from another state");
  expect(run.attempts[idx] == r.attempt, "a task moves with another attempt");
  run.tasks[idx] = as_stored(r.to);
  run.reasons[idx] = r.reason;
  run.awaited.erase(idx);
  run.gates_since.erase(idx);
  if (r.awaits.is_set()) {
    run.awaited[idx] = *r.awaits;
    run.gates_since[idx] = r.at;
  }
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
  run.stops.erase(idx);
  if (r.failure && r.to == model::task_state::cancelling)
    run.stops.emplace(idx, *r.failure);
}

void core_world::fold(const model::usage_noted& r) {
  used.at(r.key).used = model::amounts_of(r.usage);
}

void core_world::fold(const model::warning_raised& r) {
  warnings.push_back(r.message);
}

void core_world::fold(const model::progress_made&) {}

void core_world::fold(const model::snapshot_saved& r) {
  auto& run = runs.at(r.key.run_no);
  const auto idx = r.key.task_idx;
  expect(run.attempts.at(idx) == r.key.attempt, "a snapshot is not of the current attempt");
  expect(run.tasks[idx] == model::task_state::dispatched, "what does not run takes a snapshot");
  expect(!run.has_snapshot[idx], "a task takes a second snapshot");
  run.has_snapshot[idx] = true;
}

void core_world::fold(const model::checkpoint_saved& r) {
  const auto& run = runs.at(r.key.run_no);
  expect(run.attempts.at(r.key.task_idx) == r.key.attempt, "a save is not of the current attempt");
  expect(is_active(run.tasks[r.key.task_idx]), "what does not run saves its progress");
  saved.push_back(r.what->token);
}

void core_world::carry_out(const model::start_attempt& e) {
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
  expect(run.node(e.key.task_idx) == e.task, "a start names another task");
  expect(run.names().name(e.key.task_idx) == e.name(), "a start names another instance");
  const auto& limit = e.spec().fan_out->max_parallel;
  const auto siblings = std::count_if(under_way.begin(), under_way.end(), [&](const auto& other) {
    return other.first.run_no == e.key.run_no && other.second.task == e.task;
  });
  expect(!limit || siblings < std::int64_t{*limit}, "more instances run than may at once");
  expect(under_way.emplace(e.key.task(), e).second, "a task has two attempts at once");
  starts.push_back(e.key);
}

void core_world::carry_out(const model::stop_attempt& e) {
  expect(under_way.count(e.key.task()) != 0, "what does not run is stopped");
  stops.push_back(e);
}

void core_world::carry_out(const model::acknowledge_report& e) {
  acknowledged.push_back(e);
}

void core_world::carry_out(const model::go_on& e) {
  expect(runs.at(e.key.run_no).has_snapshot[e.key.task_idx],
         "an action begins whose snapshot is not stored");
  gone_on.push_back(e.key);
}

void core_world::carry_out(const model::load_outputs& e) {
  loads.push_back(e);
}

void core_world::carry_out(const model::look_up_key& e) {
  look_ups.push_back(e);
}

void core_world::carry_out(const model::change_timers& e) {
  expect(e.what.set == last.timers.set && e.what.removed == last.timers.removed,
         "other timers are armed than stored");
}

void core_world::carry_out(const model::answer_submit& e) {
  submit_answers.push_back(e);
}

void core_world::carry_out(const model::answer_cancel& e) {
  cancel_answers.push_back(e);
}

void core_world::carry_out(const model::answer_control& e) {
  control_answers.push_back(e);
}

void core_world::carry_out(const model::load_run& e) {
  run_loads.push_back(e);
}

void core_world::carry_out(const model::answer_drain& e) {
  drain_answers.push_back(e);
}

void core_world::carry_out(const model::answer_checkpoint& e) {
  checkpoint_answers.push_back(e);
}

void core_world::carry_out(const model::pause_checkpoints& e) {
  pauses.push_back(e.key);
}

void core_world::carry_out(const model::wake_up& e) {
  wake_up_at = e.at;
}

void core_world::check_holds(const model::attempt_dispatched& r) {
  if (!r.holds.is_set())
    return;
  holds[r.key.task()] = *r.holds;
  std::set<std::uint32_t> whole_units;
  std::map<std::uint32_t, std::int64_t> units;
  for (const auto& need : r.holds->taken) {
    if (need.kind == model::capacity_kind::rate) {
      rate_starts.push_back({r.at, *r.holds});
      const auto of_rate = [&](const auto& start) {
        return start.at > r.at - need.per
               && std::find(start.holds.taken.begin(), start.holds.taken.end(), need)
                    != start.holds.taken.end();
      };
      expect(std::count_if(rate_starts.begin(), rate_starts.end(), of_rate) <= need.limit,
             "more start than the rate allows");
      continue;
    }
    std::int64_t sum = 0;
    for (const auto& [task, held] : holds)
      for (const auto& other : held.taken)
        if (other.kind == need.kind && other.name == need.name)
          sum += other.amount;
    auto limit = need.limit;
    for (const auto& [name, amount] : options_.capacity.resources)
      if (need.kind == model::capacity_kind::resource && name == need.name)
        limit = amount;
    expect(sum <= limit, "more is held than there is");
  }
  for (const auto& [task, held] : holds)
    for (const auto index : held.indices)
      units[index] += std::min<std::int64_t>(*held.amount_of("gpu"), 1'000);
  for (const auto& [index, amount] : units)
    expect(amount <= 1'000, "a unit is given to too many");
}

void core_world::compare() {
  expect(core.attempts_under_way() == under_way.size(), "the core counts other attempts");
  std::size_t live_runs = 0;
  for (const auto& [run_no, run] : runs) {
    const auto* live = core.find_run(run_no);
    expect((live == nullptr) == is_terminal(run.state), "a run is live that has ended");
    model::state_counts counts{};
    for (std::uint32_t i = 0; i < run.tasks.size(); ++i)
      counts[std::size_t(run.tasks[i])] += run.is_counted(i) ? 1 : 0;
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
  compare_children();
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
    expect(timer.kind != model::timer_kind::gate || state == model::task_state::waiting,
           "a gate that does not wait has a timer");
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

bool core_world::is_paused(const recorded_run& run) const {
  return run.paused || (run.parent && is_paused(runs.at(run.parent->run_no)));
}

void core_world::compare_children() {
  std::set<model::attempt_key> under_way_as_runs;
  for (const auto& [run_no, run] : runs)
    if (run.parent && !is_terminal(run.state)) {
      const auto& parent = runs.at(run.parent->run_no);
      expect(parent.attempts[run.parent->task_idx] == run.parent->attempt
               && is_active(parent.tasks[run.parent->task_idx]),
             "a run goes on whose attempt is over");
      under_way_as_runs.insert(*run.parent);
    }
  for (const auto& [run_no, run] : runs) {
    const auto* live = core.find_run(run_no);
    for (std::uint32_t i = 0; live != nullptr && i < run.tasks.size(); ++i)
      if (is_active(run.tasks[i]) && !run.is_over[i]
          && live->executor(i) == model::executor_kind::workflow)
        expect(under_way_as_runs.contains({run_no, i, run.attempts[i]}),
               "an attempt goes on whose run is over");
  }
}

void core_world::compare_breakers() {
  struct members {
    std::size_t waiting = 0, awake = 0, timed = 0, queued = 0, others = 0;
  };
  std::map<std::pair<std::string, std::string>, members> kinds;
  for (const auto& [run_no, run] : runs) {
    const auto* live = core.find_run(run_no);
    for (std::uint32_t i = 0; live != nullptr && i < live->tasks.size(); ++i) {
      auto& kind = kinds[{run.spec->name, run.spec->task(run.node(i)).name}];
      const auto state = live->tasks[i].state;
      if (!live->tasks[i].does_its_action())
        continue;
      const bool waits = state == model::task_state::waiting && run.reasons[i] == "breaker";
      kind.waiting += waits;
      kind.awake += waits && !is_paused(run);
      kind.timed += live->timers.contains({i, model::timer_kind::breaker});
      kind.queued += state == model::task_state::ready;
      const bool asks = state == model::task_state::pending && live->keys.contains(i);
      // One that is not admitted yet comes after another one has ended.
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

} // namespace sluice::logic

// What a test does to the core and sees of it.
#include "tests/logic/core_world.hpp"

namespace sluice::logic {

core_world::core_world(core_options options, checking how)
  : core(options), how_(how), options_(std::move(options)) {}

core_world::~core_world() = default;

model::run_no core_world::submit(const flow& f) {
  model::submission request;
  request.workflow = std::make_shared<const model::workflow_spec>(f.spec);
  request.params = f.params;
  step(model::run_submitted{++last_request_, std::move(request)});
  REQUIRE(submit_answers.back().request == last_request_);
  if (submit_answers.back().result)
    last_run = *submit_answers.back().result;
  return last_run;
}

model::attempt_report core_world::report_of(model::attempt_key key) const {
  model::attempt_report report;
  report.key = key;
  report.started_at = now;
  report.finished_at = now;
  return report;
}

void core_world::report(model::attempt_report what) {
  const auto open = under_way.find(what.key.task());
  auto executor = model::executor_kind::process;
  if (open != under_way.end() && open->second.key == what.key) {
    executor = executor_of(open->second.action());
    under_way.erase(open);
  }
  step(model::attempt_finished{std::move(what), executor});
}

void core_world::finish(std::string_view task, model::value outputs) {
  auto what = report_of(current(task));
  what.outputs = std::move(outputs);
  report(std::move(what));
}

void core_world::fail(std::string_view task, int code, model::failure_class type) {
  auto what = report_of(current(task));
  what.failure = {type, std::to_string(code), "exit code " + std::to_string(code)};
  report(std::move(what));
}

void core_world::lose(std::string_view task) {
  auto what = report_of(current(task));
  what.failure = {model::failure_class::lost, "", "its worker died"};
  report(std::move(what));
}

void core_world::lose_executor(model::executor_kind kind) {
  std::erase_if(under_way,
                [&](const auto& open) { return executor_of(open.second.action()) == kind; });
  step(model::executor_ready{kind, {}});
}

void core_world::take_snapshot(std::string_view task) {
  step(model::snapshot_taken{current(task), std::make_shared<const std::string>("as it was")});
}

void core_world::validating(std::string_view task) {
  step(model::attempt_validating{current(task)});
}

void core_world::confirm(std::string_view task) {
  step(model::attempt_started{current(task)});
}

void core_world::use(std::string_view task, model::value usage) {
  step(model::usage_told{current(task), std::move(usage)});
}

void core_world::time_out(std::string_view task) {
  step(model::attempt_timed_out{current(task)});
}

void core_world::cancel(model::cancel_mode how) {
  step(model::cancel_requested{++last_request_, last_run, how, "operator"});
}

expected<model::control_result> core_world::control(model::control what) {
  step(model::control_requested{++last_request_, last_run, std::move(what), "operator"});
  while (!run_loads.empty())
    load_run();
  REQUIRE(control_answers.back().request == last_request_);
  return control_answers.back().result;
}

void core_world::load_run() {
  const auto run_no = run_loads.front().run_no;
  run_loads.erase(run_loads.begin());
  model::run_loaded loaded{run_no, sluice::fail(errc::not_found, "there is no such run")};
  if (runs.contains(run_no))
    loaded.run = std::make_shared<const model::stored_run>(stored(run_no));
  step(loaded);
}

expected<model::control_result> core_world::retry(model::retry_scope scope, std::string task) {
  return control(model::retry_run{scope, std::move(task)});
}

expected<model::control_result> core_world::mark(std::string task, model::task_state as) {
  return control(model::mark_task{std::move(task), as});
}

expected<model::control_result> core_world::add(const flow& f) {
  return control(model::add_tasks{std::make_shared<const model::workflow_spec>(f.spec)});
}

void core_world::drain(model::drain_mode how) {
  step(model::drain_requested{++last_request_, how});
}

void core_world::load(std::string_view task, expected<model::value> outputs) {
  const auto asked = std::find_if(loads.begin(), loads.end(), [&](const auto& l) {
    return l.run_no == last_run && l.task_idx == index(task);
  });
  REQUIRE(asked != loads.end());
  loads.erase(asked);
  step(model::outputs_loaded{last_run, index(task), std::move(outputs)});
}

void core_world::look_up(std::size_t which) {
  const auto asked = look_ups.at(which);
  look_ups.erase(look_ups.begin() + std::ptrdiff_t(which));
  model::key_looked_up answer{asked.task, asked.digest, std::nullopt, asked.number};
  if (has_succeeded(asked.digest))
    answer.found = keys.at(asked.digest);
  step(answer);
}

void core_world::restart() {
  loads.clear();
  look_ups.clear();
  run_loads.clear();
  options_.next_run = {std::int64_t(runs.size()) + 1};
  auto gates = std::make_shared<model::stored_gates>();
  for (const auto& [name, state] : switches)
    gates->switches.push_back(state);
  gates->passes = passes;
  options_.gates = std::move(gates);
  core = scheduler_core{options_};
  model::stored_capacity capacity{{}, rate_starts};
  for (const auto& [of, limit] : limits)
    capacity.limits.push_back(limit);
  core.restore(capacity, now);
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

model::stored_run core_world::stored(model::run_no run_no) const {
  const auto& run = runs.at(run_no);
  model::stored_run all;
  all.run_no = run_no;
  all.workflow = run.spec;
  all.params = run.params;
  all.parent = run.parent;
  all.state = run.state;
  all.generation = run.generation;
  all.paused = run.paused;
  all.submitted_at = run.submitted_at;
  all.rolls_back = run.run_rolls_back;
  all.error = run.error;
  all.completions = run.completions;
  all.fan_outs = run.ranges;
  all.stops = {run.stops.begin(), run.stops.end()};
  all.signals = run.signals;
  all.gates_since.insert(run.gates_since.begin(), run.gates_since.end());
  for (const auto& timer : timers)
    if (timer.run_no == run_no)
      all.timers.push_back(timer);
  for (const auto& [key, use] : used)
    if (key.run_no == run_no)
      all.used.push_back(use);
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
    if (const auto held = holds.find({run_no, i}); held != holds.end())
      all.holds.emplace(i, held->second);
    if (!run.inputs[i].empty())
      all.inputs.emplace(i, *model::parse_json(run.inputs[i]));
  }
  for (const auto& [i, text] : run.completed_inputs)
    if (!text.empty())
      all.inputs.insert_or_assign(i, *model::parse_json(text));
  return all;
}

bool core_world::is_completed(const recorded_run& run, std::uint32_t task) {
  return run.completed_inputs.count(task) != 0;
}

model::timer core_world::timer(std::string_view task, model::timer_kind kind) const {
  const auto set = std::find_if(timers.begin(), timers.end(), [&](const auto& t) {
    return t.run_no == last_run && t.task_idx == index(task) && t.kind == kind;
  });
  INFO("timer of task " << task);
  REQUIRE(set != timers.end());
  return *set;
}

model::timer core_world::run_timer() const {
  const auto set = std::find_if(timers.begin(), timers.end(), [&](const auto& t) {
    return t.run_no == last_run && !t.task_idx && !t.group;
  });
  REQUIRE(set != timers.end());
  return *set;
}

bool core_world::has_group_timer(model::timer_kind kind, std::optional<std::uint32_t> group) const {
  return std::any_of(timers.begin(), timers.end(), [&](const auto& t) {
    return t.run_no == last_run && !t.task_idx && t.group == group && t.kind == kind;
  });
}

model::timer core_world::group_timer(model::timer_kind kind,
                                     std::optional<std::uint32_t> group) const {
  REQUIRE(has_group_timer(kind, group));
  return *std::find_if(timers.begin(), timers.end(), [&](const auto& t) {
    return t.run_no == last_run && !t.task_idx && t.group == group && t.kind == kind;
  });
}

void core_world::fire(const model::timer& which, model::microseconds late) {
  now = std::max(now, which.due + late - time_of_a_step);
  step(model::timer_fired{which});
}

void core_world::fire(std::string_view task, model::timer_kind kind) {
  fire(timer(task, kind));
}

void core_world::wake() {
  REQUIRE(wake_up_at);
  now = std::max(now, *std::exchange(wake_up_at, std::nullopt));
  dispatch();
}

void core_world::dispatch() {
  take(core.dispatch(tick()));
}

void core_world::step(const model::happening& what) {
  take(core.react(what, tick(), mode));
}

void core_world::play(std::string_view failing) {
  const auto names = words(failing);
  for (std::string name; !(name = oldest()).empty();)
    if (std::find(names.begin(), names.end(), name) == names.end())
      finish(name);
    else
      fail(name);
}

std::uint32_t core_world::index(std::string_view task) const {
  INFO("task " << task);
  const auto found = recorded().names().find(task);
  REQUIRE(found);
  return *found;
}

model::attempt_key core_world::current(std::string_view task) const {
  INFO("task " << task);
  REQUIRE(is_under_way(task));
  return under_way.at(key(task)).key;
}

const model::start_attempt& core_world::started(std::string_view task) const {
  current(task);
  return under_way.at(key(task));
}

std::string core_world::state(std::string_view task) const {
  const auto* live = core.find_run(last_run);
  return std::string{
    to_string(live != nullptr ? live->tasks[index(task)].state : recorded().tasks[index(task)])};
}

std::string core_world::states(std::string_view some) const {
  auto names = words(some);
  if (names.empty())
    for (std::uint32_t i = 0; i < recorded().tasks.size(); ++i)
      if (recorded().is_counted(i))
        names.push_back(recorded().names().name(i));
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : " ") + name + "=" + state(name);
  return text;
}

std::string core_world::run_state() const {
  return std::string{to_string(recorded().state)};
}

std::string core_world::reason(std::string_view task) const {
  return recorded().reasons[index(task)];
}

model::failure core_world::failure(std::string_view task) const {
  INFO("task " << task);
  REQUIRE(recorded().failures[index(task)].has_value());
  return *recorded().failures[index(task)];
}

std::string core_world::failure_class(std::string_view task) const {
  return std::string{to_string(failure(task).failure_class)};
}

std::string core_world::env(std::string_view task, std::string_view name) const {
  for (const auto& [key, text] : started(task).env)
    if (key == name)
      return text;
  return "(unset)";
}

std::string core_world::running() const {
  std::string text;
  for (const auto& [task, start] : under_way)
    if (task.run_no == last_run)
      text += (text.empty() ? "" : " ") + start.name();
  return text;
}

std::string core_world::oldest() const {
  const model::start_attempt* first = nullptr;
  for (const auto& [task, start] : under_way)
    if (task.run_no == last_run && (first == nullptr || start.key.attempt < first->key.attempt))
      first = &start;
  return first == nullptr ? std::string{} : first->name();
}

void core_world::take(reaction&& done) {
  ++steps;
  last = std::move(done);
  for (const auto& record : last.records)
    std::visit([this](const auto& r) { fold(r); }, record);
  for (const auto& counts : last.counts)
    runs.at(counts.run_no).counts = counts.counts;
  for (const auto& set : last.switches)
    switches[set.name] = set;
  for (const auto& set : last.limits)
    if (set.amount)
      limits[{set.kind, set.name}] = set;
    else
      expect(limits.erase({set.kind, set.name}) == 1, "a limit is taken back that is not set");
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

} // namespace sluice::logic

#include "testing/promise_checks.hpp"

#include "storage/open.hpp"

#include <algorithm>

namespace sluice::testing {
namespace {

using model::task_state;

/// What an attempt that ended changed; a task that waits only repeats it.
const model::value* told_breaker(const model::event& event) {
  if (!event.data.is_object() || event.type == model::event_type::task_waiting)
    return nullptr;
  const auto found = event.data.find("breaker");
  return found == event.data.end() ? nullptr : &*found;
}

bool fits(model::timer_kind kind, task_state stored) {
  switch (kind) {
  case model::timer_kind::retry:
    return stored == task_state::retry_wait || stored == task_state::paused;
  case model::timer_kind::deadline:
    return !is_terminal(stored);
  case model::timer_kind::queue_timeout:
    return stored == task_state::pending; // `ready` is never stored
  case model::timer_kind::breaker:
  case model::timer_kind::gate:
    return stored == task_state::waiting;
  case model::timer_kind::timeout:
    return is_active(stored);
  case model::timer_kind::timebox:
  case model::timer_kind::budget:
    return false; // they are of runs and groups
  }
  return false;
}

std::string text_of(const model::event& e) {
  return std::string{to_string(e.type)} + " of " + std::to_string(e.task_idx.value_or(0)) + ", "
         + e.from + " to " + e.to + " " + model::to_text(e.data);
}

bool is_equal(const logic::live_run& live, const logic::folded_run& folded) {
  return live.state == folded.state && live.generation == folded.generation
         && live.paused == folded.paused && live.counts == folded.counts
         && std::equal(live.tasks.begin(), live.tasks.end(), folded.tasks.begin(),
                       folded.tasks.end(), [](const auto& task, const auto& told) {
                         return logic::folded_task{as_stored(task.state), task.attempt} == told;
                       });
}

} // namespace

void promise_checks::violate(std::string what) {
  if (!violation_)
    violation_ = std::move(what);
}

void promise_checks::look() {
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
    if (event.type == model::event_type::run_submitted && event.data.contains("parent"))
      note_child(event);
    else if (event.type == model::event_type::run_submitted)
      note_submission(event);
    else if (event.type == model::event_type::tasks_added)
      note_addition(event);
    capacity_.pass_time(event.at);
    events_of_operators_ += event.actor == "operator" ? 1 : 0;
    if (event.type == model::event_type::task_snapshot) {
      const model::task_key task{event.run_no, *event.task_idx};
      if (!snapshots_.emplace(task, deeds_.taken.at({task.run_no, task.task_idx, *event.attempt}))
             .second)
        violate(to_string(task) + " has two snapshots");
      with_snapshots.insert(task);
    }
    check_budgets(event);
    if (!event.task_idx) {
      check_rolled_back(event);
      if (auto wrong = run_queue_.see(event, workflows_.at(event.run_no)->spec()); !wrong.empty())
        violate(std::move(wrong));
    }
    if (event.type == model::event_type::run_signalled)
      if (auto wrong = gates_.see_signal(event); !wrong.empty())
        violate(std::move(wrong));
    if (event.task_idx && !event.is_note()) {
      if (event.type == model::event_type::task_reset
          || event.type == model::event_type::task_marked)
        note_reset(event);
      note_hold(event);
      check_outcome(event);
      check_child(event);
      check_instances(event);
      check_compensation(event);
      check_retry(event);
      check_breaker(event);
      check_key(event);
      if (auto wrong = event.type == model::event_type::task_dispatched ? capacity_.dispatch(event)
                                                                        : std::string{};
          !wrong.empty() && !clock_was_set_)
        violate(std::move(wrong));
      check_gate(event);
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
      ++moves_[std::size_t(*model::parse_task_state(event.from))]
              [std::size_t(*model::parse_task_state(event.to))];
    }
  }
  for (const auto& key : touched)
    if (!fold_.find(key.run_no)->is_superseded(key.task_idx))
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
  check_children();
}

void promise_checks::note_submission(const model::event& event) {
  const auto submitted = std::stoul(event.data.at("hash").get<std::string>());
  submitted_as_[event.run_no] = submitted;
  workflows_[event.run_no] = submitted_.at(submitted);
}

/// The workflow as it is stored with these tasks; it may have been given others since.
void promise_checks::note_addition(const model::event& event) {
  const auto stored = reader().workflow(event.run_no);
  if (!stored)
    return violate("the workflow of " + to_string(event.run_no) + " cannot be read");
  auto then = **stored;
  const auto later =
    std::find_if(then.additions.begin(), then.additions.end(), [&](const auto& addition) {
      return addition.first > event.data.at("first").get<std::uint32_t>();
    });
  if (later != then.additions.end())
    then.tasks.resize(later->position);
  then.additions.erase(later, then.additions.end());
  const auto compiled =
    logic::compile(std::make_shared<const model::workflow_spec>(std::move(then)));
  if (!compiled || (*compiled)->spec().index_end() != fold_.find(event.run_no)->tasks.size())
    return violate("the tasks that " + to_string(event.run_no) + " was given are not stored");
  workflows_[event.run_no] = *compiled;
}

void promise_checks::note_child(const model::event& event) {
  const auto row = reader().run(event.run_no);
  if (!row || !row->parent || to_string(*row->parent) != event.data["parent"])
    return violate("the row of " + to_string(event.run_no)
                   + " has another parent than it was told");
  const auto parent = *row->parent;
  const auto* of = fold_.find(parent.run_no);
  workflows_[event.run_no] = workflows_.at(parent.run_no)->child(of->node(parent.task_idx));
  if (!children_.emplace(parent, event.run_no).second)
    violate(to_string(parent) + " is two runs");
  if (!is_under_way_as_run(parent))
    violate(to_string(event.run_no) + " begins, and its attempt is not under way");
}

bool promise_checks::is_under_way_as_run(model::attempt_key key) const {
  const auto& task = fold_.find(key.run_no)->tasks[key.task_idx];
  return task.attempt == key.attempt && is_active(task.state)
         && executor_of(command_of(key.task())) == model::executor_kind::workflow;
}

void promise_checks::check_child(const model::event& event) {
  const model::attempt_key key{event.run_no, *event.task_idx, event.attempt.value_or(0)};
  const auto child = children_.find(key);
  if (child == children_.end() || !model::parse_task_state(event.to)
      || is_active(*model::parse_task_state(event.to))
      || !is_active(model::parse_task_state(event.from).value_or(task_state::pending))
      || role_of(key.task()) != model::command_role::action)
    return;
  const auto ended = fold_.find(child->second)->state;
  const auto why = event.data.is_object() ? event.data.value("class", "") : "";
  using enum model::run_state;
  const bool fits = event.to == to_string(task_state::succeeded) ? ended == succeeded
                    : why == "exit"      ? ended == failed || ended == rolled_back
                    : why == "cancelled" ? is_terminal(ended)
                    : why == "timeout" || why == "deadline" || why == "budget" ? is_terminal(ended)
                                                                               : false;
  if (!fits)
    violate(to_string(key) + " is " + event.to + " by " + why + ", and its run "
            + to_string(child->second) + " is " + std::string{to_string(ended)});
}

void promise_checks::check_children() {
  for (const auto& [parent, run] : children_) {
    const auto state = fold_.find(run)->state;
    const auto is_under_way = is_under_way_as_run(parent);
    const bool is_stopped =
      is_under_way
      && fold_.find(parent.run_no)->tasks[parent.task_idx].state == task_state::cancelling;
    if (is_terminal(state) == is_under_way || (is_stopped && state != model::run_state::cancelling))
      violate(to_string(run) + " is " + std::string{to_string(state)} + ", and its attempt "
              + to_string(parent) + " is "
              + (is_stopped     ? "stopped"
                 : is_under_way ? "not"
                                : "over"));
  }
  for (const auto& [run_no, run] : fold_.runs())
    for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
      if (const model::attempt_key key{run_no, task, run.tasks[task].attempt};
          is_active(run.tasks[task].state) && is_under_way_as_run(key) && !children_.contains(key))
        violate(to_string(key) + " is under way, and is no run");
}

void promise_checks::note_reset(const model::event& event) {
  const model::task_key key{event.run_no, *event.task_idx};
  reset_after_[key] = event.attempt.value_or(0);
  if (event.type == model::event_type::task_marked)
    marked_.insert(key);
  else
    std::erase_if(completions_[event.run_no], [&](auto of) {
      return of.task() == key || fold_.find(key.run_no)->is_superseded(of.task_idx);
    });
  kept_.erase(key);
  bears_.erase(key);
  left_out_.erase(key);
  if (event.to != to_string(task_state::failed)) // else its rollback may follow
    snapshots_.erase(key);
  fell_back_.erase(key);
  rolls_back_.erase(key);
}

void promise_checks::note_hold(const model::event& event) {
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

void promise_checks::check_outcome(const model::event& event) {
  const model::attempt_key key{event.run_no, *event.task_idx, event.attempt.value_or(0)};
  if ((event.type != model::event_type::task_finished
       && event.type != model::event_type::task_retrying
       && event.type != model::event_type::task_held)
      || !event.attempt // of a task that is fanned out
      || executor_of(command_of(key.task())) != model::executor_kind::process)
    return;
  const bool succeeded =
    event.to == to_string(task_state::succeeded) || event.to == to_string(task_state::rolled_back);
  const auto by_process = event.data.is_object() ? event.data.value("class", "") : "";
  if (succeeded ? !deeds_.ended_well.contains(key)
                : by_process == "exit" && !deeds_.ended_badly.contains(key))
    violate(to_string(key) + " is " + event.to + ", which its process did not say");
}

std::string promise_checks::name_of(model::task_key key) {
  const auto& spec = workflows_.at(key.run_no)->shared_spec();
  auto ranges = reader().instances(key.run_no);
  if (!ranges)
    violate("the instances of " + to_string(key.run_no) + " cannot be read");
  return model::task_names{spec, ranges.value_or(std::vector<model::instance_range>{})}.name(
    key.task_idx);
}

/// Of instances of one task in different runs, those of the same item have the same key; their
/// names may be those of others.
std::string promise_checks::what_has_key(model::task_key key) {
  const auto ranges = reader().instances(key.run_no);
  const auto* range = ranges ? model::range_of(*ranges, key.task_idx) : nullptr;
  return spec_of(key).name
         + (range == nullptr
              ? ""
              : " " + model::to_plain_text(range->items->item(key.task_idx - range->first)));
}

const model::task_spec& promise_checks::spec_of(model::task_key key) const {
  const auto& spec = workflows_.at(key.run_no)->spec();
  return spec.task(fold_.find(key.run_no)->node(key.task_idx));
}

void promise_checks::check_instances(const model::event& event) {
  const model::task_key key{event.run_no, *event.task_idx};
  const auto& run = *fold_.find(key.run_no);
  const auto to = *model::parse_task_state(event.to);
  if (to == task_state::skipped && event.data.is_object()
      && event.data.value("reason", "") == "siblings_failed")
    left_out_.insert({key.run_no, run.node(key.task_idx)});
  const auto range = std::find_if(run.fan_outs.begin(), run.fan_outs.end(), [&](const auto& of) {
    return of.task == key.task_idx && !of.superseded;
  });
  if (range == run.fan_outs.end() || !is_terminal(to)
      || event.type == model::event_type::task_marked)
    return;
  std::uint32_t succeeded = 0, failed = 0;
  for (auto idx = range->first; idx < range->first + range->count; ++idx) {
    const auto state = run.tasks[idx].state;
    const bool is_undone = is_completed({key.run_no, idx});
    if (!is_terminal(state) && !is_undone)
      violate(to_string(key) + " is decided before its instances");
    succeeded += state == task_state::succeeded || is_undone ? 1 : 0;
    failed += !is_undone && (state == task_state::failed || state == task_state::rolled_back);
  }
  const auto& wanted = *spec_of(key).fan_out;
  const bool is_enough = failed <= wanted.max_failures
                         && succeeded >= wanted.min_success.value_or(0)
                         && !left_out_.contains(key); // though some were marked since
  if (to == task_state::succeeded ? !is_enough : to == task_state::failed && is_enough)
    violate(to_string(key) + " is " + event.to + ", which its instances are not");
  if (to == task_state::skipped && failed > wanted.max_failures)
    violate(to_string(key) + " is skipped, though its instances failed");
  if (to == task_state::succeeded && failed > 0)
    bears_.insert(key);
}

void promise_checks::check_siblings(const model::start_attempt& order,
                                    const std::vector<model::attempt_key>& under_way) {
  const auto& limit = order.spec().fan_out->max_parallel;
  const auto& run = *fold_.find(order.key.run_no);
  const auto siblings = std::count_if(under_way.begin(), under_way.end(), [&](const auto& other) {
    return other.run_no == order.key.run_no && run.node(other.task_idx) == order.task;
  });
  if (limit && siblings >= std::int64_t{*limit})
    violate(to_string(order.key) + " starts beside as many instances as may run at once");
}

void promise_checks::check_group(const model::start_attempt& order,
                                 const std::vector<model::attempt_key>& under_way) {
  const auto& workflow = *workflows_.at(order.key.run_no);
  const auto group = workflow.group(order.task);
  if (!group)
    return;
  const auto& run = *fold_.find(order.key.run_no);
  const auto& limit = workflow.spec().groups[*group].active_tasks;
  const auto others = std::count_if(under_way.begin(), under_way.end(), [&](const auto& other) {
    return other.run_no == order.key.run_no && workflow.group(run.node(other.task_idx)) == group;
  });
  if (limit && others >= std::int64_t{*limit})
    violate(to_string(order.key) + " starts beside as many of its group as may run at once");
}

void promise_checks::check_budgets(const model::event& event) {
  std::optional<std::uint32_t> node;
  if (event.task_idx)
    node = fold_.find(event.run_no)->node(*event.task_idx);
  if (auto wrong = groups_.see(event, *workflows_.at(event.run_no), node); !wrong.empty())
    violate(std::move(wrong));
}

void promise_checks::check_compensation(const model::event& event) {
  const model::attempt_key key{event.run_no, *event.task_idx, event.attempt.value_or(0)};
  auto& completions = completions_[event.run_no];
  if (event.type == model::event_type::task_finished && event.to == to_string(task_state::succeeded)
      && event.attempt
      && workflows_.at(event.run_no)->is_compensable(fold_.find(event.run_no)->node(key.task_idx)))
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
  const auto& spec = workflows_.at(event.run_no)->spec();
  for (const auto task : spec.indices())
    if (!spec.is_finally(task) && task != key.task_idx && !is_terminal(run.tasks[task].state))
      violate(to_string(key) + " is compensated beside something else");
}

bool promise_checks::is_completed(model::task_key key) const {
  const auto of_run = completions_.find(key.run_no);
  return of_run != completions_.end()
         && std::any_of(of_run->second.begin(), of_run->second.end(),
                        [&](auto of) { return of.task() == key; });
}

void promise_checks::check_rolled_back(const model::event& event) {
  const auto bears = [&](auto key) { return key.run_no == event.run_no; };
  if (event.to == to_string(model::run_state::succeeded)
      && std::any_of(bears_.begin(), bears_.end(), bears)
      && !(event.data.is_object() && event.data.value("degraded", false)))
    violate(to_string(event.run_no) + " bears a failure, and is not degraded");
  if (event.to != to_string(model::run_state::rolled_back))
    return;
  for (const auto& key : completions_[event.run_no])
    if (const auto state = fold_.find(event.run_no)->tasks[key.task_idx].state;
        state == task_state::succeeded || state == task_state::failed) // else marked as skipped
      violate(to_string(key) + " is not undone, though its run is rolled back");
}

const model::action& promise_checks::command_of(model::task_key key) const {
  const auto& spec = workflows_.at(key.run_no)->spec();
  return *command_for(spec, spec_of(key), role_of(key));
}

model::command_role promise_checks::role_of(model::task_key key) const {
  return rolls_back_.contains(key)
           ? (is_completed(key) ? model::command_role::compensate : model::command_role::rollback)
         : fell_back_.contains(key) ? model::command_role::fallback
                                    : model::command_role::action;
}

void promise_checks::check_retry(const model::event& event) {
  const model::task_key key{event.run_no, *event.task_idx};
  const auto name = to_string(key);
  if (event.type == model::event_type::task_retrying) {
    const auto& spec = workflows_.at(event.run_no)->spec();
    const auto& policy = model::setting_of(spec, spec_of(key), &model::task_settings::retry);
    if (!policy || event.data["retry"].get<std::uint32_t>() > policy->max)
      violate(name + " is repeated more often than it may");
    retry_at_[key] = model::from_us(event.data["due_us"].get<std::int64_t>());
  } else if (event.from == to_string(task_state::retry_wait)
             && (event.type == model::event_type::task_due
                 || event.type == model::event_type::task_waiting)) {
    // Waits go by the monotonic clock, and their ends are told in wall time.
    const bool was_set = clock_was_set_;
    if (!was_set && event.at < retry_at_.at(key))
      violate(name + " is repeated before its time");
  }
}

void promise_checks::check_key(const model::event& event) {
  const model::task_key key{event.run_no, *event.task_idx};
  const auto& spec = spec_of(key);
  if (!spec.settings->idempotency)
    return;
  const auto& workflow = workflows_.at(event.run_no)->spec().name;
  const auto wrong =
    keys_.see(event, workflow + " " + what_has_key(key) + " " + *spec.settings->idempotency);
  const bool was_set = clock_was_set_; // keys may expire
  if (!wrong.empty() && !was_set)
    violate(wrong);
}

void promise_checks::check_gate(const model::event& event) {
  const bool was_set = clock_was_set_;
  if (auto wrong = gates_.see(event, spec_of({event.run_no, *event.task_idx}), was_set);
      !wrong.empty())
    violate(std::move(wrong));
}

void promise_checks::switch_was_set(const model::set_switch& what) {
  const auto stored = reader().gates();
  const bool closes = what.to == model::switch_position::closed;
  const bool is_so =
    stored && std::any_of(stored->switches.begin(), stored->switches.end(), [&](const auto& one) {
      return one.name == what.name && one.is_open != closes;
    });
  if (!is_so)
    violate("a switch was set, and is not stored so");
}

void promise_checks::compare_gates() {
  const auto gates = reader().gates();
  if (!gates)
    return violate("the gates cannot be read: " + gates.error().message);
  if (auto wrong =
        gates_.compare(*gates, [&](auto key) -> const model::task_spec& { return spec_of(key); });
      !wrong.empty())
    violate(std::move(wrong));
  const auto waiting = reader().waiting_gates();
  if (!waiting)
    return violate("what waits cannot be read: " + waiting.error().message);
  if (auto wrong = gates_.compare(*waiting); !wrong.empty())
    violate(std::move(wrong));
  for (const auto& [run, folded] : fold_.runs())
    if (const auto stored = reader().stored_run(run); !stored)
      violate(to_string(run) + " cannot be read: " + stored.error().message);
    else if (auto wrong = gates_.compare(run, stored->signals); !wrong.empty())
      violate(std::move(wrong));
}

void promise_checks::check_breaker(const model::event& event) {
  const auto& spec = workflows_.at(event.run_no)->spec();
  const std::pair kind{spec.name, spec_of({event.run_no, *event.task_idx}).name};
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
  const bool was_set = clock_was_set_;
  if (event.type == model::event_type::task_waiting && !is_open && event.data.contains("breaker"))
    violate("a task waits for a breaker that is closed");
  const bool is_action = role_of({event.run_no, *event.task_idx}) == model::command_role::action;
  if (event.type == model::event_type::task_dispatched && is_open && is_action && !was_set
      && event.at < *known->second.open_until)
    violate("an attempt starts behind an open breaker");
}

void promise_checks::compare_breakers() {
  const auto stored = reader().breakers();
  if (!stored)
    return violate("the breakers cannot be read: " + stored.error().message);
  std::map<std::pair<std::string, std::string>, model::breaker_state> rows;
  for (const auto& row : *stored)
    rows[{row.workflow, row.task}] = row.state;
  if (rows != breakers_)
    violate("the breakers that are stored are not what the events say");
}

void promise_checks::compare_snapshot(model::task_key key) {
  const auto stored = reader().snapshot(key);
  const auto told = snapshots_.find(key);
  if (!stored
      || (told == snapshots_.end() ? stored->has_value()
                                   : !*stored || (*stored)->what != told->second))
    violate("the snapshot of " + to_string(key) + " is not what its events say");
}

void promise_checks::check_repetition(const model::start_attempt& order) {
  const auto& policy =
    model::setting_of(*order.workflow, order.spec(), &model::task_settings::retry);
  if (!policy || !policy->never || undoes(order.role))
    return;
  const auto before = reset_after_[order.key.task()];
  for (auto earlier = order.key; --earlier.attempt > before;)
    if (roles_[earlier] != order.role)
      break;
    else if (deeds_.started.contains(earlier) || deeds_.ended_well.contains(earlier)
             || deeds_.ended_badly.contains(earlier))
      violate(to_string(order.key) + " starts after " + to_string(earlier)
              + ", though it is never to be repeated");
}

void promise_checks::compare_timers(model::run_no run) {
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

void promise_checks::compare_all() {
  for (const auto& [run, folded] : fold_.runs()) {
    compare_run(run);
    compare_timers(run);
    std::size_t rows = 0;
    for (std::uint32_t task = 0; task < folded.tasks.size(); ++task)
      rows += folded.is_superseded(task) ? 0 : 1;
    compare_tasks(run, 0, rows);
    for (std::uint32_t task = 0; task < folded.tasks.size(); ++task)
      if (needs_snapshot({run, task}) && !folded.is_superseded(task))
        compare_snapshot({run, task});
  }
  compare_breakers();
  compare_gates();
}

void promise_checks::compare_run(model::run_no run) {
  const auto row = reader().run(run);
  const auto* folded = fold_.find(run);
  if (!row || row->state != folded->state || row->counts != folded->counts
      || row->generation != folded->generation || row->paused != folded->paused)
    violate("the row of " + to_string(run) + " is not what its events say");
}

void promise_checks::compare_tasks(model::run_no run, std::uint32_t from, std::size_t count) {
  const auto rows = reader().tasks({.run_no = run, .from_idx = from, .state = {}, .limit = count});
  const auto& folded = fold_.find(run)->tasks;
  if (!rows || rows->size() != count)
    return violate("tasks of " + to_string(run) + " are missing");
  for (const auto& row : *rows)
    if (logic::folded_task{row.state, row.attempt} != folded[row.key.task_idx])
      violate("the row of " + to_string(run) + "/" + std::to_string(row.key.task_idx)
              + " is not what its events say");
}

void promise_checks::check_start(const model::start_attempt& order,
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
    violate(name + " starts while the store holds its task as " + std::string{to_string(task.state)}
            + ", attempt " + std::to_string(task.attempt));
  for (const auto& other : under_way)
    if (other.task() == order.key.task())
      violate(name + " starts beside " + to_string(other));
  if (under_way.size() >= node_.slots + node_.dispatch_ahead)
    violate(name + " starts although all slots are taken");
  const auto& limit = workflows_.at(order.key.run_no)->spec().active_tasks;
  const auto of_run = std::count_if(under_way.begin(), under_way.end(), [&](const auto& other) {
    return other.run_no == order.key.run_no;
  });
  if (limit && of_run >= std::int64_t{*limit})
    violate(name + " starts although its run has as many under way as it may");
  const auto given =
    order.kept->checkpoint == nullptr ? 0 : std::stoull(order.kept->checkpoint->token);
  if (given < kept_[order.key.task()])
    violate(name + " starts without the progress that was kept");
  if (order.has_result)
    for (const auto& of : completions_[order.key.run_no])
      if (of.task() == order.key.task() && order.kept->result != deeds_.put_out.at(of))
        violate(name + " undoes something else than its task put out");
  roles_[order.key] = order.role;
  if (order.role != role_of(order.key.task()))
    violate(name + " starts with another command than it should");
  if (order.role != model::command_role::compensate)
    check_upstreams(order.key, *run);
  check_repetition(order);
  check_snapshot(order);
  check_siblings(order, under_way);
  check_group(order, under_way);
  if (auto wrong = capacity_.start(order, under_way); !wrong.empty())
    violate(std::move(wrong));
}

bool promise_checks::needs_snapshot(model::task_key key) const {
  const auto& spec = workflows_.at(key.run_no)->spec();
  return command_for(spec, spec_of(key), model::command_role::snapshot) != nullptr;
}

void promise_checks::check_snapshot(const model::start_attempt& order) {
  const auto name = to_string(order.key);
  const auto told = snapshots_.find(order.key.task());
  if (!undoes(order.role)) {
    if (order.takes_snapshot != (needs_snapshot(order.key.task()) && told == snapshots_.end()))
      violate(name + " takes a snapshot when there is one, or none when there is none");
  } else if (order.role == model::command_role::rollback && needs_snapshot(order.key.task())
             && (told == snapshots_.end() || order.kept->snapshot == nullptr
                 || *order.kept->snapshot != told->second)) {
    violate(name + " rolls back without what it is to put back");
  }
}

void promise_checks::check_go_on(const model::attempt_key& key) {
  look();
  if (!snapshots_.contains(key.task()))
    violate(to_string(key) + " begins before its snapshot is stored");
}

void promise_checks::check_upstreams(const model::attempt_key& key, const logic::folded_run& run) {
  const auto& workflow = workflows_.at(key.run_no);
  const auto node = run.node(key.task_idx);
  const auto upstreams = workflow->graph().upstreams(node);
  const auto rule = workflow->spec().task(node).join.rule;
  const auto all = workflow->spec().indices();
  if (workflow->spec().is_finally(node) && !std::all_of(all.begin(), all.end(), [&](auto task) {
        return workflow->spec().is_finally(task) || is_terminal(run.tasks[task].state);
      }))
    violate(to_string(key) + " starts before the tasks that finally comes after");
  const auto decided = std::count_if(upstreams.begin(), upstreams.end(), [&](auto upstream) {
    return is_terminal(run.tasks[upstream].state);
  });
  const bool early = rule == model::join_rule::one_success || rule == model::join_rule::one_failed;
  if (early ? decided == 0 && !upstreams.empty() : std::size_t(decided) != upstreams.size())
    violate(to_string(key) + " starts before its upstreams are decided");
  if (rule == model::join_rule::all_success)
    for (const auto upstream : upstreams) {
      const auto allowed = model::setting_of(workflow->spec(), workflow->spec().task(upstream),
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

/// What a run is part of is taken up before it.
bool promise_checks::take_up_parents(logic::scheduler_core& core, const model::stored_run& run) {
  if (!run.parent)
    return true;
  const auto parent = reader().stored_run(run.parent->run_no);
  return parent && take_up_parents(core, *parent) && core.restore(*parent, model::wall_time{});
}

void promise_checks::check_recovery() {
  for (const auto run : unfinished()) {
    const auto stored = reader().stored_run(run);
    if (!stored)
      return violate(to_string(run) + " cannot be read: " + stored.error().message);
    const auto gates = reader().gates();
    if (!gates)
      return violate("the gates cannot be read: " + gates.error().message);
    logic::core_options options;
    options.gates = std::make_shared<const model::stored_gates>(*gates);
    options.capacity.resources = capacity_checks::of_node();
    logic::scheduler_core core{std::move(options)};
    if (!take_up_parents(core, *stored))
      return violate("what " + to_string(run) + " is part of cannot be taken up");
    const auto restored = core.restore(*stored, model::wall_time{});
    if (!restored)
      return violate(to_string(run) + " cannot be taken up: " + restored.error().message);
    auto expected = fold_;
    std::set<std::uint32_t> decided_anew; // of which the known events do not tell yet
    for (const auto& record : restored->records) {
      auto event = model::event_of(record);
      if (event.task_idx)
        decided_anew.insert(*event.task_idx);
      event.seq = expected.last_seq() + 1;
      if (const auto fits = expected.apply(event); !fits)
        return violate(fits.error().message);
    }
    if (!restored->records.empty() && !may_come_early(model::event_of(restored->records.front())))
      return violate("taking up " + to_string(run) + " decides what was decided otherwise: "
                     + text_of(model::event_of(restored->records.front())));
    const auto& folded = *expected.find(run);
    const auto* live = core.find_run(run);
    if (is_terminal(folded.state) ? live != nullptr : live == nullptr || !is_equal(*live, folded))
      violate("the recovered state of " + to_string(run) + " is not what its events say");
    if (live == nullptr)
      continue;
    for (std::uint32_t task = 0; task < live->tasks.size(); ++task)
      if (!is_terminal(live->tasks[task].state) && !decided_anew.contains(task))
        check_recovered(*live, task);
    auto timers = core.timers();
    std::erase_if(timers, [&](const auto& timer) { return timer.run_no != run; });
    const std::set recovered(timers.begin(), timers.end());
    if (restored->timers.empty()
        && recovered != std::set(stored->timers.begin(), stored->timers.end()))
      violate("the recovered timers of " + to_string(run) + " are not those that are stored");
  }
}

void promise_checks::check_recovered(const logic::live_run& live, std::uint32_t task) {
  const model::task_key key{live.run_no, task};
  if (live.role(task) != role_of(key) || live.held.contains(task) != held_.contains(key))
    violate("the recovered " + to_string(key)
            + " runs another command, or waits for something else");
  else if (live.snapshots.contains(task) != snapshots_.contains(key))
    violate("the recovered " + to_string(key) + " knows another snapshot");
}

/// Whether who takes up a run may decide what who had it did not yet: by a rule that looks at its
/// upstreams in some order, or of an added task, which asks the store for outputs that may be none.
bool promise_checks::may_come_early(const model::event& event) const {
  const model::task_key key{event.run_no, event.task_idx.value_or(0)};
  const auto rule = spec_of(key).join.rule;
  const auto node = fold_.find(key.run_no)->node(key.task_idx);
  return rule == model::join_rule::one_success || rule == model::join_rule::one_failed
         || node >= workflows_.at(key.run_no)->spec().planned_count();
}

void promise_checks::check_seen(std::span<const model::event> events) {
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

void promise_checks::progress_kept(const model::attempt_key& key, std::uint64_t progress) {
  const auto task = key.task();
  if (key.attempt <= reset_after_[task])
    return; // its task has started anew since
  kept_[task] = std::max(kept_[task], progress);
  look();
  const auto stored = reader().checkpoint(task);
  const auto state = fold_.find(task.run_no)->tasks[task.task_idx].state;
  if (!stored
      || (state != task_state::succeeded
          && (!*stored || std::stoull((*stored)->what.token) < progress)))
    violate("progress of " + to_string(task) + " was kept that is not stored");
}

std::vector<model::run_no> promise_checks::unfinished() const {
  std::vector<model::run_no> runs;
  for (const auto& [run, folded] : fold_.runs())
    if (!is_terminal(folded.state))
      runs.push_back(run);
  return runs;
}

storage::reader& promise_checks::reader() {
  if (reader_ == nullptr)
    reader_ = std::move(*storage::open_reader_in_memory(node_.store_name));
  return *reader_;
}

} // namespace sluice::testing

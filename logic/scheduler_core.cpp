#include "logic/scheduler_core.hpp"

#include "logic/spec_checks.hpp"

#include <algorithm>

namespace sluice::logic {
using model::task_state;

namespace {

std::int64_t amount_in(const model::resource_amounts& amounts, std::string_view name) {
  for (const auto& [resource, amount] : amounts)
    if (resource == name)
      return amount;
  return 0;
}

} // namespace

scheduler_core::scheduler_core(core_options options)
  : options_(std::move(options)), pace_(options_.dispatch_ahead),
    scaling_({.least = options_.slots,
              .most = std::max(options_.slots, options_.most_slots),
              .memory = amount_in(options_.capacity.resources, "mem")}),
    capacity_(std::make_unique<capacity_ledger>(options_.capacity)) {
  options_.crash_limit = std::min(options_.crash_limit, most_losses);
  judge_slots();
  limit_[std::size_t(capacity_pool::asynchronous_calls)] = options_.asynchronous_calls;
  for (std::uint32_t level = 0; level < most_levels; ++level)
    limit_[std::size_t(pool_of_children(level))] = options_.child_runs;
  if (options_.gates == nullptr)
    return;
  for (const auto& known : options_.gates->switches)
    if (!known.is_open)
      closed_.emplace(known.name, known);
  for (const auto& pass : options_.gates->passes) {
    auto& book = quotas_[pass.name];
    book.passes.push_back(pass.at);
    book.last_number = pass.number;
  }
}

reaction scheduler_core::react(const model::happening& what, model::wall_time now,
                               dispatching mode) {
  now_ = now;
  actor_ = "scheduler";
  has_all_runs_ = true;
  std::visit([this](const auto& e) { on(e); }, what);
  settle_step();
  if (mode == dispatching::allowed)
    fill_capacity();
  return finish_step();
}

reaction scheduler_core::dispatch(model::wall_time now) {
  now_ = now;
  actor_ = "scheduler";
  wake_asked_.reset(); // it may be what this is
  fill_capacity();
  return finish_step();
}

std::size_t scheduler_core::attempts_under_way() const {
  return under_way_[std::size_t(model::executor_kind::process)].size()
         + under_way_[std::size_t(model::executor_kind::function)].size();
}

const live_run* scheduler_core::find_run(model::run_no run) const {
  const auto it = runs_.find(run);
  return it == runs_.end() ? nullptr : &it->second;
}

/// What follows over the bounds of one run, or one task, until nothing more does.
void scheduler_core::settle_step() {
  while (!stirred_.empty() || !hungry_.empty() || !stirred_quotas_.empty() || !child_stops_.empty()
         || !ended_children_.empty() || (has_all_runs_ && !stirred_lines_.empty())) {
    settle_breakers();
    begin_next_runs();
    settle_quotas();
    feed_instances();
    stop_children();
    end_with_children();
  }
}

reaction scheduler_core::finish_step() {
  settle_step(); // a run may have been given up at its dispatch
  for (const auto run_no : touched_) {
    const auto it = runs_.find(run_no);
    if (it == runs_.end())
      continue;
    step_.counts.push_back({run_no, it->second.counts});
    if (is_terminal(it->second.state)) {
      for (const auto& [task, kept] : it->second.outputs)
        kept_outputs_bytes_ -= kept.bytes;
      let_go_of_shapes(it->second);
      runs_.erase(it);
    }
  }
  touched_.clear();
  if (!drains_.empty() && attempts_under_way() == 0)
    for (const auto request : std::exchange(drains_, {}))
      step_.effects.push_back(model::answer_drain{request});
  step_.timers.set.assign(timers_set_.begin(), timers_set_.end());
  timers_set_.clear();
  begun_tasks_ = 0;
  if (!step_.timers.empty())
    step_.effects.push_back(model::change_timers{step_.timers});
  ask_for_wake_up();
  return std::exchange(step_, {});
}

// --- what happens ------------------------------------------------------------------------------

expected<std::shared_ptr<const compiled_workflow>>
scheduler_core::compile_here(std::shared_ptr<const model::workflow_spec> spec) const {
  auto compiled = compile(std::move(spec), options_.has_handler);
  if (compiled)
    return std::move(*compiled);
  std::string all;
  for (const auto& problem : compiled.error())
    all += (all.empty() ? "" : "; ") + problem.path + ": " + problem.message;
  return fail(errc::invalid_argument, all);
}

/// All its tasks are pending.
live_run& scheduler_core::add_run(model::run_no run_no,
                                  std::shared_ptr<const compiled_workflow> workflow,
                                  model::value params, model::wall_time submitted_at,
                                  std::uint32_t generation) {
  live_run& run = runs_[run_no];
  run.run_no = run_no;
  run.workflow = std::move(workflow);
  run.params = std::move(params);
  run.submitted_at = submitted_at;
  run.generation = generation;
  run.facts = {{"id", to_string(run_no)},
               {"workflow", run.spec().name},
               {"generation", generation},
               {"submitted", model::to_rfc3339(submitted_at)}};
  run.tasks.resize(run.spec().tasks.size());
  run.groups.resize(run.spec().groups.size());
  run.first_turn = turns_ + 1;
  run.undecided = static_cast<std::uint32_t>(run.tasks.size());
  run.undecided_finally = run.spec().finally_count;
  run.counts[std::size_t(task_state::pending)] = run.undecided;
  return run;
}

void scheduler_core::on(const model::run_submitted& e) {
  auto compiled = e.submission.workflow->additions.empty()
                    ? compile_here(e.submission.workflow)
                    : fail(errc::invalid_argument, "only a run that goes on has added tasks");
  if (!compiled) {
    step_.effects.push_back(model::answer_submit{e.request, tl::unexpected(compiled.error())});
    return;
  }
  const auto run_no = begin_run(std::move(*compiled), e.submission, std::nullopt);
  step_.effects.push_back(model::answer_submit{e.request, run_no});
}

/// A new run, submitted or of an attempt.
model::run_no scheduler_core::begin_run(std::shared_ptr<const compiled_workflow> workflow,
                                        const model::submission& what,
                                        std::optional<model::attempt_key> parent) {
  const model::run_no run_no = options_.next_run;
  ++options_.next_run.value;
  live_run& run = add_run(run_no, std::move(workflow), what.params, now_);
  run.user = what.user;
  touched_.insert(run_no);
  if (parent)
    join_parent(run, *parent);
  if (has_to_queue(run))
    run.state = model::run_state::queued;
  enter_line(run);
  step_.records.push_back(model::run_created{
    run_no, std::make_shared<const model::submission>(what), now_, parent, run.state});
  guarded(run, [&] {
    for (std::uint32_t task = 0; task < run.tasks.size(); ++task)
      run.tasks[task].undecided =
        static_cast<std::uint32_t>(run.workflow->graph().upstreams(task).size());
    make_pots(run);
    set_deadline(run);
    if (run.state != model::run_state::queued)
      begin_tasks(run);
  });
  return run_no;
}

void scheduler_core::on(const model::attempt_started& e) {
  live_run* run = reported(e.key);
  if (run == nullptr)
    return;
  guarded(*run, [&] {
    if (run->tasks[e.key.task_idx].state == task_state::dispatched)
      change_state(*run, e.key.task_idx, task_state::running);
    if (!run->pots.empty())
      begin_time(*run, e.key.task_idx);
  });
}

void scheduler_core::on(const model::attempt_validating& e) {
  live_run* run = reported(e.key);
  if (run == nullptr)
    return;
  const auto task = e.key.task_idx;
  guarded(*run, [&] {
    if (run->tasks[task].state == task_state::dispatched)
      change_state(*run, task, task_state::running);   // it overtook the confirmation
    if (run->tasks[task].state == task_state::running) // else it is being stopped
      move_task(*run, task, task_state::validating, "");
  });
}

void scheduler_core::on(const model::attempt_timed_out& e) {
  live_run* run = reported(e.key);
  if (run == nullptr || run->tasks[e.key.task_idx].state == task_state::cancelling)
    return; // over already, or the first stop reason stands
  guarded(*run, [&] { stop_task(*run, e.key.task_idx, e.why); });
}

void scheduler_core::on(const model::attempt_finished& e) {
  step_.effects.push_back(model::acknowledge_report{e.report.key, e.executor});
  live_run* run = reported(e.report.key);
  if (run == nullptr)
    return;
  guarded(*run, [&] {
    finish(*run, e.report);
    settle(*run);
  });
}

void scheduler_core::on(const model::executor_ready& e) {
  const std::unordered_set<model::attempt_key> kept(e.attempts.begin(), e.attempts.end());
  const auto& keys = under_way_[std::size_t(e.executor)];
  std::vector<model::attempt_key> known(keys.begin(), keys.end());
  std::sort(known.begin(), known.end()); // the same order in every replay
  for (const auto& key : known) {
    live_run* run = reported(key);
    if (run == nullptr)
      continue;
    if (kept.contains(key)) {
      // Whoever decided on its stop may have died before the executor was told.
      if (run->tasks[key.task_idx].state == task_state::cancelling)
        ask_to_stop(*run, key.task_idx, model::cancel_mode::graceful);
      continue;
    }
    model::attempt_report report;
    report.key = key;
    report.failure = model::failure{model::failure_class::lost, "",
                                    run->tasks[key.task_idx].was_started ? "its runtime died"
                                                                         : "its executor died"};
    report.finished_at = now_;
    guarded(*run, [&] {
      finish(*run, report);
      settle(*run);
    });
  }
}

void scheduler_core::on(const model::cancel_requested& e) {
  const auto it = runs_.find(e.run_no);
  if (it == runs_.end()) {
    step_.effects.push_back(model::answer_cancel{
      e.request, fail(errc::not_found, "run " + to_string(e.run_no) + " is not in progress")});
    return;
  }
  live_run& run = it->second;
  actor_ = e.actor;
  cancel(run, e.mode);
  step_.effects.push_back(model::answer_cancel{e.request, e.run_no});
}

void scheduler_core::on(const model::drain_requested& e) {
  is_draining_ = true;
  drains_.push_back(e.request);
  if (e.mode == model::drain_mode::finish)
    return;
  for (auto& [run_no, run] : runs_)
    guarded(run, [&, live = &run] { stop_attempts(*live); });
}

void scheduler_core::on(const model::outputs_loaded& e) {
  const auto it = runs_.find(e.run_no);
  if (it == runs_.end())
    return;
  live_run& run = it->second;
  const auto entry = run.outputs.find(e.task_idx);
  if (entry == run.outputs.end() || entry->second.waiting.empty())
    return;
  guarded(run, [&] {
    const auto waiting = std::exchange(entry->second.waiting, {});
    if (e.outputs && entry->second.pins > 0) // else all who waited are decided
      keep_loaded(run, entry->second, e);
    for (const auto task : waiting) { // `entry` may be gone after the last of them
      if (task == of_results) {
        if (!e.outputs)
          fail_results(run, "cannot read the outputs of task '" + run.name(e.task_idx)
                              + "' back: " + e.outputs.error().message);
        continue;
      }
      const bool is_fanned_out = run.fan_outs.contains(task); // its instances may be undone yet
      if (is_terminal(run.tasks[task].state) && !is_fanned_out)
        continue;
      const auto why = e.outputs ? std::string{}
                                 : "cannot read the outputs of task '" + run.name(e.task_idx)
                                     + "' back: " + e.outputs.error().message;
      if (!e.outputs && is_fanned_out)
        fail_instances(run, task, why);
      else if (!e.outputs)
        fail_expression(run, task, why);
      else if (--run.tasks[task].loads == 0 && run.tasks[task].state != task_state::paused)
        prepare(run, task);
    }
    settle(run);
  });
}

void scheduler_core::keep_loaded(const live_run& run, kept_outputs& kept,
                                 const model::outputs_loaded& e) {
  kept.instances.clear();
  if (!run.fan_outs.contains(e.task_idx)) {
    kept.values = *e.outputs;
    return;
  }
  kept.values = e.outputs->at("out");
  for (const auto& index : e.outputs->at("index"))
    kept.instances.push_back(index.get<std::uint32_t>());
}

void scheduler_core::on(const model::timer_fired& e) {
  const auto it = runs_.find(e.what.run_no);
  if (it == runs_.end())
    return;
  live_run& run = it->second;
  const auto set = run.timers.find({e.what.task_idx, e.what.kind, e.what.group});
  if (set == run.timers.end() || set->second != e.what.due)
    return; // removed, or set anew, while it was on its way
  guarded(run, [&] {
    remove_timer(run, set->first);
    act_on(run, e.what);
    settle(run);
  });
}

// --- attempts ----------------------------------------------------------------------------------

bool scheduler_core::is_current(const model::attempt_key& key) const {
  const auto* run = find_run(key.run_no);
  if (run == nullptr || key.task_idx >= run->tasks.size())
    return false;
  const auto& task = run->tasks[key.task_idx];
  if (task.attempt != key.attempt || !is_active(task.state))
    return false;
  return !task.rolls_back || is_under_way(*run, key.task_idx); // or it waits to roll back
}

/// The run a report is about; null, and counted, when it is not of the current attempt.
live_run* scheduler_core::reported(const model::attempt_key& key) {
  if (is_current(key))
    return &runs_.at(key.run_no);
  ++statistics_.stale_reports;
  return nullptr;
}

void scheduler_core::finish(live_run& run, const model::attempt_report& report) {
  const auto task = report.key.task_idx;
  auto& entry = run.tasks[task];
  end_checkpoints(run, report.key);
  if (entry.state == task_state::dispatched && (report.started_at || !report.failure))
    change_state(run, task, task_state::running); // the report overtook the confirmation
  release_capacity(run, report.key);
  if (run.executor(task) == model::executor_kind::workflow)
    remove_timer(run, {task, model::timer_kind::timeout});
  if (!run.pots.empty())
    end_use(run, report);
  const bool is_process = run.executor(task) == model::executor_kind::process;
  if (is_process && report.started_at)
    pace_.note_end(now_);

  for (const auto& warning : report.warnings)
    step_.records.push_back(model::warning_raised{report.key, warning, now_});
  if (entry.rolls_back)
    return end_rollback(run, report);

  const bool goes_on_later = entry.state == task_state::cancelling && gives_back(entry.stop);
  if (goes_on_later && report.failure) {
    lose(run, as_given_back(run, report));
  } else if (entry.state == task_state::cancelling && !goes_on_later) {
    // Exit 0 during the grace does not undo a stop; how it ended stays on record as the code.
    const auto code = report.failure ? report.failure->code : "0";
    if (entry.stop == model::stop_reason::timeout)
      fail_attempt(run, report, {model::failure_class::timeout, code, "timed out"});
    else if (entry.stop == model::stop_reason::deadline || entry.stop == model::stop_reason::budget)
      end_attempt(run, report, task_state::failed, failure_of_stop(run, task, code));
    else if (entry.stop == model::stop_reason::heartbeat)
      fail_attempt(run, report,
                   {model::failure_class::heartbeat, code,
                    "gave no sign of life for three intervals of its heartbeat"});
    else
      end_attempt(run, report, task_state::cancelled,
                  model::failure{model::failure_class::cancelled, code, "cancelled"});
  } else if (!report.failure) {
    keep_outputs(run, task, report.outputs);
    end_attempt(run, report, task_state::succeeded, std::nullopt);
  } else if (report.failure->failure_class == model::failure_class::lost) {
    lose(run, report);
  } else {
    fail_attempt(run, report, *report.failure);
  }
}

/// Of an attempt that was stopped to go on later: that is no fault of its own.
model::attempt_report scheduler_core::as_given_back(const live_run& run,
                                                    model::attempt_report report) {
  report.given_back = true;
  if (run.tasks[report.key.task_idx].stop == model::stop_reason::preempt) {
    report.failure =
      model::failure{model::failure_class::lost, "preempted",
                     "stopped because a task with a higher priority needs what it held"};
    return report;
  }
  report.failure = run.is_paused() ? model::failure{model::failure_class::lost, "paused",
                                                    "stopped because its run was paused"}
                                   : model::failure{model::failure_class::lost, "drained",
                                                    "stopped because its runtime was to end"};
  return report;
}

void scheduler_core::lose(live_run& run, const model::attempt_report& report) {
  const auto task = report.key.task_idx;
  auto& entry = run.tasks[task];
  if (!report.given_back) {
    ++statistics_.attempts_lost;
    ++entry.losses;
  }
  const auto* policy = run.retry_policy(task);
  const bool was_tried = !report.given_back || entry.state == task_state::cancelling;
  const bool never_again = policy != nullptr && policy->never && was_tried;
  if (never_again || entry.losses > run.crash_limit(task).value_or(options_.crash_limit)) {
    auto why = *report.failure;
    why.message = (never_again ? "lost, and never repeated: "
                               : "lost " + std::to_string(entry.losses) + " times: ")
                  + why.message;
    fail_for_good(run, report, std::move(why));
    return;
  }
  if (run.is_past_deadline(task)) { // it came while the attempt was being stopped
    end_attempt(run, report, task_state::failed,
                model::failure{model::failure_class::deadline, report.failure->code,
                               run.deadline_text(task)});
    return;
  }
  end_attempt(run, report, task_state::ready, report.failure);
  if (run.is_stopped(task))
    move_task(run, task, task_state::skipped, "run_failed");
  else
    make_ready_again(run, task, report.given_back ? place::first : place::last);
}

void scheduler_core::end_attempt(live_run& run, const model::attempt_report& report, task_state to,
                                 std::optional<model::failure> failure, next follows) {
  const auto task = report.key.task_idx;
  const auto from = run.tasks[task].state;
  model::attempt_outcome outcome;
  outcome.retries = run.retries_done(task);
  if (to == task_state::retry_wait)
    outcome.retry_at = run.timers.at({task, model::timer_kind::retry});
  outcome.breaker = judge_kind(run, report.key, failure);
  change_state(run, task, to);
  outcome.key = report.key;
  outcome.from = from;
  outcome.state = to;
  outcome.failure = std::move(failure);
  if (to == task_state::failed)
    explain_missing_rollback(run, task, *outcome.failure);
  outcome.losses = run.tasks[task].losses;
  outcome.falls_back = follows == next::fallback;
  outcome.is_completion =
    to == task_state::succeeded && run.workflow->is_compensable(run.node(task));
  outcome.drops_checkpoint = to == task_state::succeeded && run.tasks[task].checkpointed;
  outcome.drops_snapshot = (to == task_state::succeeded || to == task_state::rolled_back)
                           && run.snapshots.erase(task) != 0;
  outcome.outputs = to == task_state::succeeded ? report.outputs : model::value{};
  if (const auto key = run.keys.find(task); key != run.keys.end() && to == task_state::succeeded)
    outcome.key_digest = key->second;
  outcome.usage = report.usage;
  scaling_.note_peak(report.usage.peak_rss_bytes);
  outcome.own_usage = report.own_usage;
  outcome.started_at = report.started_at;
  outcome.finished_at = report.finished_at;
  if (to == task_state::failed)
    note_failure(run, task, outcome.failure->message);
  if (outcome.is_completion)
    note_completion(run, task);
  const bool rolls_back = to == task_state::failed && run.is_to_roll_back(task);
  auto why = rolls_back ? *outcome.failure : model::failure{};
  step_.records.push_back(model::attempt_ended{std::move(outcome)});
  if (rolls_back)
    begin_rollback(run, task, std::move(why));
  else if (is_terminal(to))
    decide(run, task);
}

} // namespace sluice::logic

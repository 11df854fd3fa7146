// Tasks with a key, of which one success is enough: who starts, who waits for that one's end, and
// who takes over what has been done already. A key is held from `ready` until its task is decided;
// what has succeeded with it is in the store.
#include "logic/scheduler_core.hpp"

namespace sluice::logic {

using model::task_state;

namespace {

std::string waits_for_key() {
  return std::string{to_string(model::wait_reason::idempotency)};
}

} // namespace

/// Finds out what its key stands for. On an error the task has failed, and false is returned.
bool scheduler_core::evaluate_key(live_run& run, std::uint32_t task, const value_template& text) {
  const auto fails = [&](const std::string& why) {
    fail_expression(run, task, "idempotency: " + why);
    return false;
  };
  const auto filled = text.fill(run_scope{run, task});
  if (!filled)
    return fails(filled.error().message);
  const auto key = model::to_plain_text(*filled);
  if (const auto valid = model::check_key(key); !valid)
    return fails(valid.error().message);
  // As JSON, so that no two lists of parts have the same text.
  const model::value what{"task", run.spec().name, run.task_spec(task).name, key};
  run.keys.insert_or_assign(task, options_.digest(model::to_text(what)));
  return true;
}

/// It had started before a restart. One that claimed the key since then has to wait.
void scheduler_core::hold_key(live_run& run, std::uint32_t task, const std::string& digest) {
  const model::task_key self{run.run_no, task};
  const auto [key, is_new] = keys_.try_emplace(digest, key_in_use{self});
  if (!is_new)
    key->second.waiting.insert(std::exchange(key->second.holder, self));
  key->second.is_first = true;
  run.keys.insert_or_assign(task, digest);
}

/// Whether the task may be ready, as far as its key goes. If not, it goes on by itself when that is
/// known.
bool scheduler_core::may_begin(live_run& run, std::uint32_t task) {
  const auto key = run.keys.find(task);
  if (key == run.keys.end())
    return true;
  const model::task_key self{run.run_no, task};
  auto& use = keys_.try_emplace(key->second, key_in_use{self}).first->second;
  if (run.tasks[task].rolls_back)
    return true; // that is not what the key is for, but nobody else begins before its end
  if (use.holder != self) {
    use.waiting.insert(self);
    if (run.tasks[task].state != task_state::waiting) // as it does after a restart
      move_task(run, task, task_state::waiting, waits_for_key());
    return false;
  }
  if (!use.is_first)
    ask_for_result(key->second, use);
  return use.is_first;
}

void scheduler_core::ask_for_result(const std::string& digest, key_in_use& key) {
  key.asked = ++questions_;
  step_.effects.push_back(model::look_up_key{key.holder, digest, key.asked});
}

void scheduler_core::on(const model::key_looked_up& e) {
  const auto key = keys_.find(e.digest);
  if (key == keys_.end() || key->second.asked != e.number || key->second.is_first)
    return; // decided meanwhile, or asked for anew since: this may be from before the last success
  live_run& run = runs_.at(e.task.run_no);
  const auto task = e.task.task_idx;
  guarded(run, [&] {
    if (!e.found)
      fail_expression(run, task, "idempotency: " + e.found.error().message);
    else if (*e.found && !is_undone((*e.found)->task))
      reuse(run, task, **e.found);
    else { // nobody has succeeded with it
      key->second.is_first = true;
      make_ready(run, task);
    }
    settle(run);
  });
}

/// Whether what has succeeded is being undone since the store was asked.
bool scheduler_core::is_undone(model::task_key task) const {
  const auto* run = find_run(task.run_no);
  return run != nullptr && run->tasks[task.task_idx].state != task_state::succeeded;
}

/// What the task would do has been done.
void scheduler_core::reuse(live_run& run, std::uint32_t task, const model::keyed_result& done) {
  const auto from = run.tasks[task].state;
  change_state(run, task, task_state::succeeded);
  keep_outputs(run, task, done.outputs);
  step_.records.push_back(model::task_reused{
    {run.run_no, task}, run.tasks[task].attempt, from, done.task, done.outputs, now_});
  decide(run, task);
}

/// It does not begin for now: another task with its key may. What its own stands for stays known.
void scheduler_core::lend_key(live_run& run, std::uint32_t task) {
  const auto key = run.keys.find(task);
  if (key == run.keys.end() || run.tasks[task].has_started)
    return;
  auto digest = key->second;
  release_key(run, task);
  run.keys.emplace(task, std::move(digest));
}

/// The task is decided: the next one with its key looks what came of it.
void scheduler_core::release_key(live_run& run, std::uint32_t task) {
  const auto held = run.keys.extract(task);
  const auto key = held ? keys_.find(held.mapped()) : keys_.end();
  if (key == keys_.end())
    return;
  auto& use = key->second;
  const model::task_key self{run.run_no, task};
  use.waiting.erase(self);
  if (use.holder != self)
    return;
  if (use.waiting.empty()) {
    keys_.erase(key);
    return;
  }
  use.holder = *use.waiting.begin();
  use.is_first = false;
  use.waiting.erase(use.waiting.begin());
  ask_for_result(key->first, use);
}

} // namespace sluice::logic

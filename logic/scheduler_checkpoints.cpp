// Progress that attempts save. A save is recorded at once; what the same attempt offers in the
// pause after it is held, the latest for all, and recorded when the pause is over or the attempt
// ends.
#include "logic/scheduler_core.hpp"

#include <algorithm>

namespace sluice::logic {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= model::most_token_bytes
         && std::none_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Why a task may not save this.
std::optional<std::string> refusal(const live_run& run, std::uint32_t task,
                                   const model::checkpoint& what) {
  if (!is_token(what.token))
    return "a checkpoint's token is a text of 1 to " + std::to_string(model::most_token_bytes)
           + " bytes without control characters";
  const std::size_t most =
    model::setting_of(run.spec(), run.task_spec(task), &model::task_settings::checkpoint_bytes)
      .value_or(model::default_checkpoint_bytes);
  if (what.data.size() > most)
    return "a checkpoint of " + std::to_string(what.data.size()) + " bytes is more than the "
           + std::to_string(most) + " that task '" + run.task_spec(task).name
           + "' may save (checkpoint.max)";
  return std::nullopt;
}

tl::unexpected<error> over(const model::attempt_key& key) {
  return fail(errc::conflict, "attempt " + to_string(key) + " is not its task's current one");
}

} // namespace

void scheduler_core::on(const model::checkpoint_offered& e) {
  live_run* run = reported(e.key);
  if (run == nullptr)
    return answer_checkpoints({e.request}, over(e.key));
  if (auto why = refusal(*run, e.key.task_idx, *e.what))
    return answer_checkpoints({e.request}, fail(errc::invalid_argument, std::move(*why)));
  const auto [pause, is_first] = saving_.try_emplace(e.key);
  pause->second.waiting.push_back(e.request);
  pause->second.what = e.what;
  if (is_first)
    record_checkpoint(*run, e.key);
}

void scheduler_core::on(const model::checkpoint_pause_over& e) {
  const auto pause = saving_.find(e.key);
  if (pause == saving_.end() || !is_current(e.key))
    return; // the attempt is over
  if (pause->second.what == nullptr)
    saving_.erase(pause);
  else
    record_checkpoint(runs_.at(e.key.run_no), e.key);
}

void scheduler_core::on(const model::progress_told& e) {
  if (reported(e.key) != nullptr)
    step_.records.push_back(model::progress_made{e.key, e.what, now_});
}

/// Records what the attempt offered last, answers all who offered, and begins a pause.
void scheduler_core::record_checkpoint(live_run& run, const model::attempt_key& key) {
  auto& pause = saving_.at(key);
  run.tasks[key.task_idx].checkpointed = true;
  step_.records.push_back(model::checkpoint_saved{key, std::exchange(pause.what, nullptr), now_});
  answer_checkpoints(std::exchange(pause.waiting, {}), {});
  step_.effects.push_back(model::pause_checkpoints{key});
}

/// The attempt ends: what it offered last is not lost.
void scheduler_core::end_checkpoints(live_run& run, const model::attempt_key& key) {
  const auto pause = saving_.find(key);
  if (pause == saving_.end())
    return;
  if (pause->second.what != nullptr)
    record_checkpoint(run, key);
  saving_.erase(pause);
}

void scheduler_core::answer_checkpoints(const std::vector<model::request_id>& requests,
                                        const expected<void>& result) {
  for (const auto request : requests)
    step_.effects.push_back(model::answer_checkpoint{request, result});
}

} // namespace sluice::logic

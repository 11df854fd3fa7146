#include "storage/sqlite/writer.hpp"

#include "storage/sqlite/guarded.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace sluice::storage::sqlite {
namespace {

// Of the runs that are deleted in one transaction: enough that its sync is cheap beside them, and
// little enough that its log stays small.
constexpr std::int64_t events_per_prune = 20'000;

std::string name_of(std::span<const step_ptr> steps) {
  const auto first = std::to_string(steps.front()->number);
  const auto last = std::to_string(steps.back()->number);
  return first == last ? "commit step " + first : "commit steps " + first + " to " + last;
}

void log_refused(const model::record& r) {
  const auto e = model::event_of(r);
  spdlog::warn("record refused, the store is elsewhere run={} task={} attempt={} type={} from={} "
               "to={}",
               e.run_no.value, e.task_idx ? std::to_string(*e.task_idx) : "-",
               e.attempt ? std::to_string(*e.attempt) : "-", to_string(e.type), e.from, e.to);
}

} // namespace

expected<void> writer::start() {
  return guarded("read where the store stands", [&] {
    // Events may have left for an archive, so the mark counts too.
    next_seq_ = std::max(select_last_seq(*db_), select_mark(*db_).last_seq) + 1;
  });
}

expected<std::int64_t> writer::commit(std::uint64_t incarnation, std::span<const step_ptr> steps) {
  refused_.clear();
  const auto first = next_seq_;
  if (steps.empty())
    return first;
  auto done = guarded(name_of(steps), [&] { write_group(incarnation, steps); });
  progress_.clear(); // it points into the steps
  if (!done) {
    next_seq_ = first;
    refused_.clear();
    return tl::unexpected(done.error());
  }
  for (const auto* record : refused_)
    log_refused(*record);
  return first;
}

void writer::write_group(std::uint64_t incarnation, std::span<const step_ptr> steps) {
  transaction group{*db_};
  for (const auto& step : steps)
    write_step(*step);
  for (const auto& [run, progress] : progress_)
    update_progress(*db_, run, progress);
  update_mark(*db_, {{incarnation, steps.back()->number}, next_seq_ - 1});
  group.commit();
}

void writer::write_step(const model::step& step) {
  for (const auto& record : step.records) {
    if (!std::visit([this](const auto& r) { return write(r); }, record)) {
      refused_.push_back(&record);
      continue;
    }
    const auto event = model::event_of(record);
    insert_event(*db_, next_seq_, event);
    progress_of(event.run_no).last_seq = next_seq_++;
  }
  for (const auto& to : step.switches)
    set_switch(*db_, to);
  for (const auto& to : step.limits)
    set_store_limit(*db_, to);
  for (const auto& timer : step.timers.removed)
    delete_timer(*db_, timer);
  for (const auto& timer : step.timers.set)
    insert_timer(*db_, timer);
  for (const auto& [run, counts] : step.counts)
    progress_of(run).counts = &counts;
}

run_progress& writer::progress_of(model::run_no run) {
  return progress_[run];
}

bool writer::write(const model::run_created& r) {
  const auto version_id =
    ensure_version(*db_, {*r.request->workflow, r.request->content_hash, r.request->source}, r.at);
  insert_run(*db_, r, version_id, next_seq_);
  insert_tasks(*db_, r);
  if (r.request->key)
    insert_key(*db_, *r.request->key, r.run_no, r.at);
  return true;
}

bool writer::write(const model::run_moved& r) {
  if (!move_run(*db_, r))
    return false;
  if (r.to == model::run_state::rolling_back)
    roll_back_run(*db_, r, next_seq_);
  return true;
}

bool writer::write(const model::run_paused& r) {
  return pause_run(*db_, r);
}

bool writer::write(const model::run_retried& r) {
  return retry_run(*db_, r, next_seq_);
}

bool writer::write(const model::tasks_added& r) {
  if (!change_version(*db_, r, ensure_version(*db_, {*r.workflow, r.content_hash, {}}, r.at)))
    return false;
  insert_tasks(*db_, r);
  return true;
}

bool writer::write(const model::task_expanded& r) {
  return expand_task(*db_, r);
}

bool writer::write(const model::task_reset& r) {
  if (!reset_task(*db_, r))
    return false;
  if (r.folds)
    supersede_instances(*db_, r.key);
  delete_checkpoint(*db_, r.key);
  delete_snapshot(*db_, r.key);
  delete_completion(*db_, r.key);
  return true;
}

bool writer::write(const model::task_reused& r) {
  if (!reuse_result(*db_, r))
    return false;
  delete_checkpoint(*db_, r.key);
  delete_snapshot(*db_, r.key);
  return true;
}

bool writer::write(const model::task_marked& r) {
  if (!mark_task(*db_, r))
    return false;
  if (r.from == model::task_state::waiting)
    delete_awaited(*db_, r.key);
  delete_checkpoint(*db_, r.key);
  if (r.to != model::task_state::failed) // else its rollback may follow
    delete_snapshot(*db_, r.key);
  return true;
}

bool writer::write(const model::gate_passed& r) {
  if (!pass_gate(*db_, r))
    return false;
  if (r.from == model::task_state::waiting)
    delete_awaited(*db_, r.key);
  if (r.signal)
    delete_signal(*db_, r.key.run_no, *r.signal);
  if (r.quota.is_set())
    insert_pass(*db_, *r.quota);
  return true;
}

bool writer::write(const model::signal_received& r) {
  return insert_signal(*db_, r);
}

bool writer::write(const model::held_retried& r) {
  return retry_held_task(*db_, r);
}

bool writer::write(const model::attempt_dispatched& r) {
  if (!dispatch_task(*db_, r))
    return false;
  insert_attempt(*db_, r);
  if (r.key_digest.is_set())
    insert_key(*db_, *r.key_digest, r.key.task(), r.at);
  auto& first = progress_of(r.key.run_no).first_dispatch;
  if (!first)
    first = r.at;
  return true;
}

bool writer::write(const model::attempt_ended& r) {
  if (!end_task(*db_, r.outcome))
    return false;
  end_attempt(*db_, r.outcome);
  if (r.outcome.breaker)
    change_breaker(*db_, r.outcome.key.task(), *r.outcome.breaker);
  if (r.outcome.is_completion)
    insert_completion(*db_, r.outcome.key, next_seq_);
  if (r.outcome.drops_checkpoint)
    delete_checkpoint(*db_, r.outcome.key.task());
  if (r.outcome.drops_snapshot)
    delete_snapshot(*db_, r.outcome.key.task());
  if (r.outcome.key_digest.is_set())
    insert_key(*db_, *r.outcome.key_digest, r.outcome.key.task(), r.outcome.finished_at);
  return true;
}

bool writer::write(const model::task_moved& r) {
  if (!move_task(*db_, r))
    return false;
  if (r.awaits.is_set())
    insert_awaited(*db_, r);
  else if (r.from == model::task_state::waiting)
    delete_awaited(*db_, r.key);
  return true;
}

bool writer::write(const model::warning_raised& r) {
  return has_reached(*db_, r.key);
}

bool writer::write(const model::checkpoint_saved& r) {
  if (!is_under_way(*db_, r.key))
    return false;
  upsert_checkpoint(*db_, r);
  return true;
}

bool writer::write(const model::snapshot_saved& r) {
  if (!is_under_way(*db_, r.key))
    return false;
  insert_snapshot(*db_, r);
  return true;
}

bool writer::write(const model::usage_noted& r) {
  if (!is_under_way(*db_, r.key))
    return false;
  note_usage(*db_, r);
  return true;
}

bool writer::write(const model::progress_made& r) {
  return is_under_way(*db_, r.key);
}

expected<std::vector<model::run_no>> writer::prune(model::wall_time ended_before,
                                                   model::wall_time now) {
  const auto found = guarded("look for runs that ended long ago",
                             [&] { return select_prunable(*db_, ended_before, now); });
  if (!found)
    return tl::unexpected(found.error());
  std::vector<model::run_no> pruned;
  while (pruned.size() < found->size()) {
    const auto deleted = guarded("delete run " + to_string((*found)[pruned.size()].run_no), [&] {
      transaction group{*db_};
      delete_expired_keys(*db_, now);
      for (std::int64_t events = 0; pruned.size() < found->size() && events < events_per_prune;) {
        const auto& run = (*found)[pruned.size()];
        delete_run(*db_, run.run_no);
        events += run.events;
        pruned.push_back(run.run_no);
      }
      group.commit();
    });
    if (!deleted)
      return tl::unexpected(deleted.error());
  }
  std::sort(pruned.begin(), pruned.end());
  return pruned;
}

expected<void> writer::mend(const mended_run& run, model::wall_time now) {
  const auto first = next_seq_;
  auto done = guarded("mend run " + to_string(run.run_no), [&] {
    transaction all{*db_};
    mend_run(*db_, run);
    for (const auto& task : run.tasks) {
      mend_task(*db_, run.run_no, task);
      write_warning({run.run_no, task.task_idx, task.attempt}, task.why, now);
    }
    update_progress(*db_, run.run_no, {.last_seq = next_seq_ - 1});
    auto mark = select_mark(*db_);
    mark.last_seq = next_seq_ - 1;
    update_mark(*db_, mark);
    all.commit();
  });
  if (!done)
    next_seq_ = first;
  return done;
}

void writer::write_warning(model::attempt_key key, const std::string& text, model::wall_time now) {
  auto event = model::event_of(model::warning_raised{key, text, now});
  event.actor = "operator";
  insert_event(*db_, next_seq_++, event);
}

expected<commit_mark> writer::last_commit() {
  return guarded("read the last commit", [&] { return select_mark(*db_).commit; });
}

} // namespace sluice::storage::sqlite

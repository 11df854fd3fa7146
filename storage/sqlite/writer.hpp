// The store over SQLite: one connection, one transaction per group of steps. Belongs to BATCH
// WRITER, on whose thread it is used.
#pragma once

#include "storage/sqlite/tables.hpp"

#include <map>

namespace sluice::storage::sqlite {

class writer final : public store {
public:
  /// @pre the connection is a writer's, of the newest schema
  explicit writer(std::unique_ptr<connection> db) : db_(std::move(db)) {}

  /// Reads where the store stands. Once, before anything else.
  expected<void> start();

  expected<std::int64_t> commit(std::uint64_t incarnation,
                                std::span<const step_ptr> steps) override;
  std::size_t refused() const override { return refused_.size(); }
  expected<void> mend(const mended_run& run, model::wall_time now) override;
  expected<std::vector<model::run_no>> prune(model::wall_time ended_before,
                                             model::wall_time now) override;
  expected<commit_mark> last_commit() override;
  expected<std::int64_t> last_seq() override { return next_seq_ - 1; }

private:
  void write_group(std::uint64_t incarnation, std::span<const step_ptr> steps);
  void write_step(const model::step& step);
  void write_warning(model::attempt_key key, const std::string& text, model::wall_time now);
  run_progress& progress_of(model::run_no run);

  bool write(const model::run_created& r);
  bool write(const model::run_moved& r);
  bool write(const model::run_paused& r);
  bool write(const model::run_retried& r);
  bool write(const model::tasks_added& r);
  bool write(const model::task_expanded& r);
  bool write(const model::task_reset& r);
  bool write(const model::task_marked& r);
  bool write(const model::task_reused& r);
  bool write(const model::gate_passed& r);
  bool write(const model::signal_received& r);
  bool write(const model::held_retried& r);
  bool write(const model::attempt_dispatched& r);
  bool write(const model::attempt_ended& r);
  bool write(const model::task_moved& r);
  bool write(const model::warning_raised& r);
  bool write(const model::checkpoint_saved& r);
  bool write(const model::snapshot_saved& r);
  bool write(const model::progress_made& r);
  bool write(const model::usage_noted& r);

  std::unique_ptr<connection> db_;
  std::int64_t next_seq_ = 1;

  // Of the group that is being written.
  std::map<model::run_no, run_progress> progress_;
  std::vector<const model::record*> refused_; ///< valid while `commit` runs, then only counted
};

} // namespace sluice::storage::sqlite

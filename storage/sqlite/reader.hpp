// The reader over SQLite: one read-only connection, one statement per call. Used on one thread.
#pragma once

#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

class sqlite_reader final : public reader {
public:
  explicit sqlite_reader(std::unique_ptr<connection> db) : db_(std::move(db)) {}

  expected<std::vector<run_row>> runs(const run_query& wanted) override;
  expected<run_row> run(model::run_no run_no) override;
  expected<model::run_no> next_run_no() override;
  expected<std::shared_ptr<const model::workflow_spec>> workflow(model::run_no run_no) override;
  expected<std::string> source(model::run_no run_no) override;
  expected<std::optional<model::keyed_run>> run_of_key(const std::string& digest,
                                                       model::wall_time now) override;
  expected<std::optional<model::keyed_result>> result_of_key(const std::string& digest,
                                                             model::wall_time now) override;
  expected<model::stored_run> stored_run(model::run_no run_no) override;
  expected<model::value> results(model::run_no run_no) override;
  expected<std::vector<model::child_run>> children(model::task_key task) override;
  expected<std::vector<task_row>> tasks(const task_query& wanted) override;
  expected<task_row> task(model::run_no run_no, const std::string& name) override;
  expected<std::vector<model::instance_range>> instances(model::run_no run_no) override;
  expected<std::vector<attempt_row>> attempts(model::task_key task) override;
  expected<model::value> outputs(model::task_key task) override;
  expected<std::optional<checkpoint_row>> checkpoint(model::task_key task) override;
  expected<storage::checkpoint_totals> checkpoint_totals() override;
  expected<std::optional<snapshot_row>> snapshot(model::task_key task) override;
  expected<std::vector<model::event>> events(const event_query& wanted) override;
  expected<std::vector<model::timer>> timers(model::run_no run_no) override;
  expected<std::vector<model::used_by_attempt>> used(model::run_no run_no) override;
  expected<std::vector<model::stored_breaker>> breakers() override;
  expected<model::stored_capacity> capacity(model::wall_time since) override;
  expected<std::vector<model::store_limit>> store_limits() override;
  expected<model::stored_gates> gates() override;
  expected<std::vector<model::switch_state>> switch_changes(std::size_t limit) override;
  expected<std::vector<waiting_gate>> waiting_gates() override;
  expected<std::int64_t> last_seq() override;
  expected<std::vector<std::string>> damage() override;

private:
  const std::vector<model::instance_range>& ranges_of(model::run_no run);
  std::string instance_name(model::task_key task);
  void name_parents(std::span<run_row> rows);
  std::optional<task_row> find_task(model::run_no run, const std::string& name);

  std::unique_ptr<connection> db_;
  /// Of the run that was asked for last: the items of large ones take a while to read.
  struct {
    model::run_no run;
    fan_out_mark mark;
    std::vector<model::instance_range> ranges;
  } last_;
};

} // namespace sluice::storage::sqlite

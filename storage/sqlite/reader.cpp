#include "storage/sqlite/reader.hpp"

#include "model/nearest_name.hpp"
#include "storage/sqlite/guarded.hpp"

namespace sluice::storage::sqlite {
namespace {

auto no_run(model::run_no run) {
  return fail(errc::not_found, "there is no run " + to_string(run) + " in this store");
}

std::string name_of(const model::instance_range& range, std::uint32_t idx,
                    const std::string& task) {
  return task + "[" + range.items->name(idx - range.first) + "]";
}

} // namespace

expected<std::vector<run_row>> sqlite_reader::runs(const run_query& wanted) {
  return guarded("read runs", [&] {
    auto rows = select_runs(*db_, wanted);
    name_parents(rows);
    return rows;
  });
}

expected<run_row> sqlite_reader::run(model::run_no run_no) {
  return guarded("read run " + to_string(run_no), [&]() -> expected<run_row> {
    auto row = select_run(*db_, run_no);
    if (!row)
      return no_run(run_no);
    name_parents({&*row, 1});
    return std::move(*row);
  });
}

/// Few runs have one, so it is asked for each of them.
void sqlite_reader::name_parents(std::span<run_row> rows) {
  for (auto& row : rows)
    if (row.parent) {
      const auto task = row.parent->task();
      row.parent_task = instance_name(task);
      if (row.parent_task.empty())
        row.parent_task = select_task_name(*db_, task);
    }
}

expected<model::value> sqlite_reader::results(model::run_no run_no) {
  return guarded("read the results of run " + to_string(run_no), [&]() -> expected<model::value> {
    const auto text = select_results(*db_, run_no);
    if (!text)
      return no_run(run_no);
    return text->empty() ? model::value{} : read_json(*text);
  });
}

expected<std::vector<model::child_run>> sqlite_reader::children(model::task_key task) {
  return guarded("read the runs of " + to_string(task),
                 [&] { return select_children(*db_, task); });
}

expected<model::run_no> sqlite_reader::next_run_no() {
  return guarded("read the last run", [&] { return select_next_run_no(*db_); });
}

expected<std::shared_ptr<const model::workflow_spec>>
sqlite_reader::workflow(model::run_no run_no) {
  using found = expected<std::shared_ptr<const model::workflow_spec>>;
  return guarded("read the workflow of run " + to_string(run_no), [&]() -> found {
    const auto text = select_spec(*db_, run_no);
    if (!text)
      return no_run(run_no);
    return model::workflow_from_json(read_json(*text));
  });
}

expected<std::string> sqlite_reader::source(model::run_no run_no) {
  return guarded("read the source of run " + to_string(run_no), [&]() -> expected<std::string> {
    auto text = select_source(*db_, run_no);
    if (!text)
      return no_run(run_no);
    return std::move(*text);
  });
}

expected<std::optional<model::keyed_run>> sqlite_reader::run_of_key(const std::string& digest,
                                                                    model::wall_time now) {
  return guarded("look up a key", [&] { return select_keyed_run(*db_, digest, now); });
}

expected<std::optional<model::keyed_result>> sqlite_reader::result_of_key(const std::string& digest,
                                                                          model::wall_time now) {
  return guarded("look up a key", [&] { return select_keyed_result(*db_, digest, now); });
}

expected<model::stored_run> sqlite_reader::stored_run(model::run_no run_no) {
  return guarded("read run " + to_string(run_no), [&]() -> expected<model::stored_run> {
    const SQLite::Transaction snapshot{db_->database()}; // rolled back: nothing is written
    const auto row = select_run(*db_, run_no);
    if (!row)
      return no_run(run_no);
    auto workflow = model::workflow_from_json(read_json(*select_spec(*db_, run_no)));
    if (!workflow)
      return tl::unexpected(workflow.error());
    model::stored_run run;
    run.run_no = run_no;
    run.workflow = std::move(*workflow);
    run.params = row->params;
    run.parent = row->parent;
    run.state = row->state;
    run.user = row->user;
    run.generation = row->generation;
    run.paused = row->paused;
    run.submitted_at = row->submitted_at;
    run.rolls_back = row->rolls_back;
    run.error = row->error;
    run.fan_outs = select_fan_outs(*db_, run_no);
    select_stored_tasks(*db_, run);
    select_stored_snapshots(*db_, run);
    select_completions(*db_, run);
    run.timers = select_timers(*db_, run_no);
    run.keys = select_keys(*db_, run_no);
    if (has_budget(*run.workflow))
      run.used = select_used(*db_, run_no);
    run.signals = select_signals(*db_, run_no);
    run.gates_since = select_waiting_since(*db_, run_no);
    return run;
  });
}

const std::vector<model::instance_range>& sqlite_reader::ranges_of(model::run_no run) {
  if (const auto mark = select_fan_out_mark(*db_, run); last_.run != run || last_.mark != mark)
    last_ = {run, mark, select_fan_outs(*db_, run)};
  return last_.ranges;
}

std::string sqlite_reader::instance_name(model::task_key task) {
  const auto* range = model::range_of(ranges_of(task.run_no), task.task_idx);
  if (range == nullptr)
    return {};
  return name_of(*range, task.task_idx, select_task_name(*db_, task));
}

expected<std::vector<model::instance_range>> sqlite_reader::instances(model::run_no run_no) {
  return guarded("read the instances of run " + to_string(run_no),
                 [&] { return ranges_of(run_no); });
}

expected<std::vector<task_row>> sqlite_reader::tasks(const task_query& wanted) {
  return guarded("read the tasks of run " + to_string(wanted.run_no), [&] {
    auto rows = select_tasks(*db_, wanted);
    const auto& ranges = ranges_of(wanted.run_no);
    if (ranges.empty())
      return rows;
    for (auto& row : rows) {
      const auto idx = row.key.task_idx;
      if (const auto* of = row.node_idx ? model::range_of(ranges, idx) : nullptr)
        row.name = name_of(*of, idx, row.name); // so far it has the name of its task
      else if (const auto* range = model::current_range(ranges, idx))
        row.instances = static_cast<std::uint32_t>(range->items->size());
    }
    return rows;
  });
}

std::optional<task_row> sqlite_reader::find_task(model::run_no run, const std::string& name) {
  auto idx = select_task_idx(*db_, run, name);
  if (const auto parts = model::split_instance_name(name); !idx && parts) {
    const auto node = select_task_idx(*db_, run, std::string{parts->task});
    const auto* range = node ? model::current_range(ranges_of(run), *node) : nullptr;
    if (const auto index = range ? range->items->find(parts->item) : std::nullopt)
      idx = range->first + static_cast<std::uint32_t>(*index);
  }
  if (!idx)
    return std::nullopt;
  auto rows = tasks({.run_no = run, .from_idx = *idx, .limit = 1});
  return rows && !rows->empty() ? std::optional{std::move(rows->front())} : std::nullopt;
}

expected<task_row> sqlite_reader::task(model::run_no run_no, const std::string& name) {
  return guarded("read a task of run " + to_string(run_no), [&]() -> expected<task_row> {
    if (auto row = find_task(run_no, name))
      return std::move(*row);
    if (!select_run(*db_, run_no))
      return no_run(run_no);
    return fail(errc::not_found, "run " + to_string(run_no) + " has no task '" + name + "'"
                                   + model::did_you_mean(name, select_task_names(*db_, run_no)));
  });
}

expected<std::vector<attempt_row>> sqlite_reader::attempts(model::task_key task) {
  return guarded("read the attempts of " + to_string(task),
                 [&] { return select_attempts(*db_, task); });
}

expected<model::value> sqlite_reader::outputs(model::task_key task) {
  return guarded("read the outputs of " + to_string(task), [&]() -> expected<model::value> {
    const auto text = select_outputs(*db_, task);
    if (!text)
      return fail(errc::not_found, "there is no task " + to_string(task) + " in this store");
    if (auto all = text->empty() ? select_instance_outputs(*db_, task) : std::nullopt)
      return std::move(*all);
    return text->empty() ? model::value{} : read_json(*text);
  });
}

expected<std::optional<checkpoint_row>> sqlite_reader::checkpoint(model::task_key task) {
  return guarded("read the checkpoint of " + to_string(task),
                 [&] { return select_checkpoint(*db_, task); });
}

expected<storage::checkpoint_totals> sqlite_reader::checkpoint_totals() {
  return guarded("count the checkpoints", [&] { return select_checkpoint_totals(*db_); });
}

expected<std::optional<snapshot_row>> sqlite_reader::snapshot(model::task_key task) {
  return guarded("read the snapshot of " + to_string(task),
                 [&] { return select_snapshot(*db_, task); });
}

expected<std::vector<model::event>> sqlite_reader::events(const event_query& wanted) {
  return guarded("read events", [&] {
    auto events = select_events(*db_, wanted);
    for (auto& e : events)
      if (e.task_idx && e.task.empty())
        e.task = instance_name({e.run_no, *e.task_idx});
    return events;
  });
}

expected<std::vector<model::used_by_attempt>> sqlite_reader::used(model::run_no run_no) {
  return guarded("read what the attempts of run " + to_string(run_no) + " have used",
                 [&] { return select_used(*db_, run_no); });
}

expected<std::vector<model::timer>> sqlite_reader::timers(model::run_no run_no) {
  return guarded("read the timers of run " + to_string(run_no),
                 [&] { return select_timers(*db_, run_no); });
}

expected<std::vector<model::stored_breaker>> sqlite_reader::breakers() {
  return guarded("read the breakers", [&] { return select_breakers(*db_); });
}

expected<model::stored_capacity> sqlite_reader::capacity(model::wall_time since) {
  return guarded("read what is held", [&] { return select_capacity(*db_, since); });
}

expected<std::vector<model::store_limit>> sqlite_reader::store_limits() {
  return guarded("read what is allowed", [&] { return select_store_limits(*db_); });
}

expected<model::stored_gates> sqlite_reader::gates() {
  return guarded("read the gates", [&] {
    const SQLite::Transaction snapshot{db_->database()}; // rolled back: nothing is written
    return model::stored_gates{select_switches(*db_), select_passes(*db_)};
  });
}

expected<std::vector<model::switch_state>> sqlite_reader::switch_changes(std::size_t limit) {
  return guarded("read the changes of gates", [&] { return select_switch_changes(*db_, limit); });
}

expected<std::vector<waiting_gate>> sqlite_reader::waiting_gates() {
  return guarded("read what waits", [&] {
    auto gates = select_waiting_gates(*db_);
    for (auto& gate : gates)
      if (gate.is_instance)
        gate.task = instance_name(gate.key);
    return gates;
  });
}

expected<std::int64_t> sqlite_reader::last_seq() {
  return guarded("read the last event", [&] { return select_last_seq(*db_); });
}

expected<std::vector<std::string>> sqlite_reader::damage() {
  return guarded("check the database", [&] {
    query row{*db_, R"sql(PRAGMA integrity_check(10))sql"};
    std::vector<std::string> found;
    while (row.next())
      if (auto line = row.text(0); line != "ok")
        found.push_back(std::move(line));
    return found;
  });
}

} // namespace sluice::storage::sqlite

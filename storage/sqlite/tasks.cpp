#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

/// Keeps what is wide of a task that is decided. What it put out stays when it is compensated, and
/// even when that fails.
void upsert_text(connection& db, model::task_key task, const std::string* outputs,
                 const model::boxed_optional<model::failure>& failure) {
  constexpr auto sql = R"sql(
    INSERT INTO task_text (run_no, task_idx, outputs, class, code, message)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (run_no, task_idx) DO UPDATE SET
      outputs = coalesce(excluded.outputs, outputs), class = excluded.class, code = excluded.code,
      message = excluded.message
  )sql";
  query{db,
        sql,
        task.run_no.value,
        task.task_idx,
        outputs,
        failure ? &text_of(failure->failure_class) : nullptr,
        failure ? &failure->code : nullptr,
        failure ? &failure->message : nullptr}
    .run();
}

/// Of a task that has succeeded though no attempt has.
template <class Record>
bool succeed_unattempted(connection& db, const Record& r) {
  constexpr auto sql = R"sql(
    UPDATE task SET state = 'succeeded', reason = '', finished_us = ?5
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3 AND state = ?4
  )sql";
  if (query{db, sql, r.key.run_no.value, r.key.task_idx, r.attempt, text_of(stored(r.from)), r.at}
        .run()
      != 1)
    return false;
  if (r.outputs.is_null())
    return true;
  const auto outputs = model::to_text(r.outputs);
  upsert_text(db, r.key, &outputs, std::nullopt);
  return true;
}

/// What undoes a task survives as many losses as its action did.
void begin_rollback(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    UPDATE task SET rolls_back = 1, losses = 0 WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query{db, sql, task.run_no.value, task.task_idx}.run();
}

task_row read_task(query& row) {
  task_row task;
  task.key = {{row.integer(0)}, static_cast<std::uint32_t>(row.integer(1))};
  task.name = row.text(2);
  task.state = read_name(row.text(3), model::parse_task_state);
  task.reason = row.text(4);
  task.attempt = static_cast<std::uint32_t>(row.integer(5));
  task.losses = static_cast<std::uint32_t>(row.integer(6));
  task.finished_at = row.time(7);
  task.failure = read_failure(row, 8);
  task.dispatched_at = row.time(11);
  task.started_at = row.time(12);
  if (task.dispatched_at)
    task.usage = {model::microseconds{row.integer(13)}, row.integer(14)};
  task.retries = static_cast<std::uint32_t>(row.integer(15));
  task.retry_at = row.time(16);
  task.generation = static_cast<std::uint32_t>(row.integer(17));
  if (!row.is_null(18))
    task.node_idx = static_cast<std::uint32_t>(row.integer(18));
  return task;
}

/// What it waits for. Few tasks wait, so it is asked for each of them.
void add_hindrance(connection& db, task_row& task) {
  if (task.state != model::task_state::waiting)
    return;
  if (task.reason == to_string(model::wait_reason::breaker))
    task.breaker = select_breaker(db, task.key.run_no, task.name);
  else
    task.awaits = select_awaited(db, task.key);
  if (task.awaits)
    task.awaits->reason = read_name(task.reason, model::parse_wait_reason);
}

} // namespace

void insert_tasks(connection& db, const model::run_created& r) {
  constexpr auto sql = R"sql(
    INSERT INTO task (run_no, task_idx, name, state) VALUES (?1, ?2, ?3, ?4)
  )sql";
  const auto& pending = text_of(model::task_state::pending);
  std::uint32_t task_idx = 0;
  for (const auto& task : r.request->workflow->tasks)
    query{db, sql, r.run_no.value, task_idx++, task.name, pending}.run();
}

void insert_tasks(connection& db, const model::tasks_added& r) {
  constexpr auto sql = R"sql(
    INSERT INTO task (run_no, task_idx, name, state, generation)
    SELECT ?1, ?2, ?3, ?4, generation FROM run WHERE run_no = ?1
  )sql";
  const auto& pending = text_of(model::task_state::pending);
  const auto& added = r.addition();
  for (std::uint32_t i = 0; i < added.count; ++i)
    query{db,     sql, r.run_no.value, added.first + i, r.workflow->tasks[added.position + i].name,
          pending}
      .run();
}

bool dispatch_task(connection& db, const model::attempt_dispatched& r) {
  constexpr auto sql = R"sql(
    UPDATE task SET state = 'dispatched', reason = '', attempt = ?3, finished_us = NULL
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt < ?3
  )sql";
  constexpr auto rollback = R"sql(
    UPDATE task SET attempt = ?3
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt < ?3 AND state = 'rolling_back'
  )sql";
  const bool rolls_back = undoes(r.role);
  return query{db, rolls_back ? rollback : sql, r.key.run_no.value, r.key.task_idx, r.key.attempt}
           .run()
         == 1;
}

bool end_task(connection& db, const model::attempt_outcome& outcome) {
  // No IN: see the first migration for what it costs. `running` is never stored.
  // The reason of a cancel stays; any other one (of the stop after a timeout) is in the failure.
  constexpr auto sql = R"sql(
    UPDATE task
       SET state = ?4, losses = ?5, finished_us = ?6, retries = ?7,
           reason = iif(?4 = 'cancelled', reason, '')
     WHERE run_no = ?1 AND task_idx = ?2
       AND attempt = ?3
       AND (state = 'dispatched' OR state = 'cancelling' OR state = 'deferred'
            OR state = 'validating' OR state = 'rolling_back')
  )sql";
  const auto& key = outcome.key;
  const bool decided = is_terminal(outcome.state);
  const auto finished = decided ? std::optional{outcome.finished_at} : std::nullopt;
  if (query{db, sql, key.run_no.value, key.task_idx, key.attempt, text_of(stored(outcome.state)),
            outcome.losses, finished, outcome.retries}
        .run()
      != 1)
    return false;
  // Both seldom, so that others bind nothing more.
  if (outcome.falls_back)
    query{db, R"sql(UPDATE task SET fell_back = 1 WHERE run_no = ?1 AND task_idx = ?2)sql",
          key.run_no.value, key.task_idx}
      .run();
  if (outcome.state == model::task_state::waiting)
    query{db, R"sql(UPDATE task SET reason = 'hold' WHERE run_no = ?1 AND task_idx = ?2)sql",
          key.run_no.value, key.task_idx}
      .run();
  if (decided && (outcome.failure || !outcome.outputs.is_null())) {
    const auto outputs = outcome.outputs.is_null() ? "" : model::to_text(outcome.outputs);
    upsert_text(db, key.task(), outputs.empty() ? nullptr : &outputs, outcome.failure);
  }
  return true;
}

bool move_task(connection& db, const model::task_moved& r) {
  // From a state that is not terminal to anywhere; out of a terminal one only when it is this one.
  constexpr auto sql = R"sql(
    UPDATE task SET state = ?5, reason = ?6, finished_us = ?7
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
       AND (state = ?4
            OR (state <> 'succeeded' AND state <> 'failed' AND state <> 'skipped'
                AND state <> 'cancelled' AND state <> 'rolled_back'))
  )sql";
  const auto finished = is_terminal(r.to) ? std::optional{r.at} : std::nullopt;
  if (query{db, sql, r.key.run_no.value, r.key.task_idx, r.attempt, text_of(stored(r.from)),
            text_of(stored(r.to)), r.reason, finished}
        .run()
      != 1)
    return false;
  if (r.to == model::task_state::rolling_back)
    begin_rollback(db, r.key);
  if (r.failure)
    upsert_text(db, r.key, nullptr, r.failure);
  return true;
}

void mend_task(connection& db, model::run_no run, const mended_run::task& task) {
  // A rollback that is being stopped shows in nothing but this column.
  constexpr auto sql = R"sql(
    UPDATE task
       SET state = ?3, attempt = ?4, finished_us = ?5,
           rolls_back = CASE ?3 WHEN 'rolling_back' THEN 1 WHEN 'cancelling' THEN rolls_back
                                ELSE 0 END
     WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query{db, sql, run.value, task.task_idx, text_of(task.state), task.attempt, task.finished_at}
    .run();
}

bool mark_task(connection& db, const model::task_marked& r) {
  constexpr auto sql = R"sql(
    UPDATE task SET state = ?5, reason = 'mark', finished_us = ?6
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3 AND state = ?4
  )sql";
  if (query{db, sql, r.key.run_no.value, r.key.task_idx, r.attempt, text_of(stored(r.from)),
            text_of(r.to), r.at}
        .run()
      != 1)
    return false;
  upsert_text(db, r.key, nullptr, r.failure);
  return true;
}

bool reuse_result(connection& db, const model::task_reused& r) {
  return succeed_unattempted(db, r);
}

bool pass_gate(connection& db, const model::gate_passed& r) {
  return succeed_unattempted(db, r);
}

bool retry_held_task(connection& db, const model::held_retried& r) {
  constexpr auto sql = R"sql(
    UPDATE task SET state = 'pending', reason = '', losses = 0, retries = 0, fell_back = 0
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3 AND state = 'waiting' AND reason = 'hold'
  )sql";
  return query{db, sql, r.key.run_no.value, r.key.task_idx, r.attempt}.run() == 1;
}

bool reset_task(connection& db, const model::task_reset& r) {
  constexpr auto reset = R"sql(
    UPDATE task
       SET state = 'pending', reason = '', losses = 0, retries = 0, fell_back = 0,
           rolls_back = 0, finished_us = NULL, generation = ?5
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3 AND state = ?4
  )sql";
  constexpr auto forget = R"sql(DELETE FROM task_text WHERE run_no = ?1 AND task_idx = ?2)sql";
  const auto run = r.key.run_no.value;
  if (query{db, reset, run, r.key.task_idx, r.attempt, text_of(stored(r.from)), r.generation}.run()
      != 1)
    return false;
  query{db, forget, run, r.key.task_idx}.run();
  return true;
}

bool has_reached(connection& db, const model::attempt_key& key) {
  constexpr auto sql = R"sql(
    SELECT 1 FROM task WHERE run_no = ?1 AND task_idx = ?2 AND attempt >= ?3
  )sql";
  return query{db, sql, key.run_no.value, key.task_idx, key.attempt}.next();
}

bool is_under_way(connection& db, const model::attempt_key& key) {
  constexpr auto sql = R"sql(
    SELECT 1 FROM task
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
       AND (state = 'dispatched' OR state = 'cancelling' OR state = 'deferred'
            OR state = 'validating' OR state = 'rolling_back')
  )sql";
  return query{db, sql, key.run_no.value, key.task_idx, key.attempt}.next();
}

std::vector<task_row> select_tasks(connection& db, const task_query& wanted) {
  constexpr auto sql = R"sql(
    SELECT t.run_no, t.task_idx, t.name, t.state, t.reason, t.attempt, t.losses, t.finished_us,
           iif(m.due_us IS NULL AND t.reason <> 'hold', x.class, a.class),
           iif(m.due_us IS NULL AND t.reason <> 'hold', x.code, a.code),
           iif(m.due_us IS NULL AND t.reason <> 'hold', x.message, a.message),
           a.dispatched_us, a.started_us, a.cpu_us, a.peak_rss_bytes, t.retries, m.due_us,
           t.generation, t.node_idx
      FROM task t
      LEFT JOIN task_text x ON x.run_no = t.run_no AND x.task_idx = t.task_idx
      LEFT JOIN attempt a
        ON a.run_no = t.run_no AND a.task_idx = t.task_idx AND a.attempt = t.attempt
           AND (a.generation = t.generation OR t.rolls_back = 1)
      LEFT JOIN timer m
        ON t.state = 'retry_wait'
           AND m.run_no = t.run_no AND m.task_idx = t.task_idx AND m.kind = 'retry'
     WHERE t.run_no = ?1 AND t.task_idx >= ?2 AND (?3 IS NULL OR t.state = ?3)
       AND (t.node_idx IS NULL
            OR NOT EXISTS (SELECT 1 FROM fan_out f
                            WHERE f.run_no = t.run_no AND f.task_idx = t.node_idx
                              AND f.superseded = 1
                              AND t.task_idx BETWEEN f.first_idx AND f.first_idx + f.count - 1))
     ORDER BY t.task_idx LIMIT ?4
  )sql";
  const auto* state = wanted.state ? &text_of(stored(*wanted.state)) : nullptr;
  query row{db, sql, wanted.run_no.value, wanted.from_idx, state, limit_of(wanted.limit)};
  std::vector<task_row> tasks;
  while (row.next())
    tasks.push_back(read_task(row));
  for (auto& task : tasks)
    add_hindrance(db, task);
  return tasks;
}

void select_stored_tasks(connection& db, model::stored_run& run) {
  constexpr auto sql = R"sql(
    SELECT t.state, t.reason, t.attempt, t.losses, t.finished_us, x.outputs IS NOT NULL,
           iif(t.state = 'failed' OR t.state = 'rolled_back', x.message, NULL), a.inputs, t.retries,
           a.class, a.code, a.message, a.attempt IS NOT NULL, t.generation, t.fell_back,
           t.rolls_back, a.finished_us IS NOT NULL, x.class, x.code, x.message,
           iif(a.finished_us IS NULL, a.holds, NULL)
      FROM task t
      LEFT JOIN task_text x
        ON (t.finished_us IS NOT NULL OR t.rolls_back = 1 OR t.state = 'cancelling')
           AND x.run_no = t.run_no AND x.task_idx = t.task_idx
      LEFT JOIN attempt a
        ON t.finished_us IS NULL AND t.attempt > 0
           AND a.run_no = t.run_no AND a.task_idx = t.task_idx AND a.attempt = t.attempt
           AND (a.generation = t.generation OR t.rolls_back = 1)
     WHERE t.run_no = ?1 ORDER BY t.task_idx
  )sql";
  query row{db, sql, run.run_no.value};
  run.tasks.reserve(run.workflow->tasks.size());
  while (row.next()) {
    const auto task_idx = static_cast<std::uint32_t>(run.tasks.size());
    model::stored_task task;
    task.state = read_name(row.text(0), model::parse_task_state);
    if (auto reason = row.text(1); !reason.empty())
      run.reasons.emplace(task_idx, std::move(reason));
    task.attempt = static_cast<std::uint32_t>(row.integer(2));
    task.losses = static_cast<std::uint8_t>(row.integer(3));
    task.finished_us = row.integer(4);
    task.has_outputs = row.integer(5) != 0;
    task.started = row.integer(12) != 0;
    task.kept = row.integer(13) != run.generation;
    task.fell_back = row.integer(14) != 0;
    task.rolls_back = row.integer(15) != 0;
    if (task.rolls_back && task.finished_us == 0) {
      task.is_waiting = row.integer(16) != 0;
      if (auto why = read_failure(row, 17)) // else it is compensated
        run.rollbacks.emplace(task_idx, std::move(*why));
    } else if (task.state == model::task_state::cancelling) {
      if (auto why = read_failure(row, 17))
        run.stops.emplace(task_idx, std::move(*why));
    }
    if (!row.is_null(6))
      run.messages.emplace(task_idx, row.text(6));
    if (!row.is_null(7))
      run.inputs.emplace(task_idx, read_json(row.text(7)));
    if (!row.is_null(20))
      run.holds.emplace(task_idx, read_grant(row.text(20)));
    const auto retries = row.integer(8);
    const bool is_held = task.state == model::task_state::waiting && row.text(1) == "hold";
    if ((retries != 0 || is_held) && task.finished_us == 0)
      run.retries.emplace(task_idx,
                          model::stored_retries{static_cast<std::uint32_t>(retries),
                                                read_failure(row, 9).value_or(model::failure{})});
    run.tasks.push_back(task);
  }
}

std::optional<std::uint32_t> select_task_idx(connection& db, model::run_no run,
                                             const std::string& name) {
  // A scan of the run's tasks: an index on names would cost every new task more than this.
  constexpr auto sql = R"sql(
    SELECT task_idx FROM task WHERE run_no = ?1 AND name = ?2 AND node_idx IS NULL LIMIT 1
  )sql";
  query row{db, sql, run.value, name};
  return row.next() ? std::optional{static_cast<std::uint32_t>(row.integer(0))} : std::nullopt;
}

std::string select_task_name(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(SELECT name FROM task WHERE run_no = ?1 AND task_idx = ?2)sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  return row.next() ? row.text(0) : std::string{};
}

std::vector<std::string> select_task_names(connection& db, model::run_no run) {
  query row{db, R"sql(
            SELECT name FROM task WHERE run_no = ?1 AND node_idx IS NULL ORDER BY task_idx
          )sql",
            run.value};
  std::vector<std::string> names;
  while (row.next())
    names.push_back(row.text(0));
  return names;
}

std::optional<std::string> select_outputs(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT coalesce(x.outputs, '')
      FROM task t LEFT JOIN task_text x ON x.run_no = t.run_no AND x.task_idx = t.task_idx
     WHERE t.run_no = ?1 AND t.task_idx = ?2
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  return row.next() ? std::optional{row.text(0)} : std::nullopt;
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

/// The state an attempt ended in. Its task may go on (to `ready` after a loss); the attempt
/// itself is over, and failed if anything was wrong with it.
model::task_state ended_state(const model::attempt_outcome& outcome) {
  if (is_terminal(outcome.state))
    return outcome.state;
  return outcome.failure ? model::task_state::failed : model::task_state::cancelled;
}

attempt_row read_attempt(query& row, model::task_key task) {
  attempt_row attempt;
  attempt.key = {task.run_no, task.task_idx, static_cast<std::uint32_t>(row.integer(0))};
  attempt.executor = read_name(row.text(1), model::parse_executor_kind);
  attempt.state = read_name(row.text(2), model::parse_task_state);
  attempt.failure = read_failure(row, 3);
  if (!row.is_null(6))
    attempt.inputs = read_json(row.text(6));
  attempt.usage = {model::microseconds{row.integer(7)}, row.integer(8)};
  attempt.dispatched_at = model::from_us(row.integer(9));
  attempt.started_at = row.time(10);
  attempt.finished_at = row.time(11);
  attempt.generation = static_cast<std::uint32_t>(row.integer(12));
  attempt.role = read_name(row.text(13), model::parse_command_role);
  if (!row.is_null(14))
    attempt.own_usage = read_json(row.text(14));
  if (!row.is_null(15))
    attempt.holds = read_grant(row.text(15));
  return attempt;
}

} // namespace

void insert_attempt(connection& db, const model::attempt_dispatched& r) {
  constexpr auto sql = R"sql(
    INSERT INTO attempt (run_no, task_idx, attempt, executor, state, inputs, dispatched_us,
                         generation)
    VALUES (?1, ?2, ?3, ?4, 'dispatched', ?5, ?6, ?7)
  )sql";
  query{db,
        sql,
        r.key.run_no.value,
        r.key.task_idx,
        r.key.attempt,
        text_of(r.executor),
        r.inputs.empty() ? nullptr : &r.inputs,
        r.at,
        r.generation}
    .run();
  // Seldom, so that others bind nothing more.
  if (r.role != model::command_role::action)
    query{db,
          R"sql(
            UPDATE attempt SET role = ?4 WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
          )sql", r.key.run_no.value, r.key.task_idx, r.key.attempt, text_of(r.role)}
      .run();
  if (r.holds.is_set())
    query{db,
          R"sql(
            UPDATE attempt SET holds = ?4 WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
          )sql",
          r.key.run_no.value,
          r.key.task_idx,
          r.key.attempt,
          model::to_text(to_json(*r.holds))}
      .run();
}

void end_attempt(connection& db, const model::attempt_outcome& outcome) {
  constexpr auto sql = R"sql(
    UPDATE attempt
       SET state = ?4, class = ?5, code = ?6, message = ?7, cpu_us = ?8, peak_rss_bytes = ?9,
           started_us = ?10, finished_us = ?11
     WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
  )sql";
  const auto& failure = outcome.failure;
  query{db,
        sql,
        outcome.key.run_no.value,
        outcome.key.task_idx,
        outcome.key.attempt,
        text_of(ended_state(outcome)),
        failure ? &text_of(failure->failure_class) : nullptr,
        failure ? &failure->code : nullptr,
        failure ? &failure->message : nullptr,
        outcome.usage.cpu.count(),
        outcome.usage.peak_rss_bytes,
        outcome.started_at,
        outcome.finished_at}
    .run();
  if (outcome.own_usage.is_set()) // seldom, so that others bind nothing more
    query{db,
          R"sql(
            UPDATE attempt SET usage = ?4 WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
          )sql",
          outcome.key.run_no.value,
          outcome.key.task_idx,
          outcome.key.attempt,
          model::to_text(*outcome.own_usage)}
      .run();
}

void note_usage(connection& db, const model::usage_noted& r) {
  constexpr auto sql = R"sql(
    UPDATE attempt SET usage = ?4 WHERE run_no = ?1 AND task_idx = ?2 AND attempt = ?3
  )sql";
  query{db, sql, r.key.run_no.value, r.key.task_idx, r.key.attempt, model::to_text(r.usage)}.run();
}

std::vector<model::used_by_attempt> select_used(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT task_idx, usage, max(coalesce(finished_us - started_us, 0), 0), dispatched_us,
           finished_us IS NULL
      FROM attempt
     WHERE run_no = ?1 AND (usage IS NOT NULL OR started_us IS NOT NULL OR finished_us IS NULL)
     ORDER BY task_idx, attempt
  )sql";
  query row{db, sql, run.value};
  std::vector<model::used_by_attempt> all;
  while (row.next()) {
    model::used_by_attempt use;
    use.task_idx = static_cast<std::uint32_t>(row.integer(0));
    if (!row.is_null(1))
      use.used = model::amounts_of(read_json(row.text(1)));
    use.used[std::size_t(model::budget_kind::time)] = row.integer(2);
    if (row.integer(4) != 0)
      use.under_way_since = model::from_us(row.integer(3));
    all.push_back(use);
  }
  return all;
}

std::vector<attempt_row> select_attempts(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT attempt, executor, state, class, code, message, inputs, cpu_us, peak_rss_bytes,
           dispatched_us, started_us, finished_us, generation, role, usage, holds
      FROM attempt WHERE run_no = ?1 AND task_idx = ?2 ORDER BY attempt
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  std::vector<attempt_row> attempts;
  while (row.next())
    attempts.push_back(read_attempt(row, task));
  return attempts;
}

} // namespace sluice::storage::sqlite

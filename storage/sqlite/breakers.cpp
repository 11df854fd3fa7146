#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

model::breaker_state read_state(query& row, int first_column) {
  return {static_cast<std::uint32_t>(row.integer(first_column)), row.time(first_column + 1)};
}

void delete_breaker(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    DELETE FROM breaker
     WHERE workflow_id = (SELECT v.workflow_id FROM run r JOIN workflow_version v USING (version_id)
                           WHERE r.run_no = ?1)
       AND task = (SELECT name FROM task WHERE run_no = ?1 AND task_idx = ?2)
  )sql";
  query{db, sql, task.run_no.value, task.task_idx}.run();
}

} // namespace

void change_breaker(connection& db, model::task_key task, const model::breaker_state& to) {
  if (to == model::breaker_state{})
    return delete_breaker(db, task);
  constexpr auto sql = R"sql(
    INSERT INTO breaker (workflow_id, task, failures, open_until_us)
    SELECT v.workflow_id, t.name, ?3, ?4
      FROM task t JOIN run r USING (run_no) JOIN workflow_version v USING (version_id)
     WHERE t.run_no = ?1 AND t.task_idx = ?2
    ON CONFLICT (workflow_id, task) DO UPDATE SET
      failures = excluded.failures, open_until_us = excluded.open_until_us
  )sql";
  query{db, sql, task.run_no.value, task.task_idx, to.failures, to.open_until}.run();
}

std::vector<model::stored_breaker> select_breakers(connection& db) {
  constexpr auto sql = R"sql(
    SELECT w.name, b.task, b.failures, b.open_until_us
      FROM breaker b JOIN workflow w USING (workflow_id) ORDER BY w.name, b.task
  )sql";
  query row{db, sql};
  std::vector<model::stored_breaker> breakers;
  while (row.next())
    breakers.push_back({row.text(0), row.text(1), read_state(row, 2)});
  return breakers;
}

std::optional<model::breaker_state> select_breaker(connection& db, model::run_no run,
                                                   const std::string& task) {
  constexpr auto sql = R"sql(
    SELECT b.failures, b.open_until_us
      FROM run r JOIN workflow_version v USING (version_id)
      JOIN breaker b ON b.workflow_id = v.workflow_id AND b.task = ?2
     WHERE r.run_no = ?1
  )sql";
  query row{db, sql, run.value, task};
  return row.next() ? std::optional{read_state(row, 0)} : std::nullopt;
}

} // namespace sluice::storage::sqlite

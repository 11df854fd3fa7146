#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void insert_completion(connection& db, const model::attempt_key& key, std::int64_t seq) {
  constexpr auto sql = R"sql(
    INSERT OR REPLACE INTO completion (run_no, task_idx, attempt, seq) VALUES (?1, ?2, ?3, ?4)
  )sql";
  query{db, sql, key.run_no.value, key.task_idx, key.attempt, seq}.run();
}

void delete_completion(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(DELETE FROM completion WHERE run_no = ?1 AND task_idx = ?2)sql";
  query{db, sql, task.run_no.value, task.task_idx}.run();
}

void select_completions(connection& db, model::stored_run& run) {
  constexpr auto sql = R"sql(
    SELECT c.task_idx, a.inputs
      FROM completion c JOIN attempt a USING (run_no, task_idx, attempt)
     WHERE c.run_no = ?1 ORDER BY c.seq
  )sql";
  query row{db, sql, run.run_no.value};
  while (row.next()) {
    const auto task_idx = static_cast<std::uint32_t>(row.integer(0));
    run.tasks.at(task_idx).completed = true;
    run.completions.push_back(task_idx);
    if (!row.is_null(1))
      run.inputs.try_emplace(task_idx, read_json(row.text(1)));
  }
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

std::vector<prunable_run> select_prunable(connection& db, model::wall_time ended_before,
                                          model::wall_time now) {
  constexpr auto sql = R"sql(
    WITH RECURSIVE
      kept(run_no) AS ( -- the newest, and those it is part of
        SELECT MAX(run_no) FROM run
        UNION ALL
        SELECT r.parent_run_no FROM kept k JOIN run r ON r.run_no = k.run_no
         WHERE r.parent_run_no IS NOT NULL),
      old(run_no, events) AS (
        SELECT run_no, last_seq - first_seq + 1 FROM run
         WHERE finished_us < ?1
           AND (state = 'succeeded' OR state = 'failed' OR state = 'cancelled'
                OR state = 'rolled_back')
           AND run_no NOT IN (SELECT run_no FROM kept)
           AND run_no NOT IN (SELECT run_no FROM idempotency WHERE expires_us > ?2)
           AND parent_run_no IS NULL
        UNION ALL
        SELECT r.run_no, r.last_seq - r.first_seq + 1 FROM old o
          JOIN run r ON r.parent_run_no = o.run_no)
    SELECT run_no, events FROM old ORDER BY run_no DESC
  )sql";
  query row{db, sql, ended_before, now};
  std::vector<prunable_run> runs;
  while (row.next())
    runs.push_back({{row.integer(0)}, row.integer(1)});
  return runs;
}

void delete_expired_keys(connection& db, model::wall_time now) {
  query{db, R"sql(DELETE FROM idempotency WHERE expires_us <= ?1)sql", now}.run();
}

void delete_run(connection& db, model::run_no run) {
  constexpr auto events = R"sql(
    DELETE FROM event WHERE run_no = ?1
       AND seq BETWEEN (SELECT first_seq FROM run WHERE run_no = ?1)
                   AND (SELECT last_seq FROM run WHERE run_no = ?1)
  )sql";
  query{db, events, run.value}.run(); // while the run's row still has their range
  for (const auto* sql : {R"sql(DELETE FROM attempt WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM task_text WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM checkpoint WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM snapshot WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM completion WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM timer WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM awaited WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM signal WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM fan_out WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM task WHERE run_no = ?1)sql",
                          R"sql(DELETE FROM run WHERE run_no = ?1)sql"})
    query{db, sql, run.value}.run();
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/packed.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void insert_snapshot(connection& db, const model::snapshot_saved& r) {
  constexpr auto sql = R"sql(
    INSERT INTO snapshot (run_no, task_idx, data, encoding, size_bytes, saved_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  )sql";
  const auto stored = pack(*r.what);
  query{db,
        sql,
        r.key.run_no.value,
        r.key.task_idx,
        blob{stored.data},
        stored.encoding,
        r.what->size(),
        r.at}
    .run();
}

void delete_snapshot(connection& db, model::task_key task) {
  query{db, R"sql(DELETE FROM snapshot WHERE run_no = ?1 AND task_idx = ?2)sql", task.run_no.value,
        task.task_idx}
    .run();
}

std::optional<snapshot_row> select_snapshot(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT data, encoding, size_bytes, saved_us FROM snapshot WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  if (!row.next())
    return std::nullopt;
  return snapshot_row{unpack("snapshot", row.text(0), row.text(1), row.integer(2)),
                      model::from_us(row.integer(3))};
}

void select_stored_snapshots(connection& db, model::stored_run& run) {
  query row{db, R"sql(SELECT task_idx FROM snapshot WHERE run_no = ?1)sql", run.run_no.value};
  while (row.next())
    run.snapshots.insert(static_cast<std::uint32_t>(row.integer(0)));
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/packed.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void upsert_checkpoint(connection& db, const model::checkpoint_saved& r) {
  constexpr auto sql = R"sql(
    INSERT INTO checkpoint (run_no, task_idx, attempt, token, data, encoding, size_bytes, saved_us)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (run_no, task_idx) DO UPDATE SET
      attempt = excluded.attempt, token = excluded.token, data = excluded.data,
      encoding = excluded.encoding, size_bytes = excluded.size_bytes, saved_us = excluded.saved_us
  )sql";
  const auto stored = pack(r.what->data);
  query{db,
        sql,
        r.key.run_no.value,
        r.key.task_idx,
        r.key.attempt,
        r.what->token,
        blob{stored.data},
        stored.encoding,
        r.what->data.size(),
        r.at}
    .run();
}

void delete_checkpoint(connection& db, model::task_key task) {
  query{db, R"sql(DELETE FROM checkpoint WHERE run_no = ?1 AND task_idx = ?2)sql",
        task.run_no.value, task.task_idx}
    .run();
}

std::optional<checkpoint_row> select_checkpoint(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT attempt, token, data, encoding, size_bytes, saved_us
      FROM checkpoint WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  if (!row.next())
    return std::nullopt;
  checkpoint_row found;
  found.attempt = static_cast<std::uint32_t>(row.integer(0));
  found.what.token = row.text(1);
  found.what.data = unpack("checkpoint", row.text(2), row.text(3), row.integer(4));
  found.saved_at = model::from_us(row.integer(5));
  return found;
}

checkpoint_totals select_checkpoint_totals(connection& db) {
  constexpr auto sql = R"sql(
    SELECT COUNT(*), COALESCE(SUM(size_bytes), 0), COALESCE(SUM(LENGTH(data)), 0) FROM checkpoint
  )sql";
  query row{db, sql};
  row.next();
  return {row.integer(0), row.integer(1), row.integer(2)};
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

/// Those that a new one takes along: more than one, so that the table shrinks, and few, so that
/// nobody waits for it.
void delete_some_expired(connection& db, model::wall_time now) {
  constexpr auto sql = R"sql(
    DELETE FROM idempotency WHERE digest IN
      (SELECT digest FROM idempotency WHERE expires_us <= ?1 ORDER BY expires_us LIMIT 8)
  )sql";
  query{db, sql, now}.run();
}

void upsert_key(connection& db, const model::idempotency_key& key, model::run_no run,
                std::optional<std::uint32_t> task_idx, model::wall_time at) {
  constexpr auto sql = R"sql(
    INSERT INTO idempotency (digest, request, run_no, task_idx, expires_us)
    VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (digest) DO UPDATE SET
      request = excluded.request, run_no = excluded.run_no, task_idx = excluded.task_idx,
      expires_us = excluded.expires_us
  )sql";
  delete_some_expired(db, at);
  query{db, sql, key.digest, key.request, run.value, task_idx, at + model::key_lifetime}.run();
}

} // namespace

void insert_key(connection& db, const model::idempotency_key& key, model::run_no run,
                model::wall_time at) {
  upsert_key(db, key, run, std::nullopt, at);
}

void insert_key(connection& db, const std::string& digest, model::task_key task,
                model::wall_time at) {
  upsert_key(db, {digest, ""}, task.run_no, task.task_idx, at);
}

std::unordered_map<std::uint32_t, std::string> select_keys(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT task_idx, digest FROM idempotency WHERE run_no = ?1 AND task_idx IS NOT NULL
  )sql";
  query row{db, sql, run.value};
  std::unordered_map<std::uint32_t, std::string> keys;
  while (row.next())
    keys.emplace(static_cast<std::uint32_t>(row.integer(0)), row.text(1));
  return keys;
}

std::optional<model::keyed_run> select_keyed_run(connection& db, const std::string& digest,
                                                 model::wall_time now) {
  constexpr auto sql = R"sql(
    SELECT run_no, request FROM idempotency WHERE digest = ?1 AND expires_us > ?2
  )sql";
  query row{db, sql, digest, now};
  if (!row.next())
    return std::nullopt;
  return model::keyed_run{{row.integer(0)}, row.text(1)};
}

std::optional<model::keyed_result> select_keyed_result(connection& db, const std::string& digest,
                                                       model::wall_time now) {
  constexpr auto sql = R"sql(
    SELECT i.run_no, i.task_idx, x.outputs
      FROM idempotency i JOIN task t USING (run_no, task_idx)
      LEFT JOIN task_text x USING (run_no, task_idx)
     WHERE i.digest = ?1 AND i.expires_us > ?2 AND t.state = 'succeeded'
  )sql";
  query row{db, sql, digest, now};
  if (!row.next())
    return std::nullopt;
  return model::keyed_result{{{row.integer(0)}, static_cast<std::uint32_t>(row.integer(1))},
                             row.is_null(2) ? model::value{} : read_json(row.text(2))};
}

} // namespace sluice::storage::sqlite

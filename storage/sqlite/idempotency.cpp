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

} // namespace

void insert_key(connection& db, const model::idempotency_key& key, model::run_no run,
                model::wall_time at) {
  constexpr auto sql = R"sql(
    INSERT INTO idempotency (digest, request, run_no, expires_us) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (digest) DO UPDATE SET
      request = excluded.request, run_no = excluded.run_no, expires_us = excluded.expires_us
  )sql";
  delete_some_expired(db, at);
  query{db, sql, key.digest, key.request, run.value, at + model::key_lifetime}.run();
}

std::optional<keyed_run> select_keyed_run(connection& db, const std::string& digest,
                                          model::wall_time now) {
  constexpr auto sql = R"sql(
    SELECT run_no, request FROM idempotency WHERE digest = ?1 AND expires_us > ?2
  )sql";
  query row{db, sql, digest, now};
  if (!row.next())
    return std::nullopt;
  return keyed_run{{row.integer(0)}, row.text(1)};
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void set_pool(connection& db, const pool_row& pool) {
  if (!pool.size) {
    query{db, R"sql(DELETE FROM pool WHERE name = ?1)sql", pool.name}.run();
    return;
  }
  constexpr auto sql = R"sql(
    INSERT INTO pool (name, size, actor, changed_us) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name) DO UPDATE SET
      size = excluded.size, actor = excluded.actor, changed_us = excluded.changed_us
  )sql";
  query{db, sql, pool.name, *pool.size, pool.actor, pool.changed_at}.run();
}

std::vector<pool_row> select_pools(connection& db) {
  constexpr auto sql = R"sql(SELECT name, size, actor, changed_us FROM pool ORDER BY name)sql";
  query row{db, sql};
  std::vector<pool_row> pools;
  while (row.next())
    pools.push_back({row.text(0), row.integer(1), row.text(2), model::from_us(row.integer(3))});
  return pools;
}

model::capacity_grant read_grant(const std::string& text) {
  auto grant = model::grant_from_json(read_json(text));
  if (!grant)
    throw unreadable_row{grant.error().message};
  return std::move(*grant);
}

model::stored_capacity select_capacity(connection& db, model::wall_time since) {
  model::stored_capacity stored;
  for (const auto& pool : select_pools(db))
    stored.pools.emplace_back(pool.name, *pool.size);
  query row{db, R"sql(
              SELECT dispatched_us, holds FROM attempt INDEXED BY attempt_holds
               WHERE holds IS NOT NULL AND dispatched_us > ?1 ORDER BY dispatched_us
            )sql",
            since};
  while (row.next())
    stored.starts.push_back({model::from_us(row.integer(0)), read_grant(row.text(1))});
  return stored;
}

} // namespace sluice::storage::sqlite

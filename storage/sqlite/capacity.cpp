#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void set_store_limit(connection& db, const model::store_limit& to) {
  if (!to.amount) {
    query{db, R"sql(DELETE FROM store_limit WHERE kind = ?1 AND name = ?2)sql",
          std::string{to_string(to.kind)}, to.name}
      .run();
    return;
  }
  constexpr auto sql = R"sql(
    INSERT INTO store_limit (kind, name, amount, actor, changed_us) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (kind, name) DO UPDATE SET
      amount = excluded.amount, actor = excluded.actor, changed_us = excluded.changed_us
  )sql";
  query{db, sql, std::string{to_string(to.kind)}, to.name, *to.amount, to.by, to.changed_at}.run();
}

std::vector<model::store_limit> select_store_limits(connection& db) {
  constexpr auto sql = R"sql(
    SELECT kind, name, amount, actor, changed_us FROM store_limit ORDER BY kind, name
  )sql";
  query row{db, sql};
  std::vector<model::store_limit> all;
  while (row.next()) {
    const auto kind = model::parse_limit_kind(row.text(0));
    if (!kind)
      throw unreadable_row{"store_limit.kind is '" + row.text(0) + "'"};
    all.push_back(
      {*kind, row.text(1), row.integer(2), row.text(3), model::from_us(row.integer(4))});
  }
  return all;
}

model::capacity_grant read_grant(const std::string& text) {
  auto grant = model::grant_from_json(read_json(text));
  if (!grant)
    throw unreadable_row{grant.error().message};
  return std::move(*grant);
}

model::stored_capacity select_capacity(connection& db, model::wall_time since) {
  model::stored_capacity stored;
  stored.limits = select_store_limits(db);
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

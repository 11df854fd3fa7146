#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

std::int64_t ensure_workflow(connection& db, const std::string& name, model::wall_time at) {
  {
    query known{db, R"sql(SELECT workflow_id FROM workflow WHERE name = ?1)sql", name};
    if (known.next())
      return known.integer(0);
  }
  query{db, R"sql(INSERT INTO workflow (name, created_us) VALUES (?1, ?2))sql", name, at}.run();
  return db.database().getLastInsertRowid();
}

} // namespace

std::int64_t ensure_version(connection& db, const workflow_version& wanted, model::wall_time at) {
  const auto workflow_id = ensure_workflow(db, wanted.workflow.name, at);
  {
    constexpr auto sql = R"sql(
      SELECT version_id FROM workflow_version WHERE workflow_id = ?1 AND content_hash = ?2
    )sql";
    query known{db, sql, workflow_id, wanted.content_hash};
    if (known.next())
      return known.integer(0);
  }
  constexpr auto sql = R"sql(
    INSERT INTO workflow_version (workflow_id, version, content_hash, spec, source, created_us)
    SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3, ?4, ?5
      FROM workflow_version WHERE workflow_id = ?1
  )sql";
  const auto spec = model::to_text(model::to_json(wanted.workflow));
  query{db, sql, workflow_id, wanted.content_hash, spec, wanted.source, at}.run();
  return db.database().getLastInsertRowid();
}

std::optional<std::string> select_spec(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT v.spec FROM run r JOIN workflow_version v USING (version_id) WHERE r.run_no = ?1
  )sql";
  query row{db, sql, run.value};
  return row.next() ? std::optional{row.text(0)} : std::nullopt;
}

std::optional<std::string> select_source(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT v.source FROM run r JOIN workflow_version v USING (version_id) WHERE r.run_no = ?1
  )sql";
  query row{db, sql, run.value};
  return row.next() ? std::optional{row.text(0)} : std::nullopt;
}

} // namespace sluice::storage::sqlite

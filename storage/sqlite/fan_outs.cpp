#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

bool expand_task(connection& db, const model::task_expanded& r) {
  constexpr auto fence = R"sql(
    SELECT 1 FROM task WHERE run_no = ?1 AND task_idx = ?2 AND state = 'pending'
  )sql";
  constexpr auto fan_out = R"sql(
    INSERT INTO fan_out (run_no, task_idx, generation, first_idx, count, items)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
  )sql";
  // It reads nothing of the table, which SQLite would make a copy for.
  constexpr auto instances = R"sql(
    INSERT INTO task (run_no, task_idx, name, state, node_idx, generation)
    WITH RECURSIVE instance (idx) AS (
      VALUES (?4) UNION ALL SELECT idx + 1 FROM instance WHERE idx < ?5)
    SELECT ?1, idx, ?6, 'pending', ?2, ?3 FROM instance
  )sql";
  const auto& made = r.instances;
  const auto run = r.key.run_no.value;
  if (!query{db, fence, run, r.key.task_idx}.next())
    return false;
  query{db,
        fan_out,
        run,
        r.key.task_idx,
        r.generation,
        made.first,
        made.items->size(),
        model::to_text(made.items->stored())}
    .run();
  if (made.items->size() > 0)
    query{db,
          instances,
          run,
          r.key.task_idx,
          r.generation,
          made.first,
          made.end() - 1,
          select_task_name(db, r.key)}
      .run();
  return true;
}

void supersede_instances(connection& db, model::task_key task) {
  constexpr auto supersede = R"sql(
    UPDATE fan_out SET superseded = 1 WHERE run_no = ?1 AND task_idx = ?2
  )sql";
  query{db, supersede, task.run_no.value, task.task_idx}.run();
  for (const auto* sql : {R"sql(
         DELETE FROM checkpoint WHERE run_no = ?1 AND task_idx IN
           (SELECT task_idx FROM task WHERE run_no = ?1 AND node_idx = ?2)
       )sql",
                          R"sql(
         DELETE FROM snapshot WHERE run_no = ?1 AND task_idx IN
           (SELECT task_idx FROM task WHERE run_no = ?1 AND node_idx = ?2)
       )sql",
                          R"sql(
         DELETE FROM completion WHERE run_no = ?1 AND task_idx IN
           (SELECT task_idx FROM task WHERE run_no = ?1 AND node_idx = ?2)
       )sql"})
    query{db, sql, task.run_no.value, task.task_idx}.run();
}

fan_out_mark select_fan_out_mark(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT count(*), coalesce(sum(superseded), 0) FROM fan_out WHERE run_no = ?1
  )sql";
  query row{db, sql, run.value};
  row.next();
  return {row.integer(0), row.integer(1)};
}

std::vector<model::instance_range> select_fan_outs(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT task_idx, first_idx, items, superseded FROM fan_out
     WHERE run_no = ?1 ORDER BY first_idx, count, generation
  )sql";
  query row{db, sql, run.value};
  std::vector<model::instance_range> ranges;
  while (row.next()) {
    auto items = model::item_list::from_stored(read_json(row.text(2)));
    if (!items)
      throw unreadable_row{items.error().message};
    ranges.push_back(
      {static_cast<std::uint32_t>(row.integer(0)), static_cast<std::uint32_t>(row.integer(1)),
       std::make_shared<const model::item_list>(std::move(*items)), row.integer(3) != 0});
  }
  return ranges;
}

std::optional<model::value> select_instance_outputs(connection& db, model::task_key task) {
  constexpr auto fan_out = R"sql(
    SELECT first_idx, count FROM fan_out WHERE run_no = ?1 AND task_idx = ?2 AND superseded = 0
  )sql";
  constexpr auto outputs = R"sql(
    SELECT t.task_idx, x.outputs
      FROM task t LEFT JOIN task_text x USING (run_no, task_idx)
     WHERE t.run_no = ?1 AND t.task_idx BETWEEN ?2 AND ?3 AND t.state = 'succeeded'
     ORDER BY t.task_idx
  )sql";
  query range{db, fan_out, task.run_no.value, task.task_idx};
  if (!range.next())
    return std::nullopt;
  const auto first = range.integer(0);
  auto all = model::value{{"index", model::value::array()}, {"out", model::value::array()}};
  query row{db, outputs, task.run_no.value, first, first + range.integer(1) - 1};
  while (row.next()) {
    all["index"].push_back(row.integer(0) - first);
    all["out"].push_back(row.is_null(1) ? model::value::object() : read_json(row.text(1)));
  }
  return all;
}

} // namespace sluice::storage::sqlite

#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {

void insert_awaited(connection& db, const model::task_moved& r) {
  constexpr auto sql = R"sql(
    INSERT INTO awaited (run_no, task_idx, name, prompt, since_us) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (run_no, task_idx) DO UPDATE SET
      name = excluded.name, prompt = excluded.prompt, since_us = excluded.since_us
  )sql";
  query{db, sql, r.key.run_no.value, r.key.task_idx, r.awaits->name, r.awaits->prompt, r.at}.run();
}

void delete_awaited(connection& db, model::task_key task) {
  query{db, R"sql(DELETE FROM awaited WHERE run_no = ?1 AND task_idx = ?2)sql", task.run_no.value,
        task.task_idx}
    .run();
}

std::optional<model::awaited> select_awaited(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT a.name, a.prompt, m.due_us
      FROM awaited a
      LEFT JOIN timer m ON m.run_no = a.run_no AND m.task_idx = a.task_idx AND m.kind = 'gate'
     WHERE a.run_no = ?1 AND a.task_idx = ?2
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  if (!row.next())
    return std::nullopt;
  return model::awaited{.name = row.text(0), .prompt = row.text(1), .due = row.time(2)};
}

bool insert_signal(connection& db, const model::signal_received& r) {
  constexpr auto sql = R"sql(
    INSERT INTO signal (run_no, number, name, payload, sender, sent_us)
    SELECT run_no, ?2, ?3, ?4, ?5, ?6 FROM run
     WHERE run_no = ?1 AND state <> 'succeeded' AND state <> 'failed' AND state <> 'cancelled'
       AND state <> 'rolled_back'
  )sql";
  return query{db,
               sql,
               r.run_no.value,
               static_cast<std::int64_t>(r.what.number),
               r.what.name,
               model::to_text(r.what.payload),
               r.by,
               r.at}
           .run()
         == 1;
}

void delete_signal(connection& db, model::run_no run, std::uint64_t number) {
  query{db, R"sql(DELETE FROM signal WHERE run_no = ?1 AND number = ?2)sql", run.value,
        static_cast<std::int64_t>(number)}
    .run();
}

std::vector<model::kept_signal> select_signals(connection& db, model::run_no run) {
  query row{db,
            R"sql(SELECT number, name, payload FROM signal WHERE run_no = ?1 ORDER BY number)sql",
            run.value};
  std::vector<model::kept_signal> signals;
  while (row.next())
    signals.push_back(
      {static_cast<std::uint64_t>(row.integer(0)), row.text(1), read_json(row.text(2))});
  return signals;
}

std::vector<waiting_gate> select_waiting_gates(connection& db) {
  constexpr auto sql = R"sql(
    SELECT a.run_no, a.task_idx, t.name, w.name, t.reason, a.name, a.prompt, m.due_us, a.since_us,
           t.node_idx
      FROM awaited a
      JOIN task t USING (run_no, task_idx)
      JOIN run r USING (run_no)
      JOIN workflow_version v USING (version_id)
      JOIN workflow w USING (workflow_id)
      LEFT JOIN timer m ON m.run_no = a.run_no AND m.task_idx = a.task_idx AND m.kind = 'gate'
     WHERE t.state = 'waiting'
     ORDER BY a.run_no, a.task_idx
  )sql";
  query row{db, sql};
  std::vector<waiting_gate> gates;
  while (row.next()) {
    waiting_gate gate;
    gate.key = {{row.integer(0)}, static_cast<std::uint32_t>(row.integer(1))};
    gate.task = row.text(2);
    gate.workflow = row.text(3);
    gate.what = {read_name(row.text(4), model::parse_wait_reason), row.text(5), row.text(6),
                 row.time(7)};
    gate.since = model::from_us(row.integer(8));
    gate.is_instance = !row.is_null(9);
    gates.push_back(std::move(gate));
  }
  return gates;
}

} // namespace sluice::storage::sqlite

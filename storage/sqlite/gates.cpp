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

namespace {

std::vector<model::switch_state> read_switches(query& row) {
  std::vector<model::switch_state> switches;
  while (row.next())
    switches.push_back(
      {row.text(0), row.integer(1) != 0, row.text(2), row.text(3), model::from_us(row.integer(4))});
  return switches;
}

} // namespace

std::unordered_map<std::uint32_t, model::wall_time> select_waiting_since(connection& db,
                                                                         model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT a.task_idx, a.since_us FROM awaited a JOIN task t USING (run_no, task_idx)
     WHERE a.run_no = ?1 AND t.state = 'waiting' AND t.reason = 'quota'
  )sql";
  query row{db, sql, run.value};
  std::unordered_map<std::uint32_t, model::wall_time> since;
  while (row.next())
    since.emplace(static_cast<std::uint32_t>(row.integer(0)), model::from_us(row.integer(1)));
  return since;
}

void set_switch(connection& db, const model::switch_state& to) {
  constexpr auto state = R"sql(
    INSERT INTO gate (name, is_open, actor, reason, changed_us) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (name) DO UPDATE SET is_open = excluded.is_open, actor = excluded.actor,
      reason = excluded.reason, changed_us = excluded.changed_us
  )sql";
  constexpr auto change = R"sql(
    INSERT INTO gate_change (name, is_open, actor, reason, changed_us) VALUES (?1, ?2, ?3, ?4, ?5)
  )sql";
  for (const auto* sql : {state, change})
    query{db, sql, to.name, to.is_open ? 1 : 0, to.by, to.reason, to.changed_at}.run();
  query{db, R"sql(
        DELETE FROM gate_change WHERE change_no <= (SELECT MAX(change_no) FROM gate_change) - 10000
      )sql"}
    .run();
}

std::vector<model::switch_state> select_switches(connection& db) {
  query row{db, R"sql(SELECT name, is_open, actor, reason, changed_us FROM gate ORDER BY name)sql"};
  return read_switches(row);
}

std::vector<model::switch_state> select_switch_changes(connection& db, std::size_t limit) {
  constexpr auto sql = R"sql(
    SELECT name, is_open, actor, reason, changed_us FROM gate_change
     ORDER BY change_no DESC LIMIT ?1
  )sql";
  query row{db, sql, limit_of(limit)};
  return read_switches(row);
}

void insert_pass(connection& db, const model::quota_pass& pass) {
  const auto number = static_cast<std::int64_t>(pass.number);
  query{db, R"sql(INSERT INTO quota_pass (name, number, at_us) VALUES (?1, ?2, ?3))sql", pass.name,
        number, pass.at}
    .run();
  query{db, R"sql(DELETE FROM quota_pass WHERE name = ?1 AND number <= ?2)sql", pass.name,
        number - std::int64_t{model::most_passes}}
    .run();
}

std::vector<model::quota_pass> select_passes(connection& db) {
  query row{db, R"sql(SELECT name, number, at_us FROM quota_pass ORDER BY name, number)sql"};
  std::vector<model::quota_pass> passes;
  while (row.next())
    passes.push_back(
      {row.text(0), static_cast<std::uint64_t>(row.integer(1)), model::from_us(row.integer(2))});
  return passes;
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

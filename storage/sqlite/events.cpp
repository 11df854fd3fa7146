#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

std::optional<std::uint32_t> small_integer(query& row, int column) {
  return row.is_null(column) ? std::nullopt
                             : std::optional{static_cast<std::uint32_t>(row.integer(column))};
}

model::event read_event(query& row) {
  model::event e;
  e.seq = row.integer(0);
  e.at = model::from_us(row.integer(1));
  e.run_no = {row.integer(2)};
  e.task_idx = small_integer(row, 3);
  e.attempt = small_integer(row, 4);
  e.type = read_name(row.text(5), model::parse_event_type);
  e.from = row.text(6);
  e.to = row.text(7);
  e.actor = row.text(8);
  if (!row.is_null(9))
    e.data = read_json(row.text(9));
  e.task = row.text(10);
  return e;
}

} // namespace

void insert_event(connection& db, std::int64_t seq, const model::event& e) {
  constexpr auto sql = R"sql(
    INSERT INTO event (seq, ts_us, run_no, task_idx, attempt, type, from_state, to_state, actor,
                       data)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
  )sql";
  const auto data = e.data.is_null() ? std::string{} : model::to_text(e.data);
  query{db,
        sql,
        seq,
        e.at,
        e.run_no.value,
        e.task_idx,
        e.attempt,
        text_of(e.type),
        e.from,
        e.to,
        e.actor,
        data.empty() ? nullptr : &data}
    .run();
}

std::int64_t select_last_seq(connection& db) {
  query row{db, R"sql(SELECT coalesce(max(seq), 0) FROM event)sql"};
  row.next();
  return row.integer(0);
}

std::vector<model::event> select_events(connection& db, const event_query& wanted) {
  constexpr auto all = R"sql(
    SELECT e.seq, e.ts_us, e.run_no, e.task_idx, e.attempt, e.type, e.from_state, e.to_state,
           e.actor, e.data, iif(t.node_idx IS NULL, coalesce(t.name, ''), '')
      FROM event e LEFT JOIN task t ON t.run_no = e.run_no AND t.task_idx = e.task_idx
     WHERE e.seq > ?1
     ORDER BY e.seq LIMIT ?2
  )sql";
  constexpr auto of_run = R"sql(
    SELECT e.seq, e.ts_us, e.run_no, e.task_idx, e.attempt, e.type, e.from_state, e.to_state,
           e.actor, e.data, iif(t.node_idx IS NULL, coalesce(t.name, ''), '')
      FROM event e LEFT JOIN task t ON t.run_no = e.run_no AND t.task_idx = e.task_idx
     WHERE e.seq > max(?1, coalesce((SELECT first_seq - 1 FROM run WHERE run_no = ?3), ?1))
       AND e.seq <= coalesce((SELECT last_seq FROM run WHERE run_no = ?3), 9223372036854775807)
       AND e.run_no = ?3
     ORDER BY e.seq LIMIT ?2
  )sql";
  const auto read_all = [](query&& row) {
    std::vector<model::event> events;
    while (row.next())
      events.push_back(read_event(row));
    return events;
  };
  const auto limit = limit_of(wanted.limit);
  if (wanted.run_no)
    return read_all(query{db, of_run, wanted.after_seq, limit, wanted.run_no->value});
  return read_all(query{db, all, wanted.after_seq, limit});
}

} // namespace sluice::storage::sqlite

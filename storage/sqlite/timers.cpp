#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

constexpr std::int64_t of_the_run = -1; ///< task_idx of a run's own timer
constexpr std::int64_t of_group_0 = -2; ///< and of its groups; those of others are below

std::int64_t task_column(const model::timer& t) {
  if (t.group)
    return of_group_0 - std::int64_t{*t.group};
  return t.task_idx ? std::int64_t{*t.task_idx} : of_the_run;
}

} // namespace

void insert_timer(connection& db, const model::timer& set) {
  constexpr auto sql = R"sql(
    INSERT INTO timer (run_no, task_idx, kind, due_us) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (run_no, task_idx, kind) DO UPDATE SET due_us = excluded.due_us
  )sql";
  query{db, sql, set.run_no.value, task_column(set), text_of(set.kind), set.due}.run();
}

void delete_timer(connection& db, const model::timer& removed) {
  constexpr auto sql = R"sql(
    DELETE FROM timer WHERE run_no = ?1 AND task_idx = ?2 AND kind = ?3
  )sql";
  query{db, sql, removed.run_no.value, task_column(removed), text_of(removed.kind)}.run();
}

std::vector<model::timer> select_timers(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT task_idx, kind, due_us FROM timer WHERE run_no = ?1 ORDER BY task_idx, kind
  )sql";
  query row{db, sql, run.value};
  std::vector<model::timer> timers;
  while (row.next()) {
    model::timer timer;
    timer.run_no = run;
    if (row.integer(0) <= of_group_0)
      timer.group = static_cast<std::uint32_t>(of_group_0 - row.integer(0));
    else if (row.integer(0) != of_the_run)
      timer.task_idx = static_cast<std::uint32_t>(row.integer(0));
    timer.kind = read_name(row.text(1), model::parse_timer_kind);
    timer.due = model::from_us(row.integer(2));
    timers.push_back(timer);
  }
  return timers;
}

} // namespace sluice::storage::sqlite

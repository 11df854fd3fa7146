#include "storage/sqlite/names.hpp"
#include "storage/sqlite/tables.hpp"

namespace sluice::storage::sqlite {
namespace {

std::string counts_text(const model::state_counts& counts) {
  std::string text = "{";
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i] != 0)
      text += (text.size() > 1 ? ",\"" : "\"") + text_of(model::task_state(i))
              + "\":" + std::to_string(counts[i]);
  return text + "}";
}

model::state_counts read_counts(const std::string& text) {
  model::state_counts counts{};
  const auto object = read_json(text); // outlives its `items`
  for (const auto& [name, count] : object.items())
    counts[std::size_t(read_name(name, model::parse_task_state))] = count.get<std::uint32_t>();
  return counts;
}

run_row read_run(query& row) {
  run_row run;
  run.run_no = {row.integer(0)};
  run.workflow = row.text(1);
  run.version = row.integer(2);
  run.state = read_name(row.text(3), model::parse_run_state);
  run.trigger = row.text(4);
  run.params = read_json(row.text(5));
  run.counts = read_counts(row.text(6));
  run.degraded = row.integer(7) != 0;
  run.error = row.text(8);
  run.submitted_at = model::from_us(row.integer(9));
  run.started_at = row.time(10);
  run.finished_at = row.time(11);
  run.generation = static_cast<std::uint32_t>(row.integer(12));
  run.began_at = model::from_us(row.integer(13));
  run.began_seq = row.integer(14);
  run.paused = row.integer(15) != 0;
  run.rolls_back = row.integer(16) != 0;
  if (!row.is_null(17))
    run.parent = {{row.integer(17)},
                  static_cast<std::uint32_t>(row.integer(18)),
                  static_cast<std::uint32_t>(row.integer(19))};
  run.user = row.text(20);
  return run;
}

} // namespace

void insert_run(connection& db, const model::run_created& r, std::int64_t version_id,
                std::int64_t first_seq) {
  constexpr auto sql = R"sql(
    INSERT INTO run (run_no, version_id, state, trigger, params, counts, first_seq, submitted_us,
                     user)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
  )sql";
  model::state_counts counts{};
  counts[std::size_t(model::task_state::pending)] =
    static_cast<std::uint32_t>(r.request->workflow->tasks.size());
  query{db,
        sql,
        r.run_no.value,
        version_id,
        text_of(r.state),
        r.request->trigger,
        model::to_text(r.request->params),
        counts_text(counts),
        first_seq,
        r.at,
        r.request->user}
    .run();
  if (r.parent) // seldom, so that others bind nothing more
    query{db,
          R"sql(
            UPDATE run SET parent_run_no = ?2, parent_task_idx = ?3, parent_attempt = ?4
             WHERE run_no = ?1
          )sql", r.run_no.value, r.parent->run_no.value, r.parent->task_idx, r.parent->attempt}
      .run();
}

bool move_run(connection& db, const model::run_moved& r) {
  constexpr auto sql = R"sql(
    UPDATE run SET state = ?3, degraded = ?4, error = ?5, finished_us = ?6
     WHERE run_no = ?1 AND state = ?2
  )sql";
  const auto finished = is_terminal(r.to) ? std::optional{r.at} : std::nullopt;
  if (query{db, sql, r.run_no.value, text_of(r.from), text_of(r.to), r.degraded, r.error, finished}
        .run()
      != 1)
    return false;
  if (!r.results.is_null())
    query{db, R"sql(UPDATE run SET results = ?2 WHERE run_no = ?1)sql", r.run_no.value,
          model::to_text(r.results)}
      .run();
  return true;
}

bool change_version(connection& db, const model::tasks_added& r, std::int64_t version_id) {
  constexpr auto sql = R"sql(
    UPDATE run SET version_id = ?2
     WHERE run_no = ?1 AND state = 'running'
       AND ?3 = (SELECT max(task_idx) + 1 FROM task WHERE run_no = ?1)
  )sql";
  return query{db, sql, r.run_no.value, version_id, r.addition().first}.run() == 1;
}

void roll_back_run(connection& db, const model::run_moved& r, std::int64_t seq) {
  constexpr auto going = R"sql(UPDATE run SET rolls_back = 1 WHERE run_no = ?1)sql";
  constexpr auto ended = R"sql(
    UPDATE run SET rolls_back = 1, paused = 0, began_us = ?2, began_seq = ?3, last_seq = NULL
     WHERE run_no = ?1
  )sql";
  if (is_terminal(r.from))
    query{db, ended, r.run_no.value, r.at, seq}.run();
  else
    query{db, going, r.run_no.value}.run();
}

bool pause_run(connection& db, const model::run_paused& r) {
  constexpr auto sql = R"sql(
    UPDATE run SET paused = ?2 WHERE run_no = ?1 AND paused <> ?2 AND finished_us IS NULL
  )sql";
  return query{db, sql, r.run_no.value, r.is_paused}.run() == 1;
}

bool retry_run(connection& db, const model::run_retried& r, std::int64_t seq) {
  constexpr auto sql = R"sql(
    UPDATE run
       SET state = 'running', generation = ?3, began_us = ?4, began_seq = ?5, degraded = 0,
           paused = 0, rolls_back = 0, error = '', last_seq = NULL, finished_us = NULL
     WHERE run_no = ?1 AND state = ?2 AND generation = ?3 - 1
  )sql";
  return query{db, sql, r.run_no.value, text_of(r.from), r.generation, r.at, seq}.run() == 1;
}

void mend_run(connection& db, const mended_run& run) {
  constexpr auto sql = R"sql(
    UPDATE run SET state = ?2, counts = ?3, finished_us = ?4 WHERE run_no = ?1
  )sql";
  query{db, sql, run.run_no.value, text_of(run.state), counts_text(run.counts), run.finished_at}
    .run();
}

void update_progress(connection& db, model::run_no run, const run_progress& progress) {
  constexpr auto sql = R"sql(
    UPDATE run
       SET counts = coalesce(?2, counts), started_us = coalesce(started_us, ?3),
           last_seq = iif(finished_us IS NULL, NULL, ?4)
     WHERE run_no = ?1
  )sql";
  std::optional<std::string> counts;
  if (progress.counts != nullptr)
    counts = counts_text(*progress.counts);
  query{db, sql, run.value, counts, progress.first_dispatch, progress.last_seq}.run();
}

model::run_no select_next_run_no(connection& db) {
  query row{db, R"sql(SELECT coalesce(max(run_no), 0) + 1 FROM run)sql"};
  row.next();
  return {row.integer(0)};
}

std::vector<run_row> select_runs(connection& db, const run_query& wanted) {
  // Two texts: only the first may use the index of unfinished runs, which a long history needs.
  constexpr auto unfinished = R"sql(
    SELECT r.run_no, w.name, v.version, r.state, r.trigger, r.params, r.counts, r.degraded,
           r.error, r.submitted_us, r.started_us, r.finished_us, r.generation,
           coalesce(r.began_us, r.submitted_us), coalesce(r.began_seq, r.first_seq), r.paused,
           r.rolls_back, r.parent_run_no, r.parent_task_idx, r.parent_attempt, r.user
      FROM run r INDEXED BY run_unfinished
      JOIN workflow_version v USING (version_id) JOIN workflow w USING (workflow_id)
     WHERE r.state IN ('queued', 'running', 'cancelling', 'rolling_back')
       AND (?1 IS NULL OR r.state = ?1) AND (?2 = '' OR w.name = ?2)
       AND (?4 = 0 OR r.parent_run_no IS NULL)
     ORDER BY r.run_no DESC LIMIT ?3
  )sql";
  constexpr auto all = R"sql(
    SELECT r.run_no, w.name, v.version, r.state, r.trigger, r.params, r.counts, r.degraded,
           r.error, r.submitted_us, r.started_us, r.finished_us, r.generation,
           coalesce(r.began_us, r.submitted_us), coalesce(r.began_seq, r.first_seq), r.paused,
           r.rolls_back, r.parent_run_no, r.parent_task_idx, r.parent_attempt, r.user
      FROM run r CROSS JOIN workflow_version v USING (version_id)
      CROSS JOIN workflow w USING (workflow_id)
     WHERE (?1 IS NULL OR r.state = ?1) AND (?2 = '' OR w.name = ?2)
       AND (?4 = 0 OR r.parent_run_no IS NULL)
     ORDER BY r.run_no DESC LIMIT ?3
  )sql";
  const bool live = wanted.unfinished_only || (wanted.state && !is_terminal(*wanted.state));
  const auto* state = wanted.state ? &text_of(*wanted.state) : nullptr;
  query row{
    db, live ? unfinished : all, state, wanted.workflow, limit_of(wanted.limit), wanted.whole_only};
  std::vector<run_row> runs;
  while (row.next())
    runs.push_back(read_run(row));
  return runs;
}

std::optional<run_row> select_run(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT r.run_no, w.name, v.version, r.state, r.trigger, r.params, r.counts, r.degraded,
           r.error, r.submitted_us, r.started_us, r.finished_us, r.generation,
           coalesce(r.began_us, r.submitted_us), coalesce(r.began_seq, r.first_seq), r.paused,
           r.rolls_back, r.parent_run_no, r.parent_task_idx, r.parent_attempt, r.user
      FROM run r JOIN workflow_version v USING (version_id) JOIN workflow w USING (workflow_id)
     WHERE r.run_no = ?1
  )sql";
  query row{db, sql, run.value};
  return row.next() ? std::optional{read_run(row)} : std::nullopt;
}

std::optional<std::string> select_results(connection& db, model::run_no run) {
  constexpr auto sql = R"sql(
    SELECT iif(state = 'succeeded', coalesce(results, ''), '') FROM run WHERE run_no = ?1
  )sql";
  query row{db, sql, run.value};
  return row.next() ? std::optional{row.text(0)} : std::nullopt;
}

std::vector<model::child_run> select_children(connection& db, model::task_key task) {
  constexpr auto sql = R"sql(
    SELECT parent_attempt, run_no FROM run
     WHERE parent_run_no = ?1 AND parent_task_idx = ?2 ORDER BY run_no
  )sql";
  query row{db, sql, task.run_no.value, task.task_idx};
  std::vector<model::child_run> children;
  while (row.next())
    children.push_back(
      {{task.run_no, task.task_idx, static_cast<std::uint32_t>(row.integer(0))}, {row.integer(1)}});
  return children;
}

} // namespace sluice::storage::sqlite

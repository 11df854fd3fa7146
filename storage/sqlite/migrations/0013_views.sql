-- What people ask a store for with SQL: `sqlite3 -readonly sluice.db 'SELECT * FROM active_task'`.
-- Times are text, in UTC.
--
-- A migration that copies one of their tables drops the views first and makes them again: SQLite
-- lets a view follow the table that is renamed away.

-- What runs, or was running when its runtime died.
CREATE VIEW active_task AS
SELECT 'r-' || t.run_no || '/' || t.name AS task, w.name AS workflow, t.state, t.attempt,
       a.executor, strftime('%Y-%m-%dT%H:%M:%fZ', a.dispatched_us / 1e6, 'unixepoch') AS dispatched
  FROM run r
  JOIN workflow_version v USING (version_id)
  JOIN workflow w USING (workflow_id)
  CROSS JOIN task t USING (run_no) -- after the run, of which few are unfinished
  JOIN attempt a USING (run_no, task_idx, attempt)
 WHERE r.state IN ('queued', 'running', 'cancelling', 'rolling_back')
   AND t.state IN ('dispatched', 'running', 'deferred', 'validating', 'cancelling', 'rolling_back');

CREATE VIEW task_stats_by_run AS
SELECT r.run_no, 'r-' || r.run_no AS run, w.name AS workflow, r.state, COUNT(*) AS tasks,
       SUM(t.state = 'succeeded') AS succeeded, SUM(t.state = 'failed') AS failed,
       SUM(t.state = 'skipped') AS skipped, SUM(t.state = 'cancelled') AS cancelled,
       SUM(t.state = 'rolled_back') AS rolled_back, SUM(t.finished_us IS NULL) AS undecided,
       SUM(t.attempt) AS attempts, SUM(t.retries) AS retries, SUM(t.losses) AS losses
  FROM run r
  JOIN workflow_version v USING (version_id)
  JOIN workflow w USING (workflow_id)
  JOIN task t USING (run_no)
 GROUP BY r.run_no;

-- Of a run, or of one of its tasks.
CREATE VIEW pending_timer AS
SELECT 'r-' || i.run_no AS run, t.name AS task, i.kind,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.due_us / 1e6, 'unixepoch') AS due
  FROM timer i LEFT JOIN task t USING (run_no, task_idx)
 ORDER BY i.due_us;

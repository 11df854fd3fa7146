-- Tasks that are done once for each of some items. Their instances are rows of `task` too, with the
-- name of that task, and come after the tasks of the specification.

ALTER TABLE task ADD COLUMN node_idx INTEGER; -- of the task it is an instance of; null: of none

-- The instances of one task, of the generation in which it was fanned out: consecutive indices, in
-- order of the items.
CREATE TABLE fan_out (
  run_no     INTEGER NOT NULL,
  task_idx   INTEGER NOT NULL, -- that is fanned out
  generation INTEGER NOT NULL,
  first_idx  INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  items      TEXT NOT NULL, -- JSON
  superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)), -- by a later generation
  PRIMARY KEY (run_no, task_idx, generation)
) STRICT, WITHOUT ROWID;

DROP VIEW active_task;
DROP VIEW task_stats_by_run;

-- What runs, or was running when its runtime died; an instance by its index.
CREATE VIEW active_task AS
SELECT 'r-' || t.run_no || '/' || iif(t.node_idx IS NULL, t.name, t.task_idx) AS task,
       w.name AS workflow, t.state, t.attempt, a.executor,
       strftime('%Y-%m-%dT%H:%M:%fZ', a.dispatched_us / 1e6, 'unixepoch') AS dispatched
  FROM run r
  JOIN workflow_version v USING (version_id)
  JOIN workflow w USING (workflow_id)
  CROSS JOIN task t USING (run_no) -- after the run, of which few are unfinished
  JOIN attempt a USING (run_no, task_idx, attempt)
 WHERE r.state IN ('queued', 'running', 'cancelling', 'rolling_back')
   AND t.state IN ('dispatched', 'running', 'deferred', 'validating', 'cancelling', 'rolling_back');

-- What counts as a task of its run: instances in the place of the task they are of.
CREATE VIEW counted_task AS
SELECT t.* FROM task t
 WHERE iif(t.node_idx IS NULL,
           NOT EXISTS (SELECT 1 FROM fan_out f
                        WHERE f.run_no = t.run_no AND f.task_idx = t.task_idx
                          AND f.superseded = 0 AND f.count > 0),
           NOT EXISTS (SELECT 1 FROM fan_out f
                        WHERE f.run_no = t.run_no AND f.task_idx = t.node_idx
                          AND f.superseded = 1
                          AND t.task_idx BETWEEN f.first_idx AND f.first_idx + f.count - 1));

CREATE VIEW task_stats_by_run AS
SELECT r.run_no, 'r-' || r.run_no AS run, w.name AS workflow, r.state, COUNT(*) AS tasks,
       SUM(t.state = 'succeeded') AS succeeded, SUM(t.state = 'failed') AS failed,
       SUM(t.state = 'skipped') AS skipped, SUM(t.state = 'cancelled') AS cancelled,
       SUM(t.state = 'rolled_back') AS rolled_back, SUM(t.finished_us IS NULL) AS undecided,
       SUM(t.attempt) AS attempts, SUM(t.retries) AS retries, SUM(t.losses) AS losses
  FROM run r
  JOIN workflow_version v USING (version_id)
  JOIN workflow w USING (workflow_id)
  JOIN counted_task t USING (run_no)
 GROUP BY r.run_no;

-- Groups of tasks, with timers of their own.

-- Their view goes first: it would follow the table that is renamed away.
DROP VIEW pending_timer;

-- A CHECK cannot be changed without copying the table; there are few timers.
ALTER TABLE timer RENAME TO timer_before;

CREATE TABLE timer (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL, -- -1: of the run; -2, -3 and so on: of its first group, its second ...
  kind     TEXT NOT NULL CHECK (
             kind = 'retry' OR kind = 'deadline' OR kind = 'queue_timeout' OR kind = 'breaker'
             OR kind = 'timeout' OR kind = 'timebox' OR kind = 'budget'),
  due_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO timer SELECT * FROM timer_before;
DROP TABLE timer_before;

-- Of a run, of a group of its tasks, or of one of them.
CREATE VIEW pending_timer AS
SELECT 'r-' || i.run_no AS run, t.name AS task,
       iif(i.task_idx < -1, json_extract(v.spec, '$.groups[' || (-2 - i.task_idx) || '].name'),
           NULL) AS group_name,
       i.kind, strftime('%Y-%m-%dT%H:%M:%fZ', i.due_us / 1e6, 'unixepoch') AS due
  FROM timer i
  JOIN run r USING (run_no)
  JOIN workflow_version v USING (version_id)
  LEFT JOIN task t USING (run_no, task_idx)
 ORDER BY i.due_us;

-- What counts as a task of a group: what belongs to it by its own word, or by what is said of all.
CREATE VIEW grouped_task AS
WITH version AS MATERIALIZED ( -- so that what is said of all is looked for once
  SELECT version_id, spec, json_extract(spec, '$.defaults.group') AS of_all FROM workflow_version),
node AS (
  SELECT r.run_no, j.key AS node_idx,
         coalesce(json_extract(j.value, '$.settings.group'), v.of_all) AS group_name
    FROM run r
    CROSS JOIN version v USING (version_id)
    CROSS JOIN json_each(v.spec, '$.tasks') j)
SELECT n.group_name, t.*
  FROM node n
  CROSS JOIN counted_task t ON t.run_no = n.run_no AND t.task_idx = n.node_idx
 WHERE n.group_name IS NOT NULL
UNION ALL
SELECT n.group_name, t.*
  FROM node n
  CROSS JOIN fan_out f ON f.run_no = n.run_no AND f.task_idx = n.node_idx AND f.superseded = 0
  CROSS JOIN task t
    ON t.run_no = f.run_no AND t.task_idx BETWEEN f.first_idx AND f.first_idx + f.count - 1
 WHERE n.group_name IS NOT NULL;

CREATE VIEW task_stats_by_group AS
SELECT r.run_no, 'r-' || r.run_no AS run, w.name AS workflow, t.group_name, COUNT(*) AS tasks,
       SUM(t.state = 'succeeded') AS succeeded, SUM(t.state = 'failed') AS failed,
       SUM(t.state = 'skipped') AS skipped, SUM(t.state = 'cancelled') AS cancelled,
       SUM(t.state = 'rolled_back') AS rolled_back, SUM(t.finished_us IS NULL) AS undecided,
       SUM(t.attempt) AS attempts, SUM(t.retries) AS retries, SUM(t.losses) AS losses
  FROM run r
  JOIN workflow_version v USING (version_id)
  JOIN workflow w USING (workflow_id)
  JOIN grouped_task t USING (run_no)
 GROUP BY r.run_no, t.group_name;

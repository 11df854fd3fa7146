-- Tasks that runs were given while they were in progress: of the workflow, behind all others, and
-- with indices of their own.

DROP VIEW task_stats_by_group;
DROP VIEW grouped_task;

-- What counts as a task of a group: what belongs to it by its own word, or by what is said of all.
CREATE VIEW grouped_task AS
WITH version AS MATERIALIZED ( -- so that what is said of all is looked for once
  SELECT version_id, spec, json_extract(spec, '$.defaults.group') AS of_all FROM workflow_version),
node AS (
  SELECT r.run_no, j.key AS node_idx,
         coalesce(json_extract(j.value, '$.settings.group'), v.of_all) AS group_name
    FROM run r
    CROSS JOIN version v USING (version_id)
    CROSS JOIN json_each(v.spec, '$.tasks') j
  UNION ALL
  SELECT r.run_no, json_extract(a.value, '$.first') + j.key,
         coalesce(json_extract(j.value, '$.settings.group'),
                  json_extract(a.value, '$.defaults.group'))
    FROM run r
    CROSS JOIN version v USING (version_id)
    CROSS JOIN json_each(v.spec, '$.additions') a
    CROSS JOIN json_each(a.value, '$.tasks') j)
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

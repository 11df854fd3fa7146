-- Tasks that only wait, and signals for those that wait for one.

-- What a task waits for, while it does.
CREATE TABLE awaited (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL,
  name     TEXT NOT NULL, -- of the signal, or empty
  prompt   TEXT NOT NULL, -- of an approval, or empty
  since_us INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx)
) STRICT, WITHOUT ROWID;

-- Sent to a run, and taken by none of its gates yet.
CREATE TABLE signal (
  run_no  INTEGER NOT NULL,
  number  INTEGER NOT NULL,
  name    TEXT NOT NULL,
  payload TEXT NOT NULL, -- JSON
  sender  TEXT NOT NULL,
  sent_us INTEGER NOT NULL,
  PRIMARY KEY (run_no, number)
) STRICT, WITHOUT ROWID;

-- A CHECK cannot be changed without copying the table; there are few timers.
DROP VIEW pending_timer;
ALTER TABLE timer RENAME TO timer_before;

CREATE TABLE timer (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL, -- -1: of the run; -2, -3 and so on: of its first group, its second ...
  kind     TEXT NOT NULL CHECK (
             kind = 'retry' OR kind = 'deadline' OR kind = 'queue_timeout' OR kind = 'breaker'
             OR kind = 'timeout' OR kind = 'timebox' OR kind = 'budget' OR kind = 'gate'),
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

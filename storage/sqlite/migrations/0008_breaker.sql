-- Kinds of tasks that keep failing.

-- Of a task of a workflow in all its runs: none when its last attempt succeeded.
CREATE TABLE breaker (
  workflow_id   INTEGER NOT NULL REFERENCES workflow,
  task          TEXT NOT NULL,
  failures      INTEGER NOT NULL, -- attempts in a row
  open_until_us INTEGER,          -- null: closed
  PRIMARY KEY (workflow_id, task)
) STRICT, WITHOUT ROWID;

-- A CHECK cannot be changed without copying the table; there are few timers.
ALTER TABLE timer RENAME TO timer_before;

CREATE TABLE timer (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL, -- -1: of the run
  kind     TEXT NOT NULL CHECK (
             kind = 'retry' OR kind = 'deadline' OR kind = 'queue_timeout' OR kind = 'breaker'),
  due_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO timer SELECT * FROM timer_before;
DROP TABLE timer_before;

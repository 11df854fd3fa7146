-- Retries, and the timers that outlive the program.

ALTER TABLE task ADD COLUMN retries INTEGER NOT NULL DEFAULT 0; -- attempts that followed failed ones

CREATE TABLE timer (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL, -- -1: of the run
  kind     TEXT NOT NULL CHECK (
             kind = 'retry' OR kind = 'deadline' OR kind = 'queue_timeout'),
  due_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx, kind)
) STRICT, WITHOUT ROWID;

-- The log without a CHECK on its types. New features bring new types, and a CHECK cannot be changed
-- without copying the table, which is the largest; who reads it refuses names that it does not know.
ALTER TABLE event RENAME TO event_before;

CREATE TABLE event (
  seq        INTEGER PRIMARY KEY,
  ts_us      INTEGER NOT NULL,
  run_no     INTEGER NOT NULL,
  task_idx   INTEGER,
  attempt    INTEGER,
  type       TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  actor      TEXT NOT NULL,
  data       TEXT -- JSON
) STRICT;

INSERT INTO event SELECT * FROM event_before;
DROP TABLE event_before;

-- Runs that are attempts of other runs, and what runs come to.

ALTER TABLE run ADD COLUMN parent_run_no INTEGER;   -- null: it was submitted
ALTER TABLE run ADD COLUMN parent_task_idx INTEGER;
ALTER TABLE run ADD COLUMN parent_attempt INTEGER;
ALTER TABLE run ADD COLUMN results TEXT;            -- JSON; null: none

CREATE INDEX run_parent ON run (parent_run_no, parent_task_idx, parent_attempt)
  WHERE parent_run_no IS NOT NULL;

-- A CHECK cannot be changed without copying the table; there are few timers.
DROP VIEW pending_timer;
ALTER TABLE timer RENAME TO timer_before;

CREATE TABLE timer (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL, -- -1: of the run
  kind     TEXT NOT NULL CHECK (
             kind = 'retry' OR kind = 'deadline' OR kind = 'queue_timeout' OR kind = 'breaker'
             OR kind = 'timeout'),
  due_us   INTEGER NOT NULL,
  PRIMARY KEY (run_no, task_idx, kind)
) STRICT, WITHOUT ROWID;

INSERT INTO timer SELECT * FROM timer_before;
DROP TABLE timer_before;

CREATE VIEW pending_timer AS
SELECT 'r-' || i.run_no AS run, t.name AS task, i.kind,
       strftime('%Y-%m-%dT%H:%M:%fZ', i.due_us / 1e6, 'unixepoch') AS due
  FROM timer i LEFT JOIN task t USING (run_no, task_idx)
 ORDER BY i.due_us;

-- Attempts without a CHECK on their executors: new features bring new ones, and this table is too
-- large to be copied for each of them.
DROP VIEW active_task;
ALTER TABLE attempt RENAME TO attempt_before;

CREATE TABLE attempt (
  run_no         INTEGER NOT NULL,
  task_idx       INTEGER NOT NULL,
  attempt        INTEGER NOT NULL,
  executor       TEXT NOT NULL,
  state          TEXT NOT NULL CHECK (
                 state = 'pending' OR state = 'waiting' OR state = 'ready'
                 OR state = 'dispatched' OR state = 'running' OR state = 'deferred'
                 OR state = 'validating' OR state = 'retry_wait' OR state = 'paused'
                 OR state = 'cancelling' OR state = 'rolling_back' OR state = 'succeeded'
                 OR state = 'failed' OR state = 'skipped' OR state = 'cancelled'
                 OR state = 'rolled_back'),
  class          TEXT CHECK (
                 class = 'exit' OR class = 'transient' OR class = 'permanent'
                 OR class = 'timeout' OR class = 'deadline' OR class = 'heartbeat'
                 OR class = 'gate' OR class = 'validation' OR class = 'resource'
                 OR class = 'budget' OR class = 'cancelled' OR class = 'lost'
                 OR class = 'internal'),
  code           TEXT,
  message        TEXT,
  inputs         TEXT, -- JSON
  cpu_us         INTEGER NOT NULL DEFAULT 0,
  peak_rss_bytes INTEGER NOT NULL DEFAULT 0,
  dispatched_us  INTEGER NOT NULL,
  started_us     INTEGER,
  finished_us    INTEGER,
  generation     INTEGER NOT NULL DEFAULT 1,
  role           TEXT NOT NULL DEFAULT 'action',
  usage          TEXT, -- JSON, name -> number; null: nothing was said
  PRIMARY KEY (run_no, task_idx, attempt)
) STRICT, WITHOUT ROWID;

INSERT INTO attempt SELECT * FROM attempt_before;
DROP TABLE attempt_before;

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

-- The first schema. Times are UTC microseconds; states, classes and types are the names of
-- model/state; JSON columns hold payloads that are never queried.
--
-- The lists of names are chains of OR: for an IN with more than two constants SQLite fills a
-- temporary index at each execution of a statement, which made a commit three times as slow.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE workflow (
  workflow_id INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  created_us  INTEGER NOT NULL
) STRICT;

CREATE TABLE workflow_version (
  version_id   INTEGER PRIMARY KEY,
  workflow_id  INTEGER NOT NULL REFERENCES workflow,
  version      INTEGER NOT NULL, -- counts from 1 per workflow
  content_hash TEXT NOT NULL,
  spec         TEXT NOT NULL,    -- JSON
  source       TEXT NOT NULL,    -- the file it was first read from, or empty
  created_us   INTEGER NOT NULL,
  UNIQUE (workflow_id, version),
  UNIQUE (workflow_id, content_hash)
) STRICT;

CREATE TABLE run (
  run_no       INTEGER PRIMARY KEY,
  version_id   INTEGER NOT NULL REFERENCES workflow_version,
  state        TEXT NOT NULL CHECK (
                 state = 'queued' OR state = 'running' OR state = 'cancelling'
                 OR state = 'rolling_back' OR state = 'succeeded' OR state = 'failed'
                 OR state = 'cancelled' OR state = 'rolled_back'),
  trigger      TEXT NOT NULL,
  params       TEXT NOT NULL, -- JSON
  -- JSON, state -> number of tasks, without the zeros. One text instead of a column per state:
  -- it is always read and written whole, and a new state changes no table.
  counts       TEXT NOT NULL,
  degraded     INTEGER NOT NULL DEFAULT 0 CHECK (degraded IN (0, 1)),
  error        TEXT NOT NULL DEFAULT '',
  -- The range of event.seq in which this run's events lie, so that they are found without an
  -- index on event. last_seq is null while the run is not finished.
  first_seq    INTEGER NOT NULL,
  last_seq     INTEGER,
  submitted_us INTEGER NOT NULL,
  started_us   INTEGER,
  finished_us  INTEGER
) STRICT;

CREATE INDEX run_unfinished ON run (run_no)
  WHERE state IN ('queued', 'running', 'cancelling', 'rolling_back');

-- Narrow: a run's tasks are scanned. `ready` and `running` are never stored, see model/run.
CREATE TABLE task (
  run_no      INTEGER NOT NULL,
  task_idx    INTEGER NOT NULL,
  name        TEXT NOT NULL,
  state       TEXT NOT NULL CHECK (
                 state = 'pending' OR state = 'waiting' OR state = 'ready'
                 OR state = 'dispatched' OR state = 'running' OR state = 'deferred'
                 OR state = 'validating' OR state = 'retry_wait' OR state = 'paused'
                 OR state = 'cancelling' OR state = 'rolling_back' OR state = 'succeeded'
                 OR state = 'failed' OR state = 'skipped' OR state = 'cancelled'
                 OR state = 'rolled_back'),
  reason      TEXT NOT NULL DEFAULT '', -- of a skip or cancel
  attempt     INTEGER NOT NULL DEFAULT 0, -- the current one, 0: none yet
  losses      INTEGER NOT NULL DEFAULT 0,
  finished_us INTEGER,
  PRIMARY KEY (run_no, task_idx)
) STRICT, WITHOUT ROWID;

-- What is wide and rare: outputs, and why a task failed for good.
CREATE TABLE task_text (
  run_no   INTEGER NOT NULL,
  task_idx INTEGER NOT NULL,
  outputs  TEXT, -- JSON
  class    TEXT CHECK (
                 class = 'exit' OR class = 'transient' OR class = 'permanent'
                 OR class = 'timeout' OR class = 'deadline' OR class = 'heartbeat'
                 OR class = 'gate' OR class = 'validation' OR class = 'resource'
                 OR class = 'budget' OR class = 'cancelled' OR class = 'lost'
                 OR class = 'internal'),
  code     TEXT,
  message  TEXT,
  PRIMARY KEY (run_no, task_idx)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
  run_no         INTEGER NOT NULL,
  task_idx       INTEGER NOT NULL,
  attempt        INTEGER NOT NULL,
  executor       TEXT NOT NULL CHECK (
                 executor = 'process' OR executor = 'function'),
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
  PRIMARY KEY (run_no, task_idx, attempt)
) STRICT, WITHOUT ROWID;

-- Append-only: the audit trail, and the cursor of all followers.
CREATE TABLE event (
  seq        INTEGER PRIMARY KEY,
  ts_us      INTEGER NOT NULL,
  run_no     INTEGER NOT NULL,
  task_idx   INTEGER,
  attempt    INTEGER,
  type       TEXT NOT NULL CHECK (
                 type = 'run_submitted' OR type = 'run_cancelling' OR type = 'run_finished'
                 OR type = 'task_dispatched' OR type = 'task_finished' OR type = 'task_lost'
                 OR type = 'task_skipped' OR type = 'task_cancelling' OR type = 'task_cancelled'
                 OR type = 'task_failed' OR type = 'task_warning'),
  from_state TEXT NOT NULL,
  to_state   TEXT NOT NULL,
  actor      TEXT NOT NULL,
  data       TEXT -- JSON
) STRICT;
